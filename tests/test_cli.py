"""The command line: what it prints, what it writes, and how it ends."""

import csv
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from ruleforge.cli import main
from ruleforge.engine.metadata import FindingRecord, Manifest
from ruleforge.language.messages import CODES
from ruleforge.language.resources import message_pages

SRC = Path(__file__).resolve().parents[1] / "src"

RULEBOOK = """\
rulebook small edition 1
  title "A small rulebook"
  show error as "Fatal"

parameter limit: integer = 18 "Oldest age"
parameter day: date "Day that counts"

table pupil
  file "pupil*.csv"
  file "*.xml" element "Pupil"
  pupil_id: text required identifies student
  age:      integer
  name:     text sensitive
  born:     date
  key pupil_id

rule Age-1 error
  also known as "Age - 1"
  title "Too old"
  help "Check the birth date."
  for p in pupil
  require p.age <= limit
  message "{p.pupil_id} is {p.age}, {p.name}."

rule Age-2 warning
  title "Nearly too old"
  source "inferred: from Age-1"
  for p in pupil
  require p.age < 17
  message "{p.pupil_id} is {p.age}."

rule Born-1 informational
  title "Born after the day"
  for p in pupil
  require p.born <= day
  message "{p.pupil_id}"
"""
CLEAN = "pupil_id,age,name,born\nS1,10,Ann,2010-01-01\n"
FAILING = (
    "pupil_id,age,name,born\nS1,10,Ann,2010-01-01\nS2,17,Bob,2010-01-01\n=S3,19,Cy,2010-01-01\n"
)
DAY = ("--set", "day=2020-01-01", "--as-of", "2023-12-05")

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a rulebook and two sets of data."""
    (tmp_path / "small.rules").write_text(RULEBOOK)
    for folder, text in (("clean", CLEAN), ("failing", FAILING)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "pupil.csv").write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def say(home: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs one command in this process: exit code, standard output, standard error."""

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(words)
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return run


def run(*words: str, **options: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ruleforge", *words],
        env={**os.environ, "PYTHONPATH": str(SRC), **options.pop("env", {})},  # type: ignore[dict-item]
        capture_output=True,
        text=True,
        check=False,
        **options,  # type: ignore[call-overload]
    )


# ── exit codes ─────────────────────────────────────────────────────────────────────────────────


def test_clean_is_0(say: Say) -> None:
    code, out, err = say("check", "small.rules", "clean", *DAY)
    assert (code, err) == (0, "")
    assert "No findings." in out


@pytest.mark.parametrize(
    ("fail_on", "failing", "only_a_warning"),
    [
        ("error", 1, 0),
        ("conflict", 1, 0),
        ("exclusion", 1, 0),
        ("warning", 1, 1),
        ("informational", 1, 1),
        ("never", 0, 0),
    ],
)
def test_findings_at_or_above_fail_on_are_1(
    say: Say, home: Path, fail_on: str, failing: int, only_a_warning: int
) -> None:
    (home / "warned").mkdir()
    (home / "warned" / "pupil.csv").write_text("pupil_id,age,name,born\nS2,17,Bob,2010-01-01\n")
    assert say("check", "small.rules", "failing", *DAY, "--fail-on", fail_on)[0] == failing
    assert say("check", "small.rules", "warned", *DAY, "--fail-on", fail_on)[0] == only_a_warning


def test_a_rule_that_could_not_be_judged_has_not_passed(say: Say) -> None:
    code, out, _ = say("check", "small.rules", "clean", "--fail-on", "informational")
    assert code == 1
    assert "1 rule not evaluated" in out
    assert "the parameter `day` is not given" in out
    assert "`--set day=…` gives the parameter" in out
    assert say("check", "small.rules", "clean", "--fail-on", "warning")[0] == 0


