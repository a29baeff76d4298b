"""finding: the columns of a finding, the same for every rule, table and state

The schema is a promise to systems that embed the engine. What differs between tables stands inside:
`key` is a struct of the key columns of all tables judged, null where they are another table's, and
`values` a list of (column, value) pairs.
"""

from collections.abc import Iterable

import polars as pl

from ruleforge.language.core import Rulebook
from ruleforge.language.schema import Schema, Table
from ruleforge.language.types import BooleanType, DateType, IntegerType, ValueType

VALUES = pl.List(pl.Struct({"column": pl.String, "value": pl.String}))


def judged_tables(rulebook: Rulebook, supplied: Iterable[str]) -> list[Table]:
    """The tables that findings can be about: those of the data, and what rules judge or name as
    counterparts.
    """
    schema = rulebook.schema
    tables = [schema.tables[name] for name in supplied if name in schema.tables]
    for rule in rulebook.rules:
        tables.append(schema.table(rule.variable.table))
        if rule.against is not None:
            tables.append(schema.table(rule.against.variable.table))
    return tables


def key_fields(tables: Iterable[Table]) -> dict[str, pl.DataType]:
    """The fields of `key`: each key column with its type, as text where two tables differ about it,
    or where Polars has no such type.
    """
    fields: dict[str, pl.DataType] = {}
    for table in tables:
        for name in table.key:
            dtype = key_dtype(table.columns_by_name[name].type)
            fields[name] = dtype if fields.get(name, dtype) == dtype else pl.String()
    return dict(sorted(fields.items()))


def key_dtype(value_type: ValueType) -> pl.DataType:
    """The dtype of a key column: its own where every reader of Parquet has it, else text."""
    match value_type:
        case IntegerType():
            return pl.Int64()
        case DateType():
            return pl.Date()
        case BooleanType():
            return pl.Boolean()
        case _:
            return pl.String()


def finding_schema(schema: Schema, key: dict[str, pl.DataType]) -> dict[str, pl.DataType]:
    """The columns of a frame of findings, in order."""
    key_struct = pl.Struct(key)
    roles: dict[str, pl.DataType] = {role: pl.String() for role in schema.roles}
    counterpart = pl.Struct({"table": pl.String(), "key": key_struct, **roles})
    return {
        "revision": pl.String(),
        "rulebook": pl.String(),
        "rule": pl.String(),
        "severity": pl.String(),
        "cause": pl.UInt16(),
        "table": pl.String(),
        "key": key_struct,
        **roles,
        "message": pl.String(),
        "values": VALUES,
        "counterparts": pl.List(counterpart),
        "counterpart_count": pl.UInt32(),
        "fingerprint": pl.String(),
        "due": pl.Date(),
        "waived": pl.Boolean(),
        "file": pl.String(),
        "line": pl.UInt32(),
    }
