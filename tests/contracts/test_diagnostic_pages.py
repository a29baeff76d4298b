"""Every code has a page, and what the page shows is what happens."""

import datetime as dt
import re
from pathlib import Path

import pytest

from golden import Golden
from ruleforge.engine.parameters import ParameterError, bind
from ruleforge.language.diagnostic import Diagnostic
from ruleforge.language.load import RulebookError, load
from ruleforge.language.messages import CODES
from ruleforge.language.render import render

REPOSITORY = Path(__file__).parents[2]
PAGES = REPOSITORY / "docs" / "diagnostics"
AS_OF = dt.date(2023, 12, 5)

# ```rules failing, ```rules repaired, each with the name of a file behind it where that is not the
# rulebook itself
BLOCK = re.compile(r"^```(\w+) ?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHOWN = re.compile(r"^```text\n.*?^```$", re.MULTILINE | re.DOTALL)
NUL = "\N{SYMBOL FOR NULL}"  # stands on the page for the character that a page cannot hold


def blocks(page: str, which: str) -> dict[str, str]:
    """The files of the failing or of the repaired rulebook; `parameters` are those that it is
    given.
    """
    found: dict[str, str] = {}
    for kind, info, body in BLOCK.findall(page):
        word, _, name = info.partition(" ")
        if word == which:
            found["parameters" if kind == "parameters" else name or "example.rules"] = body
    return found


def found_in(files: dict[str, str], folder: Path) -> list[Diagnostic]:
    for name, text in files.items():
        if name != "parameters":
            (folder / name).write_text(text.replace(NUL, "\0"), encoding="utf-8")
    try:
        rulebook = load("example.rules")
    except RulebookError as error:
        return list(error.diagnostics)
    given = dict(re.findall(r"^(\w+) = (.*)$", files.get("parameters", ""), re.MULTILINE))
    try:
        bind(rulebook, given, AS_OF)
    except ParameterError as error:
        return list(error.diagnostics)
    return list(rulebook.warnings)


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert {path.stem for path in PAGES.glob("RF*.md")} == set(CODES)


def test_every_code_in_the_source_is_in_the_list_and_the_other_way_round() -> None:
    sources = REPOSITORY.joinpath("src").rglob("*.py")
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    assert set(re.findall(r'"(RF[0-9]{3})",', text)) == set(CODES)


@pytest.mark.parametrize("code", sorted(CODES))
def test_page(
    code: str,
    golden: Golden,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    path = PAGES / f"{code}.md"
    page = path.read_text(encoding="utf-8")
    assert page.startswith(f"# {code}: {CODES[code]}\n")
    found = found_in(blocks(page, "failing"), tmp_path)
    assert {each.code for each in found} == {code}, render(found)
    shown, times = SHOWN.subn(lambda _: f"```text\n{render(found)}```", page)
    assert times == 1
    golden(path, shown)
    assert found_in(blocks(page, "repaired"), tmp_path) == []


def test_the_list_of_codes_names_every_page() -> None:
    index = (PAGES / "index.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[(RF\d{3})\]\((RF\d{3})\.md\) \| (.+) \|$", index, re.MULTILINE)
    assert listed == [(code, code, title) for code, title in sorted(CODES.items())]
