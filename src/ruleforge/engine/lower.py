"""lower: core -> plan

Each rule becomes one row-shaped question: a verdict for every row of its table, no more and no
fewer, so that any number of rules can share one pass over the data. A view becomes the rows that it
is made of, and what is done with them. Lowering cannot fail: whatever could be wrong was refused by
`check`.
"""

from collections.abc import Iterable, Sequence
from itertools import count

from ruleforge.engine import plan as pl
from ruleforge.engine.frame import Columns, Frame, with_lets
from ruleforge.language import core
from ruleforge.language.schema import Schema


def lower(rules: Sequence[core.Rule], schema: Schema) -> tuple[pl.TablePlan, ...]:
    """One plan for each table that the rules judge, in the order in which the rules first name it."""
    by_table: dict[str, list[core.Rule]] = {}
    for rule in rules:
        by_table.setdefault(rule.variable.table, []).append(rule)
    return tuple(_table_plan(table, each, schema) for table, each in by_table.items())


def lower_values(rule: core.Rule, values: Sequence[core.Expr], schema: Schema) -> pl.Extract:
    """The plan that reads values (of a rule's message, say) for rows of its table."""
    frame = Frame.of_table(rule.variable, schema, count())
    lets = frame.lets(rule)
    lowered = tuple(frame.lower(with_lets(value, lets)) for value in values)
    return pl.Extract(rule.variable.table, frame.pipeline(), lowered)


def lower_counterparts(
    rule: core.Rule, values: Sequence[core.Expr], schema: Schema
) -> pl.PairExtract:
    """The plan that reads values for each row of a rule beside each of its counterparts."""
    assert rule.against is not None
    frame = Frame.of_table(rule.variable, schema, count())
    lets = frame.lets(rule)
    where = rule.against.where
    condition = None if where is None else with_lets(where, lets)
    pairs, beside = frame.beside(rule.against.variable, condition)
    frame.number(rule.variable)
    own, other = pairs.number(rule.variable), pairs.number(rule.against.variable)
    lowered = tuple(pairs.lower(with_lets(value, lets)) for value in values)
    return pl.PairExtract(beside.finished(), own.name, other.name, lowered)


def _table_plan(table: str, rules: Sequence[core.Rule], schema: Schema) -> pl.TablePlan:
    frame = Frame.of_table(rules[0].variable, schema, count())
    plans = []
    for rule in rules:
        where = frame.lower(rule.where) if rule.where is not None else None
        lets = frame.lets(rule)
        when = frame.lower(with_lets(rule.when, lets)) if rule.when is not None else None
        claims = tuple(frame.lower(with_lets(claim.condition, lets)) for claim in rule.claims)
        plans.append(pl.RulePlan(rule, where, when, claims))
    return pl.TablePlan(table, frame.pipeline(), tuple(plans))


# ── views ──────────────────────────────────────────────────────────────────────────────────────


def lower_view(
    view: core.View, columns: Iterable[str], schema: Schema, passed: Sequence[str] = ()
) -> pl.ViewPlan:
    """The plan that makes some columns of a view; those that it keeps rows by are made anyway.
    `passed` are columns of its first table that are no columns of the schema.
    """
    numbers = count()
    rows = Frame.of_table(view.variable, schema, numbers)
    frame, beside = rows, None
    if view.joined is not None:
        frame, beside = rows.beside(view.joined, view.on)
    order = [frame.number(view.variable).name]
    if view.joined is not None:
        order.append(frame.number(view.joined).name)
    if view.where is not None:
        frame.steps.append(pl.Keep(frame.lower(view.where)))
    wanted = needed(view, columns)
    if view.group is None:
        values = tuple((n, frame.lower(value)) for n, value in view.columns if n in wanted)
        values += tuple((name, frame.hidden(view.variable, name)) for name in passed)
        source = frame.pipeline() if beside is None else beside.finished()
        return pl.ViewPlan(view, source, tuple(order), None, values)
    by = tuple((name, frame.lower(value)) for name, value in view.group.by)
    named = {name for value in _values(view, wanted) for name in _lets(value)}
    figures = tuple(_figure(frame, view, each) for each in view.group.figures if each.name in named)
    source = frame.pipeline() if beside is None else beside.finished()
    group = Frame(schema, numbers, Columns(f"g{next(numbers)}", view.table.name), 0)
    values = tuple((n, group.lower(value)) for n, value in view.columns if n in wanted)
    steps = group.finished_steps()
    return pl.ViewPlan(view, source, tuple(order), pl.Grouping(by, figures, steps), values)


def needed(view: core.View, columns: Iterable[str]) -> set[str]:
    """The columns of a view that are to be made: those that are read, and what tells its rows apart
    where only some are kept; of these, those that it has.
    """
    wanted = set(columns) | set(view.table.key)
    if view.keep is not None:
        wanted |= {view.keep.by, *view.keep.per, *view.table.columns_by_name}
    return wanted & {name for name, _ in view.columns}


def _values(view: core.View, wanted: set[str]) -> list[core.Expr]:
    return [value for name, value in view.columns if name in wanted]


def _lets(expr: core.Expr) -> list[str]:
    return [node.name for node in core.walk(expr) if isinstance(node, core.LetValue)]


def _figure(frame: Frame, view: core.View, figure: core.Figure) -> pl.GroupFigure:
    ties: list[str] = []
    if figure.picked is not None:
        for row in (view.variable, *([view.joined] if view.joined else [])):
            ties += frame.whole_row(row)

    def lowered(part: core.Expr | None) -> core.Expr | None:
        return None if part is None else frame.lower(part)

    return pl.GroupFigure(
        figure.name,
        figure.kind,
        lowered(figure.where),
        lowered(figure.value),
        lowered(figure.picked),
        figure.type,
        tuple(ties),
    )
