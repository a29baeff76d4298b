"""Text from a stranger: a tree or a diagnostic, never an exception, and an end in time.

The sizes are those of the limits where that is quick, and smaller where only the time would grow.
"""

import random
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ruleforge.language import ast
from ruleforge.language.build import build
from ruleforge.language.cut import MOST_CHARACTERS, MOST_LEVELS, MOST_MISTAKES
from ruleforge.language.diagnostic import Diagnostic
from ruleforge.language.parse import parse
from ruleforge.language.render import render
from ruleforge.language.source import Source, Span

HEADER = "rulebook r edition 1\n"
FULL = MOST_CHARACTERS - 200
MODEL = Path(__file__).parents[2] / "rulebooks/indiana/model/enrollment.rules"


def read(text: str) -> tuple[ast.Rulebook, list[Diagnostic]]:
    return build(parse(Source("test.rules", text)))


def filled(before: str, unit: str, size: int = FULL, after: str = "") -> str:
    return HEADER + before + unit * ((size - len(before)) // len(unit)) + after


def codes(text: str) -> list[str]:
    return [each.code for each in read(text)[1]]


def depth(root: object) -> int:
    """How deep a tree is, found without recursion."""
    deepest, todo = 0, [(root, 1)]
    while todo:
        node, level = todo.pop()
        deepest = max(deepest, level)
        if isinstance(node, tuple):
            todo += [(each, level) for each in node]
        elif is_dataclass(node):
            todo += [(getattr(node, each.name), level + 1) for each in fields(node) if each.compare]
    return deepest


NESTED = [
    "(",
    "{",
    "({",
    "not ",
    "- ",
    "if a then ",
    "if a = 1 then b else ",
    "f(",
    "exists(e in t where ",
]
CHAINED = [("b", ".c"), ("1", "+1"), ("1", "*1"), ("1", " - 1"), ("a", ".b()")]


@pytest.mark.parametrize("unit", NESTED)
def test_nesting_of_ten_megabytes(unit: str) -> None:
    assert codes(filled("define a = ", unit)) == ["RF104"]


@pytest.mark.parametrize(("first", "unit"), CHAINED)
def test_chains_of_ten_megabytes(first: str, unit: str) -> None:
    assert codes(filled(f"define a = {first}", unit)) == ["RF104"]


@pytest.mark.parametrize("unit", NESTED)
@pytest.mark.parametrize("size", [500, 1_500, 5_000, 50_000])
def test_nesting_of_any_size(unit: str, size: int) -> None:
    assert codes(filled("define a = ", unit, size)) in (["RF104"], ["RF101"])


@pytest.mark.parametrize(("first", "unit"), CHAINED)
@pytest.mark.parametrize("size", [100, 1_500, 5_000, 50_000])
def test_chains_of_any_size(first: str, unit: str, size: int) -> None:
    rulebook, found = read(filled(f"define a = {first}", unit, size))
    assert [each.code for each in found] in (["RF104"], [])
    assert depth(rulebook) <= MOST_LEVELS + 10


def test_a_tree_is_never_deeper_than_the_limit() -> None:
    parts = ["(", "not ", "-", "a.b + ", "f(1, ", "if a then b else ", "a = ", "x in {", "a and "]
    choose = random.Random(20)
    for _ in range(200):
        opened = "".join(choose.choices(parts, k=choose.randrange(1, 150)))
        closing = "".join({"(": ")", "{": "}"}[each] for each in opened[::-1] if each in "({")
        rulebook, _ = read(f"{HEADER}define a = {opened}1{closing}")
        assert depth(rulebook) <= 2 * MOST_LEVELS + 10


STRANGE = [
    ("", "@$%^ ", "", ["RF103"]),
    ("", "ab() {;}c ", "", ["RF101"]),
    ("", "rule ", "", ["RF101"]),
    ("", "`", "", ["RF103"]),
    ("", "\n", "define a =", ["RF101"]),
    ("define a = ", '"', "", ["RF102"]),
    ('define a = "', "x", "", ["RF102"]),
    ('define a = "', "x", '"', []),
    ('define a = "', r"\n", '"', []),
    ("define a", "a", " = 1", []),
    ("define a = ", "9", "", ["RF105"]),
    ("define a = ", "0", "1", []),
    ("define a = 1", " = 1", "", ["RF101"]),
    ("define a = 1", ")", "", ["RF101"]),
    ('rule X error message "', "{a}", '"', ["RF104"]),
]


@pytest.mark.parametrize(("before", "unit", "after", "expected"), STRANGE)
def test_two_megabytes_of_one_thing(
    before: str, unit: str, after: str, expected: list[str]
) -> None:
    assert codes(filled(before, unit, 2_000_000, after)) == expected


def test_ten_megabytes_of_braces_in_a_message() -> None:
    assert set(codes(filled('rule X error message "', "{", FULL, '"'))) <= {"RF109"}


@pytest.mark.parametrize("unit", [" ", "#\n", "x", "@$%^ ", "("])
def test_ten_megabytes_without_a_header(unit: str) -> None:
    assert codes(unit * (FULL // len(unit))) == ["RF108"]


def test_more_than_ten_megabytes() -> None:
    assert codes(" " * MOST_CHARACTERS) == ["RF108"]
    assert codes(" " * (MOST_CHARACTERS + 1)) == ["RF104"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("\0" * 1_000_000, "RF107"), ("define a = \udc80", "RF107"), ("\x01\x1b\x7f", "RF103")],
)
def test_what_is_no_text(text: str, expected: str) -> None:
    assert codes(HEADER + text) == [expected]


@pytest.mark.parametrize("unit", ["rule\n", "define\n", '"\n', "rule X error @\n"])
def test_mistakes_are_told_up_to_a_number(unit: str) -> None:
    found = codes(filled("", unit, 1_000_000))
    assert len(found) <= MOST_MISTAKES + 3
    assert "RF104" in found


def test_mistakes_that_build_tells_are_told_up_to_a_number_too() -> None:
    found = codes(filled("", "define a = 2023-25\n", 100_000))
    assert len(found) <= MOST_MISTAKES + 3
    assert "RF104" in found


@pytest.mark.parametrize(
    ("before", "unit", "after"),
    [
        ("define a = b", " and b", ""),
        ("define a = b", " or b", ""),
        ("define a = {1", ", 1", "}"),
        ("define a = f(1", ", 1", ")"),
        ("codes c", '\n"01" "General"', ""),
        ("table t", "\na: text", ""),
        ("rule A error", "\nlet a = 1", ""),
        ('test "a" given t\n', "|a|b|\n", "expect nothing"),
    ],
)
def test_long_lists_are_read(before: str, unit: str, after: str) -> None:
    rulebook, found = read(filled(before, unit, 300_000, after))
    assert {each.code for each in found} <= {"RF106"}
    assert len(rulebook.declarations) == 1


def test_more_tokens_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ruleforge.language.parse.MOST_TOKENS", 10_000)
    assert codes(filled("define a = {1", ",1", 21_000, "}")) == ["RF104"]
    assert codes(filled("", "define a = 1\n", 60_000)) == ["RF104"]
    assert codes(filled("", "define a = 1\n", 20_000)) == []


def test_a_hundred_thousand_rules() -> None:
    line = "rule A{} error for p in t require p.a\n"
    rulebook, found = read(HEADER + "".join(map(line.format, range(100_000))))
    assert found == []
    assert len(rulebook.declarations) == 100_000


# ── mutated text ───────────────────────────────────────────────────────────────────────────────

EXAMPLE = """rulebook a.b edition 1
  title "T" uses c.d show error as "Fatal"
parameter p: grade in {"01", "02"} = "01" "Doc"
codes grade "Doc"
  "01" "General" also "Gen.", "G" since 2019-20 until 2023-24
lookup table t "Doc"
  file "*.txt" delimited "^" no header dates "%Y"
  `source`: text required max 30 identifies student references u named v sensitive
  b: grade from "B" by label
  link calendar on a, b named c
  key a, b
define f(r: t, on: date) = if r.a between 1 and 2.5 then on + 1 else 2023-10-01
view v from x in t with y in u on x.a = y.a where x.b group by x.c keep latest by x.a per x.b
rule A-1 error if as_of >= school_year.day(5, 1), otherwise warning
  also known as "A 1" help "H" tags a, b applies when not p = "01"
  for p in prior.t where p.b not in {"01".."02"} or p.c is missing
  let n = count(distinct e.a for e in t where e.b matches "[0-9]+")
  when every(e in t where e.a overlaps p.a satisfies -e.n * 2 > 1)
  require latest(e in t by e.a).b is present else "no {n}"
  message "a {p.a} {{x}} {coalesce(n, \\"-\\")}"
  due 5 business days
test "t" with p = "01" given t
  | a | b |
  | 1 | "x|" |
  expect nothing
"""


def test_the_example_is_right() -> None:
    assert codes(EXAMPLE) == []


PIECES = st.sampled_from(
    [
        *EXAMPLE.split(),
        *'(){}[]"`#|.,:=<>+-*/\\@;\0\n\t\r',
        "..",
        "{{",
        "é",
        "\ud800",
        "\u2028",
        "1-1",
    ]
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = EXAMPLE
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(text)))
        gone = draw(st.integers(0, 30))
        put = draw(st.one_of(st.just(""), PIECES, st.text(max_size=5)))
        text = text[:at] + put + text[at + gone :]
    return text


@settings(max_examples=400, deadline=None)
@given(mutated())
def test_mutated_text_is_a_tree_or_a_diagnostic(text: str) -> None:
    rulebook, found = read(text)
    assert render(found) or not found
    for each in found:
        assert each.code.startswith("RF1")
        assert all((each.fact, each.why, each.fix))
        assert each.span is not None
        assert 0 <= each.span.start <= each.span.end <= len(text)
    for span in spans(rulebook):
        assert 0 <= span.start <= span.end <= len(text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_tree_or_a_diagnostic(text: str) -> None:
    render(read(text)[1])
    render(read(HEADER + "define a = " + text)[1])
    render(read(HEADER + f'rule A error message "{text}"')[1])


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=25))
def test_any_words_are_a_tree_or_a_diagnostic(words: list[str]) -> None:
    render(read(HEADER + " ".join(words))[1])


def spans(root: object) -> Iterator[Span]:
    todo = [root]
    while todo:
        node = todo.pop()
        if isinstance(node, tuple):
            todo += node
        elif is_dataclass(node) and not isinstance(node, Span):
            if hasattr(node, "span"):
                yield node.span
            todo += [getattr(node, each.name) for each in fields(node) if each.compare]
