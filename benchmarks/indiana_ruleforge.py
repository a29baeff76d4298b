"""Indiana's special education rules with RuleForge: the shipped rulebook, as anybody would run it.

`python indiana_ruleforge.py FOLDER csv|parquet [--count-date D] [--rules-alone]` is run by
`indiana.py`. With `--rules-alone` the tables declare nothing (`required`, `max`, `references`,
`key`), so that only the author's rules are left, and the checks that a cell is of its type.
"""

import datetime as dt
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl

import indiana_contender as contender
import ruleforge as rf
from ruleforge.engine.evaluate import queries_of
from ruleforge.engine.outline import outline, polars_outline


def undeclared(book: rf.Rulebook) -> rf.Rulebook:
    """The rulebook over tables that promise nothing about their rows."""
    tables = {
        name: replace(
            table,
            columns=tuple(
                replace(column, required=False, max_length=None) for column in table.columns
            ),
            links=tuple(replace(link, checked=False) for link in table.links),
            key_declared=False,
        )
        for name, table in book.schema.tables.items()
    }
    return replace(book, schema=replace(book.schema, tables=tables))


def run(folder: Path, kind: str, count_date: dt.date) -> contender.Run:
    """All findings of the nineteen rules; those of the built-in checks are made, and left out here."""
    with contender.stage("load") as stages:
        book = rf.load("indiana.special_education")
        if "--rules-alone" in sys.argv:
            book = undeclared(book)
    files = [folder / f"{name}.{kind}" for name in (*contender.TABLES, "corporation")]
    with contender.stage("read", stages):
        revision = rf.read(book, files)
    parameters = {"school_year": "2023-24", "count_date": count_date}
    as_of = dt.date(2023, 12, 5)
    with contender.stage("evaluate", stages):
        result = rf.evaluate(book, revision, as_of=as_of, parameters=parameters)
        found = result.select("rule", "student")
    peak = contender.peak_bytes()
    with contender.stage("messages", stages):
        written = result.findings
    with contender.stage("plans", stages):
        passes = queries_of(book, revision, as_of=as_of, parameters=parameters)
    assert written.height == found.height
    return contender.Run(
        found.filter(pl.col("rule").str.starts_with("SpecialEducation-")),
        stages,
        peak,
        checks=result.rules.filter(pl.col("status") == "evaluated").height,
        evidence=[(outline(plan), polars_outline(plan, query)) for plan, query in passes],
    )


if __name__ == "__main__":
    contender.main(run)
