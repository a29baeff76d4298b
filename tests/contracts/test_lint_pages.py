"""Every lint has a page, and what the page shows is what is found."""

import re
from pathlib import Path

import pytest

from golden import Golden
from ruleforge.authoring.lint import Lint, lint
from ruleforge.authoring.lint_messages import LINTS
from ruleforge.authoring.lint_page import lint_page
from ruleforge.language.load import load

REPOSITORY = Path(__file__).parents[2]
PAGES = REPOSITORY / "docs" / "lints"
BLOCK = re.compile(r"^```rules (failing|repaired)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHOWN = re.compile(r"^```text\n.*?^```$", re.MULTILINE | re.DOTALL)


def found_in(text: str) -> Lint:
    Path("example.rules").write_text(text, encoding="utf-8")
    return lint(load("example.rules"))


def test_every_lint_has_a_page_and_every_page_a_lint() -> None:
    assert {path.stem for path in PAGES.glob("RL*.md")} == set(LINTS)


def test_every_lint_in_the_source_is_in_the_list_and_the_other_way_round() -> None:
    sources = REPOSITORY.joinpath("src").rglob("*.py")
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    assert set(re.findall(r'"(RL[0-9]{3})",', text)) == set(LINTS)


@pytest.mark.parametrize("code", sorted(LINTS))
def test_page(code: str, golden: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("z3", reason="the extra `lint` is not installed")
    monkeypatch.chdir(tmp_path)
    path = PAGES / f"{code}.md"
    page = path.read_text(encoding="utf-8")
    assert page.startswith(f"# {code}: {LINTS[code]}\n")
    blocks = dict(BLOCK.findall(page))
    found = found_in(blocks["failing"])
    assert {each.diagnostic.code for each in found.findings} == {code}, lint_page(found)
    shown, times = SHOWN.subn(lambda _: f"```text\n{lint_page(found)}```", page)
    assert times == 1
    golden(path, shown)
    repaired = found_in(blocks["repaired"])
    assert repaired.findings == (), lint_page(repaired)


def test_the_list_of_lints_names_every_page() -> None:
    index = (PAGES / "index.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[(RL\d{3})\]\((RL\d{3})\.md\) \| (.+) \|$", index, re.MULTILINE)
    assert listed == [(code, code, title) for code, title in sorted(LINTS.items())]
