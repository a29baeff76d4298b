"""explain_view: a row of a view -> the rows it is made of; a row that is in no view -> what left it
out
"""

from ruleforge.engine.explain_expression import Explainer, Sight
from ruleforge.engine.explanation import Clause, RowSeen, RowsSeen
from ruleforge.engine.reference_backend import Row
from ruleforge.language import core
from ruleforge.language.core import Value


def left_out_by(view: core.View, explainer: Explainer) -> tuple[str, tuple[Clause, ...]]:
    """Why the explainer's row, of the first table of a view, is not in the view, as a reason and as
    the clause that was looked at. The view neither groups nor joins rows.
    """
    schema = explainer.schema
    table = schema.table(view.variable.table).shown
    is_scope = bool(view.table.label)
    word = "scope" if is_scope else f"where of {view.table.shown}"
    clauses: tuple[Clause, ...] = ()
    if view.where is not None:
        out = not explainer.is_true(view.where, explainer.rows)
        step = explainer.clause(view.where, explainer.rows, decided=out, public=False)
        clauses = (Clause(word, step),)
        if out and is_scope:
            return f"a scope leaves this row of `{table}` out", clauses
        if out:
            return f"this row of `{table}` is not in the view `{view.table.shown}`", clauses
    assert view.keep is not None
    kept = "the latest" if view.keep.latest else "the earliest"
    value = explainer.value(dict(view.columns)[view.keep.by], explainer.rows)
    why = "it has no value to go by" if value is None else "another row is the one that is kept"
    out_of = f"this row of `{table}` is not in the view `{view.table.shown}`"
    return f"{out_of}, which keeps {kept} of several: {why}", clauses


def made_of(sight: Sight, table: str, row: Row) -> RowsSeen | None:
    """The rows behind a row of a view that groups the rows of one table. None for any other row,
    and where they cannot be found by a column that the view groups by, or are not to be shown.
    """
    view = sight.views.get(table)
    if view is None or view.group is None or view.joined is not None:
        return None
    values = _group_of(view, row)
    if values is None:
        return None
    wanted: dict[str, Value] = {}
    for expr, value in values:
        if isinstance(expr, core.ColumnValue) and expr.row == view.variable and value is not None:
            wanted[expr.column] = value
    conditions = [expr for expr, _ in values]
    conditions += [] if view.where is None else [view.where]
    source = view.variable.table
    if not wanted:
        return None
    members: list[Explainer] = []
    for candidate in sight.linked.of(source, wanted):
        explainer = Explainer.of_view(sight, view, candidate)
        if any(explainer.withholds(each) for each in conditions):
            return None
        rows = explainer.rows
        agrees = all(explainer.value(expr, rows) == value for expr, value in values)
        if agrees and explainer.is_true(view.where, rows):
            members.append(explainer)
    return RowsSeen(
        sight.schema.table(source).shown,
        linked=True,
        looked_at=len(members),
        matching=len(members),
        rows=tuple(_member(view, each) for each in members[: sight.most_rows]),
    )


def _group_of(view: core.View, row: Row) -> list[tuple[core.Expr, Value | None]] | None:
    """What a view groups by, and the values that its row has of it; None where the row does not say."""
    assert view.group is not None
    by_name = {
        value.name: column for column, value in view.columns if isinstance(value, core.LetValue)
    }
    found = []
    for name, expr in view.group.by:
        if by_name.get(name) not in row:
            return None
        found.append((expr, row[by_name[name]]))
    return found


def _member(view: core.View, explainer: Explainer) -> RowSeen:
    row = explainer.rows[0]
    assert row is not None
    place = explainer.place(view.variable.table, row)
    cells = explainer.cells_read(core.parts_of(view), view.variable.depth, explainer.rows)
    return RowSeen(place, matches=True, values=tuple(cells))
