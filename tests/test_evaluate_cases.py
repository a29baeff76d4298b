"""The cases of evaluation: tables, and the verdict on every row, by both engines."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from ruleforge.engine.admit import bad, raw
from ruleforge.engine.built_in import built_in_rules
from ruleforge.engine.evaluate import evaluate
from ruleforge.engine.parameters import school_year_of
from ruleforge.engine.reference_backend import Row, judge
from ruleforge.engine.result import Result
from ruleforge.engine.revision import Revision
from ruleforge.language import core
from ruleforge.language.load import load_text
from ruleforge.language.schema import CodeSet, Schema, SchoolYear, Table
from ruleforge.language.types import (
    BooleanType,
    CodeType,
    DateType,
    DecimalType,
    IntegerType,
    SchoolYearType,
    ValueType,
)

FILES = sorted((Path(__file__).parent / "cases" / "evaluate").glob("*.case"))
HEADER = "rulebook case edition 1\n"
Verdicts = dict[
    int, tuple[str, int]
]  # by row, from 0: the verdict and the cause, 0 where there is none


@dataclass
class Case:
    rulebook: core.Rulebook
    parameters: dict[str, str] = field(default_factory=dict)
    tables: dict[str, list[dict[str, str | None]]] = field(default_factory=dict)
    expected: list[list[str]] = field(default_factory=list)

    @property
    def as_of(self) -> dt.date:
        return dt.date.fromisoformat(self.parameters.get("as_of", "2023-12-05"))

    def row(self, table: str, key: str) -> int:
        if key.startswith("#"):
            return int(key[1:]) - 1
        keys = [next(iter(row.values())) for row in self.tables[table]]
        assert keys.count(key) == 1, f"`{key}` is no row of `{table}`, or several"
        return keys.index(key)

    def verdicts(
        self, rule: str, table: str, number: int
    ) -> tuple[Verdicts, tuple[str, int] | None]:
        """What is expected of the rows of a rule, and of all rows that are not listed."""
        listed: Verdicts = {}
        others = None
        for name, key, verdict, *cause in self.expected:
            if name != rule or verdict.startswith(("severity ", "not evaluated", "does not apply")):
                continue
            claim = int(cause[0]) if cause and cause[0] else int(verdict == "fails")
            if key == "*":
                others = (verdict, claim)
            else:
                listed[self.row(table, key)] = (verdict, claim)
        if others is not None:
            listed = dict.fromkeys(range(number), others) | listed
        return {row: each for row, each in listed.items() if each[0] != "not judged"}, others


def read_case(text: str) -> Case:
    parts = re.split(r"^--- (.+)\n", text, flags=re.MULTILINE)
    sections = list(zip(parts[1::2], parts[2::2], strict=True))
    rulebook = next(body for name, body in sections if name == "rulebook")
    if not rulebook.lstrip().startswith("rulebook"):
        rulebook = HEADER + rulebook
    case = Case(load_text(rulebook))
    for name, body in sections:
        lines = [line for line in body.splitlines() if line.strip() and not line.startswith("#")]
        if name == "parameters":
            case.parameters |= {
                k.strip(): v.strip() for k, _, v in (x.partition("=") for x in lines)
            }
        elif name.startswith("table "):
            header, *rows = [cells(line) for line in lines]
            case.tables[name.removeprefix("table ")] = [
                {column: cell or None for column, cell in zip(header, row, strict=True)}
                for row in rows
            ]
        elif name == "expect":
            case.expected = [cells(line) for line in lines if "verdict" not in line]
    return case


def cells(line: str) -> list[str]:
    return [cell.strip().replace("_BLANK_", " ") for cell in line.strip().strip("|").split("|")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    case = read_case(path.read_text(encoding="utf-8"))
    given = {name: value for name, value in case.parameters.items() if name != "as_of"}
    columns = {t.name: list(t.columns_by_name) for t in case.rulebook.schema.tables.values()}
    frames = {
        name: pl.DataFrame(
            rows, schema=dict.fromkeys(rows[0] if rows else columns[name], pl.String), orient="row"
        )
        for name, rows in case.tables.items()
    }
    result = evaluate(case.rulebook, Revision("case", frames), as_of=case.as_of, parameters=given)
    rules = rules_of(case, result)
    named = {row[0] for row in case.expected}
    assert {rule.id for rule in case.rulebook.rules} <= named, "a rule has no expectation"
    reference = reference_tables(case)
    for name in named:
        check_rule(case, result, rules, reference, name)


def check_rule(
    case: Case,
    result: Result,
    rules: Mapping[str, core.Rule],
    reference: Mapping[str, list[Row]],
    name: str,
) -> None:
    row = result.rules.row(by_predicate=pl.col("rule") == name, named=True)
    whole = [verdict for rule, key, verdict, *_ in case.expected if rule == name and key == "*"]
    for verdict in whole:
        if verdict.startswith("severity "):
            assert row["severity"] == verdict.removeprefix("severity "), name
        elif verdict in ("not evaluated", "does not apply"):
            assert row["status"] == verdict, (name, row["reason"])
    if row["status"] != "evaluated":
        assert whole and row["status"] in whole, (name, row["status"], row["reason"])
        return
    rule = rules[name]
    table = rule.variable.table
    expected, _ = case.verdicts(name, table, len(case.tables[table]))
    judged = judge(rule, case.rulebook.schema, reference, result.parameters)
    by_reference = {each.row_index: (each.verdict.value, each.cause or 0) for each in judged}
    assert by_reference == expected, f"{name} by the reference backend"
    counts = Counter(verdict for verdict, _ in expected.values())
    by_polars = {
        v: row[v.replace(" ", "_")] for v in ("holds", "fails", "unknown", "not applicable")
    }
    assert by_polars == {verdict: counts[verdict] for verdict in by_polars}, f"{name} by Polars"
    hits = next(each.frame for each in result.hits if each.rule.id == name)
    failing = {index: cause for index, (verdict, cause) in expected.items() if verdict == "fails"}
    assert dict(hits.select("#row", "cause").iter_rows()) == failing, f"{name} by Polars"


def rules_of(case: Case, result: Result) -> dict[str, core.Rule]:
    year = result.parameters.get("school_year")
    school_year = year if isinstance(year, SchoolYear) else None
    declared = [
        rule
        for table in result.tables.values()
        for rule in built_in_rules(table, case.rulebook.schema, school_year)
    ]
    return {rule.id: rule for rule in (*case.rulebook.rules, *declared)}


# ── values for the reference backend ───────────────────────────────────────────────────────────


def reference_tables(case: Case) -> dict[str, list[Row]]:
    schema = case.rulebook.schema
    return {
        name: [reference_row(row, schema.tables[name], schema) for row in rows]
        for name, rows in case.tables.items()
    }


def reference_row(row: Mapping[str, str | None], table: Table, schema: Schema) -> Row:
    result: Row = {}
    for name, cell in row.items():
        column = table.columns_by_name[name]
        text = cell if cell and cell.strip() else None
        value = None if text is None else value_of(text, column.type, schema, column.by_label)
        result[name] = value
        result[bad(name)] = text is not None and value is None
        result[raw(name)] = text
    return result


def value_of(text: str, value_type: ValueType, schema: Schema, by_label: bool) -> core.Value | None:
    try:
        match value_type:
            case DateType():
                return dt.date.fromisoformat(text)
            case IntegerType():
                return int(text)
            case DecimalType():
                return Decimal(text)
            case BooleanType():
                return {"true": True, "false": False}.get(text)
            case SchoolYearType():
                return school_year_of(text)
            case CodeType(name):
                return code_of(text, schema.code_sets[name], by_label)
            case _:
                return text
    except (ValueError, ArithmeticError):
        return None


def code_of(text: str, code_set: CodeSet, by_label: bool) -> str | None:
    for code in code_set.codes:
        if text in (code.code, *code.also) or (by_label and text == code.label):
            return code.code
    return None
