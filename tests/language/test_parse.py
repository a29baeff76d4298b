"""Syntax mistakes: each is told once, in its place, in the author's words, and hides no other."""

import re
from pathlib import Path

import pytest

from ruleforge.language import ast, messages
from ruleforge.language.build import build
from ruleforge.language.diagnostic import Diagnostic
from ruleforge.language.parse import keywords, parse, reserved_words
from ruleforge.language.source import Source, Span

HEADER = "rulebook r edition 1\n"
REPOSITORY = Path(__file__).parents[2]


def read(text: str) -> tuple[ast.Rulebook, list[Diagnostic]]:
    return build(parse(Source("test.rules", text)))


def diagnostics(text: str) -> list[Diagnostic]:
    return read(HEADER + text)[1]


def only(text: str) -> Diagnostic:
    found = diagnostics(text)
    assert len(found) == 1, found
    return found[0]


def underlined(diagnostic: Diagnostic) -> str:
    assert diagnostic.span is not None
    return diagnostic.span.text


def test_the_example_of_the_language_page() -> None:
    page = (REPOSITORY / "docs/language.md").read_text(encoding="utf-8")
    example = re.search(r"```(?:rules)?[^\n]*\n(rulebook .*?)```", page, re.DOTALL)
    assert example is not None
    rulebook, found = read(example[1])
    assert found == []
    assert [type(each).__name__ for each in rulebook.declarations] == [
        *["Parameter"] * 2,
        *["Define"] * 2,
        *["Rule"] * 2,
        "Test",
    ]


@pytest.mark.parametrize("path", sorted((REPOSITORY / "rulebooks").rglob("*.rules")), ids=str)
def test_the_shipped_rulebooks_have_no_syntax_mistake(path: Path) -> None:
    found = read(path.read_text(encoding="utf-8"))[1]
    assert found == []


EXPECTED = [
    ('rule A error for p in t require\n  message "x"', "message", "a condition", ""),
    ("rule A error for p in t when", "when", "a condition", ""),
    ('rule A\n title "x"', "title", "a severity", ""),
    ("rule 1a error", "1", "a rule id", ""),
    ("rule A error for p t require true", "t", "`in`", ""),
    ("rule A error for p in t requre p.x", "requre", "clause of the rule", "`require`"),
    ("rule A error when a = 1 requre p.x", "requre", "next clause", "`require`"),
    ("rule A error due 5 bussiness days", "bussiness", "`business`", "`business`"),
    ("rule A error if a >= 1", "1", "`,`", ""),
    ("table t\n a: text\n key", "key", "a column name", ""),
    ("table t\n a: text\n key a,", ",", "a column name", ""),
    ("table t\n a: text max x", "x", "a whole number", ""),
    ("table t\n a: text requird identifies s", "requird", "`required`", "`required`"),
    ("table T\n a: text", "T", "the name of the table", "`t`"),
    ("parameter x date", "date", "`:`", ""),
    ("parameter x:", ":", "a type", ""),
    ("define a = if x then y", "y", "`else`", ""),
    ("define a = if x y", "y", "`then`", ""),
    ("define a = (1", "1", "`)`", ""),
    ("define a = f(1", "1", "`)`", ""),
    ("define a = {}", "}", "a value", "holds one"),
    ("define a = x is", "is", "`missing` or `present`", ""),
    ("define a = x is not missing", "not", "`missing` or `present`", "is present"),
    ("define a = count(e in t were e.x)", "were", "`where`", "`where`"),
    ("define a = every(e in t where e.x)", ")", "`satisfies`", ""),
    ("define a = sum(e.x in t)", ")", "`for`", ""),
    ("define a = latest(e in t where e.x).b", "where", "`by`", ""),
    ("define a = b c", "c", "an operator", ""),
    ("define a = b | c", "|", "an operator", "`or`"),
    ("codes c", "c", "a text in double quotes", ""),
    ("view v frm x in t", "frm", "`from`", "`from`"),
    ("test given t", "given", "a text in double quotes", ""),
    ('test "a" given t expect nothing', "expect", "a line that begins with `|`", ""),
    ("population p of x in t", "t", "`by`", ""),
]


