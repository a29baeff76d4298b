"""What a host may give as a table, and what comes of tables of every shape."""

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import ruleforge as rf
from ruleforge.engine.revision import Part

TEXT = """
rulebook tables edition 1
codes colour
  "R" "Red"
  "G" "Green"
table pupil
  pupil_id: text required max 4 identifies student
  born: date required
  fee: decimal
  siblings: integer
  resident: boolean
  colour: colour
  key pupil_id
table stay
  pupil_id: text required identifies student references pupil
  first: date required
  last: date
  key pupil_id, first

rule R-1 error
  for p in pupil
  when p.resident
  require p.fee <= 100.50
  message "{p.pupil_id} pays {p.fee}."

rule R-2 warning
  for s in stay
  require s.first >= s.pupil.born
  message "The stay of {s.pupil_id} begins on {s.first}, before {s.pupil.born}."

rule R-3 warning
  for p in pupil
  require p.siblings < 9 else "{p.siblings} siblings."
  require p.colour != "G" else "Colour {p.colour}."

rule R-4 informational
  for p in pupil
  require exists(s in stay where s.pupil_id = p.pupil_id)
  message "{p.pupil_id} has no stay."
"""
BOOK = rf.load_text(TEXT, "tables.rules")
AS_OF = dt.date(2023, 12, 5)
PUPILS = pl.DataFrame(
    {
        "pupil_id": ["0001", "0002", "0003", "0003", None, "00005"],
        "born": [dt.date(2013, 1, 1), dt.date(2014, 2, 3), dt.date(2015, 4, 5)] * 2,
        "fee": [100.5, 100.51, None, 7.0, 0.1, 200.0],
        "siblings": [1, 9, None, 2, 3, 4],
        "resident": [True, True, None, False, True, True],
        "colour": ["R", "G", None, "G", "R", "blue"],
    }
)
STAYS = pl.DataFrame(
    {
        "pupil_id": ["0001", "0002", "0009"],
        "first": [dt.date(2012, 8, 1), dt.date(2023, 8, 1), dt.date(2023, 8, 1)],
        "last": [None, None, dt.date(2023, 9, 1)],
    }
)
EXPECTED = [
    ("R-1", "0002", "0002 pays 100.51."),
    ("R-1", "00005", "00005 pays 200."),
    ("R-2", "0001", "The stay of 0001 begins on 2012-08-01, before 2013-01-01."),
    ("R-3", "0002", "9 siblings."),
    ("R-3", "0003", "Colour G."),
    ("R-4", "0003", "0003 has no stay."),
    ("R-4", "0003", "0003 has no stay."),
    ("R-4", None, "(missing) has no stay."),
    ("R-4", "00005", "00005 has no stay."),
    ("pupil.pupil_id.required", None, "`pupil_id` is required and is missing."),
    ("pupil.pupil_id.length", "00005", "`pupil_id` has 5 characters; at most 4 are allowed."),
    ("pupil.colour.code", "00005", '`colour` holds "blue", which is not a code of `colour`.'),
    ("pupil.key", "0003", "2 rows have the key of this one."),
    ("pupil.key", "0003", "2 rows have the key of this one."),
    ("stay.pupil_id.reference", "0009", '`pupil_id` is "0009", which `pupil` does not have.'),
]


def evaluated(pupil: Any, stay: Any = STAYS) -> rf.Result:
    return rf.evaluate(BOOK, rf.Revision("r", {"pupil": pupil, "stay": stay}), as_of=AS_OF)


def found(result: rf.Result) -> list[tuple[Any, ...]]:
    return result.select("rule", "student", "message").rows()


def fails(result: rf.Result) -> dict[str, int]:
    rows = result.rules.filter(pl.col("fails") > 0)
    return dict(zip(rows["rule"], rows["fails"], strict=True))


# ── kinds of table ─────────────────────────────────────────────────────────────────────────────


def written(frame: pl.DataFrame, folder: Path, extension: str) -> Path:
    path = folder / f"{frame.columns[1]}.{extension}"
    if extension == "csv":
        frame.write_csv(path)
    else:
        frame.write_parquet(path)
    return path


def as_texts(frame: pl.DataFrame, _: Path) -> pl.DataFrame:
    return frame.select(pl.all().cast(pl.String))


GIVEN: dict[str, Callable[[pl.DataFrame, Path], Any]] = {
    "eager": lambda frame, _: frame,
    "lazy": lambda frame, _: frame.lazy(),
    "texts": as_texts,
    "in chunks": lambda frame, _: pl.concat([frame[:2], frame[2:]], rechunk=False),
    "pandas": lambda frame, _: frame.to_pandas(),
    "pandas without its index": lambda frame, _: frame.to_pandas()[::-1].sort_index(),
    "pyarrow": lambda frame, _: frame.to_arrow(),
    "pyarrow reader": lambda frame, _: pa.Table.from_batches(frame.to_arrow().to_batches()),
    "parquet": lambda frame, folder: written(frame, folder, "parquet"),
    "parquet, the path a text": lambda frame, folder: str(written(frame, folder, "parquet")),
    "csv": lambda frame, folder: written(frame, folder, "csv"),
    "other columns too": lambda frame, _: frame.with_columns(more=pl.lit(1)),
    "columns in another order": lambda frame, _: frame.select(reversed(frame.columns)),
}


