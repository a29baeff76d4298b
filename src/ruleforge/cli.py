"""cli: arguments -> an exit code

The door for a shell. The work is in `commands`; here are the words of the command line, and what
becomes of everything that goes wrong, so that nobody sees a traceback for a mistake of theirs.
"""

import argparse
import datetime as dt
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from ruleforge.commands.host import DataError, Exit, Host, UsageError
from ruleforge.engine.admit import RevisionError
from ruleforge.engine.host_functions import FunctionError
from ruleforge.engine.parameters import ParameterError, school_year_of
from ruleforge.engine.version import installed_version
from ruleforge.intake.error import IntakeError, UnknownColumnError
from ruleforge.language.core import Severity
from ruleforge.language.load import RulebookError
from ruleforge.language.render import printable, render
from ruleforge.language.schema import SchoolYear
from ruleforge.reporting.tables import OutputError

_WRONG_RULEBOOK = "a rulebook with errors: every one of them is listed, nothing is run"


def _exits(meanings: dict[int, str], before: str = "") -> str:
    """What stands below the help of a command: its exit codes, with those that all have."""
    common = {
        Exit.USAGE: "wrong usage, or a place that cannot be written to",
        Exit.BUG: "a bug in RuleForge",
        Exit.INTERRUPTED: "interrupted",
    }
    both = sorted((common | meanings).items())
    lines = "".join(f"  {code:<3} {meaning}\n" for code, meaning in both)
    return f"{before}exit codes:\n{lines}"


