"""edfi: an interchange XML file -> text columns of every table that wants its elements

The file is parsed once for all tables, streaming: what is in memory is the record at hand and the
columns collected so far. A record is an element directly below the root. Its columns are found by
`xml_path`; references by `ref` are noted and filled in at the end, since their target may come
later. `DOCTYPE` is refused before anything in it is looked at: no interchange has one, and entities
are how a small file becomes a large one or reads other files.

A mistake in the XML ends the reading: records complete before it are kept, and the refusal says
where it is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import NoReturn
from xml.parsers import expat

import polars as pl

from ruleforge.engine.revision import LINE, Part, Refusal
from ruleforge.intake.content import Content
from ruleforge.intake.element import Cell, Element, Reference, find, find_in_target, references
from ruleforge.intake.error import IntakeError
from ruleforge.language.schema import Column, FileClause, Table
from ruleforge.language.xml_path import Path, PathError, Step, parse_path

CHUNK = 1 << 18
BATCH = 1 << 15  # rows that are lists before they become a frame

_CUT_OFF = {"no element found", "unclosed token", "partial character", "unclosed CDATA section"}
_IN_PLAIN_WORDS = {
    "mismatched tag": "an end tag does not belong to the element that is open, <{open}>",
    "not well-formed (invalid token)": "a character that XML does not allow here, in <{open}>",
    "junk after document element": "there is text behind the end of the root element",
    "undefined entity": "an entity that is not declared, in <{open}>",
    "duplicate attribute": "an element has the same attribute twice, in <{open}>",
    "unknown encoding": "the encoding that the file declares is not known",
}


class _UnusableError(Exception):
    """Reading cannot go on; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A table, and a clause of it that takes elements from the file."""

    table: Table
    clause: FileClause


def column_paths(column: Column) -> tuple[Path, ...]:
    """Where a column may stand: its `from` path, else its own name. Raises `PathError`."""
    own = (Step(column.name),)
    return (own,) if column.header is None else (parse_path(column.header), own)


def read_interchange(path: FilePath, wanted: Sequence[Wanted]) -> Content:
    """What the file gives to each table.

    Raises `OSError` for a file that cannot be opened, `IntakeError` for a column with a wrong path.
    """
    reading = _Reading(str(path), wanted)
    refusal = reading.parse(path)
    parts = {
        rows.table.name: Part(
            rows.frame(reading.resolve), str(path), rows.clause.date_format, headed=False
        )
        for rows in reading.rows
        if rows.count
    }
    return Content(
        tables=tuple(parts),
        parts=parts,
        rows=reading.elements,
        refused=int(refusal is not None and reading.in_record),
        refusals=() if refusal is None else (refusal,),
        complete=refusal is None,
    )


class _Rows:
    """The rows of one table: the last few in lists, the others in frames; references to fill in."""

    def __init__(self, table: Table, clause: FileClause) -> None:
        self.table = table
        self.clause = clause
        try:
            self.paths = [column_paths(column) for column in table.columns]
        except PathError as mistake:
            raise IntakeError(f"table `{table.name}`: {mistake}") from None
        self.count = 0
        self._supplied = [False] * len(self.paths)
        self._references: list[list[tuple[int, Reference]]] = [[] for _ in self.paths]
        self._cells: list[list[str | None]] = [[] for _ in self.paths]
        self._lines: list[int] = []
        self._frames: list[pl.DataFrame] = []

    def add(self, record: Element, line: int) -> None:
        for place, paths in enumerate(self.paths):
            value = None
            for path in paths:
                found = find(record, path)
                if found is None:
                    continue
                if isinstance(found, Cell):
                    value = found.value
                    self._supplied[place] = True
                else:
                    self._references[place].append((self.count, found))
                break
            self._cells[place].append(value)
        self._lines.append(line)
        self.count += 1
        if len(self._lines) == BATCH:
            self._pack()

    def _pack(self) -> None:
        columns = [
            pl.Series(str(place), cells, dtype=pl.String) for place, cells in enumerate(self._cells)
        ]
        self._frames.append(pl.DataFrame([*columns, pl.Series(LINE, self._lines, dtype=pl.UInt32)]))
        self._cells = [[] for _ in self.paths]
        self._lines = []

    def frame(self, resolve: Callable[[Reference], Cell | None]) -> pl.LazyFrame:
        """All rows, with the columns that at least one element has."""
        self._pack()
        whole = pl.concat(self._frames)
        columns = []
        for place, column in enumerate(self.table.columns):
            series = whole.to_series(place)
            resolved = [
                (row, cell) for row, each in self._references[place] if (cell := resolve(each))
            ]
            if resolved:
                rows = pl.Series([row for row, _ in resolved], dtype=pl.UInt32)
                series = series.scatter(
                    rows, pl.Series([cell.value for _, cell in resolved], dtype=pl.String)
                )
            if resolved or self._supplied[place]:
                columns.append(series.alias(column.name))
        return pl.DataFrame([*columns, whole.get_column(LINE)]).lazy()


class _Reading:
    """The handlers of one parse, and what they gather."""

    def __init__(self, file: str, wanted: Sequence[Wanted]) -> None:
        self.file = file
        self.rows: list[_Rows] = []
        self.elements = 0  # complete records that some table wants
        self._rows_by_element: dict[str, list[_Rows]] = {}
        by_table: dict[str, _Rows] = {}
        for each in wanted:
            if each.table.name not in by_table:
                by_table[each.table.name] = _Rows(each.table, each.clause)
            takers = self._rows_by_element.setdefault(each.clause.element or "", [])
            if by_table[each.table.name] not in takers:
                takers.append(by_table[each.table.name])
        self.rows = list(by_table.values())
        rests = (
            rest
            for rows in self.rows
            for paths in rows.paths
            for path in paths
            for rest in references(path)
        )
        self._place_by_rest = {rest: place for place, rest in enumerate(dict.fromkeys(rests))}
        self._targets: dict[str, tuple[Cell | Reference | None, ...]] = {}
        self._stack: list[
            Element
        ] = []  # the record at hand, or an element with an id in a record that no table wants
        self._outside: list[str] = []  # the open elements around it
        self._with_id: list[tuple[str, Element]] = []
        self._texts: list[str] = []
        self._line = 0
        self._local = _LocalNames()
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._doctype

    @property
    def in_record(self) -> bool:
        """Whether the parse stands in a record that some table wants."""
        return (
            len(self._outside) == 1
            and bool(self._stack)
            and self._stack[0].name in self._rows_by_element
        )

    def parse(self, path: FilePath) -> Refusal | None:
        """The whole file; where that cannot be, why and where."""
        parser = self._parser
        try:
            with path.open("rb") as stream:
                while chunk := stream.read(CHUNK):
                    parser.Parse(chunk)
                parser.Parse(b"", True)  # noqa: FBT003 - it has no name
        except _UnusableError as mistake:
            return Refusal(
                str(mistake), self.file, line=parser.CurrentLineNumber, byte=parser.CurrentByteIndex
            )
        except expat.ExpatError as mistake:
            reason = self._reason(expat.ErrorString(mistake.code), parser.ErrorByteIndex)
        except (LookupError, ValueError):
            # NOTE: the codec of an encoding that the XML declaration names raises these, before any
            # element.
            if self._outside:
                raise
            reason = "the encoding that the file declares is not known; save it as UTF-8"
        else:
            return None
        finally:
            # WHY: parser and handlers hold each other, and a file's worth of targets should not
            # wait for the collector.
            parser.StartElementHandler = parser.EndElementHandler = parser.CharacterDataHandler = (
                None
            )
            parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = None
        return Refusal(
            reason, self.file, line=parser.ErrorLineNumber, byte=max(parser.ErrorByteIndex, 0)
        )

    def _reason(self, message: str | None, byte: int) -> str:
        inside = (
            self._stack[-1].name if self._stack else self._outside[-1] if self._outside else None
        )
        if message in _CUT_OFF:
            if inside is not None:
                return f"the XML ends in the middle of <{inside}>"
            return (
                "the file is empty"
                if byte <= 0
                else "the XML ends before its root element is complete"
            )
        if inside is None and message in {"not well-formed (invalid token)", "syntax error"}:
            return "the file is not XML, or there is text outside its root element"
        plain = _IN_PLAIN_WORDS.get(
            message or "", "the XML is malformed: " + (message or "no reason is known")
        )
        return plain.format(open=inside) if inside is not None else plain.partition(", ")[0]

    def _start(self, raw: str, attributes: Mapping[str, str]) -> None:
        name = self._local[raw]
        stack = self._stack
        if stack:
            element = Element(name)
            parent = stack[-1]
            if parent.children is None:
                parent.children = {name: [element]}
            elif name in parent.children:
                parent.children[name].append(element)
            else:
                parent.children[name] = [element]
            self._texts.clear()
        elif (len(self._outside) == 1 and name in self._rows_by_element) or (
            self._outside and "id" in attributes and self._place_by_rest
        ):
            element = Element(name)
            self._line = self._parser.CurrentLineNumber
            self._texts.clear()
            self._parser.CharacterDataHandler = self._texts.append
        else:
            self._outside.append(name)
            return
        if attributes:
            element.ref = attributes.get("ref")
            if self._place_by_rest and (identifier := attributes.get("id")) is not None:
                self._with_id.append((identifier, element))
        stack.append(element)

    def _end(self, _raw: str) -> None:
        if not self._stack:
            self._outside.pop()
            return
        element = self._stack.pop()
        if element.children is None:
            element.text = "".join(self._texts)
        if self._stack:
            return
        self._parser.CharacterDataHandler = None
        for identifier, target in self._with_id:
            found = tuple(find_in_target(target, rest) for rest in self._place_by_rest)
            if any(found):
                self._targets.setdefault(identifier, found)
        self._with_id.clear()
        if len(self._outside) == 1 and (takers := self._rows_by_element.get(element.name)):
            self.elements += 1
            for rows in takers:
                rows.add(element, self._line)

    def _doctype(self, *_declaration: object) -> NoReturn:
        raise _UnusableError(
            "the file declares a document type or entities (<!DOCTYPE …>), which no interchange"
            " needs; remove the declaration"
        )

    def resolve(self, reference: Reference) -> Cell | None:
        """The value behind a chain of references, None where it leads to nothing or in a circle."""
        seen = set()
        found: Cell | Reference | None = reference
        while isinstance(found, Reference) and found not in seen:
            seen.add(found)
            targets = self._targets.get(found.target)
            found = targets[self._place_by_rest[found.rest]] if targets else None
        return found if isinstance(found, Cell) else None


class _LocalNames(dict[str, str]):
    """Name as written -> name without its prefix."""

    def __missing__(self, raw: str) -> str:
        local = self[raw] = raw.rpartition(":")[2]
        return local
