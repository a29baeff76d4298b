"""notation: core.Expr -> one line, in the words of the language

For people who want to see what became of a rule: definitions are expanded and codes listed, and the
line says so. It reads as an author would write it wherever the language has a way to write it.
"""

import json
from typing import assert_never

from ruleforge.language import core
from ruleforge.language.schema import shown_name

_OR, _AND, _NOT, _TEST, _SUM, _PRODUCT, _SIGN, _ATOM = range(8)


def notation(expr: core.Expr) -> str:
    """The expression on one line, with no more parentheses than it needs."""
    return _text(expr, _OR)


def row_notation(row: core.Row) -> str:
    """The row: `p`, `p.student`, `latest(e in enrollment by e.entry_date)`."""
    match row:
        case core.RowVariable():
            return row.name
        case core.Follow():
            return f"{row_notation(row.row)}.{row.link}"
        case core.Pick():
            word = "latest" if row.latest else "earliest"
            return f"{word}({_through(row.variable)} by {_text(row.by, _TEST)}{_where(row.where)})"
    assert_never(row)


def value_notation(value: core.Value | None) -> str:
    """A value as it is written out: texts and codes quoted, dates and school years bare."""
    match value:
        case None:
            return "missing"
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)


def _text(expr: core.Expr, least: int) -> str:
    """The text, in parentheses where it binds less than `least`."""
    level, text = _leveled(expr)
    return f"({text})" if level < least else text


def _leveled(expr: core.Expr) -> tuple[int, str]:
    match expr:
        case core.Constant():
            return _ATOM, value_notation(expr.value)
        case core.ParameterValue() | core.LetValue():
            return _ATOM, expr.name
        case core.ColumnValue():
            return _ATOM, f"{row_notation(expr.row)}.{expr.column}"
        case core.Apply():
            return _ATOM, _applied(expr)
        case core.HostCall():
            return _ATOM, f"{expr.function}({_listed(expr.arguments)})"
        case core.SetOf():
            return _ATOM, f"{{{_listed(expr.members)}}}"
        case core.Negative():
            return _SIGN, f"-{_text(expr.operand, _ATOM)}"
        case core.Arithmetic(op):
            level = _SUM if op in "+-" else _PRODUCT
            return level, f"{_text(expr.left, level)} {op} {_text(expr.right, level + 1)}"
        case core.If():
            condition, then = notation(expr.condition), notation(expr.then)
            return _OR, f"if {condition} then {then} else {notation(expr.otherwise)}"
        case core.Aggregate():
            return _ATOM, _aggregate(expr)
        case core.Not():
            return _negated(expr.operand)
        case core.And():
            return _AND, " and ".join(_text(each, _NOT) for each in expr.operands)
        case core.Or():
            return _OR, " or ".join(_text(each, _AND) for each in expr.operands)
        case core.Compare(op):
            return _TEST, f"{_text(expr.left, _SUM)} {op} {_text(expr.right, _SUM)}"
        case core.InSet():
            return _TEST, f"{_text(expr.operand, _SUM)} in {_members(expr)}"
        case core.InPeriod():
            return _TEST, f"{_text(expr.operand, _SUM)} in {_text(expr.period, _SUM)}"
        case core.Overlaps():
            return _TEST, f"{_text(expr.left, _SUM)} overlaps {_text(expr.right, _SUM)}"
        case core.Matches():
            return _TEST, f"{_text(expr.operand, _SUM)} matches {value_notation(expr.pattern)}"
        case core.Present():
            return _TEST, f"{_text(expr.operand, _SUM)} is present"
        case core.RowPresent():
            return _TEST, f"{row_notation(expr.row)} is present"
        case core.OtherRow():
            return _TEST, f"{expr.left.name} is another row than {expr.right.name}"
        case core.Exists():
            return _ATOM, f"exists({_through(expr.variable)}{_where(expr.where)})"
        case core.Every():
            inside = f"{_through(expr.variable)}{_where(expr.where)}"
            return _ATOM, f"every({inside} satisfies {notation(expr.satisfies)})"
    assert_never(expr)


def _negated(operand: core.Expr) -> tuple[int, str]:
    match operand:
        case core.Present():
            return _TEST, f"{_text(operand.operand, _SUM)} is missing"
        case core.RowPresent():
            return _TEST, f"{row_notation(operand.row)} is missing"
        case core.InSet():
            return _TEST, f"{_text(operand.operand, _SUM)} not in {_members(operand)}"
        case _:
            return _NOT, f"not {_text(operand, _ATOM)}"


def _applied(expr: core.Apply) -> str:
    """A function, or what a school year has (`school_year.day(7, 1)`), as they are written."""
    owner, dot, name = expr.function.partition(".")
    if not dot or not expr.arguments:
        return f"{owner}({_listed(expr.arguments)})"
    arguments = expr.arguments[1:]
    of = f"{_text(expr.arguments[0], _ATOM)}.{name}"
    return f"{of}({_listed(arguments)})" if arguments else of


def _members(expr: core.InSet) -> str:
    ranges = (f"{notation(low)}..{notation(high)}" for low, high in expr.ranges)
    return f"{{{', '.join([*map(notation, expr.members), *ranges])}}}"


def _aggregate(expr: core.Aggregate) -> str:
    inside = f"{_through(expr.variable)}{_where(expr.where)}"
    if expr.value is None:
        return f"count({inside})"
    kind, distinct = expr.kind, ""
    if kind == "count distinct":
        kind, distinct = "count", "distinct "
    return f"{kind}({distinct}{notation(expr.value)} for {inside})"


def _through(variable: core.RowVariable) -> str:
    return f"{variable.name} in {shown_name(variable.table)}"


def _where(where: core.Expr | None) -> str:
    return "" if where is None else f" where {notation(where)}"


def _listed(exprs: tuple[core.Expr, ...]) -> str:
    return ", ".join(map(notation, exprs))
