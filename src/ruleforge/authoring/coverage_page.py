"""coverage_page: Coverage -> a page, a table for each rule with a line for each of its conditions"""

from collections.abc import Sequence

from ruleforge.authoring.coverage import Condition, Coverage, RuleCoverage, percentage
from ruleforge.reporting.page import GAP, Column, Grid, Line, Style, Words, line

_WIDEST = 70


def coverage_page(coverages: Sequence[Coverage]) -> list[Line | Grid]:
    """How often each condition was seen true, false and unknown; what was never seen true or false
    stands out. Then the rules that have judged no row, and the total.
    """
    page: list[Line | Grid] = []
    for each in coverages:
        page += [line(Words(f"Conditions of {each.rulebook.name}", Style.STRONG)), GAP]
        for rule in each.rules:
            page += [_head(rule), _conditions(rule), GAP]
        if each.never_judged:
            page += [line(f"No test has a row for {', '.join(each.never_judged)}."), GAP]
    rules = [rule for each in coverages for rule in each.rules]
    covered, possible = sum(r.covered for r in rules), sum(r.possible for r in rules)
    total = f"{percentage(coverages):.1f} %"
    page.append(
        line(
            Words(f"Coverage: {total}", Style.STRONG),
            f" ({covered} of {possible}: each condition seen true, and seen false)",
        )
    )
    return page


def _head(rule: RuleCoverage) -> Line:
    style = Style.GOOD if rule.covered == rule.possible else Style.WARNING
    return line(
        Words(rule.rule.id, Style.STRONG), "  ", Words(f"{rule.covered}/{rule.possible}", style)
    )


def _conditions(rule: RuleCoverage) -> Grid:
    columns = (
        Column(fixed=True),
        Column("true", right=True, fixed=True),
        Column("false", right=True, fixed=True),
        Column("unknown", right=True, fixed=True),
        Column("line", right=True, fixed=True),
        Column("condition"),
    )
    return Grid(columns, tuple(_row(each) for each in rule.conditions), indent=2)


def _row(condition: Condition) -> tuple[Words, ...]:
    text = condition.text
    return (
        Words(condition.clause, Style.FAINT),
        *(_count(condition.seen[value]) for value in (True, False)),
        Words(str(condition.seen[None]), Style.FAINT),
        Words(str(condition.line), Style.FAINT),
        Words(text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"),
    )


def _count(number: int) -> Words:
    return Words(str(number) if number else "never", Style.PLAIN if number else Style.ERROR)