_EXITS = _exits(
    {
        0: "clean",
        1: "findings at or above --fail-on, or rules of that gravity that could not be judged;\n"
        "      `test`: a test that fails, or less coverage than --fail-under;\n"
        "      `fmt --check`: a file would change",
        2: _WRONG_RULEBOOK,
        3: "data that cannot be read, or not to its end; the findings of the rest are given",
    }
)
_EXITS_OF_CHECK = _exits(
    {
        0: "clean",
        1: "findings at or above --fail-on, or rules of that gravity that could not be judged",
        2: _WRONG_RULEBOOK,
        3: "data that cannot be read, or not to its end; the findings of the rest are given",
    }
)
_EXITS_OF_TEST = _exits(
    {
        0: "all tests pass, or there are none",
        1: "a test that fails, or less coverage than --fail-under",
        2: _WRONG_RULEBOOK,
    }
)
_EXITS_OF_RULES = _exits({0: "listed", 2: _WRONG_RULEBOOK})
_EXITS_OF_SHOW = _exits(
    {0: "printed", 2: _WRONG_RULEBOOK, 3: "with --polars: data that cannot be read"}
)
_EXITS_OF_FMT = _exits(
    {
        0: "done, or with --check nothing to do",
        1: "with --check: a file would change",
        2: "a file with mistakes in its syntax, which is left as it is; the others are done",
    },
    "Comments stay where they are, and what a rulebook says does not change.\n\n",
)
_EXITS_OF_EXPLAIN = _exits(
    {
        0: "explained, whatever the verdict",
        2: _WRONG_RULEBOOK,
        3: "data that cannot be read",
        64: "wrong usage; no such rule or row, or several rows that fit, which are listed",
    }
)
_EXITS_OF_NEW = _exits(
    {
        0: "written; `test`, and `check` of the same files, end with 0, unless lines cannot be read",
        3: "files that cannot be read, or have no header",
        64: "wrong usage, or a rulebook that is there already",
    }
)
_EXITS_OF_EXPLAIN_CODE = _exits({0: "printed"})
_EXITS_OF_SAMPLE = _exits({0: "written"})
_EXITS_OF_LINT = _exits(
    {0: "nothing found", 1: "something found", 2: _WRONG_RULEBOOK},
    "It needs a solver, which comes with `pip install 'ruleforge[lint]'`.\n\n",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and gives its exit code. `argv` are the words behind `ruleforge`."""
    _open_streams()
    for stream in (sys.stdout, sys.stderr):
        # WHY: a file name need not be text, nor a terminal speak UTF-8; neither is a reason to
        # fail.
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    host = Host()
    interruption = _Interruption()
    try:
        interruption.watch()
        arguments = _parser().parse_args(argv)
        host = Host(colour=not (arguments.no_colour or os.environ.get("NO_COLOR")))
        return _run(arguments, host)
    except _Exit as done:
        return done.code
    except ParameterError as mistake:
        host.complain(render(mistake.diagnostics, colour=host.colours_errors))
        return Exit.USAGE
    except RulebookError as mistake:
        host.complain(render(mistake.diagnostics, colour=host.colours_errors))
        return Exit.RULEBOOK
    except (UsageError, OutputError, FunctionError, UnknownColumnError) as mistake:
        host.complain(f"error: {printable(str(mistake))}\n")
        return Exit.USAGE
    except (DataError, IntakeError, RevisionError) as mistake:
        host.complain(f"error: {printable(str(mistake))}\n")
        return Exit.DATA
    except BrokenPipeError:
        host.abandon()
        return Exit.CLEAN
    except KeyboardInterrupt:
        host.complain("interrupted\n")
        return Exit.INTERRUPTED
    except Exception:  # noqa: BLE001 - our mistake, which must not look like findings (1)
        if interruption.happened:
            host.complain("interrupted\n")
            return Exit.INTERRUPTED
        host.complain(
            f"{traceback.format_exc()}This is a bug in RuleForge, not in your data."
            " Please report the lines above.\n"
        )
        return Exit.BUG
    finally:
        interruption.unwatch()


def _open_streams() -> None:
    """Gives what is printed somewhere to go, and to come from, where the shell has closed it."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # NOTE: it takes the number of the closed one, which a file of findings would take else.
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - open to the end


class _Interruption:
    """Whether Ctrl-C was pressed.

    NOTE: pressed while Polars looks into a Python object, it comes out as an error of another kind.
    """

    def __init__(self) -> None:
        self.happened = False
        self.before: Callable[[int, FrameType | None], object] | int | None = None

    def watch(self) -> None:
        # WHY: only the main thread may, and a shell that ignores the signal for us is obeyed.
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            with suppress(ValueError):
                self.before = signal.signal(signal.SIGINT, self._note)

    def unwatch(self) -> None:
        if self.before is not None:
            signal.signal(signal.SIGINT, self.before)

    def _note(self, number: int, frame: FrameType | None) -> NoReturn:
        self.happened = True
        signal.default_int_handler(number, frame)


def _run(arguments: argparse.Namespace, host: Host) -> Exit:
    match arguments.command:
        case "check":
            from ruleforge.commands.check import check  # each command loads only what it needs

            return check(arguments, host, shows_bar=sys.stderr.isatty())
        case "explain":
            from ruleforge.commands.explain import explain

            return explain(arguments, host, shows_bar=sys.stderr.isatty())
        case "new":
            from ruleforge.commands.new import new

            return new(arguments, host, shows_bar=sys.stderr.isatty())
        case "rules":
            from ruleforge.commands.rules import rules

            return rules(arguments, host)
        case "show":
            from ruleforge.commands.show import show

            return show(arguments, host)
        case "fmt":
            from ruleforge.commands.fmt import fmt

            return fmt(arguments, host)
        case "explain-code":
            from ruleforge.commands.explain_code import explain_code

            return explain_code(arguments, host)
        case "test":
            from ruleforge.commands.test import test

            return test(arguments, host)
        case "lint":
            from ruleforge.commands.lint import lint

            return lint(arguments, host)
        case _:
            from ruleforge.commands.sample import sample

            return sample(arguments, host)


# ── the words of the command line ──────────────────────────────────────────────────────────────


class _Exit(Exception):  # noqa: N818 - no error
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class _Parser(argparse.ArgumentParser):
    """A parser that ends by 64 where it ends by 2 by itself, and leaves the process to `main`."""

    def error(self, message: str) -> NoReturn:
        Host().complain(self.format_usage())
        self.exit(
            Exit.USAGE,
            f"error: {printable(message)}\n  fix: `{self.prog} --help` says what there is\n",
        )

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        if message:
            Host().complain(message)
        raise _Exit(status)

    def print_help(self, file: object = None) -> None:  # noqa: ARG002 - the shell reads one place
        # WHY: argparse says nothing where its help cannot be printed.
        Host().say(self.format_help())


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        Host().say(f"ruleforge {installed_version()}\n")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="ruleforge",
        description="Checks education data by rules, and says which rows break them and why.",
        epilog=_EXITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", parser_class=_Parser
    )
    _check(_command(commands, "check", "judge data by a rulebook", _EXITS_OF_CHECK))
    why = "say why a rule says of a row what it says"
    _explain(_command(commands, "explain", why, _EXITS_OF_EXPLAIN))
    _test(_command(commands, "test", "run the tests that stand beside the rules", _EXITS_OF_TEST))
    found = "find what is probably not meant in a rulebook"
    _lint(_command(commands, "lint", found, _EXITS_OF_LINT))
    listed = "list the rules of a rulebook, or the shipped rulebooks"
    _rules(_command(commands, "rules", listed, _EXITS_OF_RULES))
    printed = "print what a rulebook becomes: its trees and its plan"
    _show(_command(commands, "show", printed, _EXITS_OF_SHOW))
    _fmt(_command(commands, "fmt", "give rulebooks their one layout", _EXITS_OF_FMT))
    drafted = "draft a rulebook from data files"
    _new(_command(commands, "new", drafted, _EXITS_OF_NEW))
    said = "say what the code of a message means"
    _explain_code(_command(commands, "explain-code", said, _EXITS_OF_EXPLAIN_CODE))
    written = "write a synthetic district to try things on"
    _sample(_command(commands, "sample", written, _EXITS_OF_SAMPLE))
    return parser


