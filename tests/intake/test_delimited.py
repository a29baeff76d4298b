"""Delimited text: what is read is right, what is not is refused with its line, and both add up."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ruleforge.engine.revision import LINE
from ruleforge.intake import cut as cutting
from ruleforge.intake import delimited
from ruleforge.intake.content import Content
from ruleforge.intake.delimited import read_delimited
from ruleforge.language.schema import Column, FileClause, Table
from ruleforge.language.types import TEXT

Read = Callable[..., Content]


def table(*names: str, **headers: str) -> Table:
    columns = [Column(name, TEXT) for name in names]
    columns += [Column(name, TEXT, header=header) for name, header in headers.items()]
    return Table("t", tuple(columns), (columns[0].name,))


ABC = table("a", "b", "c")


@pytest.fixture
def read_bytes(tmp_path: Path) -> Read:
    def read(data: bytes, of: Table = ABC, **clause: object) -> Content:
        file = tmp_path / "t.csv"
        file.write_bytes(data)
        return read_delimited(file, of, FileClause("*", **clause))  # type: ignore[arg-type]

    return read


def frame(content: Content) -> pl.DataFrame:
    collected = content.parts["t"].frame.collect()
    assert collected.height == content.rows
    return collected


def rows(content: Content) -> list[tuple[object, ...]]:
    return frame(content).rows()


def refusals(content: Content) -> list[tuple[int | None, str]]:
    return [(refusal.line, refusal.reason) for refusal in content.refusals]


def test_text_stays_as_it_is(read_bytes: Read) -> None:
    content = read_bytes(b"a,b,c\n007, x ,\n1.50,TRUE,2023-01-01\n")
    assert rows(content) == [("007", " x ", None, 2), ("1.50", "TRUE", "2023-01-01", 3)]
    assert frame(content).schema == {
        "a": pl.String,
        "b": pl.String,
        "c": pl.String,
        LINE: pl.UInt32,
    }
    assert (content.rows, content.refused, content.complete) == (2, 0, True)


@pytest.mark.parametrize(
    "data",
    [
        b"a,b,c\r\n1,2,3\r\n4,5,6\r\n",
        b"a,b,c\n1,2,3\r\n4,5,6\n",
        b"\xef\xbb\xbfa,b,c\n1,2,3\n4,5,6\n",
        b"a,b,c\n1,2,3\n4,5,6",
        b"a,b,c\r\n1,2,3\r\n4,5,6\r",
        b'"a","b","c"\n"1","2","3"\n"4","5","6"\n',
        b'"a","b","c"\r\n"1","2","3"\r\n"4","5","6"',
        b'a,b,c\n1,"2",3\n"4",5,6\n',
        b" a , B ,c\n1,2,3\n4,5,6\n",
        b"c,x,b,a\n3,0,2,1\n6,0,5,4\n",
    ],
)
def test_forms_of_the_same_table(read_bytes: Read, data: bytes) -> None:
    assert rows(read_bytes(data)) == [("1", "2", "3", 2), ("4", "5", "6", 3)]


@pytest.mark.parametrize("delimiter", ["^", "\t", "|", ";", " ", ".", "]", "-", "\\", "¦", "→"])
def test_any_one_character_delimits(read_bytes: Read, delimiter: str) -> None:
    text = 'a,b,c\n1,"x,""y""",3\n,,\n1,2\n'.replace(",", delimiter)
    content = read_bytes(text.encode(), delimiter=delimiter)
    assert rows(content) == [("1", f'x{delimiter}"y"', "3", 2), (None, None, None, 3)]
    assert refusals(content) == [(4, "2 fields where the header has 3")]


def test_without_header_columns_come_in_order(read_bytes: Read) -> None:
    content = read_bytes(b"1^2^3\n\n4^5\n6^7^8^9\n0^^1", delimiter="^", header=False)
    assert rows(content) == [("1", "2", "3", 1), ("0", None, "1", 5)]
    assert refusals(content) == [
        (3, "2 fields where the table has 3"),
        (4, "4 fields where the table has 3"),
    ]


def test_text_that_looks_compressed_is_text(read_bytes: Read) -> None:
    content = read_bytes(b"x^1^2\ny^3^4\n", delimiter="^", header=False)
    assert rows(content) == [("x", "1", "2", 1), ("y", "3", "4", 2)]


