"""Rulebooks in colours: every character is there, and words are what the parser takes them for."""

import re
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from pygments.token import Comment, Error, Keyword, Literal, Name, String, Whitespace

from ruleforge.authoring.pygments_lexer import RulebookLexer
from ruleforge.language.parse import SOFT_WORDS, keywords, lexemes, parse, reserved_words
from ruleforge.language.source import Source

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(ROOT.joinpath("rulebooks").rglob("*.rules"))
CASES = sorted(ROOT.joinpath("tests", "cases").rglob("*.case"))
SECTION = re.compile(r"^--- rulebook\n(.*?)(?=^--- |\Z)", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```rules[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What stands on a line that is told as RF101 or RF103 may be a character of another language.
TOLD = re.compile(r"RF10[13]")


def tokens(text: str) -> list[tuple[int, object, str]]:
    found = list(RulebookLexer().get_tokens_unprocessed(text))
    assert "".join(value for _, _, value in found) == text
    place = 0
    for start, _, value in found:
        assert start == place
        assert value
        place += len(value)
    return found


def texts_of(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return FENCE.findall(text)
    section = SECTION.search(text)
    return [section[1] if section else text]


@pytest.mark.parametrize("path", [*SHIPPED, *CASES], ids=lambda path: path.stem)
def test_every_character_is_there_and_of_the_language(path: Path) -> None:
    for text in texts_of(path):
        lines = text.splitlines()
        for start, kind, _ in tokens(text):
            if kind is Error:
                assert TOLD.search(lines[text.count("\n", 0, start)])


@pytest.mark.parametrize("page", sorted(ROOT.joinpath("docs").glob("*.md")), ids=lambda p: p.stem)
def test_the_examples_of_the_pages_are_of_the_language(page: Path) -> None:
    for text in texts_of(page):
        assert [value for _, kind, value in tokens(text) if kind is Error] == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_words_are_what_the_parser_takes_them_for(path: Path) -> None:
    """Every word and sign of a rulebook without mistakes has the kind and place of the parser."""
    text = path.read_text(encoding="utf-8")
    parsed = parse(Source("", text))
    assert parsed.diagnostics == ()
    theirs = [
        ("KEYWORD" if token.type.lower() == token.value else token.type, token.start_pos)
        for piece in parsed.pieces
        for token in piece.tree.scan_values(lambda _: True)
    ]
    assert [(each.kind, each.start) for each in lexemes(text)] == theirs


def kinds(text: str) -> dict[str, object]:
    return {value: kind for _, kind, value in tokens(text) if kind is not Whitespace}


def test_what_is_a_keyword_depends_on_its_place() -> None:
    text = """rulebook a edition 1
table t
  days: integer  # free
  `when`: text
  key days
rule when-1 error
  for on in t
  report when on.key in {1} and on.days = 2023-10-01
  message "{on.days} {{x}} \\"{2}\\""
"""
    found = kinds(text)
    assert found["days"] is Name.Attribute
    assert found["`when`"] is Name
    assert found["key"] is Name.Attribute
    assert found["when-1"] is Name.Function
    assert found["on"] is Name
    assert found["edition"] is Keyword
    assert found["report"] is Keyword
    assert found["rule"] is Keyword.Declaration
    assert found["integer"] is Keyword.Type
    assert found["error"] is Name.Exception
    assert found["2023-10-01"] is Literal.Date
    assert found["# free"] is Comment.Single
    assert found["{on.days}"] is String.Interpol
    assert found["{{"] is String.Escape
    assert found['\\"'] is String.Escape


def test_rows_of_a_test() -> None:
    found = kinds(
        'test "t"\n  given t\n    | id | n |\n    | A1 | " | " | # why\n  expect nothing\n'
    )
    assert found["id"] is Name.Attribute
    assert found["A1"] is Literal
    assert found['" | "'] is String.Double
    assert found["# why"] is Comment.Single
    assert found["nothing"] is Keyword


@pytest.mark.parametrize("word", sorted(keywords()))
def test_every_keyword_of_the_grammar_is_known(word: str) -> None:
    """Also where the grammar does not reach, as in a part of a declaration."""
    assert [kind for _, kind, value in tokens(f"? {word} x") if value == word] in (
        [Keyword],
        [Keyword.Declaration],
    )
    assert (kinds(f"? {word}: x")[word] is Name) == (word in SOFT_WORDS)
    assert reserved_words() == keywords() - SOFT_WORDS


def test_broken_input_is_read_to_its_end() -> None:
    chance = Random(7)
    texts = [text for path in [*SHIPPED, *CASES] for text in texts_of(path)]
    for _ in range(600):
        text = chance.choice(texts)[:2_000]
        start = chance.randrange(len(text) + 1)
        put = chance.choice(
            ["", '"', "{", "|", "\0", "\ud800", "é", "`", "((((", "\r\n", "..", "#"]
        )
        tokens(text[:start] + put + text[start + chance.randrange(40) :])
    for text in ("", "\0", "rule", "rule ", '"', "|", "(" * 5_000, "a." * 3_000, "not " * 900):
        tokens(text)


def test_nothing_of_the_command_line_loads_pygments() -> None:
    script = "import sys, ruleforge.cli; print(*sorted({'pygments'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == ""
