"""Rules as deep and as large as the language allows, through every pass and both engines."""

import datetime as dt

import polars as pl
import pytest

from ruleforge.engine.evaluate import evaluate, plans_of
from ruleforge.engine.reference_backend import judge
from ruleforge.engine.revision import Revision
from ruleforge.language import check, check_expression
from ruleforge.language.load import RulebookError, load_text
from ruleforge.language.render import render

HEADER = """rulebook case edition 1
table t
  id: text
  n:  integer
  up: text references t named above
  key id
"""
RULE = "rule A error\n  for x in t\n  require "


def sums(levels: int) -> str:
    return "x.n" + " + 1" * (levels - 3) + " > 0"


def brackets(levels: int) -> str:
    number = (levels - 2) // 2  # a sign and its bracket are two levels
    return "-(" * number + "x.n" + ")" * number + " != 0"


def negations(levels: int) -> str:
    return "not " * (levels - 3) + "x.n > 0"


def choices(levels: int) -> str:
    return "if x.n > 5 then false else " * (levels - 3) + "x.n > 0"


def calls(levels: int) -> str:
    return "abs(" * (levels - 3) + "x.n" + ")" * (levels - 3) + " > 0"


def references(levels: int) -> str:
    return "x" + ".above" * (levels - 3) + ".id is present"


def quantifiers(levels: int) -> str:
    """Each within the `where` of the one before: two levels each, and the deepest reads the
    outermost row.
    """
    number = (levels - 3) // 2
    opened = "".join(
        f"exists(v{i} in t where v{i}.id = {'x' if i == 0 else f'v{i - 1}'}.id and "
        for i in range(number)
    )
    return opened + "x.n > 0" + ")" * number


def logic(levels: int) -> str:
    number = (levels - 3) // 5
    return "(x.n > 0 and (x.n > 0 or " * number + "true" + "))" * number


FORMS = (sums, brackets, negations, choices, calls, references, quantifiers, logic)


# NOTE: the two engines are compared on one row, since the reference looks at every row for every
# quantifier.
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@pytest.mark.parametrize("levels", [50, 98])
def test_as_deep_as_the_language_allows(form: object, levels: int) -> None:
    assert callable(form)
    rulebook = load_text(HEADER + RULE + form(levels) + "\n")
    plans_of(rulebook)
    rows = {"id": ["a"], "n": [1], "up": ["a"]}
    revision = Revision("case", {"t": pl.DataFrame(rows)})
    result = evaluate(rulebook, revision, as_of=dt.date(2023, 12, 5))
    row = result.rules.row(by_predicate=pl.col("rule") == "A", named=True)
    row_of_reference = {"id": "a", "n": 1, "up": "a"}
    [judgement] = judge(rulebook.rules[0], rulebook.schema, {"t": [row_of_reference]}, {})
    assert row["status"] == "evaluated"
    assert row[judgement.verdict.value] == 1


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@pytest.mark.parametrize("levels", [130, 3_000, 100_000])
def test_deeper_is_refused(form: object, levels: int) -> None:
    assert callable(form)
    with pytest.raises(RulebookError) as raised:
        load_text(HEADER + RULE + form(levels) + "\n")
    assert {each.code for each in raised.value.diagnostics} == {"RF104"}


def codes_of(text: str) -> list[str]:
    try:
        return [each.code for each in load_text(HEADER + text).warnings]
    except RulebookError as error:
        assert render(error.diagnostics)
        return [each.code for each in error.diagnostics]


@pytest.mark.parametrize("backwards", [False, True])
def test_definitions_in_a_long_chain(backwards: bool) -> None:
    lines = [f"define d{i} = d{i - 1} + 1\n" for i in range(1, 201)]
    text = "".join(reversed(lines) if backwards else lines)
    assert codes_of("define d0 = 1\n" + text + RULE + "x.n > d200\n") == ["RF402"]
    fine = "".join(lines[:40])
    assert codes_of("define d0 = 1\n" + fine + RULE + "x.n > d40\n") == []


def test_functions_in_a_long_chain() -> None:
    lines = "".join(f"define f{i}(a: integer) = f{i - 1}(a) + 1\n" for i in range(1, 201))
    assert codes_of(f"define f0(a: integer) = a\n{lines}{RULE}f200(x.n) > 1\n") == ["RF402"]


@pytest.mark.parametrize(
    "text",
    [
        "define d0 = 1\n"
        + "".join(f"define d{i} = d{i - 1} + d{i - 1}\n" for i in range(1, 60))
        + f"{RULE}x.n > d59\n",
        f"define f(a: integer) = a + a\n{RULE}{'f(' * 60}x.n{')' * 60} > 1\n",
        (
            "define f(r: t) = latest(y in t by y.n where y.id = r.id and y.n = r.n)\n"
            f"{RULE}{'f(' * 40}x{')' * 40}.n > 1\n"
        ),
        "rule A error\n  for x in t\n  let r0 = latest(y in t by y.n where y.id = x.id)\n"
        + "".join(
            f"  let r{i} = latest(y in t by y.n where y.id = r{i - 1}.id and y.n = r{i - 1}.n)\n"
            for i in range(1, 40)
        )
        + "  require r39.n > 1\n",
        f"{RULE}{'(if ' * 30}x.n between 1 and 2{' then 1 else 2) between 1 and 2' * 30}\n",
    ],
    ids=["constants", "arguments", "rows", "lets", "between"],
)
def test_what_doubles_at_every_step_is_refused(text: str) -> None:
    assert codes_of(text) == ["RF402"]


def test_a_rulebook_whose_definitions_write_out_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "MOST_EXPANDED_PARTS", 100_000)
    monkeypatch.setattr(check_expression, "MOST_EXPANDED_PARTS", 100_000)
    lines = "".join(f"define d{i} = d{i - 1} + d{i - 1}\n" for i in range(1, 12))
    rules = "".join(f"rule E-{i} error\n  for x in t\n  require x.n > d11\n" for i in range(40))
    assert codes_of(f"define d0 = 1\n{lines}{rules}") == ["RF402"]


def test_many_mistakes_are_told_up_to_a_limit() -> None:
    rules = "".join(f"rule E-{i} error\n  for x in t\n  require x.m > 1\n" for i in range(2_000))
    codes = codes_of(rules)
    assert codes[-1] == "RF104"
    assert 1_000 < len(codes) < 1_100