def test_a_quoted_field_may_hold_anything(read_bytes: Read) -> None:
    content = read_bytes(b'a,b,c\n"x,1","say ""hi""","l1\nl2\r\nl3"\n4,5,6\n')
    assert rows(content) == [("x,1", 'say "hi"', "l1\nl2\r\nl3", 2), ("4", "5", "6", 5)]


def test_a_quote_inside_a_bare_field_is_a_quote(read_bytes: Read) -> None:
    content = read_bytes(b'a,b,c\n5" pipe,O"Neil,3\n4,5,6\n')
    assert rows(content) == [('5" pipe', 'O"Neil', "3", 2), ("4", "5", "6", 3)]


def test_nothing_in_quotes_is_blank(read_bytes: Read) -> None:
    assert rows(read_bytes(b'a,b,c\n"","",x\n')) == [(None, None, "x", 2)]


def test_blank_lines_are_neither_read_nor_refused(read_bytes: Read) -> None:
    content = read_bytes(b"\n  \na,b,c\n\n1,2,3\n \t\r\n4,5,6\n\n\n")
    assert rows(content) == [("1", "2", "3", 5), ("4", "5", "6", 7)]
    assert content.refused == 0


def test_one_column(read_bytes: Read) -> None:
    assert rows(read_bytes(b'a\n1\n\n""\n2\n', table("a"))) == [("1", 2), (None, 4), ("2", 5)]


def test_a_lost_quote_costs_one_line(read_bytes: Read) -> None:
    content = read_bytes(b'a,b,c\n"x,1,2\n3,4,5\n"6","7","8"\n9,"0,1\n1,2,3\n')
    assert rows(content) == [("3", "4", "5", 3), ("6", "7", "8", 4), ("1", "2", "3", 6)]
    assert [line for line, _ in refusals(content)] == [2, 5]
    assert content.refusals[0].text == '"x,1,2'
    assert content.refusals[1].reason == "the quote that opens field 2 is not closed"


def test_text_behind_a_quote(read_bytes: Read) -> None:
    content = read_bytes(b'a,b,c\n1,"x" y,3\n4,5,6\n')
    assert refusals(content) == [(2, "text behind the quote that closes field 2")]
    assert rows(content) == [("4", "5", "6", 3)]


def test_refused_lines_are_kept_verbatim(read_bytes: Read) -> None:
    content = read_bytes(b'a,b,c\n1\n1,2,3,"4"\r\nM\xe9,2,3\n4,\0,6\n7,8,9\n')
    assert rows(content) == [("7", "8", "9", 6)]
    assert refusals(content) == [
        (2, "1 field where the header has 3"),
        (3, "4 fields where the header has 3"),
        (4, "byte 0xE9 at position 2 of the line is not UTF-8"),
        (5, "a NUL byte at position 3 of the line"),
    ]
    assert [refusal.text for refusal in content.refusals] == [
        "1",
        '1,2,3,"4"',
        "M\\xe9,2,3",
        "4,\0,6",
    ]
    assert (content.rows, content.refused) == (1, 4)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty, where a header is expected"),
        (b"\xef\xbb\xbf", "the file is empty, where a header is expected"),
        (b"\n \n", "the file is empty, where a header is expected"),
        ("a,b,c\n1,2,3\n".encode("utf-16"), "the file is UTF-16, not UTF-8; save it as UTF-8"),
        ("a,b,c\n1,2,3\n".encode("utf-16-be"), "the file is UTF-16, not UTF-8; save it as UTF-8"),
        (b"x,y\n1,2\n", "none of its headers is a column of `t`: `x`, `y`"),
        (b"a,b,A,b\n1,2,3,4\n", "two headers stand for the column `b`: `b` (2) and `b` (4)"),
        (b"A,a ,B,b ,C,c\n", None),
        (b"C,c,C\n", None),
        (b"A,A\n", "two headers stand for the column `a`: `A` (1) and `A` (2)"),
        (
            b'"a,b,c\n1,2,3\n',
            "the header cannot be read: the quote that opens field 1 is not closed",
        ),
        (b"a,b\0,c\n", "the header cannot be read: it has a NUL byte"),
        (b"a,\xe9,c\n", "the header is not UTF-8: a,\\xe9,c"),
        (
            b"a,b,c\r1,2,3\r",
            "the lines end in a carriage return alone; save the file with LF or CR LF",
        ),
    ],
)
def test_headers_that_refuse_the_file(read_bytes: Read, data: bytes, reason: str | None) -> None:
    content = read_bytes(data)
    if reason is None:
        assert content.parts
        return
    assert (content.parts, content.rows, content.complete) == ({}, 0, False)
    assert [refusal.reason for refusal in content.refusals] == [reason]
    assert content.tables == ("t",)


