"""The cases of evaluation: tables, and what is said of every row, by both engines."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path

import polars as pl
import pytest

from ruleforge.engine.admit import bad, raw
from ruleforge.engine.built_in import built_in_rules
from ruleforge.engine.evaluate import evaluate
from ruleforge.engine.outlook import EVALUATED
from ruleforge.engine.parameters import school_year_of
from ruleforge.engine.reference_backend import Evaluator, Judgement, Row, judge
from ruleforge.engine.reference_functions import shown
from ruleforge.engine.reference_host import plain_functions
from ruleforge.engine.reference_judge import (
    counterparts,
    figures_of,
    judge_all,
    message_of,
    reported_by,
    units_of,
)
from ruleforge.engine.reference_views import with_views
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
Listing = tuple[list[str], list[list[str]]]  # a header and its rows

# What the host of these cases brings; a case takes those that it declares.
HOST: dict[str, Callable[..., pl.Series]] = {
    "doubled": lambda n: n * 2,
    "initial": lambda text: text.str.head(1),
    "half": lambda n: n / 2,
    "blank_if_short": lambda text: pl.Series(each if len(each) > 3 else " " for each in text),
    "kind_of": lambda text: text.str.to_uppercase(),
}


@dataclass
class Case:
    rulebook: core.Rulebook
    parameters: dict[str, str] = field(default_factory=dict)
    tables: dict[str, list[dict[str, str | None]]] = field(default_factory=dict)
    expected: list[list[str]] = field(default_factory=list)
    views: dict[str, Listing] = field(default_factory=dict)
    findings: list[Listing] = field(default_factory=list)
    populations: dict[str, Listing] = field(default_factory=dict)
    reports: dict[str, Listing] = field(default_factory=dict)

    @property
    def as_of(self) -> dt.date:
        return dt.date.fromisoformat(self.parameters.get("as_of", "2023-12-05"))

    @property
    def functions(self) -> dict[str, Callable[..., pl.Series]]:
        return {name: HOST[name] for name in self.rulebook.functions}

    @property
    def revision(self) -> Revision:
        tables: dict[str, pl.DataFrame] = {}
        datasets: dict[str, dict[str, pl.DataFrame]] = {}
        for full, rows in self.tables.items():
            dataset, _, name = full.rpartition(".")
            columns = list(self.rulebook.schema.table(full).columns_by_name)
            frame = pl.DataFrame(
                rows, schema=dict.fromkeys(rows[0] if rows else columns, pl.String), orient="row"
            )
            (datasets.setdefault(dataset, {}) if dataset else tables)[name] = frame
        return Revision("case", tables, datasets)


def read_case(text: str) -> Case:
    parts = re.split(r"^--- (.+)\n", text, flags=re.MULTILINE)
    sections = list(zip(parts[1::2], parts[2::2], strict=True))
    rulebook = next(body for name, body in sections if name == "rulebook")
    if not rulebook.lstrip().startswith("rulebook"):
        rulebook = HEADER + rulebook
    listings: dict[str, dict[str, Listing]] = {"view": {}, "population": {}, "report": {}}
    case = Case(load_text(rulebook))
    for name, body in sections:
        lines = [line for line in body.splitlines() if line.strip() and not line.startswith("#")]
        kind, _, what = name.partition(" ")
        if name == "parameters":
            case.parameters |= {
                k.strip(): v.strip() for k, _, v in (x.partition("=") for x in lines)
            }
        elif kind == "table":
            header, *rows = [cells(line) for line in lines]
            case.tables[what] = [
                {column: cell or None for column, cell in zip(header, row, strict=True)}
                for row in rows
            ]
        elif kind in listings:
            header, *rows = [cells(line) for line in lines]
            listings[kind][what] = header, rows
        elif name == "findings":
            header, *rows = [cells(line) for line in lines]
            case.findings.append((header, rows))
        elif name == "expect":
            case.expected = [cells(line) for line in lines if "verdict" not in line]
        else:
            assert name == "rulebook", f"no section is called `{name}`"
    case.views, case.populations = listings["view"], listings["population"]
    case.reports = listings["report"]
    if case.views:
        case.rulebook = load_text(rulebook + rules_of_views(case.views))
    return case


def rules_of_views(views: Mapping[str, Listing]) -> str:
    """A rule for each view that says what its rows hold."""
    return "".join(
        f"\nrule View-{name} informational for v in {name} report when v.{header[0]} is present"
        f" or v.{header[0]} is missing"
        f' message "{" | ".join(f"{{v.{column}}}" for column in header)}"'
        for name, (header, _) in views.items()
    )


def cells(line: str) -> list[str]:
    return [cell.strip().replace("_BLANK_", " ") for cell in line.strip().strip("|").split("|")]


@dataclass
class Judged:
    """A case and what both engines make of it."""

    case: Case
    result: Result

    @cached_property
    def tables(self) -> dict[str, Sequence[Row]]:
        """The tables and views as the reference has them."""
        own = reference_tables(self.case)
        return with_views(self.case.rulebook, own, self.result.parameters, self.case.functions)

    @cached_property
    def by_reference(self) -> dict[str, list[Judgement]]:
        """The judgements of each rule that is evaluated, the built-in ones too."""
        book, schema = self.case.rulebook, self.case.rulebook.schema
        found = judge_all(book, self.tables, self.result.parameters, self.case.functions)
        for name, rule in self.built_in.items():
            if name in self.evaluated:
                found[name] = judge(rule, schema, self.tables, self.result.parameters)
        return found

    @cached_property
    def evaluated(self) -> set[str]:
        return set(self.result.rules.filter(pl.col("status") == EVALUATED)["rule"])

    @cached_property
    def built_in(self) -> dict[str, core.Rule]:
        year = self.result.parameters.get("school_year")
        schema = self.case.rulebook.schema
        return {
            rule.id: rule
            for name, table in self.result.tables.items()
            if name in schema.tables
            for rule in built_in_rules(
                table, schema, year if isinstance(year, SchoolYear) else None
            )
        }

    @cached_property
    def rules(self) -> dict[str, core.Rule]:
        return {rule.id: rule for rule in self.case.rulebook.rules} | self.built_in

    def row(self, table: str, key: str) -> int:
        if key.startswith("#"):
            return int(key[1:]) - 1
        firsts = [next(iter(row.values())) for row in self.tables[table]]
        keys = ["" if first is None else shown(first) for first in firsts]
        assert keys.count(key) == 1, f"`{key}` is no row of `{table}`, or several"
        return keys.index(key)

    def verdicts(self, rule: str) -> Verdicts:
        """What is expected of the rows of a rule."""
        table = self.rules[rule].variable.table
        listed: Verdicts = {}
        others = None
        for name, key, verdict, *cause in self.case.expected:
            if name != rule or verdict.startswith(("severity ", "not evaluated", "does not apply")):
                continue
            claim = int(cause[0]) if cause and cause[0] else int(verdict == "fails")
            if key == "*":
                others = (verdict, claim)
            else:
                listed[self.row(table, key)] = (verdict, claim)
        if others is not None:
            listed = dict.fromkeys(range(len(self.tables[table])), others) | listed
        return {row: each for row, each in listed.items() if each[0] != "not judged"}

    def finding(self, rule: str, row: int) -> dict[str, object]:
        """What Polars' engine says of a row that a rule reports."""
        hits = next(each for each in self.result.hits if each.rule.id == rule)
        place = hits.frame["#row"].to_list().index(row)
        return self.result.findings.filter(pl.col("rule") == rule).row(place, named=True)

    def evaluator(self, rule: core.Rule, row: int) -> Evaluator:
        book = self.case.rulebook
        plain = plain_functions(book, self.case.functions)
        own = self.tables[rule.variable.table][row]
        values = self.result.parameters
        return Evaluator.of_row(rule, book.schema, self.tables, values, own, plain)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    case = read_case(path.read_text(encoding="utf-8"))
    given = {name: value for name, value in case.parameters.items() if name != "as_of"}
    result = evaluate(
        case.rulebook,
        case.revision,
        as_of=case.as_of,
        parameters=given,
        functions=case.functions,
    )
    judged = Judged(case, result)
    named = {row[0] for row in case.expected}
    unnamed = {rule.id for rule in case.rulebook.rules} - {f"View-{name}" for name in case.views}
    assert unnamed <= named, "a rule has no expectation"
    for name in named:
        check_rule(judged, name)
    for name in case.views:
        check_view(judged, name)
    for header, rows in case.findings:
        check_findings(judged, header, rows)
    for name, listing in case.populations.items():
        check_population(judged, name, *listing)
    for name, listing in case.reports.items():
        check_report(judged, name, *listing)
    assert set(case.populations) | set(case.reports) >= {
        each.name for each in (*case.rulebook.populations, *case.rulebook.reports)
    }, "a population or report has no expectation"