@pytest.mark.parametrize("kind", GIVEN)
def test_every_kind_of_table_gives_the_same_findings(kind: str, tmp_path: Path) -> None:
    result = evaluated(GIVEN[kind](PUPILS, tmp_path), GIVEN[kind](STAYS, tmp_path))
    assert found(result) == EXPECTED
    assert set(result.rules["status"]) == {"evaluated"}


def found_in_relations() -> list[tuple[Any, ...]]:
    import duckdb

    with duckdb.connect() as connection:
        for frame in (PUPILS, STAYS):
            connection.register(f"t_{frame.columns[1]}", frame.to_arrow())
        return found(evaluated(connection.table("t_born"), connection.table("t_first")))


def test_a_relation_of_duckdb_gives_the_same_findings() -> None:
    # WHY: a process of its own, because DuckDB complains of itself when one ends.
    assert printed("found_in_relations()") == str(EXPECTED)


def printed(expression: str, **environment: str) -> str:
    """What another process prints of something of this module."""
    done = subprocess.run(
        [sys.executable, "-c", f"import test_host_tables; print(test_host_tables.{expression})"],
        cwd=Path(__file__).parent,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_table_of_several_files_that_do_not_all_have_every_column() -> None:
    parts = (
        Part(PUPILS[:3].lazy(), "a.xml", headed=False),
        Part(PUPILS[3:].drop("colour").lazy(), "b.xml", headed=False),
        Part(PUPILS[:0].lazy(), "c.xml", headed=False),
    )
    result = evaluated(parts)
    without = [
        each for each in EXPECTED if each[2] != "Colour G." and each[0] != "pupil.colour.code"
    ]
    assert found(result) == without
    files = result.select("table", "file").filter(table="pupil")["file"]
    assert set(files) == {"a.xml", "b.xml"}
    assert result.rows["pupil"] == PUPILS.height


def test_rows_of_a_file_without_the_only_column_that_is_read() -> None:
    text = """
rulebook apart edition 1
table t
  name: text
  note: text
rule R error
  for r in t
  require r.note is present
  message "No note."
"""
    frame = pl.LazyFrame({"name": ["a", "b", "c"]})
    full = Part(frame.with_columns(note=pl.lit("x")), "a.xml", headed=False)
    parts = (full, Part(frame, "b.xml", headed=False))
    result = rf.evaluate(
        rf.load_text(text, "apart.rules"), rf.Revision("r", {"t": parts}), as_of=AS_OF
    )
    assert result.rules.select("holds", "fails").row(0) == (3, 3)
    assert result.select("file", "key").rows() == [
        ("b.xml", {"name": name, "note": None}) for name in "abc"
    ]


def test_a_table_is_not_changed_by_being_judged() -> None:
    pupils, before = PUPILS.to_pandas(), PUPILS.to_pandas()
    evaluated(pupils)
    pd.testing.assert_frame_equal(pupils, before)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([1, 2], "the table `pupil` is a list; give a Polars frame"),
        ("no/such.parquet", "where there is no file"),
        (Path(__file__), r"a path ends in \.parquet or \.csv"),
    ],
)
def test_what_is_no_table_is_refused(given: Any, says: str) -> None:
    with pytest.raises(rf.RevisionError, match=says):
        evaluated(given)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("pupils", "the rulebook declares no table `pupils`; did you mean `pupil`?"),
        ("Stay", "the rulebook declares no table `Stay`; did you mean `stay`?"),
        ("xyz", "the rulebook declares no table `xyz`; its tables are pupil, stay"),
    ],
)
def test_an_unknown_table_is_refused_with_a_hint(name: str, hint: str) -> None:
    with pytest.raises(rf.RevisionError) as refusal:
        rf.evaluate(BOOK, rf.Revision("r", {name: PUPILS}), as_of=AS_OF)
    assert str(refusal.value) == hint


# ── types that do not fit ──────────────────────────────────────────────────────────────────────


def test_numbers_for_an_id_are_not_taken_since_their_zeros_are_lost() -> None:
    pupils = PUPILS.with_columns(pl.col("pupil_id").cast(pl.Int64))
    result = evaluated(pupils)
    reasons = dict(
        result.rules.filter(pl.col("status") != "evaluated").select("rule", "reason").rows()
    )
    assert set(result.rules["status"]) == {"evaluated", "not evaluated"}
    assert reasons == dict.fromkeys(
        ["R-2", "R-4", "pupil.pupil_id.required", "pupil.key", "stay.pupil_id.reference"],
        "`pupil.pupil_id`: it holds whole numbers",
    )
    assert fails(result) == {"R-1": 2, "R-3": 2, "pupil.colour.code": 1}


# ── shapes ─────────────────────────────────────────────────────────────────────────────────────


