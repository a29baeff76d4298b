"""outcome_page: Outcome -> a page that shows what was expected beside what was got"""

from collections.abc import Iterable

from ruleforge.authoring.outcome import Judged, Outcome
from ruleforge.language.core import Expectation, Value
from ruleforge.reporting.page import Column, Grid, Line, Style, Words, line, plain

_MISSING, _GOT, _EXTRA = "missing", "got", "extra"
_STYLES = {_MISSING: Style.ERROR, _GOT: Style.FAINT, _EXTRA: Style.WARNING}
_MOST_ROWS = 50

Cells = dict[str, str]


def outcome_page(outcome: Outcome) -> list[Line | Grid]:
    """The page of a test that has failed: each expectation that nothing meets with what was got in
    its place, and each finding that nothing names. One that has passed is a line.
    """
    test = outcome.test
    if outcome.passed:
        return [line(Words("passed", Style.GOOD), f"  {test.title}")]
    page = [
        line(Words("failed", Style.ERROR), "  ", Words(test.title, Style.STRONG)),
        line(Words(f"at {outcome.path}:{outcome.line}", Style.FAINT), indent=2),
    ]
    rows = list(_rows(outcome))
    blocks: list[Line | Grid] = [*page]
    if rows:
        names = dict.fromkeys(name for _, cells in rows for name in cells)
        order = [name for name in _order(names) if any(cells.get(name) for _, cells in rows)]
        columns = (Column(), *(Column(name, fixed=name != "message") for name in order))
        grid = tuple(
            (Words(kind, _STYLES[kind]), *(Words(cells.get(name, "")) for name in order))
            for kind, cells in rows[:_MOST_ROWS]
        )
        blocks.append(Grid(columns, grid, indent=2))
        if len(rows) > _MOST_ROWS:
            blocks.append(line(f"and {len(rows) - _MOST_ROWS} more", indent=2))
    blocks += [
        line(f"{each.expected.rule} is {each.reason}", indent=2)
        for each in outcome.missing
        if each.reason
    ]
    blocks += [line(each, indent=2) for each in outcome.unjudged]
    blocks += [line(f"the engines disagree: {each}", indent=2) for each in outcome.disagreements]
    return blocks


def outcome_text(outcome: Outcome) -> str:
    """The same as plain text."""
    return plain(outcome_page(outcome))


def _rows(outcome: Outcome) -> Iterable[tuple[str, Cells]]:
    for each in outcome.missing:
        yield _MISSING, _expected(each.expected)
        for judged in each.got:
            yield _GOT, _got(judged, each.expected)
    for judged in outcome.extra:
        yield _EXTRA, _got(judged, None)


def _order(names: Iterable[str]) -> list[str]:
    first, last = ["rule", "line"], ["verdict", "severity", "cause", "message"]
    between = [name for name in names if name not in (*first, *last)]
    return [*first, *between, *last]


def _expected(expected: Expectation) -> Cells:
    cells = {"rule": expected.rule, "line": str(_line(expected))}
    cells |= {name: _shown(value) for name, _, value in expected.row}
    cells["verdict"] = expected.verdict
    cells["severity"] = expected.severity or ""
    cells["cause"] = str(expected.cause or "")
    cells["message"] = expected.message or ""
    return cells


def _line(expected: Expectation) -> int:
    return expected.span.source.line_and_column(expected.span.start)[0]


def _got(judged: Judged, expected: Expectation | None) -> Cells:
    """What was got, by the names that the expectation has, or by all by which the row is known."""
    if expected is not None and expected.row:
        row = {name: judged.known_by.get(column) for name, column, _ in expected.row}
    else:
        row = dict(judged.known_by)
    cells = {"rule": judged.rule} | {name: _shown(value) for name, value in row.items()}
    cells["verdict"] = judged.verdict
    if judged.message is not None:
        cells["severity"] = judged.severity
        cells["cause"] = str(judged.cause or "")
        cells["message"] = judged.message
    return cells


def _shown(value: Value | None) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)
