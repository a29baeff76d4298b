"""check: a rulebook and data -> findings, for people and in files"""

import argparse
import datetime as dt
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from polars.exceptions import ComputeError

from ruleforge.commands.functions import given_functions
from ruleforge.commands.host import DataError, Exit, Host, UsageError
from ruleforge.engine.built_in import built_in_ids
from ruleforge.engine.evaluate import evaluate
from ruleforge.engine.host_functions import HostFunctions
from ruleforge.engine.outlook import NOT_EVALUATED
from ruleforge.engine.parameters import bind
from ruleforge.engine.result import Result
from ruleforge.engine.revision import Revision
from ruleforge.intake.read import read
from ruleforge.language.core import Rulebook, Severity
from ruleforge.language.load import load
from ruleforge.language.render import render
from ruleforge.language.suggest import nearest
from ruleforge.reporting.page import Line, line
from ruleforge.reporting.progress import Bar
from ruleforge.reporting.summary import summary
from ruleforge.reporting.tables import Output, published_files, write

NEVER = "never"
BUILT_IN = "built-in"


def check(arguments: argparse.Namespace, host: Host, *, shows_bar: bool) -> Exit:
    """Judges the data by the rulebook, writes what was asked for, and prints the summary.

    Everything about the call itself is checked before any data is read.
    """
    outputs = [Output.of(each) for each in dict.fromkeys(arguments.out)]
    book = load(arguments.rulebook, arguments.root)
    as_of, note = as_of_day(arguments.as_of)
    parameters = given(arguments.set)
    bind(book, parameters, as_of)
    rules = chosen(book, arguments.rule)
    datasets = given_datasets(arguments)
    functions = given_functions(arguments.function)
    HostFunctions.bound(book, functions)
    without = left_out(book, arguments.without)
    host.complain(render(book.warnings, colour=host.colours_errors))
    with Bar(shown=shows_bar) as bar:
        revision = read(
            book.schema,
            arguments.data,
            blank=arguments.blank,
            datasets=datasets,
            progress=bar.of("Reading"),
        )
        _refuse_nothing(book, revision, arguments.data)
        _refuse_overwriting(book, revision, outputs)
        try:
            result = evaluate(
                book,
                revision,
                as_of=as_of,
                parameters=parameters,
                rules=rules,
                functions=functions,
                without=without,
                show_sensitive=arguments.sensitive,
                progress=bar.of("Judging"),
            )
        except (ComputeError, OSError) as mistake:
            # A file that was read well a moment ago is not any more, or has a fault inside
            # (Parquet).
            raise DataError(f"the data cannot be read: {mistake}") from None
        written = _written(result, outputs, bar)
        page = [
            *summary(result, show=arguments.show, as_of_note=note, written=written),
            *_said_of(arguments.without),
        ]
    code = exit_code(result, arguments.fail_on)
    try:
        host.show(page)
    except BrokenPipeError:
        host.abandon()
    return code


def exit_code(result: Result, fail_on: str) -> Exit:
    """3 where a file was not read to its end; 1 where a rule at or above the gravity of `fail_on`
    reports something, or has nothing to go by: what could not be judged has not passed. 0
    otherwise.

    A built-in check without data counts only where a required column is missing; the others are
    about columns that need not be there.
    """
    if not result.complete:
        return Exit.DATA
    if fail_on == NEVER:
        return Exit.CLEAN
    gravities = list(Severity)
    grave = set(gravities[: gravities.index(Severity(fail_on)) + 1])
    own = {rule.id for rule in result.rulebook.rules}
    for row in result.rules.iter_rows(named=True):
        needed = row["rule"] in own or row["rule"].endswith(".required")
        unjudged = needed and row["status"] == NOT_EVALUATED
        if Severity(row["severity"]) in grave and (row["fails"] or unjudged):
            return Exit.FINDINGS
    return Exit.CLEAN


# ── arguments ──────────────────────────────────────────────────────────────────────────────────


def as_of_day(day: dt.date | None) -> tuple[dt.date, str]:
    """The day of the evaluation, and where it comes from if nobody gave it. The shell is the host,
    so here a clock is read.
    """
    if day is not None:
        return day, ""
    return dt.date.today(), "today; `--as-of` takes another day"  # noqa: DTZ011 - the day where the user is


