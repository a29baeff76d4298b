"""Parquet: its own types, lazily; a broken file is a refusal."""

from pathlib import Path

import polars as pl
import pytest

from ruleforge.intake.content import Content
from ruleforge.intake.tabular import read_tabular
from ruleforge.language.schema import Column, FileClause, Table
from ruleforge.language.types import INTEGER, TEXT

TABLE = Table(
    "t", (Column("a", TEXT), Column("b", INTEGER, header="Bee"), Column("c", TEXT)), ("a",)
)
CLAUSE = FileClause("*.parquet", date_format="%d.%m.%Y")


def read_frame(file: Path, frame: pl.DataFrame) -> Content:
    frame.write_parquet(file)
    return read_tabular(file, TABLE, CLAUSE)


def test_types_are_kept_and_columns_renamed(tmp_path: Path) -> None:
    content = read_frame(
        tmp_path / "x [1].parquet", pl.DataFrame({"x": [1], "BEE": [2], "A": ["01"]})
    )
    part = content.parts["t"]
    assert part.frame.collect_schema() == {"a": pl.String, "b": pl.Int64}
    assert part.frame.collect().rows() == [("01", 2)]
    assert (part.date_format, content.rows, content.complete) == ("%d.%m.%Y", 1, True)


def test_no_rows(tmp_path: Path) -> None:
    content = read_frame(tmp_path / "t.parquet", pl.DataFrame({"a": []}, schema={"a": pl.String}))
    assert content.parts["t"].frame.collect().rows() == []
    assert (content.rows, content.complete) == (0, True)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"b": [1], "Bee": [2]}, "two headers stand for the column `b`: `b` (1) and `Bee` (2)"),
        ({"z": [1]}, "none of its headers is a column of `t`: `z`"),
    ],
)
def test_headers_that_refuse_the_file(
    tmp_path: Path, columns: dict[str, list[int]], reason: str
) -> None:
    content = read_frame(tmp_path / "t.parquet", pl.DataFrame(columns))
    assert (content.parts, content.complete) == ({}, False)
    assert [refusal.reason for refusal in content.refusals] == [reason]


def test_cut_off_anywhere(tmp_path: Path) -> None:
    file = tmp_path / "t.parquet"
    pl.DataFrame({"a": [str(n) for n in range(50)]}).write_parquet(file)
    data = file.read_bytes()
    for end in range(0, len(data), 7):
        file.write_bytes(data[:end])
        content = read_tabular(file, TABLE, CLAUSE)
        assert (content.parts, content.rows, content.complete) == ({}, 0, False)
        assert len(content.refusals) == 1


def test_broken_in_the_middle(tmp_path: Path) -> None:
    file = tmp_path / "t.parquet"
    pl.DataFrame({"a": [str(n * 7919) for n in range(5000)]}).write_parquet(file)
    data = file.read_bytes()
    file.write_bytes(data[:4] + bytes(60) + data[64:])
    content = read_tabular(file, TABLE, CLAUSE)
    assert content.parts == {}
    assert content.refusals[0].reason.startswith("the Parquet file is broken or cut off: ")
