"""summary: Result -> a page for the people who have to put the data right

In this order: what was judged, the rules with their four counts, what could not be judged and why,
the first findings of each rule, what could not be read, and a last line with the totals and what to
do next. Every limit says exactly what it leaves out. Built-in checks that found nothing are
counted, not listed. Severities are shown in the authority's own words.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ruleforge.engine.outlook import DOES_NOT_APPLY, EVALUATED, NOT_EVALUATED
from ruleforge.engine.result import Result
from ruleforge.language.check_messages import named
from ruleforge.language.core import Population, Report, Rulebook, Severity
from ruleforge.language.resolve import AS_OF
from ruleforge.reporting.page import GAP, Column, Grid, Line, Page, Style, Words, line

_Row = Mapping[str, Any]
_ZERO = Words("0", Style.FAINT)
_ROWS_OF_REPORT = 40


def summary(
    result: Result, *, show: int = 5, as_of_note: str = "", written: Sequence[str] = ()
) -> Page:
    """The page about one evaluation, with at most `show` findings of each rule. `as_of_note` says
    where that day comes from; `written` are the places to which all findings went.
    """
    book = result.rulebook
    own = {rule.id for rule in book.rules}
    rows = result.rules.to_dicts()
    mine = [row for row in rows if row["rule"] in own]
    built_in = [row for row in rows if row["rule"] not in own]
    blocks: list[Page] = [_header(result, as_of_note)]
    blocks.append(_rules(book, [row for row in mine if row["status"] == EVALUATED]))
    blocks.append(_built_in(book, built_in))
    for title, status in (("Not evaluated", NOT_EVALUATED), ("Does not apply", DOES_NOT_APPLY)):
        blocks.append(
            _not_judged(
                title,
                *([row for row in some if row["status"] == status] for some in (mine, built_in)),
            )
        )
    if show > 0:
        blocks.append(_findings(result, rows, show))
    blocks.append(_populations(result))
    blocks += [_report(result, report) for report in book.reports]
    blocks.append(_files(result))
    blocks.append(_end(result, mine, built_in, written, show))
    page: list[Line | Grid] = []
    for block in blocks:
        if block:
            page += [*([GAP] if page else []), *block]
    return page


def severity_word(book: Rulebook, severity: Severity) -> str:
    """What the authority calls a severity."""
    return book.severity_words.get(severity, severity.value)


def styled(severity: Severity) -> Style:
    """The style of a severity."""
    return Style[severity.name]


def severity_counts(result: Result) -> dict[Severity, int]:
    """The number of findings of each severity, the gravest first, those of which there are none
    left out.
    """
    counted = dict.fromkeys(Severity, 0)
    for name, fails in result.rules.select("severity", "fails").iter_rows():
        counted[Severity(name)] += fails or 0
    return {severity: number for severity, number in counted.items() if number}


# ── what was judged ────────────────────────────────────────────────────────────────────────────


def _header(result: Result, as_of_note: str) -> Page:
    book, values = result.rulebook, result.parameters
    given = ", ".join(
        f"{name} {'not given' if value is None else value}"
        for name, value in values.items()
        if name != AS_OF
    )
    tables = ", ".join(f"{name} {number:,}" for name, number in result.rows.items())
    facts = {
        "revision": result.revision.name,
        "as of": f"{values[AS_OF]}{f' ({as_of_note})' if as_of_note else ''}",
        "parameters": given,
        "rows": tables or "none",
    }
    cells = tuple((Words(name, Style.FAINT), Words(text)) for name, text in facts.items() if text)
    head = [Words(book.name, Style.STRONG), *([Words(f"  {book.title}")] if book.title else [])]
    return [line(*head), Grid((Column(fixed=True), Column()), cells, indent=2)]


def _rules(book: Rulebook, rows: Sequence[_Row]) -> Page:
    if not rows:
        return []
    titles = {rule.id: rule.title for rule in book.rules}
    columns = (
        Column("Rule", fixed=True),
        Column("Severity", fixed=True),
        *(Column(title, right=True) for title in ("Fails", "Holds", "Unknown", "Not applicable")),
        Column("Title", spare=True),
    )
    page: list[Line | Grid] = [
        Grid(columns, tuple((*_counts(book, row), Words(titles[row["rule"]])) for row in rows))
    ]
    if any(row["unknown"] for row in rows):
        legend = (
            "Unknown: a value that the rule needs is missing."
            " Not applicable: the rule is not about the row."
        )
        page.append(Grid((Column(),), ((Words(legend, Style.FAINT),),)))
    return page


def _counts(book: Rulebook, row: _Row) -> tuple[Words, ...]:
    severity = Severity(row["severity"])
    found = bool(row["fails"])
    undecided = bool(row["unknown"]) and not row["holds"] and not found
    return (
        Words(row["rule"], Style.STRONG if found else Style.PLAIN),
        Words(severity_word(book, severity), styled(severity) if found else Style.FAINT),
        _figure(row["fails"], styled(severity)),
        _figure(row["holds"]),
        _figure(row["unknown"], Style.WARNING if undecided else Style.PLAIN),
        _figure(row["not_applicable"]),
    )


def _figure(number: int, style: Style = Style.PLAIN) -> Words:
    return Words(f"{number:,}", style) if number else _ZERO


def _built_in(book: Rulebook, rows: Sequence[_Row]) -> Page:
    """The built-in checks that found something, and how many did not."""
    judged = [row for row in rows if row["status"] == EVALUATED]
    found = [row for row in judged if row["fails"]]
    quiet = len(judged) - len(found)
    page: list[Line | Grid] = []
    if found:
        columns = (
            Column("Built-in check", fixed=True),
            Column("Severity", fixed=True),
            *(Column(title, right=True) for title in ("Fails", "Holds")),
        )
        page.append(Grid(columns, tuple(_counts(book, row)[:4] for row in found)))
    if quiet:
        other = "other " if found else ""
        page.append(
            line(Words(f"{_number(quiet, f'{other}built-in check')} found nothing.", Style.FAINT))
        )
    return page


def _not_judged(title: str, mine: Sequence[_Row], built_in: Sequence[_Row]) -> Page:
    """What was not judged, rules with the same reason together."""
    rules_by_reason: dict[str, list[str]] = {}
    for row in (*mine, *built_in):
        rules_by_reason.setdefault(row["reason"], []).append(row["rule"])
    if not rules_by_reason:
        return []
    cells = tuple(
        (Words(", ".join(rules)), Words(reason)) for reason, rules in rules_by_reason.items()
    )
    head = line(Words(title, Style.STRONG), f"  {_unjudged(mine, built_in)}")
    return [head, Grid((Column(), Column()), cells, indent=2)]


def _unjudged(mine: Sequence[_Row], built_in: Sequence[_Row]) -> str:
    parts = ((mine, "rule"), (built_in, "built-in check"))
    return " and ".join(_number(len(rows), noun) for rows, noun in parts if rows)


# ── findings ───────────────────────────────────────────────────────────────────────────────────


def _findings(result: Result, rows: Sequence[_Row], show: int) -> Page:
    book = result.rulebook
    about = {rule.id: rule for rule in (*(hits.rule for hits in result.hits), *book.rules)}
    shorten = _Shortener(record.path for record in result.files)
    found_by_rule: dict[str, list[_Row]] = {}
    for each in result.sample(show).to_dicts():
        found_by_rule.setdefault(each["rule"], []).append(each)
    page: list[Line | Grid] = []
    for row in rows:
        if not row["fails"]:
            continue
        rule, severity = about.get(row["rule"]), Severity(row["severity"])
        found = found_by_rule.get(row["rule"], [])
        head = [
            Words(row["rule"], Style.STRONG),
            Words("  "),
            Words(severity_word(book, severity), styled(severity)),
        ]
        page += [*([GAP] if page else []), line(*head, f"  {_number(row['fails'], 'finding')}")]
        if rule is not None and rule.title:
            page.append(line(rule.title))
        cells = tuple(_finding(result, each, shorten) for each in found)
        columns = (
            Column(fixed=True),
            Column("", below=True),
            Column(),
            Column("", right=False, below=True),
        )
        page.append(Grid(columns, cells, indent=2))
        left = row["fails"] - len(found)
        if left:
            page.append(line(Words(f"… and {left:,} more", Style.FAINT), indent=2))
        if rule is not None and rule.help:
            page.append(
                Grid(
                    (Column(fixed=True), Column()),
                    ((Words("help", Style.FAINT), Words(rule.help)),),
                    indent=2,
                )
            )
    return page


def _finding(result: Result, row: _Row, shorten: "_Shortener") -> tuple[Words, ...]:
    """Who it is about, where the row stands, what is said, and the rest of the row's key."""
    schema = result.rulebook.schema
    table = schema.by_shown_name.get(row["table"] or "")
    columns_by_role = table.roles if table is not None else {}
    roles = [role for role in ("student", "staff", *schema.roles) if row[role] is not None]
    who = roles[0] if roles else None
    key = row["key"] or {}
    rest = [
        f"{name} {value}"
        for name, value in key.items()
        if table is not None
        and name in table.key
        and value is not None
        and (who is None or name != columns_by_role.get(who))
    ]
    place, message = "", row["message"]
    if row["file"] is not None:
        place = shorten(row["file"]) + (f":{row['line']}" if row["line"] is not None else "")
        message = message.replace(row["file"], shorten(row["file"]))
    return (
        Words(f"{who} {row[who]}" if who else row["table"] or "", Style.STRONG),
        Words(place, Style.FAINT),
        Words(message),
        Words(", ".join(rest), Style.FAINT),
    )


