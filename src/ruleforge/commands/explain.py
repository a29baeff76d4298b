"""explain: a rulebook, a rule, data and a row -> why the rule says of the row what it says"""

import argparse
import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from polars.exceptions import ComputeError

from ruleforge.commands.check import as_of_day, given, given_datasets
from ruleforge.commands.functions import given_functions
from ruleforge.commands.host import DataError, Exit, Host, UsageError
from ruleforge.engine.explain import explain as explained
from ruleforge.engine.host_functions import HostFunctions
from ruleforge.engine.named_row import RowError
from ruleforge.engine.parameters import bind
from ruleforge.intake.read import read
from ruleforge.language.load import load
from ruleforge.language.render import render
from ruleforge.reporting.explanation_page import explanation_page
from ruleforge.reporting.page import Column, Grid, Words, line, plain
from ruleforge.reporting.progress import Bar

_PAIR = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)


def explain(arguments: argparse.Namespace, host: Host, *, shows_bar: bool) -> Exit:
    """Prints why a rule says of a row what it says, as a page or as JSON.

    Where several rows fit, they are listed, and the exit code is that of wrong usage.
    """
    data, row = _data_and_row(arguments.words)
    book = load(arguments.rulebook, arguments.root)
    as_of, _ = as_of_day(arguments.as_of)
    parameters = given(arguments.set)
    bind(book, parameters, as_of)
    datasets = given_datasets(arguments)
    functions = given_functions(arguments.function)
    HostFunctions.bound(book, functions)
    host.complain(render(book.warnings, colour=host.colours_errors))
    with Bar(shown=shows_bar) as bar:
        revision = read(
            book.schema,
            data,
            blank=arguments.blank,
            datasets=datasets,
            progress=bar.of("Reading"),
        )
        try:
            explanation = explained(
                book,
                revision,
                arguments.rule,
                row,
                as_of=as_of,
                parameters=parameters,
                functions=functions,
                show_sensitive=arguments.sensitive,
                most_rows=arguments.show,
            )
        except RowError as mistake:
            if mistake.choices:
                _offer(mistake, host)
                return Exit.USAGE
            raise UsageError(str(mistake)) from None
        except (ComputeError, OSError) as mistake:
            raise DataError(f"the data cannot be read: {mistake}") from None
    if arguments.format == "json":
        host.say(json.dumps(explanation.to_dict(), ensure_ascii=False, indent=2) + "\n")
    else:
        host.show(explanation_page(explanation))
    return Exit.CLEAN


def _data_and_row(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """What is a path among the words, and what says which row. A file whose name looks like
    `NAME=VALUE` is a file.
    """
    data: list[str] = []
    row: dict[str, str] = {}
    for word in words:
        pair = _PAIR.fullmatch(word)
        if pair is None or Path(word).exists():
            data.append(word)
        elif pair[1] in row:
            raise UsageError(f"`{pair[1]}` is given twice; give it once")
        else:
            row[pair[1]] = pair[2]
    if not data:
        raise UsageError("no data is given; name a folder or files before the row")
    if not row:
        raise UsageError(
            "no row is named; add its key, such as student_id=S1, or file=… line=… of a finding"
        )
    return data, row


def _offer(mistake: RowError, host: Host) -> None:
    """The rows that fit, each by what tells it from the others, as it would be written here."""
    names = list(dict.fromkeys(name for choice in mistake.choices for name in choice))
    rows = tuple(
        tuple(
            Words(shlex.quote(f"{name}={choice[name]}") if name in choice else "") for name in names
        )
        for choice in mistake.choices
    )
    host.complain(
        plain([line(f"error: {mistake}:"), Grid(tuple(Column() for _ in names), rows, indent=2)])
    )
