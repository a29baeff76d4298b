"""populations: findings -> who counts, and by which rules who does not"""

from collections.abc import Iterable, Sequence
from itertools import product

import polars as pl

from ruleforge.engine.polars_types import as_text
from ruleforge.engine.reports import WITHHELD
from ruleforge.engine.result import Hits
from ruleforge.language import core
from ruleforge.language.schema import Schema, Table

_UNIT = "#unit"


def units_of(
    population: core.Population,
    rows: pl.DataFrame,
    hits: Iterable[Hits],
    schema: Schema,
    *,
    show_sensitive: bool,
) -> pl.DataFrame:
    """The units of a population in their order: a column for each role, as text, then `counted`,
    `severity` (the first that takes the unit out, in the order of the population) and `rules` (all
    that take it out, in that order).

    `rows` are those of the population's view. A role that is sensitive is withheld, unless asked for.
    """
    table = population.view.table
    units = rows.select(
        as_text(pl.col(role), table.columns_by_name[role].type).alias(role)
        for role in population.roles
    ).with_row_index(_UNIT)
    found = [
        taken.with_columns(
            pl.lit(hit.rule.id).alias("rules"),
            pl.lit(hit.severity.value).alias("severity"),
            pl.lit(population.unless.index(hit.severity) * 1_000_000 + number).alias("#order"),
        )
        for number, hit in enumerate(hits)
        if hit.severity in population.unless
        for taken in [_taken(population.roles, units, hit, schema.table(hit.rule.variable.table))]
    ]
    if found:
        by_unit = pl.concat(found).sort(_UNIT, "#order").group_by(_UNIT, maintain_order=True)
        out = by_unit.agg(pl.col("severity").first(), pl.col("rules"))
    else:
        number = units.schema[_UNIT]
        out = pl.DataFrame(
            schema={_UNIT: number, "severity": pl.String(), "rules": pl.List(pl.String())}
        )
    whole = units.join(out, on=_UNIT, how="left", maintain_order="left")
    withheld = (
        {role for role in population.roles if table.columns_by_name[role].sensitive}
        if not show_sensitive
        else set()
    )
    roles = [
        pl.when(pl.col(role).is_not_null()).then(pl.lit(WITHHELD)).alias(role)
        if role in withheld
        else pl.col(role)
        for role in population.roles
    ]
    return whole.select(
        *roles,
        pl.col("severity").is_null().alias("counted"),
        pl.col("severity"),
        pl.col("rules").fill_null([]),
    )


def _taken(roles: Sequence[str], units: pl.DataFrame, hit: Hits, table: Table) -> pl.DataFrame:
    """The numbers of the units that a rule takes out: those that agree with one of its findings on
    every role that both have, the first among them.
    """
    columns = table.roles
    shared = [role for role in roles if role in columns]
    nobody = units.select(_UNIT).clear()
    if roles[0] not in columns or not hit.frame.height:
        return nobody
    findings = hit.frame.select(
        as_text(pl.col(f"own.{columns[role]}"), table.columns_by_name[columns[role]].type).alias(
            role
        )
        for role in shared
    ).unique()
    first, *others = shared
    findings = findings.filter(pl.col(first).is_not_null())
    matched = [nobody]
    # Which of the other roles are missing, in the finding and in the unit, decides what is asked.
    for lacking in product((False, True), repeat=2 * len(others)):
        of_finding, of_unit = lacking[: len(others)], lacking[len(others) :]
        some = findings.filter(_missing(others, of_finding))
        their = units.filter(_missing(others, of_unit))
        both = zip(others, of_finding, of_unit, strict=True)
        on = [first, *(role for role, one, other in both if not one and not other)]
        if some.height and their.height:
            matched.append(their.join(some.select(on).unique(), on=on, how="semi").select(_UNIT))
    return pl.concat(matched).unique()


def _missing(roles: Sequence[str], lacking: Sequence[bool]) -> pl.Expr:
    asked = [
        pl.col(role).is_null() if gone else pl.col(role).is_not_null()
        for role, gone in zip(roles, lacking, strict=True)
    ]
    return pl.all_horizontal(pl.lit(value=True), *asked)
