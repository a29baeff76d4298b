"""outline: a node of ast or core -> its tree as text, a node a line

What `ruleforge show` prints. Both trees are frozen dataclasses, and the outline is made from their
fields alone, so that a new kind of node is shown before anyone thinks of it. Fields that say
nothing (no `where`, not `required`) are left out, as are places. A value of core ends with its
type.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

from ruleforge.language import ast, core, types
from ruleforge.language.notation import row_notation, value_notation
from ruleforge.language.schema import Schema, SchoolYear
from ruleforge.language.types import type_name

_UNSHOWN = {"span", "offsets", "broken", "warnings"}
_PLAIN = re.compile(r"[\w.+*/<>=!-]+")
_UNLABELLED = {  # several of a kind, which their own names tell apart
    "arguments",
    "claims",
    "codes",
    "columns",
    "declarations",
    "files",
    "fors",
    "items",
    "lets",
    "lines",
    "links",
    "members",
    "operands",
    "parts",
    "rules",
    "tests",
}
_BARE = {"name", "id", "type", "op", "function", "kind", "column", "word"}
_LITERALS = {("Literal", "value"), ("Constant", "value")}
_OF_A_NAME = {"columns": "select", "by": "by"}  # what a named value is, where it is no `let`
_INDENT = "  "


def outline(node: ast.Rulebook | ast.Rule | core.Rulebook | core.Rule) -> str:
    """The tree, one line a node, parts indented below their whole."""
    return "\n".join(_lines(node)) + "\n"


def _lines(node: object, label: str = "") -> Iterator[str]:
    """The lines of one node: what can be said in a word on the first, its parts below."""
    head = [*([f"{label}:"] if label else []), type(node).__name__]
    parts: list[tuple[str, object]] = []
    type_shown = ""
    path = _path(node)
    if path is not None:
        head.append(path)
    for field in fields(node) if is_dataclass(node) else ():
        if path is not None and field.name != "type":
            continue
        value = getattr(node, field.name)
        if field.name in _UNSHOWN or _says_nothing(node, field.name, value):
            continue
        word = _word(node, field.name, value)
        if word is None:
            parts.append((field.name, value))
        elif field.name == "type" and isinstance(value, types.ValueType):
            type_shown = f": {word}"
        else:
            head.append(word)
    yield f"{' '.join(head)}{type_shown}"
    for name, value in parts:
        for line in _part(name, value):
            yield _INDENT + line


def _says_nothing(node: object, name: str, value: object) -> bool:
    if (type(node).__name__, name) in _LITERALS:
        return False
    if isinstance(node, core.Rulebook) and name == "sources":
        return True
    return value is None or value is False or value in ((), "", {})


def _part(name: str, value: object) -> Iterator[str]:
    match value:
        case Schema():
            for each in (*value.code_sets.values(), *value.tables.values()):
                yield from _lines(each)
        case Mapping():
            for key, each in value.items():
                yield from _lines(each) if _is_node(each) else [f"{name} {key}: {_scalar(each)}"]
        case (core.Severity() as severity, condition):
            yield f"severity {severity}"
            if condition is not None:
                yield from (_INDENT + line for line in _lines(condition, "if"))
        case (str() as let, _) if _is_node(value[1]):
            yield from _lines(value[1], f"{_OF_A_NAME.get(name, 'let')} {let}")
        case ast.CellRow():
            yield f"{name}: {' | '.join(cell.text for cell in value.cells)}"
        case tuple() if all(each is None or _scalar(each) is not None for each in value):
            yield f"{name}: {' | '.join(_scalar(each) or '' for each in value)}"
        case tuple():
            for each in value:
                yield from _part(name, each)
        case _ if _is_node(value):
            yield from _lines(value, "" if name in _UNLABELLED else name)
        case _:
            yield f"{_scalar(value)}" if name in _UNLABELLED else f"{name}: {_scalar(value)}"


def _word(node: object, name: str, value: object) -> str | None:
    """What a field says on its node's own line; None for what needs lines of its own."""
    if (type(node).__name__, name) in _LITERALS:
        return value_notation(value)  # type: ignore[arg-type]
    match value:
        case core.RowVariable() if name == "variable":
            return f"{value.name} in {value.table}"
        case core.RowVariable() | core.Follow() if not _picks(value):
            return row_notation(value)
        case True:
            return name
        case ast.TableName():
            dataset = f"{value.dataset.text}." if value.dataset else ""
            return f"in {dataset}{value.table.text}"
        case tuple() if value and all(
            isinstance(each, core.Constant | ast.Literal) for each in value
        ):
            return f"{{{', '.join(value_notation(each.value) for each in value)}}}"
        case tuple() if value and all(_scalar(each) is not None for each in value):
            return f"{name}=({', '.join(str(_scalar(each)) for each in value)})"
    scalar = _scalar(value)
    if scalar is None or name in _BARE:
        return scalar
    return f"{name}={scalar}"


def _path(node: object) -> str | None:
    """A walk from a row to a column, as it is written."""
    match node:
        case core.ColumnValue() if not _picks(node.row):
            return f"{row_notation(node.row)}.{node.column}"
        case ast.Attribute(ast.Variable(name), column):
            return f"{name}.{column.text}"
        case ast.Attribute(ast.Attribute() as inner, column) if (path := _path(inner)) is not None:
            return f"{path}.{column.text}"
        case _:
            return None


def _picks(row: core.Row) -> bool:
    return any(isinstance(each, core.Pick) for each in core.walk(row))


def _scalar(value: object) -> str | None:
    match value:
        case ast.Name():
            return value.text
        case ast.Text():
            return value_notation(value.value)
        case str():
            return str(value) if _PLAIN.fullmatch(value) else value_notation(value)
        case bool() | int() | Decimal() | dt.date() | SchoolYear():
            return value_notation(value)
        case _ if isinstance(value, types.ValueType):
            return type_name(value)
        case _:
            return None


def _is_node(value: Any) -> bool:
    return is_dataclass(value) and _scalar(value) is None