def _command(
    commands: "argparse._SubParsersAction[_Parser]", name: str, does: str, ends: str = _EXITS
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=does,
        description=f"{does[0].upper()}{does[1:]}.",
        epilog=ends,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_argument(
        "--no-colour", "--no-color", action="store_true", help="no colour, also on a terminal"
    )
    return command


def _check(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "rulebook", metavar="RULEBOOK", help="a path that ends in .rules, or a name"
    )
    command.add_argument("data", metavar="DATA", nargs="+", help="folders and files")
    _parameters(command)
    _others(command)
    _selection(command)
    command.add_argument(
        "--without",
        metavar="NAME",
        action="append",
        default=[],
        help="leave out a rule, a built-in check such as student.key, those of a TABLE,"
        " or all of them (built-in)",
    )
    _out(
        command,
        "all findings to a .csv, .json or .parquet file, or with rules and manifest to a folder",
    )
    command.add_argument(
        "--fail-on",
        choices=[*(severity.value for severity in Severity), "never"],
        default=Severity.ERROR.value,
        help="the least grave severity that makes the exit code 1 (default: error)",
    )
    command.add_argument(
        "--show",
        metavar="N",
        type=_count,
        default=5,
        help="findings shown of each rule (default: 5)",
    )
    command.add_argument(
        "--sensitive",
        action="store_true",
        help="print values of columns that are declared sensitive",
    )


def _explain(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "rulebook", metavar="RULEBOOK", help="a path that ends in .rules, or a name"
    )
    command.add_argument("rule", metavar="RULE", help="the id of a rule, or of a built-in check")
    command.add_argument(
        "words",
        metavar="DATA|NAME=VALUE",
        nargs="+",
        help="folders and files; and which row: columns or roles (student_id=S1), file=… line=…",
    )
    _parameters(command)
    _others(command)
    _root(command)
    command.add_argument(
        "--show",
        metavar="N",
        type=_count,
        default=5,
        help="rows of another table that are shown of each kind (default: 5)",
    )
    command.add_argument(
        "--sensitive",
        action="store_true",
        help="print values of columns that are declared sensitive",
    )
    command.add_argument(
        "--format", choices=["text", "json"], default="text", help="(default: text)"
    )


def _test(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "rulebooks",
        metavar="RULEBOOK",
        nargs="*",
        help="paths that end in .rules, names, and folders to search (default: this folder)",
    )
    command.add_argument(
        "--rule",
        metavar="ID",
        action="append",
        default=[],
        help="only tests that name this rule in `expect` or `only`",
    )
    command.add_argument(
        "--coverage",
        action="store_true",
        help="print how often each condition was true, false and unknown",
    )
    command.add_argument(
        "--fail-under",
        metavar="N",
        type=_per_cent,
        help="with --coverage: exit code 1 where fewer per cent were seen true and false",
    )
    _functions(command)
    command.add_argument("--junit", metavar="FILE", help="write a report in JUnit XML")
    command.add_argument(
        "--backend",
        choices=["both", "polars", "reference"],
        default="both",
        help="the engines that judge; both must agree (default: both)",
    )
    _root(command)


def _lint(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "rulebooks",
        metavar="RULEBOOK",
        nargs="+",
        help="paths that end in .rules, and names",
    )
    command.add_argument(
        "--rule",
        metavar="ID",
        action="append",
        default=[],
        help="only what is about this rule",
    )
    command.add_argument(
        "--format", choices=["text", "json"], default="text", help="(default: text)"
    )
    _root(command)


def _rules(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "rulebook", metavar="RULEBOOK", nargs="?", help="a path that ends in .rules, or a name"
    )
    _root(command)
    _out(command, "the list to a .csv, .json or .parquet file, or to a folder")


def _show(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "tree",
        choices=["ast", "core", "plan"],
        help="ast: as written; core: checked, with types; plan: what is done with the tables",
    )
    command.add_argument(
        "rulebook", metavar="RULEBOOK", help="a path that ends in .rules, or a name"
    )
    _selection(command)
    command.add_argument(
        "--polars",
        metavar="DATA",
        action="append",
        default=[],
        help="plan: for this data, with Polars' own plan of each pass",
    )
    _parameters(command)


def _fmt(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        default=["."],
        help="files, and folders that are searched for .rules (default: the working folder);"
        " - reads standard input and writes standard output",
    )
    command.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 if a file would change"
    )
    command.add_argument(
        "--diff", action="store_true", help="write nothing; print what would change"
    )


