"""What a stranger may hand over: rulebooks that are no rulebooks, tables that are no tables, values
not to be shown.
"""

import datetime as dt
import json
from pathlib import Path

import polars as pl
import pytest

import ruleforge as rf

SECRET = "987-65-4321"
BOOK = """rulebook t edition 1
table pupil
  file "pupil*.csv"
  pupil_id: text required sensitive identifies student
  ssn: text sensitive max 11
  n: integer
  key pupil_id

rule R error
  for p in pupil
  require p.n < 5
  message "Pupil {p.pupil_id} with {p.ssn} has {p.n}."
"""


def codes_of(rulebook: str | Path, **more: object) -> list[str]:
    with pytest.raises(rf.RulebookError) as refused:
        if isinstance(rulebook, Path):
            rf.load(rulebook)
        else:
            rf.load_text(rulebook, **more)  # type: ignore[arg-type]
    return [each.code for each in refused.value.diagnostics]


@pytest.mark.parametrize("name", ["a" * 300, "a." * 200 + "a", "a\\b"])
def test_a_name_that_no_rulebook_has_is_a_diagnostic(name: str) -> None:
    assert codes_of(f"rulebook x edition 1\n uses {name}\n")


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a..b", "/etc/passwd"])
def test_what_is_no_name_is_a_diagnostic(name: str) -> None:
    with pytest.raises(rf.RulebookError):
        rf.load(name)


def test_a_long_chain_of_uses_is_a_diagnostic(tmp_path: Path) -> None:
    for number in range(400):
        text = f"rulebook k{number} edition 1\n uses k{number + 1}\n"
        (tmp_path / f"k{number}.rules").write_text(text, encoding="utf-8")
    assert "RF206" in codes_of(tmp_path / "k0.rules")


def test_a_huge_file_and_what_is_no_file_are_diagnostics(tmp_path: Path) -> None:
    huge = tmp_path / "huge.rules"
    with huge.open("wb") as file:
        file.truncate(2**30)
    assert codes_of(huge) == ["RF104"]
    endless = tmp_path / "endless.rules"
    endless.symlink_to("/dev/zero")
    assert codes_of(endless) == ["RF206"]
    assert codes_of(tmp_path) == ["RF206"]


def judged(revision: rf.Revision, *, show_sensitive: bool = False) -> rf.Result:
    book = rf.load_text(BOOK)
    return rf.evaluate(book, revision, as_of=dt.date(2024, 1, 1), show_sensitive=show_sensitive)


def test_a_sensitive_value_is_shown_nowhere(tmp_path: Path) -> None:
    lines = f"pupil_id,ssn,n\n{SECRET},{SECRET},9\n{SECRET}x,{SECRET}99,no\nP2,{SECRET}\n"
    (tmp_path / "pupil.csv").write_text(lines, encoding="utf-8")
    book = rf.load_text(BOOK)
    revision = rf.read(book, tmp_path)
    hidden = judged(revision)
    assert set(hidden.findings["rule"]) == {"R", "pupil.n.type", "pupil.ssn.length", "pupil.line"}
    assert SECRET not in json.dumps(hidden.findings.drop("fingerprint").to_dicts(), default=str)
    assert hidden.findings["student"].drop_nulls().unique().to_list() == ["(withheld)"]
    shown = judged(revision, show_sensitive=True)
    assert SECRET in json.dumps(shown.findings.to_dicts(), default=str)
    assert shown.findings["fingerprint"].to_list() == hidden.findings["fingerprint"].to_list()


def test_a_column_that_one_of_two_files_lacks_is_not_supplied(tmp_path: Path) -> None:
    (tmp_path / "pupil1.csv").write_text("pupil_id,n\nA,1\n", encoding="utf-8")
    (tmp_path / "pupil2.csv").write_text("pupil_id,ssn\nB,1\n", encoding="utf-8")
    book = rf.load_text(BOOK)
    rules = judged(rf.read(book, tmp_path)).rules
    row = rules.row(by_predicate=pl.col("rule") == "R", named=True)
    assert row["status"] == "not evaluated"
    assert "pupil2.csv does not have it" in row["reason"]
    blank = judged(rf.read(book, tmp_path, blank=["pupil.n"])).rules
    assert blank.row(by_predicate=pl.col("rule") == "R", named=True)["status"] == "evaluated"


def test_a_path_that_holds_no_table_is_refused_by_name(tmp_path: Path) -> None:
    for name, content in {
        "long.csv": b"pupil_id,n\nA,1,2\n",
        "latin.csv": b"pupil_id,n\n\xe9,1\n",
        "empty.csv": b"",
        "broken.parquet": b"PAR1 no",
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(rf.RevisionError, match=name):
            judged(rf.Revision("r", {"pupil": tmp_path / name}))
    (tmp_path / "star*.csv").write_text("pupil_id,n\nA,9\n", encoding="utf-8")
    (tmp_path / "star2.csv").write_text("pupil_id,n\nB,9\n", encoding="utf-8")
    result = judged(rf.Revision("r", {"pupil": tmp_path / "star*.csv"}), show_sensitive=True)
    assert result.findings["student"].to_list() == ["A"]


def test_a_frame_without_columns_is_refused() -> None:
    with pytest.raises(rf.RevisionError, match="no columns"):
        judged(rf.Revision("r", {"pupil": pl.DataFrame()}))


def test_the_fingerprint_of_a_line_is_that_of_the_line(tmp_path: Path) -> None:
    book = rf.load_text(BOOK)
    prints = []
    for folder, above in (("a", ""), ("b", "\n\n")):
        (tmp_path / folder).mkdir()
        text = f"pupil_id,ssn,n\n{above}A,1\n"
        (tmp_path / folder / "pupil.csv").write_text(text, encoding="utf-8")
        findings = judged(rf.read(book, tmp_path / folder)).findings
        prints.append(findings.filter(pl.col("rule") == "pupil.line")["fingerprint"].to_list())
    assert prints[0] == prints[1]
    assert len(prints[0]) == 1


def test_a_missing_key_and_the_text_none_are_two_rows() -> None:
    book = rf.load_text(BOOK.replace("required sensitive ", ""))
    table = pl.DataFrame({"pupil_id": ["None", None], "n": [9, 9]})
    result = rf.evaluate(book, rf.Revision("r", {"pupil": table}), as_of=dt.date(2024, 1, 1))
    findings = result.findings.filter(pl.col("rule") == "R")
    assert findings["fingerprint"].n_unique() == 2


@pytest.mark.parametrize("day", ["2023-12-32", None, 5, dt.datetime(2024, 1, 1)])
def test_as_of_is_a_day(day: object) -> None:
    book = rf.load_text(BOOK)
    with pytest.raises(rf.ParameterError, match="as_of"):
        rf.evaluate(book, rf.Revision("r", {}), as_of=day)  # type: ignore[arg-type]
