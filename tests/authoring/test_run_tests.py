"""Tests that stand beside the rules: when they pass, when they fail, and what is shown."""

import datetime as dt
from pathlib import Path

import pytest

from golden import Golden
from ruleforge.authoring.coverage import coverage, percentage
from ruleforge.authoring.example import example
from ruleforge.authoring.outcome import Outcome
from ruleforge.authoring.outcome_page import outcome_text
from ruleforge.authoring.run_tests import Backend, run_test, run_tests
from ruleforge.language import core
from ruleforge.language.build import build
from ruleforge.language.load import load_text
from ruleforge.language.outline import outline
from ruleforge.language.parse import parse

HERE = Path(__file__).parent
SMALL = (HERE / "small.rules").read_text(encoding="utf-8")
PUPIL = """
  given pupil
    | pupil_id | grade | age | share | note    |
    | S1       | KG    | 9   | 0.5   | "a | b" |
    | S2       | Kinder| 10  | 0.75  |         |
    | S3       | 01    |     |       | x       |
"""


def book_with(test: str) -> core.Rulebook:
    return load_text(f'{SMALL}\ntest "t"\n{test}', "small.rules")


def outcome_of(test: str, backend: Backend = Backend.BOTH) -> Outcome:
    book = book_with(test)
    return run_test(book, book.tests[0], backend)


PASSING = [
    PUPIL + "only A-1 expect | rule | student |\n | A-1 | S2 |",
    PUPIL + "only A-1\n expect\n | rule | pupil_id | severity | cause | message |\n"
    " | A-1 | S2 | error | 1 | Pupil S2 is 10. |",
    PUPIL + "only A-1\n expect\n | rule | pupil_id | verdict |\n"
    " | A-1 | S1 | holds |\n | A-1 | S2 | fails |\n | A-1 | S3 | not applicable |",
    PUPIL + "only A-2\n expect\n | rule | pupil_id | severity | message |\n"
    " | A-2 | S2 | informational | 0.75 |",
    PUPIL + "with as_of = 2023-10-02\n only A-2\n expect\n | rule | severity |\n | A-2 | warning |",
    PUPIL + "only A-2\n expect\n | rule | pupil_id | verdict |\n"
    " | A-2 | S2 | |\n | A-2 | S3 | unknown |",
    PUPIL + "with limit = 9\n expect\n | rule |\n | A-1 |\n | A-2 |\n | A-3 |",
    " expect nothing",
    (
        " given pupil\n | pupil_id | born |\n | S1 | |\n"
        " expect\n | rule | pupil_id |\n | pupil.born.required | S1 |"
    ),
    (
        " given pupil\n | pupil_id | born |\n | S1 | 2020-01-01 |\n | S1 | 2020-01-01 |\n"
        " expect\n | rule | born |\n | pupil.key | 2020-01-01 |"
    ),
    (
        " given pupil\n | pupil_id | school_id |\n | S1 | X |\n"
        " expect\n | rule |\n | pupil.school_id.reference |"
    ),
]


@pytest.mark.parametrize("backend", Backend)
@pytest.mark.parametrize("test", PASSING)
def test_passing(test: str, backend: Backend) -> None:
    if "expect |" in test:
        test = test.replace("expect |", "expect\n |")
    outcome = outcome_of(test, backend)
    assert outcome.passed, outcome_text(outcome)


FAILING = {
    "nothing": PUPIL + "only A-1 expect nothing",
    "another_row": PUPIL + "only A-1\n expect\n | rule | pupil_id |\n | A-1 | S1 |",
    "another_cause": PUPIL + "only A-1\n expect\n | rule | pupil_id | cause |\n | A-1 | S2 | 2 |",
    "another_verdict": PUPIL + "only A-1\n expect\n | rule | pupil_id | verdict |\n"
    " | A-1 | S2 | fails |\n | A-1 | S1 | unknown |",
    "not_evaluated": PUPIL + "only A-3\n expect\n | rule |\n | A-3 |",
    "only_what_is_not_evaluated": PUPIL + "only A-3 expect nothing",
}


@pytest.mark.parametrize("name", FAILING)
def test_failing(name: str, golden: Golden) -> None:
    for backend in Backend:
        outcome = outcome_of(FAILING[name], backend)
        assert not outcome.passed
        assert outcome.disagreements == ()
        golden(HERE / "expected" / f"{name}.txt", outcome_text(outcome))


def test_engines_that_disagree_fail_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    from ruleforge.authoring import judge_example

    monkeypatch.setattr(judge_example, "judge_all", lambda *_: {"A-1": []})
    outcome = outcome_of(PUPIL + "only A-1\n expect\n | rule |\n | A-1 |")
    assert not outcome.passed
    assert outcome.disagreements[1] == (
        'A-1, row 2: Polars says fails, error, cause 1, "Pupil S2 is 10."; the reference says nothing'
    )


def test_what_is_not_named_is_filled() -> None:
    book = book_with(" given pupil\n | age |\n | 1 |\n | 2 |\n expect nothing")
    made = example(book.tests[0], book)
    first, second = made.tables["pupil"]
    assert first == {
        "pupil_id": "1",
        "school_id": None,
        "grade": "KG",
        "born": dt.date(2000, 1, 1),
        "age": 1,
        "share": None,
        "note": None,
    }
    assert (second["pupil_id"], second["born"]) == ("2", dt.date(2000, 1, 2))
    assert made.tables["school"] == ()
    assert made.as_of == dt.date(2023, 10, 1)


def test_coverage() -> None:
    book = book_with(PUPIL + "only A-1\n expect\n | rule |\n | A-1 |")
    found = coverage(book, book.tests)
    assert found.never_judged == ("A-2", "A-3")
    rule = found.rules[0]
    assert [(each.clause, each.text, each.seen) for each in rule.conditions][-1] == (
        "require",
        'p.note = "a | b"',
        {True: 1, False: 0, None: 1},
    )
    assert 0 < percentage([found]) < 100
    assert percentage([]) == 100


def test_the_trees_show_tests() -> None:
    book = book_with(PUPIL + "only A-1\n expect\n | rule | pupil_id |\n | A-1 | S2 |")
    lines = outline(book).splitlines()
    assert "      rows: S2 | KG | 10 | 0.75 | " in lines
    tree = outline(build(parse(book.sources[0]))[0]).splitlines()
    assert "      header: rule | pupil_id" in tree


def test_only_the_tests_that_name_a_rule() -> None:
    book = book_with("only A-1 expect nothing")
    assert [each.test.title for each in run_tests(book, rules=["A-1"])] == ["t"]
    assert list(run_tests(book, rules=["A-2"])) == []
