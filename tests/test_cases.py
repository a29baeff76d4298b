"""The cases of the compiler: rulebooks, and what their authors are told."""

import datetime as dt
import re
from collections import Counter
from pathlib import Path

import pytest

from golden import Golden
from ruleforge.engine.parameters import ParameterError, bind
from ruleforge.language.diagnostic import Diagnostic
from ruleforge.language.load import RulebookError, load_text
from ruleforge.language.render import render

CASES = Path(__file__).parent / "cases"
STAGES = ("syntax", "check", "parameters", "regrets")
FILES = [path for stage in STAGES for path in sorted((CASES / stage).glob("*.case"))]

EXPECTED = re.compile(r"[ \t]*#!((?: RF[0-9]{3})+)[ \t]*$", re.MULTILINE)
GIVEN = re.compile(r"^#set +(\w+) *= *(.*)$", re.MULTILINE)
CALLED = re.compile(r"^#as +(\S+)$", re.MULTILINE)


def found_in(text: str, path: Path) -> list[Diagnostic]:
    """What is said about a rulebook, and about the parameters that it is given."""
    called = CALLED.search(text)
    name = called[1] if called else path.with_suffix(".rules").name
    try:
        rulebook = load_text(text, name, roots=[path.stem])
    except RulebookError as error:
        return list(error.diagnostics)
    try:
        bind(rulebook, dict(GIVEN.findall(text)), dt.date(2023, 12, 5))
    except ParameterError as error:
        return [*rulebook.warnings, *error.diagnostics]
    return list(rulebook.warnings)


def place_of(diagnostic: Diagnostic, text: str) -> tuple[str, int]:
    """The file, empty for that of the case itself, and the line."""
    span = diagnostic.span
    if span is not None:
        own = EXPECTED.sub("", span.source.text) == span.source.text
        path = "" if own else span.source.path
        return path, span.source.line_and_column(span.start)[0]
    # A parameter has no place in a rulebook: the case says it on a line of its own.
    for found in GIVEN.finditer(text):
        if f"`{found[1]}`" in diagnostic.fact:
            return "", text.count("\n", 0, found.start()) + 1
    return "", 0


def expected_in(path: Path) -> Counter[tuple[str, int, str]]:
    """What the comments of a case, and of the rulebooks in its folder, say."""
    return Counter(
        ("" if file == path else str(file.relative_to(path.parent)), number, code)
        for file in (path, *path.with_suffix("").rglob("*.rules"))
        for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), 1)
        for marker in EXPECTED.findall(line)
        for code in marker.split()
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_case(path: Path, golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    text = EXPECTED.sub("", path.read_text(encoding="utf-8"))
    found = found_in(text, path)
    message_file = path.with_suffix(".txt")
    if found:
        golden(message_file, render(found))
    else:
        assert not message_file.exists(), "nothing is wrong with this case"
    places = Counter((*place_of(each, text), each.code) for each in found)
    assert places == expected_in(path), render(found)


def test_no_golden_file_is_left_without_its_case() -> None:
    texts = {path.with_suffix("") for stage in STAGES for path in (CASES / stage).glob("*.txt")}
    assert texts <= {path.with_suffix("") for path in FILES}