def test_a_required_column_that_is_missing_has_not_passed(say: Say, home: Path) -> None:
    (home / "clean" / "pupil.csv").write_text("age,name,born\n10,Ann,2010-01-01\n")
    code, out, _ = say("check", "small.rules", "clean", *DAY)
    assert code == 1
    assert "pupil.pupil_id.required" in out


def test_a_wrong_rulebook_is_2_with_every_mistake(say: Say, home: Path) -> None:
    (home / "bad.rules").write_text(
        RULEBOOK.replace("p.age <= limit", "p.agee <= limit").replace("p.age < 17", "p.ag < 17")
    )
    code, out, err = say("check", "bad.rules", "failing")
    assert (code, out) == (2, "")
    assert "bad.rules:" in err
    assert "`agee`" in err
    assert "`ag`" in err
    assert "did you mean `age`?" in err


@pytest.mark.parametrize("command", [("rules",), ("show", "core"), ("check",)])
def test_an_unknown_rulebook_is_2_with_a_hint(say: Say, command: tuple[str, ...]) -> None:
    data = ("clean",) if command == ("check",) else ()
    code, _, err = say(*command, "indiana.special_educatoin", *data)
    assert code == 2
    assert "RF206" in err
    assert "did you mean `indiana.special_education`?" in err


def test_a_rulebook_path_that_is_not_there_is_2(say: Say) -> None:
    code, _, err = say("check", "nowhere.rules", "clean")
    assert code == 2
    assert "nowhere.rules cannot be read" in err


def test_a_folder_that_is_not_there_is_3(say: Say) -> None:
    code, _, err = say("check", "small.rules", "nowhere", *DAY)
    assert code == 3
    assert "there is no file or folder `nowhere`" in err


@pytest.mark.parametrize(
    ("files", "said"), [([], "no file belongs"), (["a.txt"], "the file a.txt does not belong")]
)
def test_a_folder_without_tables_is_3(say: Say, home: Path, files: list[str], said: str) -> None:
    (home / "empty").mkdir()
    for name in files:
        (home / "empty" / name).write_text("x")
    code, _, err = say("check", "small.rules", "empty", *DAY)
    assert code == 3
    assert said in err
    assert "pupil*.csv" in err


def test_a_file_that_is_cut_off_is_3_and_the_others_are_judged(say: Say, home: Path) -> None:
    (home / "failing" / "more.xml").write_text("<Pupils><Pupil><pupil_id>S9</pupil_id></Pupil><Pup")
    code, out, _ = say(
        "check", "small.rules", "failing", *DAY, "--out", "f.json", "--fail-on", "never"
    )
    assert code == 3
    assert "Age-1  Fatal  1 finding" in out
    assert "1 file not read to the end" in out
    assert re.search(r"more\.xml .*not read to its end", out)
    rules = {each["rule"] for each in json.loads((home / "f.json").read_text())}
    assert {"Age-1", "intake.file"} <= rules


@pytest.mark.parametrize(
    "words", [("check", "small.rules", "nowhere"), ("show", "plan", "small.rules", "--polars", "c")]
)
def test_an_unknown_blank_column_is_64_with_a_hint(say: Say, words: tuple[str, ...]) -> None:
    code, _, err = say(*words, "--blank", "pupil.agee")
    assert code == 64
    assert "did you mean `pupil.age`?" in err


def test_a_blank_column_is_there(say: Say, home: Path) -> None:
    (home / "clean" / "pupil.csv").write_text("pupil_id,age,name\nS1,10,Ann\n")
    assert (
        "`pupil.born`: the data does not have it" in say("check", "small.rules", "clean", *DAY)[1]
    )
    _, out, _ = say("check", "small.rules", "clean", *DAY, "--blank", "pupil.born")
    assert "Not evaluated" not in out


def test_an_unknown_parameter_is_64_with_a_hint_and_nothing_is_read(say: Say) -> None:
    code, _, err = say("check", "small.rules", "nowhere", "--set", "limti=4")
    assert code == 64
    assert "RF501" in err
    assert "did you mean `limit`?" in err


