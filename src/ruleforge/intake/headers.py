"""headers: the headers of a file, a table -> which of its columns stands where

A header is a column's own name or its `from` text. Exact matches come first, then those that differ
in case only; blanks around a header count for nothing. Where two headers claim one column nobody
can tell which is meant, so the file is refused.
"""

from collections.abc import Sequence

from ruleforge.language.schema import Column, Table


class HeaderError(Exception):
    """The headers do not say where the columns are; the message is the reason for a refusal."""


def positions(headers: Sequence[str], table: Table) -> dict[str, int]:
    """Column name -> position of its header, in the order of declaration.

    Columns that the file lacks are left out. Raises `HeaderError` where two headers mean one
    column, or where no header means any.
    """
    stripped = [header.strip() for header in headers]
    folded = [header.casefold() for header in stripped]
    exact = {column.name: _where(stripped, _names(column)) for column in table.columns}
    claimed = {position for found in exact.values() for position in found}
    result: dict[str, int] = {}
    for column in table.columns:
        found = exact[column.name] or [
            position
            for position in _where(folded, {name.casefold() for name in _names(column)})
            if position not in claimed
        ]
        if len(found) > 1:
            both = " and ".join(f"`{stripped[position]}` ({position + 1})" for position in found)
            raise HeaderError(f"two headers stand for the column `{column.name}`: {both}")
        if found:
            result[column.name] = found[0]
    if not result:
        shown = ", ".join(f"`{header}`" for header in stripped[:5]) + (
            ", …" if len(stripped) > 5 else ""
        )
        raise HeaderError(f"none of its headers is a column of `{table.name}`: {shown}")
    return result


def _names(column: Column) -> set[str]:
    return {column.name} if column.header is None else {column.name, column.header.strip()}


def _where(headers: Sequence[str], names: set[str]) -> list[int]:
    return [position for position, header in enumerate(headers) if header in names]