@pytest.mark.parametrize(("text", "place", "expected", "fix"), EXPECTED)
def test_unexpected_text(text: str, place: str, expected: str, fix: str) -> None:
    found = only(text)
    assert found.code == "RF101"
    assert underlined(found) == place
    assert expected in found.fact
    assert fix in found.fix
    assert found.why
    assert found.fix


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("table t\n  source: text", "source"),
        ("table t\n  a: text\n  report: text", "report"),
        ("table t\n  a: text\n  key a, title", "title"),
        ("define report = 3", "report"),
        ("define when = 3", "when"),
        ("parameter test: date", "test"),
        ("rule A error let count = 3", "count"),
        ("rule A error for p in t require count + 1 = 2", "count"),
        ('rule A error for p in t require true message "{count}"', "count"),
        ("define f(rule: text) = 3", "rule"),
    ],
)
def test_a_keyword_as_a_name(text: str, word: str) -> None:
    found = only(text)
    assert (found.code, underlined(found)) == ("RF101", word)
    assert f"`{word}`" in found.fix
    assert "backticks" in found.fix


def test_a_keyword_is_a_name_in_backticks_and_behind_a_dot() -> None:
    rulebook, found = read(
        HEADER
        + "table t\n  `source`: text\n  `report`: text\n  key `source`\n"
        + "rule A error for p in t require p.source = p.report and p.rule and p.test\n"
        + 'message "{p.source}"\n'
        + "define `count` = `count`\n"
    )
    assert found == []
    table = rulebook.declarations[0]
    assert isinstance(table, ast.Table)
    assert [each.name.text for each in table.columns] == ["source", "report"]
    assert rulebook.declarations[2] == ast.Define(
        ast.Name("count", _nowhere()), None, ast.Variable("count", _nowhere()), _nowhere()
    )


def _nowhere() -> Span:
    return Span(Source("", ""), 0, 0)


def test_soft_words_are_free_as_names() -> None:
    text = "define f(on: date, days: integer, since: date, only: text) = on + days"
    assert diagnostics(text) == []
    assert "on" in keywords() - reserved_words()


@pytest.mark.parametrize("text", ["a < b < c", "a = b = c", "a < 1 and b >= 2 != c"])
def test_comparisons_do_not_chain(text: str) -> None:
    found = only(f"define x = {text}")
    assert found.code == "RF101"
    assert found.fact == "comparisons do not chain"


@pytest.mark.parametrize(
    ("text", "place", "fix"),
    [
        ("a == b", "==", "`=`"),
        ("a => b", "=>", "`>=`"),
        ("a <> b", "<>", "`!=`"),
    ],
)
def test_signs_of_other_languages(text: str, place: str, fix: str) -> None:
    found = only(f"define x = {text}")
    assert (found.code, underlined(found)) == ("RF101", place)
    assert fix in found.fix


@pytest.mark.parametrize(
    ("text", "place", "fix"),
    [
        ("a && b", "&", "`and`"),
        ("'a'", "'", "double quotes"),
        ("“a”", "“", "straight"),
        ("a ≤ b", "≤", "`<=`"),
        ("a @ b", "@", "take it out"),
        ("a ; b", ";", "keyword"),
        ("`A`", "`", "small letters"),
        ("[1]", "[", "braces"),
        ("a\u00a0+ b", "\u00a0", "blank"),
    ],
)
def test_characters_that_mean_nothing(text: str, place: str, fix: str) -> None:
    found = only(f"define x = {text}")
    assert (found.code, underlined(found)) == ("RF103", place)
    assert fix in found.fix