def test_a_value_that_does_not_fit_is_64(say: Say) -> None:
    code, _, err = say("check", "small.rules", "clean", "--set", "day=tomorrow", "--set", "limit=x")
    assert code == 64
    assert err.count("RF502") == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "COMMAND"),
        (("chek",), "invalid choice: 'chek'"),
        (("check",), "RULEBOOK"),
        (("check", "small.rules"), "DATA"),
        (("check", "small.rules", "clean", "--sho", "3"), "--sho"),
        (("check", "small.rules", "clean", "--as-of", "2023-02-30"), "is no day, such as"),
        (("check", "small.rules", "clean", "--as-of", "20230201"), "is no day, such as"),
        (("check", "small.rules", "clean", "--set", "limit"), "is no NAME=VALUE"),
        (("check", "small.rules", "clean", "--set", "limit=1", "--set", "limit=2"), "set twice"),
        (("check", "small.rules", "clean", "--set", "as_of=2020-01-01"), "--as-of"),
        (("check", "small.rules", "clean", "--show", "-1"), "is no number"),
        (("check", "small.rules", "clean", "--fail-on", "fatal"), "invalid choice"),
        (("check", "small.rules", "clean", "--rule", "Age-3"), "did you mean `Age-"),
        (("check", "small.rules", "clean", "--without", "Age-3"), "did you mean `Age-"),
        (("check", "small.rules", "clean", "--without", "pupil.keys"), "`pupil.key`?"),
        (("check", "small.rules", "clean", "--without", "pupil.line"), "has no rule or check"),
        (("explain-code", "RF999x"), "there is no code `RF999X`"),
        (("explain-code", "RF301", "RF31"), "did you mean `RF31"),
        (("check", "small.rules", "clean", "--out", "f.xslx"), ".csv, .json, .parquet"),
        (("check", "small.rules", "clean", "--out", "no/f.csv"), "there is no folder `no`"),
        (("check", "small.rules", "clean", "--out", "clean/pupil.csv"), "would overwrite"),
        (("check", "small.rules", "clean", "--out", "small.rules"), "unknown extension"),
        (("show", "tree", "small.rules"), "invalid choice"),
        (("show", "ast", "small.rules", "--polars", "clean"), "show plan"),
        (("sample", "ohio", "out"), "invalid choice"),
        (("sample", "indiana", "out", "--school-year", "2023-25"), "is no school year"),
    ],
)
def test_wrong_usage_is_64(say: Say, words: tuple[str, ...], said: str) -> None:
    code, out, err = say(*words)
    assert (code, out) == (64, "")
    assert said in err


def test_wrong_usage_wins_over_a_wrong_rulebook_over_wrong_data(say: Say, home: Path) -> None:
    (home / "bad.rules").write_text("rulebook bad edition 1\nrule")
    assert say("check", "bad.rules", "nowhere", "--out", "f.doc")[0] == 64
    assert say("check", "bad.rules", "nowhere")[0] == 2
    assert say("check", "small.rules", "nowhere")[0] == 3


