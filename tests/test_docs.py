"""The pages under `docs/` and the README, run from top to bottom and compared with the code.

What a reader is told to do, the test does, in a folder of its own:

- The line `Write this into `NAME`:` or `Add this to `NAME`:`, alone above a fenced block, says that
  the block is the text of that file, or its new end.
- A ```console block holds commands behind `$ ` and, below each, what it prints. `ruleforge` is the
  real command line, in this process; `echo $?` gives its exit code; other commands go to the
  system. A line `…` stands for any number of lines, and ` …` at the end of a line for its rest.
- A ```python block that no file is named for is executed; the blocks of a page share their names. A
  ```text block directly behind it is what it prints, with `…` as above.
- A ```sh block is for the reader alone, and so is every other kind.

Every page but the tutorial, which makes it, finds a sample of 500 pupils in `sample/`.

`pytest tests/test_docs.py --update-golden` writes what is printed into the pages, and the generated
parts (between `<!-- begin NAME -->` and `<!-- end NAME -->`) anew. It keeps `…` where it can; read
the difference before you commit it.
"""

import ast
import contextlib
import difflib
import importlib.util
import io
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import ruleforge as rf
from golden import Golden
from ruleforge import cli
from ruleforge.authoring.outcome_page import outcome_text
from ruleforge.authoring.run_tests import run_tests
from ruleforge.commands.host import Exit
from ruleforge.engine.finding import finding_schema
from ruleforge.engine.revision import FileRecord, Refusal
from ruleforge.language import cut, literals, parse, patterns
from ruleforge.language.check_expression import MOST_PARTS_OF_A_RULE
from ruleforge.language.check_views import MOST_VIEWS
from ruleforge.language.core import Severity
from ruleforge.language.functions import FUNCTIONS, Function, Kind, Result
from ruleforge.language.reformat import reformat
from ruleforge.language.resolve import MOST_CHOICES
from ruleforge.language.source import Source
from ruleforge.language.types import type_name

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
LANGUAGE = DOCS / "language.md"
EXECUTED = (
    DOCS / "tutorial.md",
    DOCS / "writing.md",
    DOCS / "index.md",
    DOCS / "shell.md",
    DOCS / "python.md",
    DOCS / "data.md",
    ROOT / "README.md",
)

# ── pages ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Block:
    """One fenced block. `start` and `end` are the places of its lines in the page, from 0."""

    kind: str
    lines: tuple[str, ...]
    start: int
    end: int
    verb: str = ""
    file: str = ""
    follows: bool = False  # nothing but a blank line stands between it and the block before

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)


_NAMED = re.compile(r"(?P<verb>Write|Add)\b.*`(?P<file>[^`]+)`:")


def blocks_of(text: str) -> Iterator[Block]:
    lines = text.splitlines()
    position, previous_end = 0, -1
    while position < len(lines):
        fence = re.fullmatch(r"```(\S*)", lines[position])
        position += 1
        if fence is None:
            continue
        start = position
        while lines[position] != "```":
            position += 1
        before = [line for line in lines[previous_end + 1 : start - 1] if line.strip()]
        named = _NAMED.fullmatch(before[-1]) if before else None
        yield Block(
            fence[1],
            tuple(lines[start:position]),
            start,
            position,
            named["verb"] if named else "",
            named["file"] if named else "",
            follows=not before,
        )
        previous_end = position
        position += 1


# ── comparing ──────────────────────────────────────────────────────────────────────────────────

_REST = " …"


def pattern_of(expected: Sequence[str]) -> str:
    """A regular expression for a text: what is shown, with `…` for what is not."""
    parts = []
    for line in expected:
        if line.strip() == "…":
            parts.append(r"(?:[^\n]*\n)*?")
        elif line.endswith(_REST):
            parts.append(re.escape(line.removesuffix(_REST)) + r"[^\n]*\n")
        else:
            parts.append(re.escape(line.rstrip()) + r"\n")
    return "".join(parts)


def is_as_shown(expected: Sequence[str], found: Sequence[str]) -> bool:
    text = "".join(f"{line}\n" for line in found)
    return re.fullmatch(pattern_of(expected), text) is not None


def renewed(expected: Sequence[str], found: Sequence[str]) -> list[str]:
    """What the page should show: all lines, or those that are nearest to the lines shown now."""
    if is_as_shown(expected, found):
        return list(expected)
    if not any(line.strip() == "…" or line.endswith(_REST) for line in expected):
        return list(found)
    result: list[str] = []
    position = 0
    for line in expected:
        if line.strip() == "…":
            result.append(line)
            continue
        shown = line.removesuffix(_REST)
        rest = found[position:]
        near = [
            difflib.SequenceMatcher(None, shown, each[: len(shown)]).ratio() - number / 1e6
            for number, each in enumerate(rest)
        ]
        if not near:
            break
        best = near.index(max(near))
        position += best + 1
        long = line.endswith(_REST)
        result.append(rest[best][: len(shown)].rstrip() + _REST if long else rest[best])
    return result


