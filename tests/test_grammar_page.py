"""The page of the grammar: it tells every rule once, as the parser reads it, and its examples load."""

import importlib.util
import random
import re
from pathlib import Path

import mkdocs_grammar as grammar
import pytest

from golden import Golden
from ruleforge.language.load import RulebookError, load_text
from ruleforge.language.parse import keywords, parse
from ruleforge.language.render import render
from ruleforge.language.source import Source

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "grammar.md"
EXAMPLE = re.compile(r"^```rules\n(.*?)^```$", re.MULTILINE | re.DOTALL)

RULES = grammar.told(grammar.rules_of(grammar.GRAMMAR.read_text(encoding="utf-8")))
TEXT = PAGE.read_text(encoding="utf-8")


def test_every_rule_of_the_grammar_is_told_once() -> None:
    """A rule that is new belongs into a `<!-- begin grammar: … -->` of docs/grammar.md."""
    assert sorted(grammar.names_on(TEXT)) == sorted(RULES)


def test_the_notation_is_that_of_the_grammar(golden: Golden) -> None:
    golden(PAGE, grammar.renewed(TEXT))
    assert "= " in TEXT


def test_every_keyword_is_on_the_page() -> None:
    found = {
        word
        for block in grammar.BLOCK.finditer(TEXT)
        for word in re.findall(r'"([a-z]+)"', block["body"])
    }
    assert found == keywords()


@pytest.mark.parametrize("example", EXAMPLE.findall(TEXT), ids=lambda text: text.split()[1])
def test_examples_load(example: str) -> None:
    try:
        found = load_text(example, "grammar.md").warnings
    except RulebookError as error:
        found = error.diagnostics
    assert not found, render(found)


# ── the notation says what the parser reads ────────────────────────────────────────────────────

WORDS = {
    "NAME": ("a", "b_1", "`rule`"),
    "MEMBER": ("when", "c"),
    "RULE_ID": ("A-1", "x"),
    "TEXT": ('"t"', '""'),
    "CODES_DOC": ('"doc"\n',),
    "ROW": ("\n| a | b |\n",),
    "DAY_OR_YEAR": ("2023-24", "2023-10-01"),
    "DECIMAL": ("0.5",),
    "INTEGER": ("7",),
}
DEEP = 9


def sentence(part: object, chance: random.Random, depth: int = 0) -> list[str]:
    """Words and signs that a part of a rule allows; deep down the shortest."""
    match part:
        case grammar.Word():
            return [part.text]
        case grammar.Pattern():
            raise AssertionError("kinds of words are named")
        case grammar.Name():
            if part.text in WORDS:
                return [chance.choice(WORDS[part.text])]
            return sentence(RULES[part.text], chance, depth + 1)
        case grammar.Sequence():
            return [word for each in part.parts for word in sentence(each, chance, depth)]
        case grammar.Choice():
            return sentence(
                chance.choice(part.parts if depth < DEEP else part.parts[:1]), chance, depth
            )
        case grammar.Repeat():
            times = {"?": (0, 1), "*": (0, 1, 2), "+": (1, 2)}[part.sign]
            number = chance.choice(times) if depth < DEEP else times[0]
            return [word for _ in range(number) for word in sentence(part.part, chance, depth)]
    raise AssertionError(part)


def declarations() -> list[str]:
    return [each.text for each in RULES["declaration"].parts if each.text != "header"]


@pytest.mark.parametrize("name", declarations())
def test_what_the_page_allows_the_parser_reads(name: str) -> None:
    chance = random.Random(name)
    for _ in range(100):
        text = "rulebook a edition 1\n" + " ".join(sentence(RULES[name], chance))
        parsed = parse(Source("page.rules", text))
        assert parsed.diagnostics == (), f"{text}\n{render(parsed.diagnostics)}"
        assert len(parsed.pieces) == 2


def test_what_the_page_does_not_allow_is_found() -> None:
    """The test above would see a rule that is told wrong."""
    wrong = grammar.told(grammar.rules_of('title: "title" TEXT "and"\n'))["title"]
    text = "rulebook a edition 1\n" + " ".join(sentence(wrong, random.Random(1)))
    assert parse(Source("page.rules", text)).diagnostics != ()


# ── reading and writing the grammar ────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ('a: "x" B* // why', 'a = "x" B*'),
        ('?a: b | a "+" b | a "-" b', 'a = b ("+" b | "-" b)*'),
        ("a: b | b c -> d | b e", "a = b [c | e]"),
        ('a: "f" "(" b ")" | "f" "(" ")" | g', 'a = "f" "(" [b] ")" | g'),
        ("a: (b | c)+ [d]", "a = (b | c)+ [d]"),
        ("a: b (c d)*", "a = b (c d)*"),
        ("a: b\n | c", "a = b | c"),
        (r'a: "\\" /[a\/]+\]/', r'a = "\" /[a\/]+\]/'),
    ],
)
def test_notation(rule: str, told: str) -> None:
    [(name, part)] = grammar.rules_of(rule + "\n").items()
    assert grammar.notation(name, part) == told


# ── diagrams ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(importlib.util.find_spec("railroad") is None, reason="for the site alone")
def test_every_rule_has_a_diagram_whose_names_lead_somewhere() -> None:
    drawn = grammar.with_diagrams(TEXT)
    places = re.findall(r'id="rule-(\w+)"', drawn)
    assert sorted(places) == sorted(RULES)
    led_to = set(re.findall(r'xlink:href="#rule-(\w+)"', drawn))
    assert led_to <= set(places)
    assert len(led_to) > 50
    assert drawn.count("<svg") == len([each for each in RULES if each.islower()])
    assert "\n\n<svg" not in drawn


def test_there_is_a_sample_of_every_kind_of_word() -> None:
    kinds = {name for name in RULES if name.isupper()}
    assert kinds == set(WORDS)