def test_five_broken_declarations_are_five_diagnostics() -> None:
    rulebook, found = read(
        HEADER
        + "parameter a date\n"
        + "define b = = 3\n"
        + "table c\n  x text\n"
        + "define whole = 1\n"
        + "rule D-1 error for p in t requre p.x\n"
        + 'codes e "01"\n'
    )
    assert [each.code for each in found] == ["RF101"] * 5
    assert [each.text for each in rulebook.broken] == ["a", "b", "c", "D-1", "e"]
    assert [type(each) for each in rulebook.declarations] == [ast.Define]


def test_a_misspelt_declaration_leaves_the_one_before_it_whole() -> None:
    rulebook, found = read(HEADER + "define a = 1\nruel X-1 error for p in t require p.x\n")
    assert [type(each) for each in rulebook.declarations] == [ast.Define]
    assert [each.code for each in found] == ["RF101"]
    assert "`rule`" in found[0].fix
    assert [each.text for each in rulebook.broken] == ["X-1"]


@pytest.mark.parametrize(
    "text",
    [
        'rule A error title "open\n  for p in t require p.x',
        'define a = p.x in {"38, "56"}',
        'define a = p.x in {"38}',
        'rule A error for p in t require p.x message "open',
        'table t "open\n  a: text',
        'define a = "ends with an escape\\"',
    ],
)
def test_a_text_that_is_not_closed_is_one_mistake(text: str) -> None:
    found = only(text + "\ndefine b = 2")
    assert (found.code, underlined(found)) == ("RF102", '"')


def test_a_mistake_before_a_text_that_is_not_closed_is_told_too() -> None:
    found = diagnostics('rule A error\n  for t\n  when true\n  message "open\n')
    assert [each.code for each in found] == ["RF101", "RF102"]


HEADERS = [
    ("", "RF108", "begin with `rulebook"),
    ("# nothing\n", "RF108", "begin with `rulebook"),
    ("define a = 1", "RF108", "begin with `rulebook"),
    ("hello\nrulebook r edition 1", "RF108", "begin with its header"),
    ("define a = 1\nrulebook r edition 1", "RF108", "begin with its header"),
    ("rulebook r edition 1\nrulebook s edition 1", "RF108", "second header"),
    ("rulebook r edition 2", "RF108", "not known"),
    ("rulebook r", "RF101", "`edition`"),
    ("rulebook r edition one", "RF101", "a whole number"),
    ("rulebook R edition 1", "RF101", "the name of the rulebook"),
]


@pytest.mark.parametrize(("text", "code", "fact"), HEADERS)
def test_headers(text: str, code: str, fact: str) -> None:
    found = read(text)[1]
    assert [each.code for each in found] == [code]
    assert fact in found[0].fact


def test_a_byte_order_mark_and_carriage_returns_are_no_mistake() -> None:
    rulebook, found = read('\ufeffrulebook r edition 1\r\n  title "x"\r\ndefine a = 1\r\n')
    assert found == []
    assert len(rulebook.declarations) == 1


@pytest.mark.parametrize("character", ["\0", "\ud800"])
def test_what_is_no_text(character: str) -> None:
    found = only(f"define a = {character}")
    assert (found.code, underlined(found)) == ("RF107", character)


def test_declaration_words_within_other_things_cut_nothing() -> None:
    text = (
        '# rule X error\nrule test-rule error title "rule X" tags `rule`, b for p in t\n'
        "  report when p.rule = 1 or p.report\n"
        'test "t" given t\n  | rule | table |\n  | x"   | rule  |\n  expect nothing\n'
        "lookup table u\n  a: text\n"
    )
    rulebook, found = read(HEADER + text)
    assert found == []
    assert [type(each).__name__ for each in rulebook.declarations] == [
        "Rule",
        "Test",
        "Table",
    ]


def test_every_code_of_a_message_has_a_title() -> None:
    source = Path(messages.__file__).read_text(encoding="utf-8")
    used = set(re.findall(r'Diagnostic\(\s*"(RF\d+)"', source))
    assert used <= set(messages.CODES)
    assert {code for code in messages.CODES if code.startswith("RF1")} <= used
