"""mkdocs_grammar: grammars/rulebook.lark -> the notation and the diagrams of docs/grammar.md

The page says in which order the rules of the grammar are told, in lines
`<!-- begin grammar: rule severities -->`. Below such a line stands what `notation` makes of these
rules; `tests/test_grammar_page.py` compares it, and `--update-golden` writes it anew. When the
site is built, `with_diagrams` puts a diagram above it for each rule. So the page can be read where
no site is.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, assert_never

GRAMMAR = Path(__file__).parent / "grammars" / "rulebook.lark"

# ── what a rule is made of ─────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Word:
    """A keyword or a sign, as it is written."""

    text: str


@dataclass(frozen=True)
class Pattern:
    """A regular expression."""

    text: str


@dataclass(frozen=True)
class Name:
    """Another rule."""

    text: str


@dataclass(frozen=True)
class Sequence:
    """Parts one after the other."""

    parts: "tuple[Part, ...]"


@dataclass(frozen=True)
class Choice:
    """One of several parts."""

    parts: "tuple[Part, ...]"


@dataclass(frozen=True)
class Repeat:
    """A part any number of times (`*`), once or more (`+`), or once at most (`?`)."""

    part: "Part"
    sign: str


Part = Word | Pattern | Name | Sequence | Choice | Repeat

# ── reading ────────────────────────────────────────────────────────────────────────────────────

_RULE = re.compile(
    r"^[?!]?(?P<name>\w+)(?:\.\d+)?:(?P<body>[^\n]*(?:\n[ \t]+[^\n]*)*)", re.MULTILINE
)
_TOKEN = re.compile(
    r'"(?P<word>(?:[^"\\]|\\.)+)"|/(?P<pattern>(?:[^/\\\n\[]|\\.|\[(?:[^\]\\]|\\.)*\])+)/'
    r"|(?P<name>\w+)|->\s*\w+|//[^\n]*|(?P<sign>[()\[\]|*+?])|\s+"
)


def rules_of(text: str) -> dict[str, Part]:
    """Every rule and every kind of word of a grammar, in its order."""
    return {each["name"]: _read(each["name"], each["body"]) for each in _RULE.finditer(text)}


def _read(name: str, body: str) -> Part:
    tokens: list[Part | str] = []
    position = 0
    while position < len(body):
        found = _TOKEN.match(body, position)
        assert found is not None, f"{name}: {body[position:]}"
        position = found.end()
        if found["word"]:
            tokens.append(Word(re.sub(r"\\(.)", r"\1", found["word"])))
        elif found["pattern"]:
            tokens.append(Pattern(found["pattern"]))
        elif found["name"]:
            tokens.append(Name(found["name"]))
        elif found["sign"]:
            tokens.append(found["sign"])
    alternatives, rest = _alternatives(tokens)
    assert not rest, f"{name}: {rest}"
    return _without_left_recursion(name, alternatives)


def _alternatives(tokens: list[Part | str]) -> tuple[list[tuple[Part, ...]], list[Part | str]]:
    found: list[tuple[Part, ...]] = []
    while True:
        parts, tokens = _sequence(tokens)
        found.append(parts)
        if not tokens or tokens[0] != "|":
            break
        tokens = tokens[1:]
    return list(dict.fromkeys(found)), tokens


def _sequence(tokens: list[Part | str]) -> tuple[tuple[Part, ...], list[Part | str]]:
    found: list[Part] = []
    while tokens and tokens[0] not in ("|", ")", "]"):
        first, tokens = tokens[0], tokens[1:]
        if first in ("(", "["):
            alternatives, tokens = _alternatives(tokens)
            inner = _one_of(alternatives)
            found.append(Repeat(inner, "?") if first == "[" else inner)
            tokens = tokens[1:]  # the closing bracket
        elif isinstance(first, str):
            found[-1] = Repeat(found[-1], first)
        else:
            found.append(first)
    return tuple(found), tokens


def _parts(part: Part) -> tuple[Part, ...]:
    return part.parts if isinstance(part, Sequence) else (part,)


def _joined(parts: Iterable[Part]) -> Part:
    found = tuple(parts)
    return found[0] if len(found) == 1 else Sequence(found)


def _one_of(alternatives: list[tuple[Part, ...]]) -> Part:
    """A choice; neighbours that begin alike are one alternative, told as far as they are alike."""
    groups = [list(group) for _, group in groupby(alternatives, key=lambda each: each[0])]
    found = [_joined(_merged(group)) for group in groups]
    return found[0] if len(found) == 1 else Choice(tuple(found))


def _merged(group: list[tuple[Part, ...]]) -> tuple[Part, ...]:
    """What all begin and end with, and between them the choice of what differs."""
    if len(group) == 1:
        return group[0]
    before = _alike(group)
    rests = [each[len(before) :] for each in group]
    after = _alike([each[::-1] for each in rests])[::-1]
    middles = [each[: len(each) - len(after)] for each in rests]
    filled = [each for each in middles if each]
    if not filled:
        return (*before, *after)
    middle = _one_of(filled)
    return (*before, middle if len(filled) == len(middles) else Repeat(middle, "?"), *after)


def _alike(group: list[tuple[Part, ...]]) -> tuple[Part, ...]:
    """The parts with which all begin."""
    number = 0
    while all(len(each) > number and each[number] == group[0][number] for each in group):
        number += 1
    return group[0][:number]


def _without_left_recursion(name: str, alternatives: list[tuple[Part, ...]]) -> Part:
    """`sum: product | sum "+" product` is `product ("+" product)*`."""
    again = [each[1:] for each in alternatives if each[0] == Name(name)]
    first = [each for each in alternatives if each[0] != Name(name)]
    if not again:
        return _one_of(alternatives)
    return _joined((*_parts(_one_of(first)), Repeat(_one_of(again), "*")))


def told(rules: dict[str, Part]) -> dict[str, Part]:
    """The rules that a page tells: signs stand where they are used, and blanks are no matter."""
    signs = {name: part for name, part in rules.items() if name.isupper() and _is_sign(part)}
    return {
        name: _with_signs(part, signs)
        for name, part in rules.items()
        if name not in signs and name not in ("COMMENT", "SPACE")
    }


def _is_sign(part: Part) -> bool:
    return all(
        isinstance(each, Word) for each in (part.parts if isinstance(part, Choice) else (part,))
    )


def _with_signs(part: Part, signs: dict[str, Part]) -> Part:
    match part:
        case Name():
            return signs.get(part.text, part)
        case Sequence():
            return Sequence(tuple(_with_signs(each, signs) for each in part.parts))
        case Choice():
            within = (_with_signs(each, signs) for each in part.parts)
            flat = (e.parts if isinstance(e, Choice) else (e,) for e in within)
            return Choice(tuple(each for parts in flat for each in parts))
        case Repeat():
            return Repeat(_with_signs(part.part, signs), part.sign)
        case Word() | Pattern():
            return part
    assert_never(part)


# ── notation ───────────────────────────────────────────────────────────────────────────────────

_WIDEST = 100


def notation(name: str, part: Part) -> str:
    """A rule as text: `name = …`, an alternative a line where it has many."""
    line = f"{name} = {_text(part)}"
    if len(line) <= _WIDEST and not (isinstance(part, Choice) and len(part.parts) > 4):
        return line
    gap = " " * len(name)
    if isinstance(part, Choice):
        return f"\n{gap} | ".join([f"{name} = {_text(part.parts[0])}", *map(_text, part.parts[1:])])
    lines, indent = [f"{name} ="], f"{gap}   "
    for each in _parts(part):
        text = _text(each, inner=True)
        if len(indent) + len(text) > _WIDEST and isinstance(each, Repeat):
            assert isinstance(each.part, Choice), "no other part is so long"
            inside = f"\n{indent}| ".join(map(_text, each.part.parts))
            sign = each.sign
            lines += [f"{indent}[ {inside} ]" if sign == "?" else f"{indent}( {inside} ){sign}"]
        elif len(lines[-1]) + len(text) >= _WIDEST:
            lines.append(f"{indent}{text}")
        else:
            lines[-1] += f" {text}"
    return "\n".join(lines)


def _text(part: Part, *, inner: bool = False) -> str:
    """The part on one line; `inner` where something stands beside it."""
    match part:
        case Word():
            return f'"{part.text}"'
        case Pattern():
            return f"/{part.text}/"
        case Name():
            return part.text
        case Sequence():
            return " ".join(_text(each, inner=True) for each in part.parts)
        case Choice():
            text = " | ".join(_text(each) for each in part.parts)
            return f"({text})" if inner else text
        case Repeat(sign="?"):
            return f"[{_text(part.part)}]"
        case Repeat():
            inside = _text(part.part, inner=True)
            bracketed = isinstance(part.part, Sequence)
            return f"({inside}){part.sign}" if bracketed else f"{inside}{part.sign}"
    assert_never(part)


# ── the page ───────────────────────────────────────────────────────────────────────────────────

BLOCK = re.compile(
    r"<!-- begin grammar: (?P<names>[\w ]+) -->\n(?P<body>.*?)<!-- end grammar -->", re.DOTALL
)


def names_on(page: str) -> list[str]:
    """The rules that a page tells, in its order."""
    return [name for found in BLOCK.finditer(page) for name in found["names"].split()]


def renewed(page: str) -> str:
    """The page with the notation of the grammar as it is."""
    rules = told(rules_of(GRAMMAR.read_text(encoding="utf-8")))

    def block(found: re.Match[str]) -> str:
        names = found["names"]
        text = "\n".join(notation(name, rules[name]) for name in names.split() if name in rules)
        return f"<!-- begin grammar: {names} -->\n```text\n{text}\n```\n<!-- end grammar -->"

    return BLOCK.sub(block, page)


def with_diagrams(page: str) -> str:
    """The page with a diagram above the notation for each rule that is more than a pattern."""
    rules = told(rules_of(GRAMMAR.read_text(encoding="utf-8")))

    def block(found: re.Match[str]) -> str:
        names = found["names"].split()
        if all(isinstance(rules[name], Pattern) for name in names):
            places = "".join(f'<span id="rule-{name}"></span>' for name in names)
            return f"<div>{places}</div>\n\n{found['body']}"
        note = "<summary>The same as text</summary>"
        text = f'<details markdown="1">{note}\n\n{found["body"]}\n</details>'
        return "\n\n".join([*(_figure(name, rules[name]) for name in names), text])

    return BLOCK.sub(block, page)


def _figure(name: str, part: Part) -> str:
    caption = f"<figcaption>{name}</figcaption>"
    return f'<figure class="grammar" id="rule-{name}">{caption}{diagram(part)}</figure>'


_WIDEST_LINE = 760  # pixels, which is the room that the page has


def diagram(part: Part) -> str:
    """The railroad diagram of a rule, as SVG. What is too wide goes on below."""
    import railroad  # for the site alone

    def drawn(part: Part) -> Any:
        match part:
            case Word() | Pattern():
                return railroad.Terminal(part.text)
            case Name():
                return railroad.NonTerminal(part.text, href=f"#rule-{part.text}")
            case Sequence():
                return railroad.Sequence(*items(part.parts))
            case Choice():
                return railroad.Choice(0, *map(drawn, part.parts))
            case Repeat(sign="?"):
                return railroad.Optional(drawn(part.part))
            case Repeat(sign="*"):
                return railroad.ZeroOrMore(drawn(part.part))
            case Repeat():
                return railroad.OneOrMore(drawn(part.part))
        assert_never(part)

    def items(parts: tuple[Part, ...]) -> list[Any]:
        """The parts in order; of `x ("," x)*` one loop is made."""
        found: list[Any] = []
        for number, each in enumerate(parts):
            before = parts[number - 1] if number else None
            if isinstance(each, Repeat) and each.sign == "*" and isinstance(each.part, Sequence):
                separator, *rest = each.part.parts
                if rest == [before]:
                    found[-1] = railroad.OneOrMore(found[-1], drawn(separator))
                    continue
            found.append(drawn(each))
        return found

    lines: list[list[Any]] = [[]]
    width = 0.0
    for each in items(_parts(part)):
        width += each.width + 20
        if lines[-1] and width > _WIDEST_LINE:
            lines.append([])
            width = each.width
        lines[-1].append(each)
    rows = [railroad.Sequence(*each) for each in lines]
    whole = railroad.Diagram(railroad.Stack(*rows) if len(rows) > 1 else rows[0], css=None)
    written: list[str] = []
    whole.writeSvg(written.append)
    return "".join(written).replace("\n", " ")