# ── populations and reports ────────────────────────────────────────────────────────────────────


def _populations(result: Result) -> Page:
    """How many count, and which rules take out the others."""
    page: list[Line | Grid] = []
    for population in result.rulebook.populations:
        units = result.populations.get(population.name)
        if units is None:
            if reason := result.unmade.get(population.view.table.name):
                page.append(line(Words(population.name, Style.STRONG), f"  not counted: {reason}"))
            continue
        counted = int(units["counted"].sum())
        page.append(
            line(
                Words(population.name, Style.STRONG),
                f"  {counted:,} of {_number(units.height, 'unit')} count",
            )
        )
        out = units.filter(~pl.col("counted")).explode("rules").group_by("rules").len()
        rows = out.sort("len", "rules", descending=[True, False]).rows()
        cells = tuple(
            (Words(f"{number:,}"), Words(f"taken out by {rule}")) for rule, number in rows
        )
        if cells:
            page.append(Grid((Column(right=True), Column()), cells, indent=2))
        unknown = _unjudged_of(result, population)
        if unknown:
            said = f"{_number(unknown, 'rule')} that might take out more could not be evaluated."
            page.append(line(Words(said, Style.WARNING), indent=2))
    return page


def _unjudged_of(result: Result, population: Population) -> int:
    """How many rules of the severities of a population were not evaluated."""
    grave = [severity.value for severity in population.unless]
    own = [rule.id for rule in result.rulebook.rules]
    unjudged = result.rules.filter(
        pl.col("status") == NOT_EVALUATED,
        pl.col("severity").is_in(grave),
        pl.col("rule").is_in(own),
    )
    return unjudged.height


