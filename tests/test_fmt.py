"""`ruleforge fmt`: what it writes, what it says, and how it ends."""

import io
import os
import stat
import sys
from pathlib import Path

import pytest

from ruleforge.cli import main

ROOT = Path(__file__).resolve().parents[1]
UGLY = "rulebook   small edition 1\r\ndefine a=1 # one\n"
NEAT = "rulebook small edition 1\n\ndefine a = 1  # one\n"
WRONG = "rulebook small edition 1\ndefine a = (1\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a rulebook that is in order, one that is not, and one with a mistake."""
    for name, text in (
        ("neat", NEAT),
        ("ugly", UGLY),
        ("below/wrong", WRONG),
        (".tool/ugly", UGLY),
    ):
        path = tmp_path / f"{name}.rules"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(path: Path) -> str:
    return path.read_bytes().decode()


def test_files_are_written_where_something_changes(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (home / "neat.rules").stat()
    (home / "ugly.rules").chmod(0o640)
    assert main(["fmt", "neat.rules", "ugly.rules"]) == 0
    said = capsys.readouterr()
    assert said.out == "ugly.rules is laid out anew\n"
    assert said.err == "2 rulebooks: 1 laid out anew, 1 in order.\n"
    assert read(home / "ugly.rules") == read(home / "neat.rules") == NEAT
    assert (home / "neat.rules").stat().st_ino == before.st_ino
    assert stat.S_IMODE((home / "ugly.rules").stat().st_mode) == 0o640
    assert main(["fmt", "--check", "neat.rules", "ugly.rules"]) == 0


def test_a_folder_is_searched_and_a_mistake_in_one_file_keeps_nothing_from_the_others(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fmt"]) == 2
    said = capsys.readouterr()
    assert "error[RF101]" in said.err
    assert "3 rulebooks: 1 laid out anew, 1 in order, 1 with mistakes left as they are." in said.err
    assert read(home / "ugly.rules") == NEAT
    assert read(home / "below/wrong.rules") == WRONG
    assert read(home / ".tool/ugly.rules") == UGLY
    assert sorted(each.name for each in home.iterdir()) == [
        *(".tool", "below", "neat.rules", "ugly.rules")
    ]


def test_check_writes_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "--check", "ugly.rules", "neat.rules"]) == 1
    assert capsys.readouterr().out == "ugly.rules would be laid out anew\n"
    assert main(["fmt", "--check", "."]) == 2
    assert read(home / "ugly.rules") == UGLY


def test_diff_writes_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "--diff", "ugly.rules"]) == 0
    said = capsys.readouterr().out
    assert "--- ugly.rules" in said
    assert "+define a = 1  # one\n" in said
    assert main(["fmt", "--diff", "--check", "ugly.rules"]) == 1
    assert read(home / "ugly.rules") == UGLY


@pytest.mark.parametrize(
    ("text", "options", "code", "out"),
    [
        (UGLY, [], 0, NEAT),
        (NEAT, [], 0, NEAT),
        (UGLY, ["--check"], 1, ""),
        (NEAT, ["--check"], 0, ""),
        (WRONG, [], 2, ""),
        ("rulebook é", [], 2, ""),
    ],
)
def test_standard_input(
    text: str,
    options: list[str],
    code: int,
    out: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert main(["fmt", "-", *options]) == code
    assert capfd.readouterr().out == out


@pytest.mark.parametrize("content", [b"rulebook r edition 1\n# \xff\n", b"rulebook r\0"])
def test_what_is_no_text_is_2(
    home: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "bytes.rules").write_bytes(content)
    assert main(["fmt", "bytes.rules"]) == 2
    assert "error[RF107]" in capsys.readouterr().err
    assert (home / "bytes.rules").read_bytes() == content


def test_a_file_that_is_not_there_is_2(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "none.rules", "ugly.rules"]) == 2
    assert "none.rules cannot be read" in capsys.readouterr().err
    assert read(home / "ugly.rules") == NEAT


@pytest.mark.parametrize("words", [["-", "ugly.rules"], ["--fix"], ["empty"]])
def test_wrong_usage_is_64(home: Path, words: list[str]) -> None:
    (home / "empty").mkdir()
    assert main(["fmt", *words]) == 64


def test_a_link_stays_a_link_and_is_done_once(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "link.rules").symlink_to("ugly.rules")
    assert main(["fmt", "link.rules", "ugly.rules"]) == 0
    assert "1 rulebook: 1 laid out anew" in capsys.readouterr().err
    assert (home / "link.rules").is_symlink()
    assert read(home / "ugly.rules") == NEAT


def test_a_file_that_cannot_be_put_in_its_place_stays_whole(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("os.fsync", fail)
    assert main(["fmt", "ugly.rules"]) == 64
    assert "ugly.rules cannot be written: No space left on device" in capsys.readouterr().err
    assert read(home / "ugly.rules") == UGLY
    assert not [each for each in home.iterdir() if each.name.startswith(".ugly")]


def test_the_shipped_rulebooks_are_in_order() -> None:
    assert main(["fmt", "--check", str(ROOT / "rulebooks")]) == 0
