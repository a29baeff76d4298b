"""polars_views: plan.ViewPlan, plan.PairExtract -> lazy frames

A view is made once, whole, before the rules that read it: it is a table like any other then. The
pairs of a conflict are made for the reported rows only.
"""

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from ruleforge.engine.plan import (
    ROW,
    Derive,
    GroupFigure,
    Grouping,
    Keep,
    Measure,
    PairExtract,
    Pairs,
    Pipeline,
    ViewPlan,
)
from ruleforge.engine.polars_backend import (
    PolarsBackend,
    extreme_rows,
    numbered,
    one_of_several,
)
from ruleforge.engine.polars_expression import Translator
from ruleforge.language import core

_ALL = "#all"  # the one value by which rows are grouped that are all one group
_MOST_PAIRS = 2_000_000  # that are looked at together


def made(backend: PolarsBackend, plan: ViewPlan) -> pl.LazyFrame:
    """The rows of a view in their order, with its columns as the engine holds them."""
    view = plan.view
    names = [name for name, _ in plan.columns]
    frame = rows_of(backend, plan.source)
    translator = backend.translator()
    if plan.group is not None:
        frame = grouped(backend, frame, plan.group, translator)
        order = [name for name, _ in plan.group.by]
    else:
        order = list(plan.order)
    # WHY: a name of a column may be that of one it is made of.
    frame = frame.with_columns(translator.value(v).alias(f"made.{n}") for n, v in plan.columns)
    if order and not _is_in_order(plan):
        frame = frame.sort(order, nulls_last=False)
    kept = frame.select(pl.col(f"made.{name}").alias(name) for name in names)
    return kept if view.keep is None else _kept(kept, view)


def _is_in_order(plan: ViewPlan) -> bool:
    """Whether rows come as their table has them: nothing is joined to them."""
    if not isinstance(plan.source, Pipeline) or plan.group is not None:
        return False
    return all(isinstance(step, Derive | Keep) for step in plan.source.steps)


def _kept(frame: pl.LazyFrame, view: core.View) -> pl.LazyFrame:
    keep = view.keep
    assert keep is not None
    there = set(frame.collect_schema())
    shown = [column.name for column in view.table.columns]
    ordered = [*view.table.key, *(name for name in shown if name not in view.table.key)]
    ties = [name for name in ordered if name in there]
    number = "#number"
    rows = frame.with_row_index(number).drop_nulls(keep.by)
    by = list(dict.fromkeys(keep.per))
    # NOTE: rows that are equal in all that they show still stand at different places.
    rows = one_of_several(rows, by, [keep.by, *ties, number], greatest=keep.latest)
    return rows.sort(number).drop(number)


def rows_of(backend: PolarsBackend, source: Pipeline | Pairs) -> pl.LazyFrame:
    """The rows, or pairs of rows, that a view is made of."""
    if isinstance(source, Pipeline):
        return backend.frame(source)
    return pairs_of(backend, source, backend.frame(source.outer, ROW))


def pairs_of(backend: PolarsBackend, pairs: Pairs, outer: pl.LazyFrame) -> pl.LazyFrame:
    """The pairs of some rows of the outer pipeline, which have their number as `#row`."""
    return _joined(backend, pairs, outer, backend.frame(pairs.inner))


def _joined(
    backend: PolarsBackend, pairs: Pairs, outer: pl.LazyFrame, inner: pl.LazyFrame
) -> pl.LazyFrame:
    on, keys, source = backend.linked(pairs.links, inner, backend.translator())
    number = f"{pairs.inner.scan.prefix}.{ROW}"
    left = outer.select(ROW, *dict.fromkeys(n for n in pairs.carried if n != ROW), *keys)
    frame = left.join(source, on=on, how="inner")
    identity = [ROW, number] if ROW in pairs.inner.scan.columns else [ROW]
    return backend.apply(frame, pairs.steps, identity, None)


# ── groups ─────────────────────────────────────────────────────────────────────────────────────