def test_header_text_and_own_name(read_bytes: Read) -> None:
    of = table("a", grade="Entry Grade")
    assert frame(read_bytes(b"a,entry grade\n1,2\n", of)).columns == ["a", "grade", LINE]
    assert frame(read_bytes(b"grade,a\n2,1\n", of)).rows() == [("1", "2", 2)]
    assert read_bytes(b"a,grade,Entry Grade\n1,2,3\n", of).refusals[0].reason == (
        "two headers stand for the column `grade`: `grade` (2) and `Entry Grade` (3)"
    )


def test_header_over_two_lines(read_bytes: Read) -> None:
    content = read_bytes(b'"a","b","the\nc"\n1,2,3\n', table("a", "b", c="the\nc"))
    assert rows(content) == [("1", "2", "3", 3)]


@pytest.mark.parametrize("data", [b"a,b,c", b"a,b,c\n", b"a,b,c\r\n"])
def test_header_only(read_bytes: Read, data: bytes) -> None:
    content = read_bytes(data)
    assert (rows(content), content.refusals, content.complete) == ([], (), True)
    assert frame(content).columns == ["a", "b", "c", LINE]


def test_empty_without_header(read_bytes: Read) -> None:
    content = read_bytes(b"", header=False)
    assert (rows(content), content.refusals, content.complete) == ([], (), True)


def test_unknown_columns_are_dropped_and_dates_are_passed_on(read_bytes: Read) -> None:
    content = read_bytes(b"z,a,z\n1,2,3\n", date_format="%Y%m%d")
    assert frame(content).columns == ["a", LINE]
    assert content.parts["t"].date_format == "%Y%m%d"


def test_wrong_lines_without_end_are_counted(
    read_bytes: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "MOST_REFUSALS", 3)
    content = read_bytes(b"a,b,c\n" + b"1\n" * 10 + b"1,2,3\n")
    assert (content.rows, content.refused, len(content.refusals)) == (1, 10, 4)
    assert content.refusals[-1].reason == "7 more lines are refused and not listed one by one"


def test_a_very_long_line(read_bytes: Read) -> None:
    long = b"x" * 3_000_000
    content = read_bytes(b"a,b,c\n" + long + b"\n1,2," + long + b'\n"' + long + b'",5,6\n')
    assert frame(content).select(pl.col("a", "c").str.len_bytes(), LINE).rows() == [
        (1, 3_000_000, 3),
        (3_000_000, 1, 4),
    ]
    assert content.refusals[0].text is not None
    assert content.refusals[0].text.endswith(f"… ({3_000_000 - (1 << 16)} more bytes)")


def test_a_record_does_not_run_on_for_ever(
    read_bytes: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "LONGEST_TAIL", 50)
    content = read_bytes(b'a,b,c\n"1,2,3\n' + b"1,2,3\n" * 20 + b'4,5,"\n"\n')
    assert refusals(content) == [(2, "the quote that opens field 1 is not closed")]
    assert content.rows == 21


def test_only_what_is_asked_for_is_read(read_bytes: Read) -> None:
    content = read_bytes(b"a,b,c\n1,2,3\nbad\n4,5,6\n7,8,9\n")
    lazy = content.parts["t"].frame
    assert lazy.select("c").collect().rows() == [("3",), ("6",), ("9",)]
    assert lazy.select(LINE).collect(engine="streaming").rows() == [(2,), (4,), (5,)]
    assert lazy.head(2).collect().height == 2
    assert lazy.filter(pl.col("b") == "5").select("a").collect().rows() == [("4",)]
    assert lazy.select(pl.len()).collect().item() == 3