def given(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The values of `--set`. Raises `UsageError` for a parameter that is given twice."""
    parameters: dict[str, str] = {}
    for name, value in pairs:
        if name in parameters:
            raise UsageError(f"`{name}` is set twice; give it once")
        parameters[name] = value
    return parameters


def given_datasets(arguments: argparse.Namespace) -> dict[str, list[str]]:
    """Where the datasets lie, by `--dataset`, `--prior` and `--state`."""
    places: dict[str, list[str]] = {}
    pairs = [("prior", path) for path in arguments.prior]
    pairs += [("state", path) for path in arguments.state]
    for name, path in (*pairs, *arguments.dataset):
        places.setdefault(name, []).append(path)
    return places


def chosen(book: Rulebook, names: Sequence[str]) -> tuple[str, ...] | None:
    """The ids of the rules of `--rule`, by id or by an id that the state prints; None for all of
    them.
    """
    if not names:
        return None
    ids = {printed: rule.id for rule in book.rules for printed in (*rule.printed_ids, rule.id)}
    for name in names:
        if name not in ids:
            near = nearest(name, ids)
            hint = (
                f"did you mean `{near}`?" if near else f"`ruleforge rules {book.name}` lists them"
            )
            raise UsageError(f"`{book.name}` has no rule `{name}`; {hint}")
    return tuple(dict.fromkeys(ids[name] for name in names))


def left_out(book: Rulebook, names: Sequence[str]) -> frozenset[str]:
    """The ids of the rules that `--without` leaves out. A name is that of a rule, of a built-in
    check, of a table (all its built-in checks), or `built-in` (those of all tables).
    """
    own = {printed: rule.id for rule in book.rules for printed in (*rule.printed_ids, rule.id)}
    built_in = built_in_ids(book.schema)
    tables = set(built_in.values())
    found: set[str] = set()
    for name in names:
        if name in own or name in built_in:
            found.add(own.get(name, name))
        elif name in tables or name == BUILT_IN:
            found |= {each for each, table in built_in.items() if name in (table, BUILT_IN)}
        else:
            near = nearest(name, [*own, *built_in, *tables, BUILT_IN])
            hint = f"did you mean `{near}`?" if near else "name a rule, a check or a table"
            raise UsageError(f"`{book.name}` has no rule or check `{name}`; {hint}")
    return frozenset(found)


def _said_of(without: Sequence[str]) -> list[Line]:
    """What was left out is said: nothing passes in silence."""
    return [line(f"Left out by `--without`: {', '.join(dict.fromkeys(without))}.")] * bool(without)


# ── data and files ─────────────────────────────────────────────────────────────────────────────


def _refuse_nothing(book: Rulebook, revision: Revision, data: Sequence[str]) -> None:
    if revision.tables or revision.refusals:
        return
    patterns: dict[str, None] = {}
    for table in book.schema.tables.values():
        clauses = [clause.pattern for clause in table.files]
        patterns.update(dict.fromkeys(clauses or [f"{table.name}.csv", f"{table.name}.parquet"]))
    files = [Path(record.path).name for record in revision.files]
    found = f"of {len(files)} files ({_some(files)}) none" if len(files) > 1 else "no file"
    if len(files) == 1:
        found = f"the file {files[0]} does not"
    verb = "belongs" if len(files) != 1 else "belong"
    raise DataError(
        f"in {', '.join(data)} {found} {verb} to a table of `{book.name}`;"
        f" its tables are read from {_some(list(patterns), 8)}"
    )


def _some(names: Sequence[str], most: int = 3) -> str:
    left = len(names) - most
    return ", ".join(names[:most]) + (f" and {left} more" if left > 0 else "")


def _refuse_overwriting(book: Rulebook, revision: Revision, outputs: Iterable[Output]) -> None:
    """`--out student.csv` beside the data would put findings in the place of pupils."""
    read_from = [
        *(record.path for record in revision.files),
        *(source.path for source in book.sources),
    ]
    kept = {os.path.realpath(path) for path in read_from}
    for output in outputs:
        published = published_files(book) if output.is_folder else []
        for path in (*output.files, *(output.path / name for name in published)):
            # An earlier run's own files lie in a folder of data when somebody wants them there; no
            # table has read them.
            if os.path.realpath(path) in kept and not _is_unwanted(path, revision):
                raise UsageError(
                    f"`--out {output.path}` would overwrite {path}, which was read;"
                    " choose another place"
                )


def _is_unwanted(path: Path, revision: Revision) -> bool:
    real = os.path.realpath(path)
    return any(
        not record.tables and os.path.realpath(record.path) == real for record in revision.files
    )


def _written(result: Result, outputs: Sequence[Output], bar: Bar) -> list[str]:
    """Writes everything; the names of what was written."""
    if not outputs:
        return []
    bar.of("Writing")("findings", 0, 0)
    try:
        write(result, outputs)
    except OSError as mistake:
        names = ", ".join(str(output.path) for output in outputs)
        raise UsageError(f"{names} cannot be written: {mistake.strerror or mistake}") from None
    return [f"{output.path}{os.sep if output.is_folder else ''}" for output in outputs]