def check_rule(judged: Judged, name: str) -> None:
    row = judged.result.rules.row(by_predicate=pl.col("rule") == name, named=True)
    whole = [
        verdict for rule, key, verdict, *_ in judged.case.expected if rule == name and key == "*"
    ]
    for verdict in whole:
        if verdict.startswith("severity "):
            assert row["severity"] == verdict.removeprefix("severity "), name
        elif verdict in ("not evaluated", "does not apply"):
            assert row["status"] == verdict, (name, row["reason"])
    if row["status"] != EVALUATED:
        assert whole and row["status"] in whole, (name, row["status"], row["reason"])
        assert name not in judged.by_reference, name
        return
    expected = judged.verdicts(name)
    by_reference = {
        each.row_index: ("taken" if each.taken else each.verdict.value, each.cause or 0)
        for each in judged.by_reference[name]
    }
    assert by_reference == expected, f"{name} by the reference backend"
    counts = Counter(verdict for verdict, _ in expected.values())
    counts["not applicable"] += counts["taken"]
    by_polars = {
        v: row[v.replace(" ", "_")]
        for v in ("holds", "fails", "unknown", "not applicable", "taken")
    }
    assert by_polars == {verdict: counts[verdict] for verdict in by_polars}, f"{name} by Polars"
    hits = next(each.frame for each in judged.result.hits if each.rule.id == name)
    failing = {index: cause for index, (verdict, cause) in expected.items() if verdict == "fails"}
    assert dict(hits.select("#row", "cause").iter_rows()) == failing, f"{name} by Polars"


