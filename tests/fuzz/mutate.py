"""mutate: a rulebook and a source of chance -> a rulebook with something wrong, mostly

What slips of the hand, of an editor and of a merge do to a file, and what malice does: at
characters, at words and signs, at lines, and at whole declarations. Keywords, functions and types
are those of the language, so what the language gains is tried without a change here.
"""

import re
from collections.abc import Callable, Sequence
from random import Random

from fuzz_corpus import declarations, seeds

from ruleforge.language.core import Severity
from ruleforge.language.functions import FUNCTIONS
from ruleforge.language.parse import keywords

TOKEN = re.compile(
    r'"(?:[^"\\\n]|\\[^\n]?)*"?|[A-Za-z_][A-Za-z0-9_-]*|[0-9]+(?:[.-][0-9]+)*|[ \t]+|(?s:.)'
)
NAME = re.compile(r"[a-z_][a-z0-9_]*")

SIGNS = [*"(){}[].,:=<>+-*/|#\"`\\'@;!&~^%$?", "..", "!=", "<=", ">=", "==", "=>", "{{", "}}", "->"]
NUMBERS = [
    *("0", "1", "-1", "007", "999999999999999999", "1000000000000000000", "9" * 5_000),
    *("0.1", "1.", ".5", "1.0000000000", "1.00000000000", "0" * 4_400, "1e9", "0.0", "1_000"),
    *("2023-24", "2023-25", "0000-01", "9998-99", "9999-00", "1999-00", "2023-2024"),
    *("2024-02-29", "2023-02-29", "0001-01-01", "9999-12-31", "0000-00-00", "2023-1-1", "1-1"),
]
TEXTS = [
    *('""', '" "', '"{"', '"}"', '"{}"', '"{{}}"', '"{p}"', '"{1"', '"{\\"a\\"}"', '"{"a"}"'),
    *('"{p.}"', '"{{1}}"', '"\\', '"\\x"', '"%Y%Y"', '"[a-z"', '"(((((a*)*)*)*)*)"', '"a{1,9999}"'),
    *(
        '"*"',
        '"/"',
        '"a/b/@c"',
        '"../.."',
        '"' + "x" * 3_000 + '"',
        '"é\u0301"',
        '"\u202e"',
        '"01"',
    ),
]
ODD = [
    *("\0", "\x01", "\x1b[31m", "\x7f", "\x85", "\xa0", "\xad", "\u0301", "\u200b", "\u202e"),
    *("\u2028", "\ufeff", "\ufffd", "\uffff", "\ud800", "\udfff", "\U0001f600", "\u0661", "\uff21"),
    *("ſ", "İ", "ß", "“", "”", "–", "≤", "é", "\r", "\r\n", "\n", "\t", "\v", "\f", "\x1c"),
]
NESTED = [("(", ")"), ("not ", ""), ("-", ""), ("{", "}"), ("if true then ", " else 1"), ("a.", "")]
NESTED += [("coalesce(1, ", ")"), ("exists(x in t where ", ")"), ("1 + ", ""), ("true and ", "")]
# WHY: what is repeated again and again has no end, and a second is a promise to files of a size
# that people write; `tests/language/test_robustness.py` has those of 10 MB.
MAY_GROW_TO = 30_000
DEPTHS = (2, 5, 40, 98, 101, 300, 3_000)
TIMES = (2, 3, 20, 300)


def mutated(text: str, chance: Random) -> str:
    """The text after one to six mutations; small ones are more likely than bold ones."""
    most = max(MAY_GROW_TO, len(text) + 1_000)
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 6))):
        changed = chance.choices(MUTATIONS, WEIGHTS)[0](text, chance)
        text = changed if len(changed) <= most else text
    return text


# ── characters ─────────────────────────────────────────────────────────────────────────────────


def _characters(text: str, chance: Random) -> str:
    at = chance.randrange(len(text) + 1)
    gone = chance.choice((0, 0, 1, 1, 2, 5, 30))
    put = chance.choice(("", chance.choice(SIGNS), chance.choice(ODD), text[at : at + 2] * 2))
    return text[:at] + put + text[at + gone :]


def _truncated(text: str, chance: Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] if chance.random() < 0.7 else text[at:]


def _line_ends(text: str, chance: Random) -> str:
    return text.replace("\n", chance.choice(("\r\n", "\r", "\n\n", " ", "\u2028", "\v", "\n#")))


def _one_for_all(text: str, chance: Random) -> str:
    """Every place of a word gets another, as an editor's replacing does it."""
    old, new = _a_word(text, chance), _other(text, chance)
    return text.replace(old, new)


# ── words and signs ────────────────────────────────────────────────────────────────────────────