# ── running ────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Session:
    """One reader, who goes through one page in one folder."""

    folder: Path
    last_exit: int = 0
    names: dict[str, object] = field(default_factory=dict)

    def command(self, text: str) -> list[str]:
        """What a command prints, standard output and standard error in their order."""
        words = shlex.split(text.replace("\\\n", " "))
        if words == ["echo", "$?"]:
            return [str(self.last_exit)]
        printed = io.StringIO()
        if words[0] == "ruleforge":
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                self.last_exit = cli.main(words[1:])
            return _lines(printed.getvalue())
        if words[0] == "python":
            words[0] = sys.executable
        done = subprocess.run(
            words,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        self.last_exit = done.returncode
        return _lines(done.stdout)

    def python(self, block: Block, page: Path) -> list[str]:
        # The line numbers of a traceback are those of the page.
        tree = ast.increment_lineno(ast.parse(block.text), block.start)
        code = compile(tree, str(page), "exec")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, self.names)  # the page is ours
        return _lines(printed.getvalue())


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines()]


def _commands(block: Block) -> Iterator[tuple[list[str], list[str]]]:
    """The lines of each command, and the lines that it is said to print."""
    command: list[str] = []
    printed: list[str] = []
    for line in block.lines:
        if command and command[-1].endswith("\\") and not printed:
            command.append(line)
        elif line.startswith("$ "):
            if command:
                yield command, printed
            command, printed = [line], []
        else:
            printed.append(line)
    if command:
        yield command, printed


@dataclass
class Run:
    """What a page says and what there is, block by block."""

    page: Path
    session: Session
    mistakes: list[str] = field(default_factory=list)
    renewed: list[tuple[Block, list[str]]] = field(default_factory=list)

    def compare(self, what: str, expected: Sequence[str], found: Sequence[str]) -> list[str]:
        if any(line.startswith("Traceback ") for line in found):
            pytest.fail("\n".join([what, *found]), pytrace=False)  # never a thing to show
        if not is_as_shown(expected, found):
            shown = difflib.unified_diff(expected, found, "shown", "found", lineterm="", n=1)
            self.mistakes.append("\n".join([f"{self.page.name}: {what}", *shown]))
        return renewed(expected, found)

    def block(self, block: Block, printed: list[str]) -> list[str]:
        """Does what a block says; what a block of Python has printed."""
        if block.file:
            path = self.session.folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            old = path.read_text(encoding="utf-8") + "\n" if block.verb == "Add" else ""
            path.write_text(old + block.text, encoding="utf-8")
        elif block.kind == "console":
            lines: list[str] = []
            for command, expected in _commands(block):
                text = "\n".join(command).removeprefix("$ ")
                found = self.session.command(text)
                lines += [*command, *self.compare(f"$ {text}", expected, found)]
            self.renewed.append((block, lines))
        elif block.kind == "python":
            return self.session.python(block, self.page)
        elif block.kind == "text" and block.follows:
            lines = self.compare(f"line {block.start}", block.lines, printed)
            self.renewed.append((block, lines))
        return []


@pytest.mark.parametrize("page", EXECUTED, ids=lambda page: page.name)
def test_page(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "POLARS_FMT_MAX_COLS"):
        monkeypatch.delenv(name, raising=False)
    run = Run(page, Session(tmp_path))
    if page.name != "tutorial.md":
        run.session.command("ruleforge sample indiana sample")
    text = page.read_text(encoding="utf-8")
    python: Block | None = None
    printed: list[str] = []
    for block in blocks_of(text):
        found = run.block(block, printed)
        if printed and not (block.kind == "text" and block.follows) and python is not None:
            run.mistakes.append(f"{page.name}: line {python.start} prints what is not shown")
        python, printed = (block, found) if block.kind == "python" else (None, [])
    if request.config.getoption("--update-golden"):
        lines = text.splitlines()
        for block, shown in reversed(run.renewed):
            lines[block.start : block.end] = shown
        page.write_text("\n".join(lines) + "\n", encoding="utf-8")
    elif run.mistakes:
        pytest.fail("\n\n".join(run.mistakes), pytrace=False)


# ── the language ───────────────────────────────────────────────────────────────────────────────


