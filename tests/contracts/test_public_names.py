"""The names that hosts import are a promise."""

import subprocess
import sys
from pathlib import Path

import pydantic
import pytest

import ruleforge
from ruleforge.engine import version

NAMES = {
    "Explanation",
    "FindingRecord",
    "FunctionError",
    "IntakeError",
    "Lint",
    "Manifest",
    "ParameterError",
    "Result",
    "Revision",
    "RevisionError",
    "RowError",
    "RuleInfo",
    "Rulebook",
    "RulebookError",
    "RulebookInfo",
    "SchoolYear",
    "Severity",
    "__version__",
    "evaluate",
    "lint",
    "load",
    "load_text",
    "read",
}
MODELS = ("FindingRecord", "Manifest", "RuleInfo", "RulebookInfo")


def test_the_names() -> None:
    assert set(ruleforge.__all__) == NAMES
    assert len(ruleforge.__all__) == len(NAMES)
    for name in NAMES:
        assert getattr(ruleforge, name) is not None


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute `evalute`"):
        _ = ruleforge.evalute


@pytest.mark.parametrize("name", MODELS)
def test_the_models_have_a_json_schema(name: str) -> None:
    model = getattr(ruleforge, name)
    assert issubclass(model, pydantic.BaseModel)
    assert model.model_json_schema()["title"] == name


def test_nothing_slow_is_imported_before_it_is_needed() -> None:
    slow = "{'pydantic', 'rich', 'pandas'}"
    script = f"import sys, ruleforge.cli; print(*sorted({slow} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(Path(ruleforge.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == ""


def test_the_version_in_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> str:
        raise version_of.PackageNotFoundError

    import importlib.metadata as version_of

    monkeypatch.setattr(version_of, "version", missing)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "ruleforge"\nversion = "9.8"\n')
    monkeypatch.setattr(version, "_CHECKOUT", tmp_path)
    assert version.installed_version() == "9.8"
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "another"\nversion = "9.8"\n')
    assert version.installed_version() == "0+unknown"
    (tmp_path / "pyproject.toml").unlink()
    assert version.installed_version() == "0+unknown"


def test_read_takes_the_rulebook(tmp_path: Path) -> None:
    book = ruleforge.load_text("rulebook a edition 1\ntable pupil\n  id: text\n  key id\n")
    (tmp_path / "pupil.csv").write_text("id\nS1\n")
    revision = ruleforge.read(book, tmp_path, name="r1")
    assert revision.name == "r1"
    assert list(revision.tables) == ["pupil"]
    with pytest.raises(ruleforge.IntakeError):
        ruleforge.read(book, tmp_path / "nowhere")
