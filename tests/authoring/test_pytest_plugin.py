"""Rules that are tested by pytest."""

import subprocess
import sys
from pathlib import Path

import ruleforge

SRC = Path(ruleforge.__file__).parents[1]
GOOD = """\
rulebook good edition 1
table pupil
  pupil_id: text required
  age: integer
  key pupil_id
rule A-1 error
  for p in pupil
  require p.age < 10
test "ten is too old"
  given pupil
    | pupil_id | age |
    | S1       | 10  |
  expect
    | rule | pupil_id |
    | A-1  | S1       |
"""


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    plugin = () if is_installed() else ("-p", "ruleforge.authoring.pytest_plugin")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *plugin, *words],
        cwd=folder,
        env={"PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        check=False,
    )


def is_installed() -> bool:
    from importlib.metadata import entry_points

    return any(each.name == "ruleforge" for each in entry_points(group="pytest11"))


def test_one_item_a_test(tmp_path: Path) -> None:
    (tmp_path / "good.rules").write_text(GOOD)
    (tmp_path / "bad.rules").write_text(
        GOOD.replace("book good", "book bad").replace("| 10 ", "| 9  ")
    )
    (tmp_path / "none.rules").write_text("rulebook broken\n")
    done = run(tmp_path, "-v")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "good.rules::ten is too old PASSED" in done.stdout
    assert "bad.rules::ten is too old FAILED" in done.stdout
    assert "missing  A-1   15    S1        fails" in done.stdout
    assert "none.rules" not in done.stdout
    assert "1 failed, 1 passed" in done.stdout


def test_a_rulebook_with_mistakes_is_an_error_of_collection(tmp_path: Path) -> None:
    (tmp_path / "good.rules").write_text(GOOD.replace("p.age", "p.agee"))
    done = run(tmp_path)
    assert done.returncode == 2
    assert "error[RF201]" in done.stdout


def test_nothing_slow_is_imported_without_rules(tmp_path: Path) -> None:
    (tmp_path / "none.rules").write_text("rulebook none edition 1\n")
    (tmp_path / "test_a.py").write_text(
        "import sys\ndef test_a():\n    assert 'polars' not in sys.modules\n"
    )
    assert run(tmp_path).returncode == 0