def _rules_of_language() -> list[Block]:
    text = LANGUAGE.read_text(encoding="utf-8")
    return [block for block in blocks_of(text) if block.kind == "rules"]


def test_first_rulebook_of_the_language_runs(tmp_path: Path) -> None:
    """But for its test block, which this version does not run."""
    whole = _rules_of_language()[0].text
    path = tmp_path / "first.rules"
    path.write_text(whole[: whole.index('\ntest "')], encoding="utf-8")
    sample = tmp_path / "sample"
    assert cli.main(["sample", "indiana", str(sample)]) == Exit.CLEAN
    words = ["--set", "school_year=2023-24", "--set", "count_date=2023-12-01", "--show", "0"]
    assert cli.main(["check", str(path), str(sample), *words]) == Exit.FINDINGS
    assert rf.load(path).warnings == ()


@pytest.mark.parametrize("block", _rules_of_language(), ids=lambda block: f"line {block.start}")
def test_rules_of_the_language_are_of_the_language(block: Block) -> None:
    text = (
        block.text if block.text.startswith("rulebook ") else f"rulebook a edition 1\n{block.text}"
    )
    assert parse.parse(Source("language.md", text)).diagnostics == ()


def _rulebooks_of_writing() -> list[Block]:
    text = (DOCS / "writing.md").read_text(encoding="utf-8")
    return [block for block in blocks_of(text) if block.kind == "rules"]


@pytest.mark.parametrize("block", _rulebooks_of_writing(), ids=lambda block: block.file)
def test_rulebooks_of_writing_are_complete_and_their_tests_pass(block: Block) -> None:
    """Laid out as `fmt` does, without a warning, with a test that both engines pass."""
    book = rf.load_text(block.text, block.file)
    assert book.warnings == ()
    assert reformat(Source(block.file, block.text)) == block.text
    outcomes = list(run_tests(book))
    assert outcomes
    for outcome in outcomes:
        assert outcome.passed, outcome_text(outcome)
    named = {each.rule for outcome in outcomes for each in outcome.test.expectations}
    assert named == {rule.id for rule in book.rules}


def test_limits_of_the_language_are_those_of_the_code() -> None:
    section = LANGUAGE.read_text(encoding="utf-8").partition("**Limits.**")[2].partition("\n\n")[0]
    limits = (
        (cut.MOST_CHARACTERS, "characters"),
        (parse.MOST_TOKENS, "words and signs"),
        (cut.MOST_MISTAKES, "mistakes"),
        (cut.MOST_LEVELS, "levels"),
        (literals.MOST_HOLES, "values"),
        (MOST_PARTS_OF_A_RULE, "parts"),
        (MOST_CHOICES, "choices"),
        (MOST_VIEWS, "views"),
    )
    for number, noun in limits:
        assert f"{number:,} {noun}" in " ".join(section.split())
    assert patterns._MOST_REPEATS == 1_000


# ── generated parts ────────────────────────────────────────────────────────────────────────────


def _check_part(page: Path, name: str, part: str, golden: Golden) -> None:
    """Compares what stands between two marks of a page, or writes it."""
    text = page.read_text(encoding="utf-8")
    begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->\n"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    assert rest, f"{page.name} has no {begin}"
    golden(page, f"{before}{begin}{part}{end}{after}")


_KINDS = {
    Kind.NUMBER: "number",
    Kind.ORDERED: "ordered",
    Kind.ANY: "any",
    Kind.DATES: "dates",
    Kind.PLACES: "places",
    Kind.DATE_FORMAT: "format",
    Kind.WEEKDAY: "weekday",
}


def function_table() -> str:
    """Every function, as an author writes it, with its types."""
    rows = ["| function | gives | what |", "|---|---|---|"]
    rows += [
        f"| `{_signature(each)}` | {_result(each)} | {_meaning(each)} |"
        for each in FUNCTIONS.values()
    ]
    return "\n".join(rows) + "\n"


def _signature(function: Function) -> str:
    arguments = [
        f"{each.name}: {_KINDS[each.type] if isinstance(each.type, Kind) else type_name(each.type)}"
        for each in function.arguments
    ]
    name, before = function.name, ""
    if "." in name:
        before, _, name = name.partition(".")
        arguments = arguments[1:]
        if not arguments:
            return f"{before}.{name}"
        before += "."
    if function.variadic:
        arguments.append("…")
    if function.optional:
        required = ", ".join(arguments[: -function.optional])
        optional = ", ".join(arguments[-function.optional :])
        return f"{before}{name}({required} [, {optional}])"
    return f"{before}{name}({', '.join(arguments)})"


