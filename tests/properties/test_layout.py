"""Whatever the blanks, line breaks and comments of a rulebook: its layout says the same, keeps
every comment, and is its own layout.

The rulebooks are those that ship and those of the cases, with their gaps changed at random.
"""

import re
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ruleforge.language import ast
from ruleforge.language.build import build
from ruleforge.language.load import RulebookError
from ruleforge.language.parse import parse
from ruleforge.language.reformat import reformat
from ruleforge.language.source import Source

ROOT = Path(__file__).parents[2]
SECTION = re.compile(r"^--- rulebook\n(.*?)(?=^--- |\Z)", re.MULTILINE | re.DOTALL)
PIECE = re.compile(
    r'(?P<fixed>"(?:[^"\\\r\n]|\\[^\r\n]?)*"|\|[^\r\n]*)|(?P<comment>#[^\n]*)|(?P<gap>[ \t\r\n]+)'
    r"|(?P<sign>[(){},]|(?<![!<>])=)|(?P<word>[^\s\"#|(){},=]+|.)"
)
GAPS = st.sampled_from(
    [
        *(" ", "   ", "\t", "\n", "\n\n", "\n    ", "\r\n", "\n\n\n\n  "),
        *(" # c\n", "# c\r\n", "\n# c\n", "\n\n  # c\n\n", "\n# c\n      "),
        " # c\n    # d\n# e\n\n",
    ]
)

# What the language has beyond what this version runs.
BEYOND = """\
rulebook r edition 1
dataset prior "Last year's"
dataset state
function similar(a: text, b: text): decimal
view v "Doc"
  from x in t
  with y in u on x.a = y.a
  where x.b
  group by x.c, x.d
  select n = count(e in t where e.a = 1), m = {1 + 1 .. 4, -1..1}
  keep latest by x.a per x.b, x.c
scope x in t where not x.a  # closed
population p of x in t where x.a by student, school unless error, warning
report r "Title"
  from x in t where x.a by n = x.a show m = 1, o = sum(e.a for e in t)
rule A-1 error if d >= y.day(5, 1), warning if d < y.day(1, 1), otherwise informational
  for x in prior.t
  after B-1, C-2
  against q in t where q.a = x.a
test "t"
  with a = 1, b = "x"
  given t
    | a | b   |
    # c
    | 1 | "|" |
  given prior.t
    | a  | b |
    | 10 |   |
  only A-1, B-1
  expect
    | rule |
test "u" expect nothing
"""


def rulebooks() -> dict[str, str]:
    """The text of every rulebook here that parses."""
    page = (ROOT / "docs/language.md").read_text(encoding="utf-8")
    found = {"beyond": BEYOND, "page": page.split("```rules\n")[1].split("```")[0]}
    for path in sorted((ROOT / "rulebooks").rglob("*.rules")):
        found[path.stem] = path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "tests/cases").rglob("*.case")):
        text = path.read_bytes().decode("utf-8")
        if path.parent.name == "evaluate":
            section = SECTION.search(text)
            assert section is not None
            text = section[1]
            if not text.startswith("rulebook"):
                text = f"rulebook case edition 1\n{text}"
        found[f"{path.parent.name}/{path.stem}"] = text
    return {name: text for name, text in found.items() if not parsed(text)}


def parsed(text: str) -> tuple[object, ...]:
    return parse(Source("test.rules", text)).diagnostics


def tree(text: str) -> ast.Rulebook:
    return build(parse(Source("test.rules", text)))[0]


def comments(text: str) -> list[str]:
    return [each["comment"].rstrip() for each in PIECE.finditer(text) if each["comment"]]


def rows(text: str) -> list[list[str]]:
    """The cells of every row of a test."""
    return [
        [cell.strip() for cell in each[0].split("|")]
        for each in PIECE.finditer(text)
        if each[0].startswith("|")
    ]


def check(text: str) -> str:
    """The layout of a text, after it has kept its promises."""
    result = reformat(Source("test.rules", text))
    assert tree(result) == tree(text)
    assert comments(result) == comments(text)
    assert rows(result) == rows(text)
    assert reformat(Source("test.rules", result)) == result
    assert result.endswith("\n")
    assert "\r" not in result
    assert not re.search(r"[ \t]$", result, re.MULTILINE)
    return result


RULEBOOKS = rulebooks()
SMALL = sorted(name for name, text in RULEBOOKS.items() if len(text) < 3_000)


def test_there_are_rulebooks() -> None:
    assert len(RULEBOOKS) > 60
    assert "model" in RULEBOOKS


@pytest.mark.parametrize("name", RULEBOOKS)
def test_every_rulebook_as_it_is(name: str) -> None:
    check(RULEBOOKS[name])


@st.composite
def changed(draw: st.DrawFn) -> str:
    """A rulebook with some of its gaps changed, and some put beside signs where there were none."""
    text = RULEBOOKS[draw(st.sampled_from(SMALL))]
    pieces = list(PIECE.finditer(text))
    places = [n for n, each in enumerate(pieces) if each["gap"] or each["sign"]]
    chosen = draw(st.sets(st.sampled_from(places), max_size=25))
    result = []
    for number, each in enumerate(pieces):
        if number not in chosen:
            result.append(each[0])
        elif each["sign"]:
            result.append(draw(GAPS) + each[0])
        else:
            before = pieces[number - 1][0] if number else ""
            gap = draw(GAPS)
            # What ends with its line keeps its end, or the gap would become part of it.
            result.append("\n" + gap if before.startswith(("#", "|")) else gap)
    return "".join(result)


@settings(max_examples=300, deadline=None)
@given(changed())
def test_whatever_the_gaps(text: str) -> None:
    assume(not parsed(text))
    check(text)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(SMALL), st.data())
def test_blanks_within_a_line_make_no_difference(name: str, data: st.DataObject) -> None:
    text = RULEBOOKS[name]
    result, starts = [], True
    for each in PIECE.finditer(text):
        within = each["gap"] and "\n" not in each[0] and not starts
        result.append(data.draw(st.sampled_from([" ", "  ", "\t "])) if within else each[0])
        starts = each[0].endswith("\n")
    assert check("".join(result)) == check(text)


@pytest.mark.parametrize("name", ["model", "special_education"])
def test_shipped_rulebooks_without_their_line_breaks(name: str) -> None:
    text = RULEBOOKS[name]
    # Only clauses of rules: elsewhere a line may have to end where it ends.
    joined = re.sub(r"\n +(?=(?:title|source|help|tags|for|let|when|require|message)\b)", " ", text)
    assert len(joined.split("\n")) < len(text.split("\n")) or name == "model"
    assert check(joined) == check(text)


WORDS = st.sampled_from(
    [*BEYOND.split(), *'(){}[]"`#|.,:=<>+-*/\\@;\n\t\r', "..", "é", "\u2028", "1-1"]
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    text = RULEBOOKS[draw(st.sampled_from(["beyond", *SMALL]))]
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(text)))
        gone = draw(st.integers(0, 20))
        put = draw(st.one_of(st.just(""), WORDS, st.text(max_size=4)))
        text = text[:at] + put + text[at + gone :]
    return text


@settings(max_examples=400, deadline=None)
@given(damaged())
def test_a_text_is_laid_out_or_told_what_is_wrong_with_it(text: str) -> None:
    try:
        result = reformat(Source("test.rules", text))
    except RulebookError:
        return
    assert reformat(Source("test.rules", result)) == result
    assert tree(result) == tree(text)
