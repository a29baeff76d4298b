"""fuzz_corpus: the rulebooks of this repository -> small texts to be mutated

A file that is added is taken up by itself: every rulebook that ships, every case and every rulebook
of the tests, every ```rules block of the pages. Most are small. A large one is divided: each of its
declarations, with those that it names, is a text of its own, because the time of a load goes with
the length of the text, and a mutation meets its neighbours only.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from ruleforge.language.cut import cut
from ruleforge.language.parse import declared_name
from ruleforge.language.resources import shipped_rulebooks
from ruleforge.language.source import Source, Span

ROOT = Path(__file__).parents[2]
SMALL = 1_500  # characters
MOST_NEEDED = 4_000  # characters of what a declaration names
HEADER = "rulebook seed edition 1\n"

_FENCE = re.compile(r"^```rules[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SECTION = re.compile(r"^--- rulebook\n(.*?)(?=^--- |\Z)", re.MULTILINE | re.DOTALL)
_USES = re.compile(r"^\s+uses\s+([\w.]+(?:\s*,\s*[\w.]+)*)", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def whole_rulebooks() -> Iterator[str]:
    """Every rulebook there is, as it stands; one that has no header is given one."""
    files = [*ROOT.joinpath("rulebooks").rglob("*.rules"), *ROOT.joinpath("tests").rglob("*.rules")]
    for path in sorted(files):
        yield path.read_text(encoding="utf-8")
    for path in sorted(ROOT.joinpath("tests", "cases").rglob("*.case")):
        text = path.read_text(encoding="utf-8")
        section = _SECTION.search(text)
        yield _headed(section[1]) if section else text
    for path in sorted([*ROOT.joinpath("docs").rglob("*.md"), ROOT / "README.md"]):
        for block in _FENCE.findall(path.read_text(encoding="utf-8")):
            yield _headed(block)


def _headed(text: str) -> str:
    return text if re.search(r"^rulebook\b", text, re.MULTILINE) else HEADER + text


@cache
def seeds() -> tuple[str, ...]:
    """The texts to be mutated, each once, in an order that does not change from run to run."""
    found = dict.fromkeys(each for text in whole_rulebooks() for each in _small(text))
    return tuple(found)


@cache
def large_seeds() -> tuple[str, ...]:
    """The rulebooks that were divided, as they are: a few inputs are made of these."""
    return tuple(text for text in whole_rulebooks() if len(text) > SMALL)


def _small(text: str) -> Iterator[str]:
    if len(text) <= SMALL:
        yield text
        return
    own = declarations(text)
    named: dict[str, list[str]] = {}
    for each in [*own, *_used(text)]:
        for name in _names(each):
            named.setdefault(name, []).append(each)
    for each in own:
        yield HEADER + "\n".join([*_needed(each, named), each])


def _used(text: str) -> Iterable[str]:
    for name in re.findall(r"[\w.]+", " ".join(_USES.findall(text))):
        path = shipped_rulebooks() / Path(*name.split(".")).with_suffix(".rules")
        if path.is_file():
            yield from declarations(path.read_text(encoding="utf-8"))


def _needed(declaration: str, named: dict[str, list[str]]) -> list[str]:
    """What a declaration names, and what that names, the nearest first, as far as there is room."""
    needed: dict[str, None] = {}
    todo, room = [declaration], MOST_NEEDED
    while todo:
        for word in dict.fromkeys(_WORD.findall(todo.pop(0))):
            for each in named.get(word, ()):
                if each not in needed and each != declaration and len(each) <= room:
                    needed[each] = None
                    todo.append(each)
                    room -= len(each)
    return list(needed)


def declarations(text: str) -> list[str]:
    """The declarations of a text but its header, as they are written."""
    cuts, _ = cut(Source("seed.rules", text))
    return [text[each.start : each.end].rstrip() for each in cuts if each.word != "rulebook"]


def _names(declaration: str) -> list[str]:
    span = Span(Source("seed.rules", declaration), 0, len(declaration))
    return [each.text for each in declared_name(span)]