def _result(function: Function) -> str:
    if function.result is Result.SAME:
        return "what it is given"
    if function.result is Result.ROUNDED:
        return "integer, or decimal with `places`"
    assert not isinstance(function.result, Result)
    return type_name(function.result)


def _meaning(function: Function) -> str:
    """What it does, and when it is missing where that is not the usual."""
    if function.missing == "missing if any argument is":
        return function.doc
    return f"{function.doc.removesuffix('.')}; {function.missing}."


def test_functions_are_listed(golden: Golden) -> None:
    _check_part(LANGUAGE, "functions", function_table(), golden)


def test_words_are_listed(golden: Golden) -> None:
    reserved = " ".join(sorted(parse.reserved_words()))
    free = " ".join(sorted(parse.SOFT_WORDS))
    part = f"\n- Reserved: {_wrapped(reserved)}.\n- Free: {_wrapped(free)}.\n\n"
    _check_part(LANGUAGE, "words", part, golden)


def _wrapped(words: str) -> str:
    return ", ".join(f"`{word}`" for word in words.split())


# ── the command line ───────────────────────────────────────────────────────────────────────────


def _help(*words: str) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert cli.main([*words, "--help"]) == Exit.CLEAN
    return printed.getvalue()


def _options(text: str) -> set[str]:
    options = text.partition("exit codes:")[0]
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", options)) - {"--help", "--no-color"}


def _sections(text: str) -> dict[str, str]:
    parts = re.split(r"^## (.*)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


_COMMAND = re.compile(r"^    ([a-z-]+)(?: |$)", re.MULTILINE)


def test_every_command_and_option_is_in_the_page_of_the_shell() -> None:
    sections = _sections((DOCS / "shell.md").read_text(encoding="utf-8"))
    everywhere = {"--no-colour", "--version"}
    commands = _COMMAND.findall(_help())
    assert commands
    for command in commands:
        section = sections[f"`ruleforge {command}`"]
        # The rows of its table are the options; the text around may name those of others.
        rows = "\n".join(re.findall(r"^\| `(--[^`]*)`", section, flags=re.MULTILINE))
        assert _options(rows) | everywhere == _options(_help(command)) | everywhere, command
    assert {each for each in sections if each.startswith("`ruleforge ")} == {
        f"`ruleforge {command}`" for command in commands
    }


def test_exit_codes_are_in_the_page_of_the_shell() -> None:
    section = _sections((DOCS / "shell.md").read_text(encoding="utf-8"))["Exit codes"]
    listed = re.findall(r"^\| (\d+) \|", section, flags=re.MULTILINE)
    assert [int(code) for code in listed] == [code.value for code in Exit]


def test_severities_are_in_the_page_of_the_shell() -> None:
    text = " ".join((DOCS / "shell.md").read_text(encoding="utf-8").split())
    assert ", ".join(f"`{severity.value}`" for severity in Severity) in text


# ── Python ─────────────────────────────────────────────────────────────────────────────────────


def _first_cells(section: str) -> list[str]:
    rows = re.findall(r"^\| ((?:`[a-z_]+`(?:, )?)+)", section, flags=re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`([a-z_]+)`", row)]


def test_columns_of_findings_and_rules_are_in_the_page_of_python() -> None:
    sections = _sections((DOCS / "python.md").read_text(encoding="utf-8"))
    book = rf.load("indiana.special_education")
    columns = finding_schema(book.schema, {})
    assert _first_cells(sections["A finding"]) == list(columns)
    import datetime as dt

    result = rf.evaluate(book, rf.Revision("none", tables={}), as_of=dt.date(2023, 12, 5))
    assert _first_cells(sections["The rules of a result"]) == result.rules.columns


def test_public_names_are_in_the_page_of_python() -> None:
    text = (DOCS / "python.md").read_text(encoding="utf-8")
    missing = [name for name in rf.__all__ if f"`{name}" not in text and f"rf.{name}" not in text]
    assert not missing


def test_records_of_files_are_in_the_page_of_data() -> None:
    text = (DOCS / "data.md").read_text(encoding="utf-8")
    for kind in (FileRecord, Refusal):
        for name in kind.__dataclass_fields__:
            assert f"`{name}`" in text, f"{kind.__name__}.{name}"


# ── the site ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="mkdocs is not installed")
def test_site_is_built_without_a_warning(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "WARNING" not in done.stdout, done.stdout
    assert (tmp_path / "tutorial" / "index.html").is_file()
    first = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert '<span class="kd">rule</span>' in first, "Pygments does not know rulebooks; `make setup`"
    grammar = (tmp_path / "grammar" / "index.html").read_text(encoding="utf-8")
    assert grammar.count('<svg class="railroad-diagram"') > 50