def _new(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="NAME", help="the name of the rulebook, such as stays")
    command.add_argument(
        "files", metavar="FILES", nargs="+", help="delimited text, Parquet, and folders of them"
    )
    command.add_argument("--out", metavar="FILE", help="where it is written (default: NAME.rules)")
    command.add_argument("--force", action="store_true", help="write over a rulebook that is there")


def _explain_code(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "codes", metavar="CODE", nargs="*", help="such as RF301; without one, all are listed"
    )


def _sample(command: argparse.ArgumentParser) -> None:
    command.add_argument("state", choices=["indiana"], help="whose tables and rules")
    command.add_argument("folder", metavar="OUT", help="the folder to write to")
    command.add_argument("--pupils", metavar="N", type=_count, default=500, help="(default: 500)")
    command.add_argument(
        "--seed", metavar="S", type=int, default=1, help="the same seed gives the same bytes"
    )
    command.add_argument("--layout", choices=["csv", "edfi"], default="csv", help="(default: csv)")
    command.add_argument(
        "--school-year",
        metavar="YEAR",
        type=_school_year,
        default=SchoolYear(2023),
        help="(default: 2023-24)",
    )


def _parameters(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--set",
        metavar="NAME=VALUE",
        type=_pair,
        action="append",
        default=[],
        help="a parameter of the rulebook; as often as there are parameters",
    )
    command.add_argument(
        "--as-of",
        metavar="DAY",
        type=_day,
        help="the day of the evaluation, YYYY-MM-DD (default: today)",
    )
    command.add_argument(
        "--blank",
        metavar="TABLE.COLUMN",
        action="append",
        default=[],
        help="the data has this column, and it is blank everywhere",
    )


def _others(command: argparse.ArgumentParser) -> None:
    for name, what in (("prior", "last year's"), ("state", "the whole state's")):
        command.add_argument(
            f"--{name}",
            metavar="DATA",
            action="append",
            default=[],
            help=f"a folder or file with {what} data: short for `--dataset {name}=DATA`",
        )
    command.add_argument(
        "--dataset",
        metavar="NAME=DATA",
        type=_pair,
        action="append",
        default=[],
        help="a folder or file with the data of a dataset that the rulebook declares",
    )
    _functions(command)


def _functions(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--function",
        metavar="NAME=MODULE:NAME",
        type=_pair,
        action="append",
        default=[],
        help="a Python function for one that the rulebook declares; it is imported and run",
    )


def _selection(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--rule",
        metavar="ID",
        action="append",
        default=[],
        help="only this rule, beside the built-in checks",
    )
    _root(command)


def _root(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--root",
        metavar="DIR",
        action="append",
        default=[],
        help="a folder in which rulebooks are looked for",
    )


def _out(command: argparse.ArgumentParser, what: str) -> None:
    command.add_argument("--out", metavar="PLACE", action="append", default=[], help=what)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise argparse.ArgumentTypeError(
            f"`{text}` is no NAME=VALUE, such as count_date=2023-12-01"
        )
    return name.strip(), value


def _day(text: str) -> dt.date:
    try:
        if len(text) == 10:
            return dt.date.fromisoformat(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"`{text}` is no day, such as 2023-12-05")


def _count(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"`{text}` is no number from 0 up")
    return int(text)


def _per_cent(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 100:
        raise argparse.ArgumentTypeError(f"`{text}` is no number from 0 to 100")
    return number


def _school_year(text: str) -> SchoolYear:
    year = school_year_of(text)
    if year is None:
        raise argparse.ArgumentTypeError(f"`{text}` is no school year, such as 2023-24")
    return year