def _tokens(text: str, chance: Random) -> str:
    tokens = TOKEN.findall(text)
    if not tokens:
        return text
    at, other = chance.randrange(len(tokens)), chance.randrange(len(tokens))
    length = chance.choice((1, 1, 1, 2, 4, 10))
    match chance.randrange(5):
        case 0:
            del tokens[at : at + length]
        case 1:
            tokens[at:at] = tokens[at : at + length]
        case 2:
            tokens[at], tokens[other] = tokens[other], tokens[at]
        case 3:
            tokens[at:at] = tokens[other : other + length]
        case _:
            times = chance.choice(TIMES)
            tokens[at : at + length] = tokens[at : at + length] * times
    return "".join(tokens)


def _replaced(text: str, chance: Random) -> str:
    """A word or sign becomes another of its kind: a name a name, a keyword a keyword."""
    places = [each for each in TOKEN.finditer(text) if not each[0].isspace()]
    if not places:
        return text
    place = chance.choice(places)
    return text[: place.start()] + _like(place[0], text, chance) + text[place.end() :]


def _like(token: str, text: str, chance: Random) -> str:
    if chance.random() < 0.1:
        return _other(text, chance)
    if token.startswith('"'):
        return chance.choice((chance.choice(TEXTS), _a_token(text, chance, '"')))
    if token[0].isdigit():
        return chance.choice(NUMBERS)
    if token in keywords():
        return chance.choice(sorted(keywords()))
    if token[0].isalpha() or token[0] == "_":
        return chance.choice((_a_word(text, chance), chance.choice(_WORDS)))
    return chance.choice(SIGNS)


_WORDS = [
    *(name.rpartition(".")[2] for name in FUNCTIONS),
    *(severity.value for severity in Severity),
    *("text", "integer", "decimal", "boolean", "date", "school_year", "period", "as_of"),
]


def _other(text: str, chance: Random) -> str:
    """Any word or sign at all, from here or elsewhere."""
    return chance.choice(
        (
            chance.choice(sorted(keywords())),
            chance.choice(_WORDS),
            chance.choice(SIGNS),
            chance.choice(NUMBERS),
            chance.choice(TEXTS),
            chance.choice(ODD),
            _a_word(text, chance),
            _a_word(chance.choice(seeds()), chance),
        )
    )


def _a_word(text: str, chance: Random) -> str:
    words = [each for each in NAME.findall(text) if each not in keywords()]
    return chance.choice(words) if words else "x"


def _a_token(text: str, chance: Random, first: str) -> str:
    tokens = [each for each in TOKEN.findall(text) if each.startswith(first)]
    return chance.choice(tokens) if tokens else '""'


def _nested(text: str, chance: Random) -> str:
    """Something is put within many brackets, or behind many signs."""
    places = [each for each in TOKEN.finditer(text) if not each[0].isspace()]
    if not places:
        return text
    place = chance.choice(places)
    before, after = chance.choice(NESTED)
    depth = chance.choice(DEPTHS)
    closing = after * chance.choice((depth, depth, depth, depth - 1, 0))
    return text[: place.start()] + before * depth + place[0] + closing + text[place.end() :]


def _spliced(text: str, chance: Random) -> str:
    """A stretch of another rulebook, from the middle of it, is put in."""
    other = TOKEN.findall(chance.choice(seeds()))
    start = chance.randrange(len(other) + 1)
    stretch = "".join(other[start : start + chance.choice((1, 3, 10, 40))])
    at = chance.randrange(len(text) + 1)
    return text[:at] + stretch + text[at + chance.choice((0, 0, len(stretch))) :]


# ── lines and declarations ─────────────────────────────────────────────────────────────────────


def _listed(items: list[str], others: Sequence[str], chance: Random) -> list[str]:
    """Some items in another order, twice, not at all, or among others."""
    if not items:
        return list(others[:1])
    at, other = chance.randrange(len(items)), chance.randrange(len(items))
    match chance.randrange(5):
        case 0:
            del items[at]
        case 1:
            items.insert(other, items[at])
        case 2:
            items[at], items[other] = items[other], items[at]
        case 3:
            items[at:at] = [chance.choice(others)] if others else []
        case _:
            items[at : at + 1] = [items[at]] * chance.choice(TIMES)
    return items


def _lines(text: str, chance: Random) -> str:
    others = chance.choice(seeds()).split("\n")
    return "\n".join(_listed(text.split("\n"), others, chance))


def _declarations(text: str, chance: Random) -> str:
    own = declarations(text)
    header = text[: text.find(own[0])] if own else text
    return header + "\n".join(_listed(own, declarations(chance.choice(seeds())), chance)) + "\n"


Mutation = Callable[[str, Random], str]
MUTATIONS: tuple[Mutation, ...] = (
    *(_characters, _truncated, _line_ends, _one_for_all, _tokens),
    *(_replaced, _nested, _spliced, _lines, _declarations),
)
WEIGHTS = (15, 3, 1, 4, 20, 30, 5, 6, 12, 8)
