"""built_in: a table's declaration -> the rules that it makes

`required`, `max`, the type, the code set, `references` and `key` each are a rule like any other,
with an id of their own (`enrollment.entry_date.required`), judged in the same pass as the author's.
"""

from collections.abc import Iterable

from ruleforge.engine.admit import AdmittedTable, bad, raw
from ruleforge.language import core
from ruleforge.language.check_messages import named
from ruleforge.language.core import Severity
from ruleforge.language.schema import Column, Link, Schema, SchoolYear, Table
from ruleforge.language.source import Source, Span
from ruleforge.language.types import BOOLEAN, INTEGER, TEXT, CodeType

_PLACE = Span(Source("<built-in rules>", ""), 0, 0)


def built_in_rules(
    admitted: AdmittedTable, schema: Schema, school_year: SchoolYear | None
) -> tuple[core.Rule, ...]:
    """The rules of one table, in the order of its columns, the key last."""
    table = admitted.table
    rules: list[core.Rule] = []
    for column in table.columns:
        rules.extend(_of_column(column, admitted, schema, school_year))
    rules.extend(_reference(table, link) for link in table.links if link.checked)
    if table.key_declared:
        rules.append(_key(table))
    return tuple(rules)


def built_in_ids(schema: Schema) -> dict[str, str]:
    """The ids of all rules that the tables of a rulebook can make, each with its table, whatever the
    data is: whether a column needs a `.type` goes by the form in which it is supplied.
    """
    found: dict[str, str] = {}
    for table in schema.tables.values():
        for column in table.columns:
            kinds = ["code" if isinstance(column.type, CodeType) else "type"]
            kinds += ["required"] if column.required else []
            kinds += ["length"] if column.max_length is not None else []
            found |= {f"{table.name}.{column.name}.{kind}": table.name for kind in kinds}
        checked = (link for link in table.links if link.checked)
        found |= {f"{table.name}.{link.columns[0]}.reference": table.name for link in checked}
        found |= {f"{table.name}.key": table.name} if table.key_declared else {}
    return found


def _row(table: Table) -> core.RowVariable:
    return core.RowVariable(0, table.name, "row")


def _cell(table: Table, column: str) -> core.ColumnValue:
    value_type = table.columns_by_name[column].type
    return core.ColumnValue(_row(table), column, value_type, _PLACE)


def _raw(table: Table, column: str) -> core.ColumnValue:
    return core.ColumnValue(_row(table), raw(column), TEXT, _PLACE)


def _rule(
    table: Table,
    name: str,
    title: str,
    claims: tuple[core.Claim, ...],
    when: core.Expr | None = None,
) -> core.Rule:
    return core.Rule(
        f"{table.name}.{name}",
        ((Severity.ERROR, None),),
        (),
        title,
        "",
        "",
        ("built-in",),
        None,
        _row(table),
        None,
        (),
        when,
        claims,
        None,
        _PLACE,
    )


def _says(*parts: str | core.Expr) -> core.Template:
    return core.Template(parts)


def _present(table: Table, columns: Iterable[str]) -> core.Expr:
    parts = tuple(core.Present(_cell(table, column), _PLACE) for column in columns)
    return parts[0] if len(parts) == 1 else core.And(parts, _PLACE)


def _of_column(
    column: Column, admitted: AdmittedTable, schema: Schema, school_year: SchoolYear | None
) -> Iterable[core.Rule]:
    table, name = admitted.table, column.name
    is_bad = core.ColumnValue(_row(table), bad(name), BOOLEAN, _PLACE)
    convertible = name in admitted.convertible
    if column.required:
        there: core.Expr = core.Present(_cell(table, name), _PLACE)
        if convertible:
            # WHY: a cell that holds something unreadable is not empty; `.type` or `.code` speaks of
            # it.
            there = core.Or((there, is_bad), _PLACE)
        claim = core.Claim(there, _says(f"`{name}` is required and is missing."))
        yield _rule(table, f"{name}.required", f"`{name}` is required", (claim,))
    readable = core.Not(is_bad, _PLACE)
    if isinstance(column.type, CodeType):
        claims: list[core.Claim] = []
        if convertible:
            text = f'`{name}` holds "'
            rest = f'", which is not a code of `{column.type.name}`.'
            claims.append(core.Claim(readable, _says(text, _raw(table, name), rest)))
        claims.extend(_in_its_years(table, column, schema, school_year))
        if claims:
            title = f"`{name}` is a code of `{column.type.name}`"
            yield _rule(table, f"{name}.code", title, tuple(claims))
    elif convertible:
        noun = named(column.type)
        message = _says(f'`{name}` holds "', _raw(table, name), f'", which is not {noun}.')
        claim = core.Claim(readable, message)
        yield _rule(table, f"{name}.type", f"`{name}` is {noun}", (claim,))
    if column.max_length is not None:
        length = core.Apply("length", (_cell(table, name),), INTEGER, _PLACE)
        most = core.Constant(column.max_length, INTEGER, _PLACE)
        message = _says(
            f"`{name}` has ", length, f" characters; at most {column.max_length} are allowed."
        )
        claim = core.Claim(core.Compare("<=", length, most, _PLACE), message)
        title = f"`{name}` has at most {column.max_length} characters"
        yield _rule(table, f"{name}.length", title, (claim,), _present(table, (name,)))


def _in_its_years(
    table: Table, column: Column, schema: Schema, school_year: SchoolYear | None
) -> Iterable[core.Claim]:
    """The claim that a code is in force in the school year under judgement."""
    assert isinstance(column.type, CodeType)
    if school_year is None:
        return
    outside = tuple(
        core.Constant(code.code, column.type, _PLACE)
        for code in schema.code_sets[column.type.name].codes
        if (code.since is not None and school_year < code.since)
        or (code.until is not None and school_year > code.until)
    )
    if outside:
        cell = _cell(table, column.name)
        retired = core.InSet(cell, outside, (), _PLACE)
        rest = f'", a code that is not in force in {school_year}.'
        yield core.Claim(core.Not(retired, _PLACE), _says(f'`{column.name}` holds "', cell, rest))


def _reference(table: Table, link: Link) -> core.Rule:
    followed = core.Follow(_row(table), link.name, link.table)
    column = link.columns[0]
    claim = core.Claim(
        core.RowPresent(followed, _PLACE),
        _says(f'`{column}` is "', _cell(table, column), f'", which `{link.table}` does not have.'),
    )
    title = f"`{column}` is found in `{link.table}`"
    return _rule(table, f"{column}.reference", title, (claim,), _present(table, link.columns))


def _key(table: Table) -> core.Rule:
    other = core.RowVariable(1, table.name, "other")
    same = tuple(
        core.Compare(
            "=",
            core.ColumnValue(other, name, table.columns_by_name[name].type, _PLACE),
            _cell(table, name),
            _PLACE,
        )
        for name in table.key
    )
    where = same[0] if len(same) == 1 else core.And(same, _PLACE)
    number = core.Aggregate("count", None, other, where, INTEGER, _PLACE)
    one = core.Constant(1, INTEGER, _PLACE)
    claim = core.Claim(
        core.Compare("<=", number, one, _PLACE), _says(number, " rows have the key of this one.")
    )
    key = ", ".join(f"`{name}`" for name in table.key)
    return _rule(
        table, "key", f"No two rows have the same {key}", (claim,), _present(table, table.key)
    )
