"""rules: the name of a rulebook -> its rules; no name -> the shipped rulebooks"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from ruleforge.commands.host import Exit, Host, UsageError
from ruleforge.language.core import Rule, Rulebook
from ruleforge.language.load import RulebookError, load, names_under
from ruleforge.language.resolve import AS_OF
from ruleforge.language.resources import shipped_rulebooks
from ruleforge.language.schema import shown_name
from ruleforge.language.types import type_name
from ruleforge.reporting.page import GAP, Column, Grid, Line, Style, Words, line
from ruleforge.reporting.summary import severity_word, styled
from ruleforge.reporting.tables import Output, Staging, write_table

_INFERRED = "inferred"


def rules(arguments: argparse.Namespace, host: Host) -> Exit:
    """Lists the rules of a rulebook, or the rulebooks that there are."""
    outputs = [Output.of(each) for each in dict.fromkeys(arguments.out)]
    if arguments.rulebook is None:
        roots = [*(Path(root) for root in arguments.root), shipped_rulebooks()]
        books = [_loaded(name, arguments.root) for name in names_under(roots)]
        _write(_books_table(books), "rulebooks.csv", outputs)
        host.show(_books_page(books))
    else:
        book = load(arguments.rulebook, arguments.root)
        _write(rules_table(book), "rules.csv", outputs)
        host.show(_rules_page(book))
    return Exit.CLEAN


def is_inferred(rule: Rule) -> bool:
    """Whether a rule, or a part of it, was put together from other sources than the authority's own
    text. By convention its `source` says so.
    """
    return _INFERRED in rule.source.casefold()


def rules_table(book: Rulebook) -> pl.DataFrame:
    """A row a rule, for machines."""
    schema = dict.fromkeys(
        ("rule", "severity", "table", "title", "source", "help", "tags", "printed_ids"), pl.String()
    )
    rows = [
        (
            each.id,
            each.severities[0][0].value,
            shown_name(each.variable.table),
            each.title,
            each.source,
            each.help,
            ", ".join(each.tags),
            ", ".join(each.printed_ids),
        )
        for each in book.rules
    ]
    table = pl.DataFrame(rows, schema=schema, orient="row")
    return table.with_columns(
        pl.Series(_INFERRED, [is_inferred(each) for each in book.rules], dtype=pl.Boolean)
    )


def _rules_page(book: Rulebook) -> list[Line | Grid]:
    columns = (
        Column("Rule", fixed=True),
        Column("Severity", fixed=True),
        Column("Title"),
        Column("Table", below=True),
        Column("Source", below=True),
    )
    rows = tuple(
        (
            Words(each.id, Style.STRONG),
            Words(
                " or ".join(dict.fromkeys(severity_word(book, s) for s, _ in each.severities)),
                styled(each.severities[0][0]),
            ),
            Words(each.title),
            Words(shown_name(each.variable.table), Style.FAINT),
            Words(each.source, Style.WARNING if is_inferred(each) else Style.FAINT),
        )
        for each in book.rules
    )
    inferred = sum(map(is_inferred, book.rules))
    count = f"{len(rows)} rule{'' if len(rows) == 1 else 's'}"
    says = (
        f", {inferred} of them inferred in whole or in part: their source says how"
        if inferred
        else ""
    )
    page: list[Line | Grid] = [line(Words(book.name, Style.STRONG), f"  {book.title}")]
    page += [GAP, Grid(_parameter_columns(), _parameters(book))] if _parameters(book) else []
    page += [GAP, Grid(columns, rows)] if rows else []
    return [*page, GAP, line(f"{count}{says}.")]


def _parameter_columns() -> tuple[Column, ...]:
    return (
        Column("Parameter", fixed=True),
        Column("Type", fixed=True),
        Column("Default", fixed=True),
        Column("Meaning"),
    )


def _parameters(book: Rulebook) -> tuple[tuple[Words, ...], ...]:
    return tuple(
        (
            Words(each.name, Style.STRONG),
            Words(type_name(each.type)),
            Words("none" if each.default is None else str(each.default), Style.FAINT),
            Words(each.doc),
        )
        for each in book.parameters.values()
        if each.name != AS_OF
    )


# ── rulebooks ──────────────────────────────────────────────────────────────────────────────────


def _loaded(name: str, roots: Sequence[str]) -> tuple[str, Rulebook | None]:
    try:
        return name, load(name, roots)
    except RulebookError:
        return name, None


def _books_table(books: Sequence[tuple[str, Rulebook | None]]) -> pl.DataFrame:
    rows = [
        (name, None, None, None)
        if book is None
        else (name, book.title, book.source, len(book.rules))
        for name, book in books
    ]
    schema = {
        "rulebook": pl.String(),
        "title": pl.String(),
        "source": pl.String(),
        "rules": pl.Int64(),
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _books_page(books: Sequence[tuple[str, Rulebook | None]]) -> list[Line | Grid]:
    columns = (
        Column("Rulebook", fixed=True),
        Column("Rules", right=True, fixed=True),
        Column("Title"),
    )
    rows = tuple(
        (
            Words(name, Style.STRONG),
            Words("?", Style.ERROR),
            Words("has errors; `ruleforge rules NAME` lists them"),
        )
        if book is None
        else (Words(name, Style.STRONG), Words(f"{len(book.rules)}"), Words(book.title))
        for name, book in books
    )
    return [Grid(columns, rows)]


def _write(table: pl.DataFrame, name: str, outputs: Sequence[Output]) -> None:
    try:
        with Staging() as staging:
            for output in outputs:
                if output.is_folder:
                    output.path.mkdir(parents=True, exist_ok=True)
                target = output.path / name if output.is_folder else output.path
                write_table(table, staging.file(target), target.suffix.lower())
    except OSError as mistake:
        raise UsageError(
            f"{', '.join(str(o.path) for o in outputs)} cannot be written: {mistake.strerror}"
        ) from None