def grouped(
    backend: PolarsBackend, rows: pl.LazyFrame, group: Grouping, translator: Translator
) -> pl.LazyFrame:
    """A row for each group, with its values, its figures, and what its steps attach."""
    by = [name for name, _ in group.by] or [_ALL]
    values = [translator.value(value).alias(name) for name, value in group.by]
    rows = rows.with_columns(values or [pl.lit(1, dtype=pl.Int8).alias(_ALL)])
    if group.figures:
        rows = rows.cache()
    whole = pl.LazyFrame({_ALL: [1]}, schema={_ALL: pl.Int8})
    groups = rows.select(by).unique() if group.by else whole
    measures = [_measure(each) for each in group.figures if each.picked is None]
    for answer in backend.answers(rows, measures, by, translator):
        groups = groups.join(answer, on=by, how="left", nulls_equal=True)
    groups = groups.with_columns(e for m in measures for e in backend.of_nothing(m))
    for figure in group.figures:
        if figure.picked is not None:
            picked = _picked(rows, figure, by, translator)
            groups = groups.join(picked, on=by, how="left", nulls_equal=True)
    if not group.steps:
        return groups
    return backend.apply(groups.with_row_index(ROW), group.steps, [ROW], None)


def _measure(figure: GroupFigure) -> Measure:
    return Measure(figure.name, figure.kind, figure.condition, figure.value, figure.type, "", "")


def _picked(
    rows: pl.LazyFrame, figure: GroupFigure, by: list[str], translator: Translator
) -> pl.LazyFrame:
    """What a figure asks of the latest or earliest row of each group."""
    assert figure.value is not None and figure.picked is not None
    if figure.condition is not None:
        rows = rows.filter(translator.value(figure.condition))
    value = translator.value(figure.value)
    ties = list(figure.ties)
    chosen = extreme_rows(rows, value, by, ties, latest=figure.kind == "latest")
    # NOTE: a value that reads no column has no height of its own; beside others it has theirs.
    picked = chosen.with_columns(translator.value(figure.picked).alias(figure.name))
    return picked.select(*by, figure.name)


# ── counterparts ───────────────────────────────────────────────────────────────────────────────


class LinkedRows(NamedTuple):
    """Rows of a rule, rows of another table, and the columns in which a pair is equal."""

    own: pl.DataFrame
    other: pl.DataFrame
    on: list[str]


def counterparts(
    backend: PolarsBackend, extract: PairExtract, linked: LinkedRows, order: pl.DataFrame, most: int
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """For some rows of a rule how many counterparts they have (`#row`, `number`), and the first of
    them: `#row`, `#other`, then `value.0`, `value.1`, … as text.

    `order` has the numbers of the rows that may be counterparts, `#other`, in their order. It goes
    some rows at a time, so that a pupil with thousands of stays does not fill the memory.
    """
    pairs = extract.pairs
    translator = backend.translator()
    number = f"{pairs.inner.scan.prefix}.{ROW}"
    on, own = linked.on, linked.own
    few = order.join(linked.other, left_on="#other", right_on=number, maintain_order="left")
    few = few.rename({"#other": number}).with_row_index("#place")
    numbers = few.group_by(on).len()
    sizes = own.join(numbers, on=on, how="left", maintain_order="left")["len"].fill_null(0)
    own = own.with_columns((sizes.cum_sum() // _MOST_PAIRS).alias("#part"))
    texts = [
        backend.text(translator, value).alias(f"value.{position}")
        for position, value in enumerate(extract.values)
    ]
    for part in own.partition_by("#part", include_key=False, maintain_order=True):
        joined = part.lazy().join(few.lazy(), on=on, how="inner")
        # WHY: no step keeps the order of rows.
        found = backend.apply(joined, pairs.steps, [ROW, number], None).collect()
        found = found.sort(ROW, "#place")
        first = found.group_by(ROW, maintain_order=True).head(most)
        yield (
            found.group_by(ROW, maintain_order=True).agg(pl.len().alias("number")),
            first.select(ROW, pl.col(extract.other).alias("#other"), *texts),
        )


def linked_rows(backend: PolarsBackend, extract: PairExtract, rows: pl.Series) -> LinkedRows:
    """Some rows of a rule, and those of the other table that share their links."""
    pairs = extract.pairs
    outer = backend.frame(pairs.outer, ROW, numbered(rows))
    on, keys, inner = backend.linked(pairs.links, backend.frame(pairs.inner), backend.translator())
    carried = dict.fromkeys(name for name in pairs.carried if name != ROW)
    linked = outer.select(ROW, *carried, *keys).collect(engine="streaming").sort(ROW)
    few = inner.join(linked.lazy().select(on), on=on, how="semi").collect(engine="streaming")
    return LinkedRows(linked, few, on)
