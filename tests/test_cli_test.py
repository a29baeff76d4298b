"""`ruleforge test`: what it runs, what it prints and how it ends."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from ruleforge.cli import main

BOOK = """\
rulebook {name} edition 1
table pupil
  pupil_id: text required
  age: integer
  key pupil_id
rule A-1 error
  also known as "A - 1"
  for p in pupil
  require p.age < 10
"""
TEST = """\
test "ten is too old"
  given pupil
    | pupil_id | age   |
    | S1       | {age} |
  expect
    | rule | pupil_id |
    | A-1  | S1       |
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("good.rules").write_text(BOOK.format(name="good") + TEST.format(age=10))
    return tmp_path


def test_all_pass(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for backend in ("both", "polars", "reference"):
        assert main(["test", "--backend", backend]) == 0
        said = capsys.readouterr().out
        assert said == "1 of 1 passed  good\n1 test in 1 rulebook: all passed.\n"


def test_one_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.rules").write_text(BOOK.format(name="bad") + TEST.format(age=9))
    assert main(["test", ".", "--junit", "report.xml"]) == 1
    said = capsys.readouterr().out
    assert "failed  ten is too old\n  at bad.rules:10\n" in said
    assert said.endswith("2 tests in 2 rulebooks: 1 failed.\n")
    report = ET.parse("report.xml").getroot()
    assert report.attrib["failures"] == "1"
    cases = {case.attrib["file"]: case for case in report.iter("testcase")}
    assert cases["bad.rules"].attrib["line"] == "10"
    assert "missing" in (cases["bad.rules"].findtext("failure") or "")
    assert cases["good.rules"].find("failure") is None


def test_coverage(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", "good.rules", "--coverage", "--fail-under", "50"]) == 0
    assert "Coverage: 50.0 % (1 of 2" in capsys.readouterr().out
    assert main(["test", "good.rules", "--coverage", "--fail-under", "51"]) == 1
    assert "below 51 %" in capsys.readouterr().out


def test_only_a_rule(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", "--rule", "A - 1"]) == 0
    assert "1 test in 1 rulebook" in capsys.readouterr().out
    assert main(["test", "--rule", "A-2"]) == 64
    assert "did you mean `A-1`?" in capsys.readouterr().err


def test_no_tests(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("good.rules").write_text(BOOK.format(name="good"))
    assert main(["test"]) == 0
    assert capsys.readouterr().out == "There are no tests in 1 rulebook: nothing was run.\n"


def test_a_rulebook_with_errors(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.rules").write_text("rulebook bad edition 1\n" + TEST.format(age=9))
    assert main(["test"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "error[RF203]" in said.err


@pytest.mark.parametrize(
    "words",
    [
        ["--fail-under", "50"],
        ["--coverage", "--fail-under", "101"],
        ["--backend", "duckdb"],
        ["--junit", "nowhere/report.xml"],
        ["empty"],
    ],
)
def test_wrong_usage(words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    assert main(["test", *words]) == 64
    assert "error: " in capsys.readouterr().err
