"""cut: bytes of delimited text -> blocks of whole records, each of the right width

A *record* is what makes a row: usually one line, several where a quoted field holds line ends. A
field is either quoted (`"…"` from delimiter to delimiter, `""` for a quote) or bare; a quote inside
a bare field is a quote and nothing more.

Nothing is guessed. Every block is proved: counting delimiters line by line where a few whole-block
tests show that a line is a record, else record by record. So whatever leaves here can be given to
Polars, which fills and guesses where a line is ragged, and rows and lines cannot drift apart.

Blank lines (nothing, or blanks only) are no records. A quote that is never closed, or closed in
mid-field, costs one line: reading goes on with the next one. To find out, a record may run at most
`LONGEST_TAIL` bytes over its first line; so one lost quote neither swallows a file nor needs it in
memory. Memory is one chunk, or the longest line where that is longer.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO

CHUNK = 1 << 20
LONGEST_TAIL = 1 << 20  # bytes of a record behind the end of its first line
SMALLEST_WINDOW = 1 << 9  # bytes that are looked at record by record where they are not plain
LONGEST_TEXT = 1 << 16  # bytes of a refused line that are kept

BOM = b"\xef\xbb\xbf"
_QUOTE = b'"'


@dataclass(frozen=True)
class Shape:
    """`width` fields, as `against` has them (header, table), at one-character delimiters."""

    delimiter: str
    width: int
    against: str = "header"

    @cached_property
    def separator(self) -> bytes:
        """The delimiter in the file, up to four bytes."""
        return self.delimiter.encode()

    @cached_property
    def output(self) -> str:
        """The delimiter of the blocks: Polars takes a single byte."""
        return self.delimiter if len(self.separator) == 1 else ","

    @cached_property
    def blanks(self) -> bytes:
        """What a blank line may consist of."""
        return b" \t\r".replace(self.separator, b"")

    @cached_property
    def other_bytes(self) -> bytes:
        """All but quotes, delimiters and line feeds."""
        return bytes(
            each for each in range(256) if bytes([each]) not in (b'"', b"\n", self.separator)
        )

    @cached_property
    def misplaced_quote(self) -> re.Pattern[bytes]:
        """A quote away from the edge of its field, where what is quoted is shrunk to one quote."""
        edge = re.escape(self.separator)
        return re.compile(rb'[^\n"%b]"|"[^\r\n"%b]' % (edge, edge))


@dataclass(frozen=True, slots=True)
class RefusedRecord:
    """`text` is the record verbatim, undecodable bytes escaped, its last line end left out."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """Records as delimited text, each with its line.

    `as_filed` where it is byte by byte what the file has, one line a record.
    """

    text: bytes
    lines: range | list[int]
    refused: tuple[RefusedRecord, ...]
    as_filed: bool


class UnreadableError(Exception):
    """A record that makes no row. It ends at `end`, or with its first line where that is None."""

    def __init__(self, reason: str, end: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.end = end


class UnfinishedError(Exception):
    """The record may go on behind the bytes at hand."""


def cut(stream: BinaryIO, shape: Shape, line: int = 1) -> Iterator[Block]:
    """The rest of the stream as blocks; `line` is the number of its first line."""
    pending: list[bytes] = []
    while piece := stream.read(CHUNK):
        end = piece.rfind(b"\n") + 1
        if not end:
            pending.append(piece)
            continue
        data = b"".join([*pending, piece[:end]])
        block, rest = _cut_lines(data, shape, line, at_end=False)
        yield block
        line += data.count(b"\n") - rest.count(b"\n")
        pending = [each for each in (rest, piece[end:]) if each]
    if last := b"".join(pending):
        block, _ = _cut_lines(
            last if last.endswith(b"\n") else last + b"\n", shape, line, at_end=True
        )
        # NOTE: Polars and we may differ about a carriage return that nothing follows, so that is
        # never left to it.
        yield Block(
            block.text, block.lines, block.refused, block.as_filed and not last.endswith(b"\r")
        )


def _cut_lines(data: bytes, shape: Shape, line: int, *, at_end: bool) -> tuple[Block, bytes]:
    """The records of `data`, whole lines, and the beginning of a record that goes on behind it."""
    texts: list[bytes] = []
    lines: list[int] = []
    refused: list[RefusedRecord] = []
    position, window = 0, len(data)
    while position < len(data):
        window_end = (data.find(b"\n", position + window - 1) + 1) or len(data)
        text = data[position:window_end]
        if _is_plain(text, shape):
            count = text.count(b"\n")
            if len(text) == len(data):
                return Block(data, range(line, line + count), (), as_filed=True), b""
            texts.append(text)
            lines += range(line, line + count)
            position, line, window = window_end, line + count, window * 4
            continue
        if window > SMALLEST_WINDOW:
            window = SMALLEST_WINDOW
            continue
        while position < window_end:
            first_end = data.index(b"\n", position) + 1
            if not data[position:first_end].strip(shape.blanks + b"\n"):
                position, line = first_end, line + 1
                continue
            try:
                text, end = _record(data, position, first_end, shape, at_end=at_end)
            except UnfinishedError:
                return Block(b"".join(texts), lines, tuple(refused), as_filed=False), data[
                    position:
                ]
            except UnreadableError as mistake:
                end = mistake.end or first_end
                refused.append(RefusedRecord(line, mistake.reason, verbatim(data[position:end])))
            else:
                texts.append(text)
                lines.append(line)
            line += 1 if end == first_end else data.count(b"\n", position, end)
            position = end
    return Block(b"".join(texts), lines, tuple(refused), as_filed=False), b""


def _is_plain(data: bytes, shape: Shape) -> bool:
    """Whether each line surely is one record of the right width, and Polars reads it as we do."""
    if len(shape.separator) > 1 or b"\0" in data or data.startswith(BOM):
        return False
    if b"\r" in data and data.count(b"\r") != data.count(b"\r\n"):
        return False
    if not data.isascii() and _undecodable(data) is not None:
        return False
    if _QUOTE not in data:
        return _has_width(data, shape)
    if _is_all_quoted(data, shape):
        return True
    pieces = data.split(_QUOTE)  # outside, inside, outside, …
    if len(pieces) % 2 == 0 or b"\n" in b"".join(pieces[1::2]):
        return False
    outside = _QUOTE.join(pieces[::2])
    return not shape.misplaced_quote.search(outside) and _has_width(outside, shape)


def _has_width(data: bytes, shape: Shape) -> bool:
    # WHY: the sum says at once that some line is wrong; that each is right only the lines can say.
    if data.count(shape.separator) != (shape.width - 1) * data.count(b"\n"):
        return False
    lines = data.split(b"\n")
    lines.pop()
    if shape.width == 1 and not all(text.strip(shape.blanks) for text in lines):
        return False
    return {text.count(shape.separator) for text in lines} == {shape.width - 1}


def _is_all_quoted(data: bytes, shape: Shape) -> bool:
    """Whether all fields are quoted and none has a quote, delimiter or line end in it: a shortcut.

    Then what is left without all other bytes is always the same line, and each delimiter and line
    end stands between two quotes, so nothing stands outside them.
    """
    edge, count = shape.separator, data.count(b"\n")
    skeleton = data.translate(None, shape.other_bytes)
    return (
        skeleton == (edge.join([b'""'] * shape.width) + b"\n") * count
        and data.count(_QUOTE + edge + _QUOTE) == (shape.width - 1) * count
        and data.count(b'"\n"') + data.count(b'"\r\n"') == count - 1
        and data.startswith(_QUOTE)
        and data.endswith((b'"\n', b'"\r\n'))
    )


def _record(
    data: bytes, start: int, first_end: int, shape: Shape, *, at_end: bool
) -> tuple[bytes, int]:
    """The record at `start` as text for Polars, and its end. Raises as `split`."""
    raw = data[start:first_end]
    if _QUOTE in raw:
        fields, end = split(data, start, first_end, shape.separator, at_end=at_end)
        raw = data[start:end]
    else:
        fields, end = None, first_end
    if b"\0" in raw:
        raise UnreadableError(f"a NUL byte at position {raw.index(0) + 1} of the line", end)
    if not raw.isascii() and (mistake := _undecodable(raw)) is not None:
        raise UnreadableError(
            f"byte 0x{raw[mistake]:02X} at position {mistake + 1} of the line is not UTF-8", end
        )
    width = raw.count(shape.separator) + 1 if fields is None else len(fields)
    if width != shape.width:
        noun = "field" if width == 1 else "fields"
        raise UnreadableError(f"{width} {noun} where the {shape.against} has {shape.width}", end)
    if fields is None:
        body = raw[:-2] if raw.endswith(b"\r\n") else raw[:-1]
        if b"\r" not in body and not raw.startswith(BOM) and len(shape.separator) == 1:
            return raw, end
        fields = body.split(shape.separator)
    quoted = (_QUOTE + field.replace(_QUOTE, b'""') + _QUOTE for field in fields)
    return shape.output.encode().join(quoted) + b"\n", end


def split(
    data: bytes, start: int, first_end: int, separator: bytes, *, at_end: bool
) -> tuple[list[bytes], int]:
    """The fields of the record at `start`, and its end; its first line ends at `first_end`.

    Raises `UnreadableError` where a quote is not closed or is closed in mid-field,
    `UnfinishedError` where more bytes are needed.
    """
    fields: list[bytes] = []
    position, line_end, last_end = start, first_end, first_end + LONGEST_TAIL
    while True:
        if data.startswith(_QUOTE, position):
            closing = _closing_quote(data, position + 1, last_end)
            if closing < 0:
                if at_end or len(data) > last_end:
                    raise UnreadableError(
                        f"the quote that opens field {len(fields) + 1} is not closed"
                    )
                raise UnfinishedError
            fields.append(data[position + 1 : closing].replace(b'""', _QUOTE))
            position = closing + 1
            if position > line_end:
                line_end = data.index(b"\n", position) + 1
        else:
            end = data.find(separator, position, line_end)
            if end < 0:
                end = line_end - (2 if data.endswith(b"\r\n", position, line_end) else 1)
            fields.append(data[position:end])
            position = end
        if data.startswith(separator, position):
            position += len(separator)
        elif data.startswith((b"\n", b"\r\n"), position):
            return fields, line_end
        else:
            raise UnreadableError(f"text behind the quote that closes field {len(fields)}")


def _closing_quote(data: bytes, position: int, last_end: int) -> int:
    while (found := data.find(_QUOTE, position, last_end)) >= 0:
        if not data.startswith(_QUOTE, found + 1):
            return found
        position = found + 2
    return -1


def verbatim(raw: bytes) -> str:
    """The line as text without its end; of a very long one the beginning, and what is missing."""
    body = raw.removesuffix(b"\n").removesuffix(b"\r")
    shown = body[:LONGEST_TEXT].decode("utf-8", "backslashreplace")
    return (
        shown if len(body) <= LONGEST_TEXT else f"{shown}… ({len(body) - LONGEST_TEXT} more bytes)"
    )


def _undecodable(data: bytes) -> int | None:
    try:
        data.decode()
    except UnicodeDecodeError as mistake:
        return mistake.start
    return None