def test_tables_without_rows() -> None:
    result = evaluated(PUPILS.clear(), STAYS.clear())
    assert set(result.rules["status"]) == {"evaluated"}
    assert (
        result.rules.select("holds", "fails", "unknown", "not_applicable").sum().row(0) == (0,) * 4
    )
    assert result.findings.is_empty()
    assert result.findings.schema == evaluated(PUPILS).findings.schema
    assert result.rows == {"pupil": 0, "stay": 0}


def test_tables_without_rows_beside_tables_with_some() -> None:
    assert fails(evaluated(PUPILS, STAYS.clear()))["R-4"] == PUPILS.height
    assert fails(evaluated(PUPILS.clear(), STAYS)) == {"stay.pupil_id.reference": 3}


def test_one_row() -> None:
    result = evaluated(PUPILS[:1], STAYS[:1])
    assert fails(result) == {"R-2": 1}
    assert result.rows == {"pupil": 1, "stay": 1}


@pytest.mark.parametrize("typed", [True, False])
def test_nothing_but_missing_values(typed: bool) -> None:
    pupils, stays = (
        frame.clear(3) if typed else frame.clear(3).select(pl.all().cast(pl.Null))
        for frame in (PUPILS, STAYS)
    )
    result = evaluated(pupils, stays)
    assert fails(result) == {
        "R-4": 3,
        "pupil.pupil_id.required": 3,
        "pupil.born.required": 3,
        "stay.pupil_id.required": 3,
        "stay.first.required": 3,
    }
    unknown = dict(result.rules.select("rule", "unknown").rows())
    assert (unknown["R-1"], unknown["R-2"], unknown["R-3"]) == (3, 3, 3)


def test_of_rows_with_one_key_the_smallest_is_referred_to() -> None:
    twins = PUPILS[[1, 0]].with_columns(pupil_id=pl.lit("0001"))
    stay = STAYS[:1].with_columns(first=dt.date(2013, 6, 1))
    for pupils in (twins, twins.reverse()):
        result = evaluated(pupils, stay)
        assert fails(result)["pupil.key"] == 2
        assert "R-2" not in fails(result)  # 2013-01-01 counts, not 2014-02-03


def test_many_rows_with_one_key() -> None:
    many = pl.concat([PUPILS[:1]] * 1_000)
    result = evaluated(many)
    assert fails(result)["pupil.key"] == 1_000
    messages = result.select("rule", "message").filter(rule="pupil.key")["message"]
    assert messages.unique().to_list() == ["1000 rows have the key of this one."]
    assert result.rows["stay"] == 3


def test_a_million_rows() -> None:
    number = 1_000_000
    pupils = pl.select(
        pupil_id=pl.int_range(number).cast(pl.String).str.zfill(7),
        born=pl.date(2013, 1, 1),
        fee=pl.int_range(number) % 202 / 2,
        siblings=pl.int_range(number) % 10,
        resident=pl.int_range(number) % 2 == 1,
        colour=pl.lit("R"),
    )
    stays = pupils.select("pupil_id", first=pl.date(2023, 8, 1), last=pl.lit(None, pl.Date))
    result = evaluated(pupils, stays)
    assert result.rows == {"pupil": number, "stay": number}
    assert fails(result) == {
        "R-3": number // 10,
        "pupil.pupil_id.length": number,
    }
    assert result.select("rule").height == number + number // 10


# ── fingerprints ───────────────────────────────────────────────────────────────────────────────

PINNED = {
    ("R-1", "0002"): "d3f5e5b23932dde861376f0e7255e3b3",
    ("R-3", "0002"): "d06cb587319706f4dda847783d39dc94",
    ("R-3", "0003"): "a5c8b0c1323816d283a3fb7efb4ca6e1",
    ("stay.pupil_id.reference", "0009"): "6c02e11115ba81c506c47e74ae5630d4",
}


def fingerprints() -> dict[tuple[str, str], str]:
    rows = evaluated(PUPILS).select("rule", "student", "fingerprint").rows()
    return {(rule, student): value for rule, student, value in rows if (rule, student) in PINNED}


def sorted_fingerprints() -> list[tuple[tuple[str, str], str]]:
    return sorted(fingerprints().items())


def test_a_fingerprint_is_for_ever() -> None:
    assert fingerprints() == PINNED


def test_a_fingerprint_is_the_row_s_wherever_it_stands_and_whatever_else_it_holds() -> None:
    moved = PUPILS.reverse().with_columns(fee=pl.col("fee") + 1)
    rows = evaluated(moved).select("rule", "student", "fingerprint").rows()
    now = {(rule, student): value for rule, student, value in rows}
    assert PINNED.items() <= now.items()


def test_rules_causes_and_rows_have_fingerprints_of_their_own() -> None:
    rows = evaluated(PUPILS).select("rule", "student", "fingerprint").unique()
    assert rows.height == rows["fingerprint"].n_unique()


@pytest.mark.parametrize("seed", ["0", "1", "random"])
def test_a_fingerprint_is_the_same_in_every_process(seed: str) -> None:
    found = printed("sorted_fingerprints()", PYTHONHASHSEED=seed)
    assert found == str(sorted(PINNED.items()))