def _report(result: Result, report: Report) -> Page:
    """The first rows of a report."""
    head = [Words(report.title, Style.STRONG)]
    frame = result.reports.get(report.name)
    if frame is None:
        reason = result.unmade.get(report.view.table.name)
        return [line(*head, f"  not made: {reason}")] if reason else []
    columns = tuple(
        Column(name, right=dtype.is_numeric(), fixed=True) for name, dtype in frame.schema.items()
    )
    shown = frame.head(_ROWS_OF_REPORT).with_columns(pl.all().cast(pl.String))
    cells = tuple(
        tuple(Words("(missing)" if value is None else value) for value in row)
        for row in shown.rows()
    )
    page: list[Line | Grid] = [line(*head), Grid(columns, cells, indent=2)]
    left = frame.height - shown.height
    if left:
        page.append(line(Words(f"… and {_number(left, 'row')} more", Style.FAINT), indent=2))
    return page


class _Shortener:
    """Paths from the folder that all of them have in common."""

    def __init__(self, paths: Iterable[str]) -> None:
        folders = {os.path.dirname(path) for path in paths}  # noqa: PTH120 - text in, text out
        try:
            self.common = os.path.commonpath(folders) if folders else ""
        except ValueError:  # relative beside absolute, or two drives
            self.common = ""

    def __call__(self, path: str) -> str:
        if not self.common:
            return path
        return (
            str(Path(path).relative_to(self.common))
            if Path(path).is_relative_to(self.common)
            else path
        )


# ── what could not be read ─────────────────────────────────────────────────────────────────────