SAMPLES = [
    "a,b,c\n1,22,é3\r\n\n4,,\n5,6,7\n".encode(),
    'a,b,c\r\n"1","2,2","é"\r\n"4\n4","","x""y"\r\n'.encode(),
    b'\xef\xbb\xbf"a",b,c\n1,2\n5" x,7,"8"\n',
]


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("header", [True, False])
def test_cut_off_at_every_byte(read_bytes: Read, sample: bytes, header: bool) -> None:
    for end in range(len(sample) + 1):
        data = sample[:end]
        content = read_bytes(data, header=header)
        if not content.complete:
            assert content.refusals
            continue
        read = frame(content)
        lines = read[LINE].to_list()
        refused = [refusal.line for refusal in content.refusals]
        assert content.refused == len(refused)
        assert len({*lines, *refused}) == content.rows + content.refused
        if b'"' not in sample:
            filled = [line for line in data.split(b"\n") if line.strip()]
            assert content.rows + content.refused + header == len(filled)


CELLS = st.text(st.sampled_from('ab,";^\n\r\té€ 0#'), max_size=6)
FINE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)


@settings(max_examples=200, deadline=None)
@given(
    cells=st.integers(1, 4).flatmap(
        lambda width: st.lists(
            st.lists(CELLS | FINE, min_size=width, max_size=width), min_size=1, max_size=12
        )
    ),
    delimiter=st.sampled_from(",;^\t|¦"),
    end=st.sampled_from(["\n", "\r\n"]),
    minimal=st.booleans(),
    header=st.booleans(),
    mark=st.booleans(),
    chunk=st.sampled_from([1, 5, 16, 1 << 20]),
)
def test_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    cells: list[list[str]],
    delimiter: str,
    end: str,
    minimal: bool,
    header: bool,
    mark: bool,
    chunk: int,
) -> None:
    # The writer leaves a bare carriage return unquoted, and a line of blanks is no record.
    bare = any("\r" in cell for row in cells for cell in row) or len(cells[0]) == 1
    quoting: Any = csv.QUOTE_MINIMAL if minimal and not bare else csv.QUOTE_ALL
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
    names = [f"c{place}" for place in range(len(cells[0]))]
    expected, line = [], 1
    for row in [names, *cells] if header else cells:
        expected.append((*(cell or None for cell in row), line))
        start = text.tell()
        writer.writerow(row)
        line += text.getvalue()[start:].count("\n")
    written = text.getvalue()
    assume(not written.startswith("\ufeff"))  # a byte order mark of the writer's own making
    assume(all(each.strip(" \t\r") for each in written.removesuffix(end).split(end)))
    file = tmp_path_factory.mktemp("written") / "t.csv"
    file.write_bytes(b"\xef\xbb\xbf" * mark + written.encode())
    with mock.patch.object(cutting, "CHUNK", chunk):
        content = read_delimited(file, table(*names), FileClause("*", delimiter, header=header))
        found = rows(content)
    assert content.refusals == ()
    assert found == expected[header:]


PIECES = ["a", "1", '"', '""', ",", ",", ",", "\n", "\n", "\r\n", "\r", " ", "é", "\0", "1,2,3\n"]


@settings(max_examples=200, deadline=None)
@given(
    pieces=st.lists(st.sampled_from(PIECES), max_size=30),
    header=st.booleans(),
    chunk=st.sampled_from([1, 3, 16]),
)
def test_fast_and_slow_ways_agree(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str], header: bool, chunk: int
) -> None:
    file = tmp_path_factory.mktemp("any") / "t.csv"
    file.write_bytes(("a,b,c\n" * header + "".join(pieces)).encode())
    clause = FileClause("*", header=header)
    content = read_delimited(file, ABC, clause)
    assume(content.complete)  # what looks like UTF-16 is not read at all
    found = rows(content)
    with mock.patch.object(cutting, "CHUNK", chunk):
        chunked = read_delimited(file, ABC, clause)
        assert (rows(chunked), chunked.refusals) == (found, content.refusals)
    with mock.patch.object(cutting, "_is_plain", return_value=False):
        careful = read_delimited(file, ABC, clause)
        assert (rows(careful), careful.refusals) == (found, content.refusals)
