"""`ruleforge explain`: how a row is named, what is printed and how it ends."""

import json
from pathlib import Path

import pytest

from ruleforge.cli import main

BOOK = """\
rulebook small edition 1
table pupil
  pupil_id: text required identifies student
  age:      integer
  secret:   text sensitive
  key pupil_id
parameter most: integer
rule A-1 error
  also known as "A - 1"
  for p in pupil
  require p.age < most and p.secret is present
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("small.rules").write_text(BOOK)
    Path("pupil.csv").write_text("pupil_id,age,secret\nS1,10,x\nS2,9,hush\nS2,9,\n")
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["explain", "small.rules", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_page_and_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, page, _ = said(capsys, "A - 1", "pupil.csv", "student=S1", "--set", "most=10")
    assert code == 0
    assert "Fails: the row breaks the rule" in page
    assert "p.age < most` is false: p.age is 10, most is 10" in page
    words = ("A-1", "pupil.csv", "pupil_id=S1", "--set", "most=10", "--format", "json")
    code, text, _ = said(capsys, *words)
    assert code == 0
    found = json.loads(text)
    assert (found["verdict"], found["row"]["line"]) == ("fails", 2)
    assert found["clauses"][0]["parts"][0]["text"] == "p.age < most"


def test_sensitive(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("A-1", ".", "line=3", "--set", "most=10")
    _, page, _ = said(capsys, *words)
    assert "hush" not in page and "(withheld)" in page
    _, page, _ = said(capsys, *words, "--sensitive")
    assert "hush" in page and "(withheld)" not in page


def test_several_rows_are_listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, page, complaint = said(capsys, "A-1", ".", "student=S2", "--set", "most=10")
    assert (code, page) == (64, "")
    assert complaint == (
        "error: 2 rows of `pupil` have student S2; say more of the one that is meant:\n"
        "  pupil_id=S2  file=pupil.csv  line=3\n"
        "  pupil_id=S2  file=pupil.csv  line=4\n"
    )


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (("A-1", ".", "student=S9"), 64, "no row of `pupil` has student S9"),
        (("A-2", ".", "student=S1"), 64, "`small` has no rule `A-2`; did you mean `A-1`?"),
        (("A-1", "student=S1"), 64, "no data is given"),
        (("A-1", "."), 64, "no row is named"),
        (("A-1", ".", "student=S1", "student=S2"), 64, "`student` is given twice"),
        (("A-1", "nowhere", "student=S1"), 3, "there is no file or folder `nowhere`"),
        (("A-1", ".", "student=S1", "--set", "mots=1"), 64, "did you mean `most`?"),
        (("A-1", "small.rules", "student=S1"), 64, "the data has no table `pupil`"),
    ],
)
def test_what_goes_wrong(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    code: int,
    complaint: str,
) -> None:
    found = said(capsys, *words)
    assert found[0] == code
    assert complaint in found[2]


BEYOND = """\
rulebook small edition 1
dataset prior "Last year"
function similarity(a: text, b: text): decimal
table pupil
  pupil_id: text required identifies student
  name:     text
  key pupil_id
rule B-1 error
  for p in pupil
  require exists(q in prior.pupil where q.pupil_id = p.pupil_id and similarity(p.name, q.name) > 0.9)
"""
FUNCTION = """\
import polars as pl
def alike(a, b):
    return (a == b).cast(pl.Float64)
def broken(a, b):
    raise ValueError("no names")
"""


def test_datasets_and_functions(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("small.rules").write_text(BEYOND)
    Path("names_for_explain.py").write_text(FUNCTION)
    Path("pupil.csv").write_text("pupil_id,name\nS1,Kim\nS2,Lee\n")
    Path("before").mkdir()
    Path("before/pupil.csv").write_text("pupil_id,name\nS1,Kym\nS2,Lee\n")
    function = ("--function", "similarity=names_for_explain:alike")
    for words in (("--prior", "before"), ("--dataset", "prior=before")):
        code, page, _ = said(capsys, "B-1", "pupil.csv", "student=S2", *words, *function)
        assert (code, "Holds: " in page) == (0, True)
        assert "prior pupil.csv:3  pupil_id S2, name Lee  matches" in page
    code, page, _ = said(capsys, "B-1", "pupil.csv", "student=S1", "--prior", "before", *function)
    assert (code, "Fails: " in page) == (0, True)
    assert "`similarity(p.name, q.name) > 0.9` is false: similarity(p.name, q.name) is 0" in page
    code, page, _ = said(capsys, "B-1", "pupil.csv", "student=S1", *function)
    assert (code, "the dataset `prior` is not given" in page) == (0, True)
    code, page, complaint = said(capsys, "B-1", "pupil.csv", "student=S1", "--prior", "before")
    assert (code, page) == (64, "")
    assert "the rulebook calls `similarity`" in complaint and "not registered" in complaint
    broken = ("--function", "similarity=names_for_explain:broken")
    words = ("B-1", "pupil.csv", "student=S1", "--prior", "before", *broken)
    assert said(capsys, *words)[::2] == (
        64,
        "error: the function `similarity` raised ValueError: no names\n",
    )


def test_a_rule_without_its_parameter(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, page, _ = said(capsys, "A-1", ".", "student=S1")
    assert code == 0
    assert "The rule says nothing of this row: the parameter `most` is not given." in page