def test_our_own_mistakes_do_not_look_like_findings(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise AssertionError("no such thing")

    monkeypatch.setattr("ruleforge.commands.check.evaluate", broken)
    assert main(["check", "small.rules", "clean", *DAY]) == 70
    assert "bug in RuleForge" in capsys.readouterr().err


def test_an_interruption_is_130(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ruleforge.commands.check.evaluate", interrupted)
    assert main(["check", "small.rules", "clean", *DAY, "--out", "f.csv"]) == 130
    assert capsys.readouterr().err == "interrupted\n"
    assert not (home / "f.csv").exists()


def test_an_interruption_in_disguise_is_130(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise TypeError("not a data type") from None

    monkeypatch.setattr("ruleforge.commands.check.evaluate", interrupted)
    assert main(["check", "small.rules", "clean", *DAY]) == 130
    assert capsys.readouterr().err == "interrupted\n"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="pipes of this kind are POSIX's")
def test_a_reader_that_goes_away_is_no_news(home: Path) -> None:
    rows = "".join(f"S{number},40,x,2010-01-01\n" for number in range(3000))
    (home / "failing" / "pupil.csv").write_text("pupil_id,age,name,born\n" + rows)
    command = [sys.executable, "-m", "ruleforge", "check", "small.rules", "failing", *DAY]
    with subprocess.Popen(
        [*command, "--show", "3000"],
        env={**os.environ, "PYTHONPATH": str(SRC)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 1


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="a disk that is always full is Linux's")
@pytest.mark.parametrize(
    "words",
    [("--help",), ("--version",), ("rules", "small.rules"), ("fmt", "-"), ("explain-code",)],
)
@pytest.mark.parametrize("buffered", ["", "1"])
def test_a_full_disk_below_standard_output_is_said(
    home: Path, words: tuple[str, ...], buffered: str
) -> None:
    with FULL.open("w") as full, Path("small.rules").open() as rulebook:
        done = subprocess.run(
            [sys.executable, "-m", "ruleforge", *words],
            env={**os.environ, "PYTHONPATH": str(SRC), "PYTHONUNBUFFERED": buffered},
            stdin=rulebook,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.stderr == "error: standard output cannot be written: No space left on device\n"
    assert done.returncode == 64


@pytest.mark.parametrize(
    ("closed", "words", "code"),
    [
        (">&-", "rules small.rules", 0),
        (">&-", "check small.rules failing --out f.csv", 1),
        ("2>&-", "nonsense", 64),
        ("2>&-", "rules nowhere.rules", 2),
        (">&- 2>&-", "--help", 0),
        ("<&-", "fmt - --check", 2),
    ],
)
def test_what_the_shell_has_closed_is_no_bug(
    home: Path, closed: str, words: str, code: int
) -> None:
    command = f"{sys.executable} -m ruleforge {words} {closed}"
    done = subprocess.run(
        ["sh", "-c", command],
        env={**os.environ, "PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    if "--out" in words:
        assert (home / "f.csv").read_text().startswith("revision,")


def test_an_interruption_while_it_loads_prints_nothing(home: Path) -> None:
    (home / "fake").mkdir()
    (home / "fake" / "polars.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(10)\n"
    )
    paths = os.pathsep.join([str(home / "fake"), str(SRC)])
    done = run("rules", "small.rules", env={"PYTHONPATH": paths})
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


# ── what is printed ────────────────────────────────────────────────────────────────────────────


def test_check_as_a_process(home: Path) -> None:
    done = run("check", "small.rules", "failing", *DAY)
    assert done.returncode == 1
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert "pupil 3" in done.stdout
    assert "(today" not in done.stdout


def test_without_as_of_it_says_which_day_it_took(say: Say) -> None:
    assert re.search(r"as of +\d{4}-\d\d-\d\d \(today; ", say("check", "small.rules", "clean")[1])


def test_the_rules_of_rule_only(say: Say) -> None:
    _, out, _ = say("check", "small.rules", "failing", *DAY, "--rule", "Age - 1")
    assert "Age-1" in out
    assert "Age-2" not in out


def rules_judged(say: Say, home: Path, *words: str) -> tuple[str, set[str]]:
    """What is printed, and the ids of the rules that were judged."""
    _, out, _ = say("check", "small.rules", "failing", *DAY, "--out", "all", *words)
    return out, set(pl.read_csv(home / "all" / "rules.csv")["rule"])


def test_the_rules_of_without_are_left_out_and_it_is_said(say: Say, home: Path) -> None:
    said, every = rules_judged(say, home)
    assert "Left out" not in said
    assert {"Age-1", "pupil.pupil_id.required", "pupil.age.type", "pupil.key"} <= every
    out, some = rules_judged(say, home, "--without", "pupil.key", "--without", "Age - 1")
    assert every - some == {"pupil.key", "Age-1"}
    assert out.endswith("Left out by `--without`: pupil.key, Age - 1.\n")
    for name in ("pupil", "built-in"):
        assert rules_judged(say, home, "--without", name)[1] == {"Age-1", "Age-2", "Born-1"}
    out, one = rules_judged(say, home, "--without", "built-in", "--rule", "Age-2")
    assert one == {"Age-2"}
    assert "Age-1" not in out


def test_what_is_sensitive_stays_so_unless_asked_for(say: Say, home: Path) -> None:
    assert "=S3 is 19, (withheld)." in say("check", "small.rules", "failing", *DAY)[1]
    _, out, _ = say("check", "small.rules", "failing", *DAY, "--sensitive")
    assert "=S3 is 19, Cy." in out


def test_warnings_about_the_rulebook_go_to_standard_error(say: Say, home: Path) -> None:
    (home / "small.rules").write_text(RULEBOOK + "\ndefine never_used = 4\n")
    code, _, err = say("check", "small.rules", "clean", *DAY)
    assert code == 0
    assert "warning[" in err
    assert "never_used" in err


def test_characters_that_steer_a_terminal_are_not_printed(say: Say, home: Path) -> None:
    (home / "failing" / "pupil.csv").write_text(
        "pupil_id,age,name,born\nS\x1b[31m4,19,Cy,2010-01-01\n"
    )
    _, out, _ = say("check", "small.rules", "failing", *DAY)
    assert "\x1b" not in out
    assert "S�[31m4 is 19" in out


@pytest.fixture
def on_terminal(home: Path) -> Callable[..., str]:
    """Runs a command with a terminal of 80 columns for its output; gives what came."""

    def command(*words: str, env: dict[str, str] | None = None) -> str:
        ours, theirs = pty.openpty()
        plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        process = subprocess.Popen(
            [sys.executable, "-m", "ruleforge", *words],
            env={**plain, "PYTHONPATH": str(SRC), "TERM": "xterm", "COLUMNS": "80", **(env or {})},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        pieces: list[bytes] = []
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    pieces.append(os.read(ours, 65536))
                except OSError:  # the other end is closed
                    break
        process.wait(10)
        os.close(ours)
        return b"".join(pieces).decode()

    return command


def test_a_terminal_gets_colour_and_its_width(on_terminal: Callable[..., str]) -> None:
    out = on_terminal("check", "small.rules", "failing", *DAY)
    assert "\x1b[1;31m" in out
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out)
    assert max(len(each) for each in plain.splitlines()) <= 80
    assert "Fatal" in plain


@pytest.mark.parametrize(
    ("flag", "env"), [("--no-colour", {}), ("--no-color", {}), ("", {"NO_COLOR": "1"})]
)
def test_a_terminal_without_colour(
    on_terminal: Callable[..., str], flag: str, env: dict[str, str]
) -> None:
    words = ["check", "small.rules", "failing", *DAY, *([flag] if flag else [])]
    assert "\x1b[1;31m" not in on_terminal(*words, env=env)


# ── what is written ────────────────────────────────────────────────────────────────────────────


def test_every_format_has_the_same_findings(say: Say, home: Path) -> None:
    outs = ["f.csv", "f.json", "f.parquet", "all/"]
    code, out, _ = say(
        "check", "small.rules", "failing", *DAY, *(w for each in outs for w in ("--out", each))
    )
    assert code == 1
    assert "Written: f.csv, f.json, f.parquet, all/." in out
    table = pl.read_parquet("f.parquet")
    with Path("f.csv").open(newline="") as file:
        cells = list(csv.DictReader(file))
    records = [
        FindingRecord.model_validate(each) for each in json.loads(Path("f.json").read_text())
    ]
    assert table["rule"].to_list() == ["Age-1", "Age-2", "Age-2"]
    assert [each["rule"] for each in cells] == table["rule"].to_list()
    assert [each.rule for each in records] == table["rule"].to_list()
    assert [each.roles for each in records] == [{"student": s} for s in ("=S3", "S2", "=S3")]
    assert pl.read_parquet("all/findings.parquet").equals(table)
    Manifest.model_validate_json(Path("all/manifest.json").read_text())
    rules = pl.read_csv("all/rules.csv")
    assert rules.filter(pl.col("rule") == "Age-1")["fails"].item() == 1
    assert sorted(each.name for each in home.iterdir() if each.name.startswith(".")) == []


def test_cells_that_a_spreadsheet_would_run_are_neutralised(say: Say, home: Path) -> None:
    say("check", "small.rules", "failing", *DAY, "--out", "f.csv")
    with (home / "f.csv").open(newline="") as file:
        cells = next(csv.DictReader(file))
    assert cells["student"] == "'=S3"
    assert cells["message"] == "'=S3 is 19, (withheld)."
    assert json.loads(cells["key"]) == {"pupil_id": "=S3"}


def test_an_unknown_extension_is_said_before_anything_is_read(say: Say) -> None:
    code, _, err = say("check", "small.rules", "nowhere", "--out", "findings.xlsx")
    assert code == 64
    assert "findings.xlsx" in err


def test_a_place_that_cannot_be_written_keeps_what_was_there(
    say: Say, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "f.csv").write_text("before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ruleforge.reporting.tables._write_csv", full)
    code, _, err = say("check", "small.rules", "failing", *DAY, "--out", "f.csv")
    assert code == 64
    assert "f.csv cannot be written: No space left on device" in err
    assert (home / "f.csv").read_text() == "before"
    assert not list(home.glob(".*"))


# ── rules, show, sample ────────────────────────────────────────────────────────────────────────


def test_rules_lists_the_rules(say: Say) -> None:
    code, out, _ = say("rules", "small.rules")
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines() if line}
    assert "Fatal" in lines["Age-1"]
    assert "pupil" in lines["Age-1"]
    assert "Too old" in lines["Age-1"]
    assert "inferred: from Age-1" in lines["Age-2"]
    assert "3 rules, 1 of them inferred" in out
    assert "limit" in lines


def test_rules_without_a_name_lists_the_shipped_rulebooks(say: Say, home: Path) -> None:
    _, out, _ = say("rules")
    assert "indiana.special_education" in out
    assert "small" not in out
    assert "small" in say("rules", "--root", str(home))[1]


@pytest.mark.parametrize("extension", ["csv", "json", "parquet"])
def test_rules_are_written(say: Say, home: Path, extension: str) -> None:
    readers: dict[str, Callable[[str], pl.DataFrame]] = {
        "csv": pl.read_csv,
        "json": pl.read_json,
        "parquet": pl.read_parquet,
    }
    assert say("rules", "small.rules", "--out", f"r.{extension}")[0] == 0
    table = readers[extension](f"r.{extension}")
    assert table["rule"].to_list() == ["Age-1", "Age-2", "Born-1"]
    assert table["inferred"].to_list() == [False, True, False]


def test_show_ast(say: Say) -> None:
    code, out, _ = say("show", "ast", "small.rules", "--rule", "Age-1")
    assert code == 0
    assert out.startswith("Rule Age-1 ")
    assert "Comparison <=" in out
    assert "Attribute p.age" in out
    assert "Age-2" not in out


def test_show_core(say: Say) -> None:
    _, out, _ = say("show", "core", "small.rules")
    assert "severity_words error: Fatal" in out
    assert "Column pupil_id required identifies=student: text" in out
    assert "Compare <=: boolean" in out
    assert "ColumnValue p.age: integer" in out
    assert "ParameterValue limit: integer" in out


def test_show_plan(say: Say) -> None:
    _, out, _ = say("show", "plan", "small.rules")
    assert "pupil: one pass for 3 rules" in out
    assert "scan pupil as r0: age, born" in out
    assert "claim r0.age <= limit" in out
    assert "rule Age-2 warning" in out


def test_show_plan_with_data_shows_what_polars_makes_of_it(say: Say) -> None:
    code, out, _ = say("show", "plan", "small.rules", "--polars", "failing", *DAY)
    assert code == 0
    assert "claim r0.age <= 18" in out
    assert "Polars' plan of the pass" in out


def test_sample_writes_a_district_that_can_be_checked(say: Say, home: Path) -> None:
    code, out, _ = say(
        "sample", "indiana", "district", "--pupils", "100", "--school-year", "2022-23"
    )
    assert code == 0
    assert "--set school_year=2022-23 --set count_date=2022-12-01" in out
    command = out.partition("Next: ruleforge ")[2].split()
    assert say(*command, "--show", "0")[0] == 1


def test_explain_code_prints_the_page(say: Say) -> None:
    code, out, err = say("explain-code", "rf301", "RF101", "RF301")
    assert (code, err) == (0, "")
    assert out.startswith("RF301: A code that is not in its set\n\nA code of a set is compared")
    assert out.count("RF301: ") == 1
    assert '\n    error[RF301]: `"1"` is not a code of `grade`\n' in out
    assert "\n\n\nRF101: Text that is not expected here\n" in out
    assert "```" not in out


def test_explain_code_lists_every_code_with_its_title(say: Say) -> None:
    code, out, _ = say("explain-code")
    assert code == 0
    listed = dict(line.split(None, 1) for line in out.splitlines()[1:])
    assert CODES.items() <= listed.items()
    assert list(listed) == sorted(listed)


@pytest.mark.parametrize("code", sorted(message_pages()))
def test_every_page_can_be_read_on_a_terminal(say: Say, code: str) -> None:
    _, out, _ = say("explain-code", code)
    assert not re.search(r"```|\*\*|\]\(", out)
    assert f"{code}: " in out.partition("\n")[0]
    blocks = re.findall(
        r"^```[^\n]*\n(.*?)^```$", message_pages()[code].read_text(), re.MULTILINE | re.DOTALL
    )
    for block in blocks:
        shown = "".join(f"    {line}".rstrip() + "\n" for line in block.splitlines())
        assert shown in out


@pytest.mark.parametrize(
    ("command", "codes"),
    [
        ("", "0 1 2 3 64 70 130"),
        ("check", "0 1 2 3 64 70 130"),
        ("test", "0 1 2 64 70 130"),
        ("rules", "0 2 64 70 130"),
        ("show", "0 2 3 64 70 130"),
        ("fmt", "0 1 2 64 70 130"),
        ("explain-code", "0 64 70 130"),
        ("sample", "0 64 70 130"),
    ],
)
def test_help_names_the_exit_codes_of_the_command(say: Say, command: str, codes: str) -> None:
    code, out, _ = say(*command.split(), "--help")
    assert code == 0
    told = out.partition("exit codes:\n")[2]
    assert re.findall(r"^  (\d+) +\S", told, re.MULTILINE) == codes.split()
    assert ("--fail-on" in told) == (command in ("", "check"))


def test_version(say: Say) -> None:
    code, out, _ = say("--version")
    assert code == 0
    assert re.fullmatch(r"ruleforge \d+\.\d+.*\n", out)


def test_nobody_waits_for_what_is_not_needed(home: Path) -> None:
    script = (
        "import sys; from ruleforge.cli import main\n"
        "words = ['check', 'small.rules', 'failing', '--set', 'day=2020-01-01', '--out', 'f.csv']\n"
        "code = main(words)\n"
        "print(code, sorted({'rich', 'pydantic', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "1 []"