def _files(result: Result) -> Page:
    shorten = _Shortener(record.path for record in result.files)
    page: list[Line | Grid] = []
    troubled = [record for record in result.files if record.refused or not record.complete]
    if troubled:
        columns = (
            Column("File", fixed=True),
            *(Column(title, right=True, fixed=True) for title in ("Read", "Kept", "Refused")),
            Column(),
        )
        cells = tuple(
            (
                Words(shorten(record.path)),
                *(
                    Words(f"{n:,}")
                    for n in (record.rows + record.refused, record.rows, record.refused)
                ),
                Words("" if record.complete else "not read to its end", Style.ERROR),
            )
            for record in troubled
        )
        page += [
            line(Words("Lines that are no rows", Style.STRONG)),
            Grid(columns, cells, indent=2),
        ]
    unwanted = [
        shorten(record.path) for record in result.files if not record.tables and record.complete
    ]
    if unwanted:
        page.append(line(Words(f"No table wants {_some(unwanted, 5)}.", Style.FAINT)))
    return page


# ── the end ────────────────────────────────────────────────────────────────────────────────────


def _end(
    result: Result,
    mine: Sequence[_Row],
    built_in: Sequence[_Row],
    written: Sequence[str],
    show: int,
) -> Page:
    counts = severity_counts(result)
    said: list[Words] = []
    for severity, number in counts.items():
        said += [Words(", ")] if said else []
        said.append(Words(_severities(result.rulebook, severity, number), styled(severity)))
    if not said:
        said.append(Words("No findings", Style.GOOD))
    skipped = [[row for row in rows if row["status"] == NOT_EVALUATED] for rows in (mine, built_in)]
    if any(skipped):
        said.append(Words(f"; {_unjudged(*skipped)} not evaluated"))
    unfinished = sum(not record.complete for record in result.files)
    if unfinished:
        said.append(Words(f"; {_number(unfinished, 'file')} not read to the end", Style.ERROR))
    page = [line(*said, ".")]
    total = sum(counts.values())
    if written:
        page.append(line(f"Written: {', '.join(written)}."))
    elif total:
        cut = show > 0 and _is_cut((*mine, *built_in), show)
        more = f" `--show {show * 4}` shows more here." if cut else ""
        page.append(
            line(
                f"`--out findings.csv` writes {'all ' if total > 1 else ''}"
                f"{_number(total, 'finding')}.{more}"
            )
        )
    return [*page, *_remedies(result, [row for rows in skipped for row in rows])]


def _is_cut(rows: Sequence[_Row], show: int) -> bool:
    return any((row["fails"] or 0) > show for row in rows)


def _remedies(result: Result, skipped: Sequence[_Row]) -> list[Line]:
    """What would let more rules be judged."""
    if not skipped:
        return []
    parameters = result.rulebook.parameters
    page = [
        line(
            f"`--set {name}=…` gives the parameter that is missing, {named(parameters[name].type)}."
        )
        for name, value in result.parameters.items()
        if value is None
    ]
    page += [
        line(f"{_option_of(dataset)} gives the dataset that is missing.")
        for dataset in result.rulebook.datasets
        if any(f"the dataset `{dataset}` is not given" in row["reason"] for row in skipped)
    ]
    absent = {
        f"`{table}.{column}`": f"{table}.{column}"
        for table, admitted in result.tables.items()
        if table not in result.rulebook.views
        for column in admitted.unusable
    }
    blank = next(
        (absent[each] for row in skipped for each in absent if each in row["reason"]), None
    )
    headless = any(record.path.casefold().endswith(".xml") for record in result.files)
    if headless and blank is not None:
        page.append(
            line(
                f"`--blank {blank}` says that the data has this column"
                " and that it is blank everywhere."
            )
        )
    return page


def _option_of(dataset: str) -> str:
    """What the shell gives a dataset with."""
    own = dataset in ("prior", "state")
    return f"`--{dataset} DATA`" if own else f"`--dataset {dataset}=DATA`"


def _severities(book: Rulebook, severity: Severity, number: int) -> str:
    word = book.severity_words.get(severity)
    if word is not None or severity is Severity.INFORMATIONAL:
        return f"{number:,} {word or severity.value}"
    return _number(number, severity.value)


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _some(names: Sequence[str], most: int) -> str:
    """The first of some names, and how many more there are."""
    left = len(names) - most
    return ", ".join(names[:most]) + (f" and {left:,} more" if left > 0 else "")