def check_view(judged: Judged, name: str) -> None:
    """Every row of a view, in any order."""
    _, rows = judged.case.views[name]
    wanted = sorted(" | ".join(cell or "(missing)" for cell in row) for row in rows)
    rule = judged.rules[f"View-{name}"]
    found = judged.result.findings.filter(pl.col("rule") == rule.id)["message"]
    assert sorted(found) == wanted, f"{name} by Polars"
    numbers = range(len(judged.tables[name]))
    said = [message_of(rule, 1, judged.evaluator(rule, number)) for number in numbers]
    assert sorted(said) == wanted, f"{name} by the reference backend"


def check_findings(judged: Judged, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """What findings say, and the keys of their counterparts."""
    for row in rows:
        wanted = dict(zip(header, row, strict=True))
        rule = judged.rules[wanted.pop("rule")]
        number = judged.row(rule.variable.table, wanted.pop("key"))
        finding, evaluator = judged.finding(rule.id, number), judged.evaluator(rule, number)
        cause = finding["cause"]
        assert isinstance(cause, int)
        against = counterparts(rule, evaluator)
        by_reference = {
            "message": message_of(rule, cause, evaluator),
            "count": str(len(against)),
            "counterparts": "",
        }
        by_polars = {
            "message": finding["message"],
            "count": str(finding["counterpart_count"]),
            "counterparts": "",
        }
        if rule.against is not None:
            table = judged.case.rulebook.schema.table(rule.against.variable.table)
            named = finding["counterparts"]
            assert isinstance(named, list)
            assert {each["table"] for each in named} == {table.shown}
            by_reference["counterparts"] = ", ".join(key_of(table, each) for each in against[:100])
            by_polars["counterparts"] = ", ".join(key_of(table, each["key"]) for each in named)
        for what, text in wanted.items():
            assert by_polars[what] == text, f"{rule.id}, {what} by Polars"
            assert by_reference[what] == text, f"{rule.id}, {what} by the reference backend"


def key_of(table: Table, row: Mapping[str, object]) -> str:
    return "/".join("" if row[name] is None else str(row[name]) for name in table.key)


def check_population(
    judged: Judged, name: str, header: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    book = judged.case.rulebook
    population = next(each for each in book.populations if each.name == name)
    assert list(header) == [*population.roles, "counted", "severity", "rules"]
    frame = judged.result.populations[name]
    by_polars = [
        [*(each or "" for each in units), "yes" if counted else "no", severity or "", ", ".join(by)]
        for *units, counted, severity, by in frame.iter_rows()
    ]
    assert by_polars == rows, f"{name} by Polars"
    severities = dict(judged.result.rules.select("rule", "severity").iter_rows())
    found = [
        each
        for rule in judged.rules.values()
        if rule.id in judged.by_reference
        for each in reported_by(
            rule,
            core.Severity(severities[rule.id]),
            judged.by_reference[rule.id],
            book.schema,
            judged.tables,
        )
    ]
    units = units_of(
        population,
        found,
        book.schema,
        judged.tables,
        judged.result.parameters,
        plain_functions(book, judged.case.functions),
    )
    assert units is not None
    by_reference = [
        [
            *(role or "" for role in unit.roles),
            "yes" if unit.counted else "no",
            unit.severity or "",
            ", ".join(unit.rules),
        ]
        for unit in units
    ]
    assert by_reference == rows, f"{name} by the reference backend"


def check_report(
    judged: Judged, name: str, header: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    book = judged.case.rulebook
    report = next(each for each in book.reports if each.name == name)
    assert list(header) == [column.name for column in report.view.table.columns]
    by_polars = [[text_of(cell) for cell in row] for row in judged.result.reports[name].iter_rows()]
    assert by_polars == rows, f"{name} by Polars"
    figures = figures_of(
        report,
        book.schema,
        judged.tables,
        judged.result.parameters,
        plain_functions(book, judged.case.functions),
    )
    assert figures is not None
    by_reference = [
        ["" if row[name] is None else shown(row[name]) for name in header] for row in figures
    ]
    assert by_reference == rows, f"{name} by the reference backend"


def text_of(value: object) -> str:
    """A cell of a frame of figures, as a message would show it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return f"{value.normalize():f}"
        case _:
            return str(value)


# ── values for the reference backend ───────────────────────────────────────────────────────────


def reference_tables(case: Case) -> dict[str, list[Row]]:
    schema = case.rulebook.schema
    return {
        name: [reference_row(row, schema.table(name), schema) for row in rows]
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
