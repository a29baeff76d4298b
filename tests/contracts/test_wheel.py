"""What people install: a wheel with everything in it, that works without the repository."""

import os
import site
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from ruleforge.language.resources import message_pages

REPOSITORY = Path(__file__).parents[2]
pytest.importorskip("hatchling", reason="builds with the backend that is there, offline")


def run(*command: str, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr or done.stdout
    return done.stdout


def pip(*arguments: str, cwd: Path) -> None:
    options = ("--disable-pip-version-check", "--no-cache-dir", "--no-index", "--no-deps")
    run(sys.executable, "-m", "pip", arguments[0], *options, *arguments[1:], cwd=cwd)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    to = ("--wheel-dir", str(folder))
    pip("wheel", "--no-build-isolation", *to, str(REPOSITORY), cwd=folder)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("installed")
    pip("install", "--target", str(target), str(wheel), cwd=target)
    return target


def isolated(installed: Path, folder: Path, *arguments: str) -> str:
    """What Python prints with the installed wheel and its dependencies, and nothing of ours beside."""
    # WHY: a folder on PYTHONPATH is searched, but its `.pth` files are not read, and `-S` reads
    # none of the environment: so the editable installation of the repository is not to be found.
    paths = [str(installed), *site.getsitepackages()]
    env = {"PYTHONPATH": os.pathsep.join(paths), "PATH": os.environ["PATH"]}
    return run(sys.executable, "-S", *arguments, cwd=folder, env=env)


def relative(folder: Path) -> set[str]:
    """The files of a folder of the repository, as git would have them."""
    skipped = {"__pycache__"}
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not skipped & set(path.parts)
    }


def test_the_wheel_holds_what_it_should_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert len(names) == len(set(names))
    info = {name for name in names if name.partition("/")[0].endswith(".dist-info")}
    expected = {f"ruleforge/{name}" for name in relative(REPOSITORY / "src" / "ruleforge")}
    expected |= {f"ruleforge/_grammars/{name}" for name in relative(REPOSITORY / "grammars")}
    expected |= {f"ruleforge/_rulebooks/{name}" for name in relative(REPOSITORY / "rulebooks")}
    pages = message_pages().values()
    expected |= {f"ruleforge/_docs/{page.relative_to(REPOSITORY / 'docs')}" for page in pages}
    assert set(names) - info == expected
    assert "ruleforge/_docs/diagnostics/RF301.md" in expected
    assert "ruleforge/py.typed" in expected
    assert "ruleforge/_grammars/rulebook.lark" in expected
    assert "ruleforge/_rulebooks/indiana/special_education.rules" in expected
    kinds = {name.rpartition("/")[2] for name in info}
    assert kinds == {"METADATA", "RECORD", "WHEEL", "LICENSE", "entry_points.txt"}


def test_the_wheel_is_for_every_machine(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")


def test_the_installed_package_is_the_one_that_runs(installed: Path, tmp_path: Path) -> None:
    script = "import ruleforge, sys; print(ruleforge.__file__); print(*sys.path, sep='\\n')"
    file, *paths = isolated(installed, tmp_path, "-c", script).splitlines()
    assert Path(file) == installed / "ruleforge" / "__init__.py"
    assert str(REPOSITORY / "src") not in paths


def test_the_command_of_an_installed_wheel(installed: Path, tmp_path: Path) -> None:
    said = isolated(installed, tmp_path, "-m", "ruleforge", "rules")
    assert "indiana.special_education" in said
    said = isolated(installed, tmp_path, "-m", "ruleforge", "rules", "indiana.special_education")
    assert "SpecialEducation-19" in said


def test_the_pages_of_an_installed_wheel(installed: Path, tmp_path: Path) -> None:
    said = isolated(installed, tmp_path, "-m", "ruleforge", "explain-code", "RF301")
    assert said.startswith("RF301: A code that is not in its set\n")
    listed = isolated(installed, tmp_path, "-m", "ruleforge", "explain-code").splitlines()[1:]
    assert [each.split()[0] for each in listed] == list(message_pages())


def test_pygments_finds_the_lexer_of_an_installed_wheel(installed: Path, tmp_path: Path) -> None:
    script = (
        "import pygments.lexers as p; names = ['ruleforge', 'rules'];"
        "found = [p.get_lexer_by_name(n) for n in names] + [p.get_lexer_for_filename('a.rules')];"
        "print({f'{type(each).__name__} {each.name}' for each in found})"
    )
    assert isolated(installed, tmp_path, "-c", script) == "{'RulebookLexer RuleForge rules'}\n"


def test_a_rulebook_of_an_installed_wheel(installed: Path, tmp_path: Path) -> None:
    script = (
        "import ruleforge as rf; book = rf.load('indiana.special_education');"
        "print(len(book.rules), rf.__version__)"
    )
    assert isolated(installed, tmp_path, "-c", script).split() == ["19", version()]


def version() -> str:
    lines = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    [line] = [line for line in lines if line.startswith("version = ")]
    return line.partition('"')[2].rstrip('"')


def test_the_sdist_can_build_and_test_itself(tmp_path: Path) -> None:
    run(
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "-t",
        "sdist",
        "-d",
        str(tmp_path),
        cwd=REPOSITORY,
    )
    [built] = tmp_path.glob("*.tar.gz")
    with tarfile.open(built) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {
        "pyproject.toml",
        "hatch_build.py",
        "README.md",
        "LICENSE",
        "src/ruleforge/__init__.py",
        "grammars/rulebook.lark",
        "rulebooks/indiana/model.rules",
        "docs/architecture.md",
        "benchmarks/indiana.py",
        "tests/conftest.py",
    }
    assert wanted <= names
    ours = ("src/", "grammars/", "rulebooks/", "docs/", "benchmarks/", "tests/")
    assert {name for name in names if "/" in name and not name.startswith(ours)} == set()
