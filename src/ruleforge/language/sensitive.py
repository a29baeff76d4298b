"""sensitive: whether an expression shows what is not to be shown"""

from collections.abc import Mapping

from ruleforge.language import core
from ruleforge.language.schema import Schema


def reads_sensitive(
    expr: core.Expr, schema: Schema, lets: Mapping[str, core.Expr] | None = None
) -> bool:
    """Whether any column that the expression names is sensitive, be it through a `let`.

    A column that a reference goes by is not named: `e.student.grade` shows nothing of `student_id`.
    """
    for node in core.walk(expr):
        if isinstance(node, core.ColumnValue):
            columns = schema.table(core.table_of(node.row)).columns_by_name
            if columns[node.column].sensitive:
                return True
        elif isinstance(node, core.LetValue) and lets and node.name in lets:
            named = reads_sensitive(lets[node.name], schema, lets)
            if named:
                return True
    return False
