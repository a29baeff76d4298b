"""polars_backend: plan.TablePlan -> lazy frames of verdicts

The pipeline of a table becomes one lazy frame: its scan, then one join for each step. On top of it
stand two queries that share it, the counts of all verdicts of all rules and the rows that any rule
reports, so that Polars makes one pass over the data for both.

Rows are known by their number in the table, which the scan gives them; no step depends on the order
in which rows come.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from ruleforge.engine.admit import AdmittedTable
from ruleforge.engine.host_functions import HostFunctions
from ruleforge.engine.plan import (
    ROW,
    Derive,
    Extract,
    Gather,
    Keep,
    Measure,
    Pipeline,
    Reach,
    RulePlan,
    Scan,
    Step,
    TablePlan,
)
from ruleforge.engine.polars_expression import Translator, average, joined, sum_in_reach
from ruleforge.engine.polars_types import LARGEST, as_decimal, as_text, places_of
from ruleforge.engine.rounds import rounds
from ruleforge.language import core
from ruleforge.language.core import Value
from ruleforge.language.schema import Schema
from ruleforge.language.types import CELL_PLACES, DecimalType, PeriodType

VERDICTS = pl.Enum(["holds", "fails", "unknown", "not applicable"])

# A verdict as one small number, so that a pass carries one column a rule: from FAILS on it says
# which claim failed too.
NOT_APPLICABLE, HOLDS, UNKNOWN, FAILS = 0, 1, 2, 3
_ONE = "#one"  # a constant column to join on where there is no link


@dataclass
class PolarsBackend:
    """Builds queries over the admitted tables of one evaluation."""

    tables: Mapping[str, AdmittedTable]
    schema: Schema
    parameters: Mapping[str, Value | None]
    functions: HostFunctions | None = None
    counted: dict[tuple[str, tuple[str, ...]], pl.DataFrame] = field(default_factory=dict)
    smallest: dict[str, pl.DataFrame] = field(default_factory=dict)

    def translator(self) -> Translator:
        """Of expressions over the columns of one frame."""
        return Translator(self.schema, self.parameters, self.functions)

    def judge(self, plan: TablePlan, rows: pl.Series | None = None) -> pl.LazyFrame:
        """The verdicts of one table's rules, a row for each of its rows: `#row`, and for rule i in
        `verdict.i` the number of its verdict, null where the rule's `where` leaves the row out.
        With `rows` only those of these numbers.
        """
        only = None if rows is None else numbered(rows)
        # WHY: what else is to be said of a row is looked up for the few that are reported, and not
        # carried through every join.
        return self.frame(plan.pipeline, ROW, only).select(ROW, *self.codes(plan))

    def codes(self, plan: TablePlan) -> list[pl.Expr]:
        """`verdict.i` of each rule, over the columns of the plan's pipeline."""
        translator = self.translator()
        return [
            _Verdict.of(rule, translator).code().alias(f"verdict.{number}")
            for number, rule in enumerate(plan.rules)
        ]

    def verdicts(self, plan: TablePlan) -> pl.LazyFrame:
        """The same in words: `#row`, then for rule i in `verdict.i` a member of `VERDICTS`, null
        where the rule's `where` leaves the row out, and in `cause.i` which claim failed, 0 where
        none did.
        """
        frame = self.judge(plan)
        columns: list[pl.Expr] = []
        words = {
            NOT_APPLICABLE: "not applicable",
            HOLDS: "holds",
            UNKNOWN: "unknown",
            FAILS: "fails",
        }
        for number in range(len(plan.rules)):
            code = pl.col(f"verdict.{number}")
            capped = code.clip(upper_bound=FAILS)
            word = capped.replace_strict(list(words), list(words.values()), return_dtype=VERDICTS)
            columns.append(word.alias(f"verdict.{number}"))
            columns.append(cause_of(code).fill_null(0).alias(f"cause.{number}"))
        return frame.select(ROW, *columns)

    def texts(self, extract: Extract, rows: pl.Series) -> pl.LazyFrame:
        """The values of an extract as text, for the rows of these numbers: `#row`, then `value.0`,
        `value.1`, …
        """
        translator = self.translator()
        frame = self.frame(extract.pipeline, ROW, numbered(rows))
        texts = [
            self.text(translator, value).alias(f"value.{number}")
            for number, value in enumerate(extract.values)
        ]
        return frame.select(ROW, *texts)

    def text(self, translator: Translator, value: core.Expr) -> pl.Expr:
        if not isinstance(value.type, PeriodType):
            return as_text(translator.value(value), value.type)
        period = translator.period(value)
        start, end = (part.dt.strftime("%Y-%m-%d") for part in (period.start, period.end))
        opened = pl.concat_str([pl.lit("from "), start])
        closed = pl.concat_str([start, pl.lit(" to "), end])
        return pl.when(period.is_open).then(opened).otherwise(closed)

    # ── pipelines ───────────────────────────────────────────────────────────────────────────────

    def frame(
        self, pipeline: Pipeline, row: str | None = None, only: pl.LazyFrame | None = None
    ) -> pl.LazyFrame:
        """The lazy frame of a pipeline, with row numbers as `row` where they are asked for; `only`
        keeps those rows.
        """
        scan = pipeline.scan
        if row is None and any(
            isinstance(s, Gather) and s.paired is not None for s in pipeline.steps
        ):
            row = f"{scan.prefix}.{ROW}"
        columns = {name: f"{scan.prefix}.{name}" for name in scan.columns}
        number = columns.pop(ROW, None)
        row = row or number
        frame = self.tables[scan.table].scan(columns, row)
        if row is not None and number not in (None, row):
            frame = frame.with_columns(pl.col(row).alias(str(number)))
        if only is not None:
            assert row is not None
            frame = frame.join(only, on=row, how="semi")
        return self.apply(frame, pipeline.steps, [row] if row else [], scan)

    def apply(
        self, frame: pl.LazyFrame, steps: Iterable[Step], identity: list[str], scan: Scan | None
    ) -> pl.LazyFrame:
        """The frame with what the steps attach. `identity` are the columns that tell its rows
        apart, which are those of `scan` unless they are pairs.
        """
        translator = self.translator()
        for each in rounds(steps):
            for step in each.steps:
                match step:
                    case Derive():
                        frame = frame.with_columns(translator.value(step.value).alias(step.slot))
                    case Keep():
                        frame = frame.filter(translator.value(step.condition))
                    case Reach():
                        frame = self.reach(frame, step, translator)
                    case Gather():
                        columns = _counts_itself(step, scan)
                        if columns is not None:
                            frame = self.count_alike(frame, step, columns)
                        else:
                            frame = self.gather(frame, frame, step, translator, identity, scan)
            if each.questions:
                # NOTE: what is not cached is copied into the plan wherever it is named.
                before = frame = frame.cache()
                for question in each.questions:
                    frame = self.gather(frame, before, question, translator, identity, scan)
        return frame

    def reach(self, frame: pl.LazyFrame, step: Reach, translator: Translator) -> pl.LazyFrame:
        key = self.schema.table(step.table).key
        on = [f"#key.{number}" for number in range(len(key))]
        names = {name: f"{step.prefix}.{name}" for name in step.columns}
        right = self.rows_by_key(step.table, step.columns)
        right = right.select(
            *(pl.col(name).alias(alias) for name, alias in zip(key, on, strict=True)),
            *(pl.col(name).alias(alias) for name, alias in names.items()),
            pl.lit(value=True).alias(step.prefix),
        )
        left = frame.with_columns(
            translator.value(expr).alias(alias) for expr, alias in zip(step.keys, on, strict=True)
        )
        return left.join(right, on=on, how="left").drop(on)

    def rows_by_key(self, name: str, columns: Sequence[str]) -> pl.LazyFrame:
        """Some columns of the rows of a table, one row for each key: of several the smallest,
        compared column by column.
        """
        table = self.tables[name]
        key = table.table.key
        wanted = list(dict.fromkeys([*key, *columns]))
        rows = table.scan({each: each for each in wanted})
        repeated = self.repeated(name, key)
        if not repeated.height:
            return rows
        if name not in self.smallest:
            order = [column.name for column in table.table.columns]
            rivals = table.among(repeated.select(key), order).sort(order, nulls_last=False)
            only = rivals.unique(subset=key, keep="first", maintain_order=True)
            self.smallest[name] = only.collect(engine="streaming")
        alone = rows.join(repeated.lazy(), on=key, how="anti")
        return pl.concat([alone, self.smallest[name].lazy().select(wanted)])

    def repeated(self, name: str, columns: tuple[str, ...]) -> pl.DataFrame:
        """The values of some columns that more than one row of a table has, none of them missing,
        and in `#rows` how many have them.
        """
        if (name, columns) not in self.counted:
            rows = self.tables[name].scan({each: each for each in columns}).drop_nulls()
            # WHY: few rows are like another, and to find candidates by a number each is half the
            # work. Equal values have equal hashes; what only has an equal hash drops out below.
            parts = [pl.col(each).hash(seed) for seed, each in enumerate(columns)]
            marked = rows.with_columns(pl.sum_horizontal(parts).alias("#hash"))
            hashes = marked.group_by("#hash").len().filter(pl.col("len") > 1)
            candidates = marked.join(hashes, on="#hash", how="semi")
            alike = candidates.group_by(columns).agg(pl.len().cast(pl.Int64).alias("#rows"))
            several = alike.filter(pl.col("#rows") > 1)
            self.counted[name, columns] = several.collect(engine="streaming")
        return self.counted[name, columns]

    # ── questions about other rows ──────────────────────────────────────────────────────────────

    def gather(
        self,
        frame: pl.LazyFrame,
        before: pl.LazyFrame,
        step: Gather,
        translator: Translator,
        identity: list[str],
        own: Scan | None,
    ) -> pl.LazyFrame:
        """The frame with the answers of a step. `before` has the same rows and what the step reads
        of them; they are those of `own`, unless they are pairs.
        """
        scan = step.source.scan
        deep = any(isinstance(inner, Gather) and inner.paired is not None for inner in step.steps)
        row = f"{scan.prefix}.{ROW}" if deep else None
        source = self.frame(step.source, row)
        on, outer_links, source = self.linked(step.links, source, translator)
        if step.paired is None:
            by = on
            frame = frame.with_columns(outer_links)
            if any(measure.kind in ("latest", "earliest") for measure in step.measures):
                # WHY: picking sorts, and sorting only what belongs to some row of the pipeline is
                # far less.
                belonging = before.with_columns(outer_links).select(on)
                source = source.join(belonging, on=on, how="semi")
        else:
            outer = before.select(*dict.fromkeys([*identity, *step.paired]), *outer_links)
            columns = _like_itself(step.links, step.source, own) if step.others and own else None
            if columns is not None:
                outer, source = self.in_company(outer, source, scan.table, columns, on)
            pairs = outer.join(source, on=on, how="inner")
            source = self.apply(pairs, step.steps, [*identity, *([row] if row else [])], None)
            by = identity
        answers = self.answers(source, step.measures, by, self.translator())
        for answer in answers:
            frame = frame.join(answer, on=by, how="left")
        filled = [each for measure in step.measures for each in self.of_nothing(measure)]
        frame = frame.with_columns(filled)
        return frame.drop(on) if step.paired is None else frame

    def count_alike(
        self, frame: pl.LazyFrame, step: Gather, columns: tuple[str, ...]
    ) -> pl.LazyFrame:
        """The frame with how many rows of its own table have the same values in some columns."""
        # WHY: a row that is not among the repeated is alone. One with a missing value is like none,
        # not even itself.
        prefix = step.source.scan.prefix
        several = self.repeated(step.source.scan.table, columns)
        several = several.rename({"#rows": f"{prefix}.#rows"})
        outer = [expr.name for _, expr in step.links if isinstance(expr, core.LetValue)]
        number = pl.col(f"{prefix}.#rows").fill_null(1)
        whole = pl.all_horizontal(pl.col(name).is_not_null() for name in outer)
        answer = pl.when(whole).then(number).otherwise(pl.lit(0, dtype=pl.Int64))
        frame = frame.join(several.lazy(), left_on=outer, right_on=list(columns), how="left")
        slots = [answer.alias(measure.slot) for measure in step.measures]
        return frame.with_columns(slots).drop(f"{prefix}.#rows")

    def linked(
        self,
        links: tuple[tuple[core.LetValue, core.Expr], ...],
        source: pl.LazyFrame,
        translator: Translator,
    ) -> tuple[list[str], list[pl.Expr], pl.LazyFrame]:
        """The columns to join on, those of the outer rows, and the source with its own, without
        rows that belong to none.
        """
        on = [f"#link.{number}" for number in range(len(links))] or [_ONE]
        outer_keys, inner_keys = self.link_keys(links, translator)
        source = source.with_columns(k.alias(a) for k, a in zip(inner_keys, on, strict=True))
        return on, [k.alias(a) for k, a in zip(outer_keys, on, strict=True)], source.drop_nulls(on)

    def in_company(
        self,
        outer: pl.LazyFrame,
        source: pl.LazyFrame,
        table: str,
        columns: tuple[str, ...],
        on: list[str],
    ) -> tuple[pl.LazyFrame, pl.LazyFrame]:
        """Both sides of a join of a table with itself, with those rows only that share their links
        with another: few where most pupils have one stay.
        """
        several = self.repeated(table, columns).select(
            pl.col(name).alias(alias) for name, alias in zip(columns, on, strict=True)
        )
        kept = several.lazy()
        return outer.join(kept, on=on, how="semi"), source.join(kept, on=on, how="semi")

    def link_keys(
        self, links: tuple[tuple[core.LetValue, core.Expr], ...], translator: Translator
    ) -> tuple[list[pl.Expr], list[pl.Expr]]:
        """The two sides of the links, as columns of the same dtype."""
        if not links:
            one = pl.lit(1, dtype=pl.Int8)
            return [one], [one]
        outer: list[pl.Expr] = []
        inner: list[pl.Expr] = []
        for inside, outside in links:
            left, right = translator.value(outside), pl.col(inside.name)
            if isinstance(inside.type, DecimalType) or isinstance(outside.type, DecimalType):
                places = max(places_of(inside.type), places_of(outside.type))
                left = as_decimal(left, outside.type, places)
                right = as_decimal(right, inside.type, places)
            outer.append(left)
            inner.append(right)
        return outer, inner

    def answers(
        self,
        source: pl.LazyFrame,
        measures: Sequence[Measure],
        by: list[str],
        translator: Translator,
    ) -> list[pl.LazyFrame]:
        """One frame with all figures for each value of `by`, and one for each row that is picked."""
        figures = [m for m in measures if m.kind not in ("latest", "earliest")]
        frames: list[pl.LazyFrame] = []
        if figures:
            conditions = [translator.value(m.condition) for m in figures if m.condition is not None]
            kept = source
            if len(conditions) == len(figures):
                kept = source.filter(joined(conditions, every=False))
            spread: dict[str, pl.Expr] = {}
            aggregates = [a for m in figures for a in _aggregates(m, translator, spread)]
            kept = kept.with_columns(**spread) if spread else kept
            frames.append(kept.group_by(by).agg(aggregates))
        frames.extend(
            self.picked(source, measure, by, translator)
            for measure in measures
            if measure.kind in ("latest", "earliest")
        )
        return frames

    def picked(
        self, source: pl.LazyFrame, measure: Measure, by: list[str], translator: Translator
    ) -> pl.LazyFrame:
        """The row with the greatest or smallest value for each `by`. Ties go by the key and then
        the other columns.
        """
        assert measure.value is not None
        prefix = measure.order_prefix
        table = self.tables[measure.table].table
        others = [column.name for column in table.columns if column.name not in table.key]
        ties = [f"{prefix}.{name}" for name in (*table.key, *others)]
        rows = source
        if measure.condition is not None:
            rows = rows.filter(translator.value(measure.condition))
        value = translator.value(measure.value)
        rows = extreme_rows(rows, value, by, ties, latest=measure.kind == "latest")
        columns = [
            pl.col(f"{prefix}.{name}").alias(f"{measure.slot}.{name}") for name in measure.columns
        ]
        return rows.select(*by, *columns, pl.lit(value=True).alias(measure.slot))

    def of_nothing(self, measure: Measure) -> list[pl.Expr]:
        """The figures as values of their types, where no row was found too."""
        slot, column = measure.slot, pl.col(measure.slot)
        match measure.kind:
            case "exists":
                return [column.fill_null(value=False)]
            case "count" | "count distinct":
                return [column.cast(pl.Int64).fill_null(0)]
            case "sum":
                return [sum_in_reach(_total(measure), measure.type).alias(slot)]
            case "average":
                assert measure.value is not None
                number = pl.col(f"{slot}.#n")
                return [average(_total(measure), number, measure.value.type).alias(slot)]
            case "every":
                denied = column.fill_null(value=False)
                doubted = pl.col(f"{slot}.#unknown").fill_null(value=False)
                answer = pl.when(denied).then(False).when(~doubted).then(True)  # noqa: FBT003
                return [answer.alias(slot)]
            case _:
                return []


def _counts_itself(step: Gather, scan: Scan | None) -> tuple[str, ...] | None:
    """The columns by which a gather counts the rows that are like the row itself; None where it
    asks anything else.
    """
    if scan is None or step.source.steps or step.paired is not None:
        return None
    if any(m.kind != "count" or m.condition is not None for m in step.measures):
        return None
    return _like_itself(step.links, step.source, scan)


def _like_itself(
    links: tuple[tuple[core.LetValue, core.Expr], ...], source: Pipeline, scan: Scan
) -> tuple[str, ...] | None:
    """The columns in which a row and those of the source are equal, where both are of one table and
    nothing else links them.
    """
    if not links or source.scan.table != scan.table:
        return None
    columns: list[str] = []
    for inside, outside in links:
        column = inside.name.removeprefix(f"{source.scan.prefix}.")
        own = f"{scan.prefix}.{column}"
        if inside.name == column or not isinstance(outside, core.LetValue) or outside.name != own:
            return None
        columns.append(column)
    return tuple(columns) if len(set(columns)) == len(columns) else None


def extreme_rows(
    rows: pl.LazyFrame, value: pl.Expr, by: list[str], ties: list[str], *, latest: bool
) -> pl.LazyFrame:
    """For each `by`, missing ones too, the row with the greatest or smallest value; rows without a
    value are passed over.
    """
    order = "#by"
    rows = rows.with_columns(value.alias(order)).drop_nulls(order).cache()
    best = rows.group_by(by).agg(pl.col(order).max() if latest else pl.col(order).min())
    rows = rows.join(best, on=[*by, order], how="semi", nulls_equal=True)
    return one_of_several(rows, by, ties, greatest=latest)


def numbered(rows: pl.Series) -> pl.LazyFrame:
    """The numbers of rows, each once, to join with `#row`."""
    return rows.unique().cast(pl.get_index_type()).to_frame(ROW).lazy()


def one_of_several(
    rows: pl.LazyFrame, by: list[str], order: list[str], *, greatest: bool
) -> pl.LazyFrame:
    """One row for each value of `by`, missing ones too: the greatest or smallest by `order`, missing
    values lowest.
    """
    # WHY: sorting is dear and several are rare, so only those that may have a rival are sorted; to
    # find them by a number each is half the work. Equal values have equal hashes; what only has an
    # equal hash is told apart below.
    mark = "#rival"
    parts = [pl.col(name).hash(seed) for seed, name in enumerate(by)]
    rows = rows.with_columns(pl.sum_horizontal(parts).alias(mark)).cache()
    several = rows.group_by(mark).len().filter(pl.col("len") > 1).select(mark)
    alone = rows.join(several, on=mark, how="anti")
    rivals = rows.join(several, on=mark, how="semi").sort(order, nulls_last=False)
    keep: Literal["first", "last"] = "last" if greatest else "first"
    return pl.concat([alone, rivals.unique(subset=by, keep=keep, maintain_order=True)]).drop(mark)


def _aggregates(
    measure: Measure, translator: Translator, spread: dict[str, pl.Expr]
) -> list[pl.Expr]:
    """What `group_by` works out for a measure; `of_nothing` makes the figure of it. To `spread` go
    columns that it needs for that.
    """
    slot = measure.slot

    def every_row(expr: pl.Expr, name: str) -> pl.Expr:
        # NOTE: an expression that reads no column is one row high in a group too, and its sum that
        # of one row.
        if expr.meta.root_names():
            return expr
        spread[name] = expr
        return pl.col(name)

    condition = None
    if measure.condition is not None:
        condition = translator.value(measure.condition).fill_null(value=False)
        condition = every_row(condition, f"{slot}.#condition")
    if measure.kind == "exists":
        return [(pl.len() > 0 if condition is None else condition.any()).alias(slot)]
    if measure.kind == "count" or measure.value is None:
        return [(pl.len() if condition is None else condition.sum()).alias(slot)]
    value = every_row(translator.value(measure.value), f"{slot}.#value")
    if measure.kind == "every":
        asked = pl.lit(value=True) if condition is None else condition
        return [
            (asked & ~value).any().alias(slot),
            (asked & value.is_null()).any().alias(f"{slot}.#unknown"),
        ]
    chosen = value if condition is None else pl.when(condition).then(value)
    match measure.kind:
        case "count distinct":
            return [chosen.drop_nulls().n_unique().alias(slot)]
        case "sum":
            return _sums(measure, chosen)
        case "average":
            return [*_sums(measure, chosen), chosen.count().alias(f"{slot}.#n")]
        case "min":
            return [chosen.min().alias(slot)]
        case "max":
            return [chosen.max().alias(slot)]
        case _:
            raise AssertionError(measure.kind)


def _is_wide(measure: Measure) -> bool:
    """Whether few values of so many places may add up to more than Int128 holds."""
    return measure.value is not None and places_of(measure.value.type) > CELL_PLACES


def _sums(measure: Measure, values: pl.Expr) -> list[pl.Expr]:
    """The sum of a measure's values, of wide ones that of their front parts and that of their last
    digits.
    """
    held = values.cast(pl.Int128)
    if not _is_wide(measure):
        return [held.sum().alias(measure.slot)]
    last = pl.lit(10**CELL_PLACES, dtype=pl.Int128)
    return [
        (held % last).sum().alias(measure.slot),
        (held // last).sum().alias(f"{measure.slot}.#front"),
    ]


def _total(measure: Measure) -> pl.Expr:
    """The sum, 0 of nothing; missing where it is beyond any number."""
    nothing, last = (pl.lit(number, dtype=pl.Int128) for number in (0, 10**CELL_PLACES))
    total = pl.col(measure.slot).fill_null(nothing)
    if not _is_wide(measure):
        return total
    front = pl.col(f"{measure.slot}.#front").fill_null(nothing)
    # Within the bound nothing overflows; beyond it the sum has more digits than a number may have.
    bound = pl.lit(16 * LARGEST * 10 ** (CELL_PLACES - 1), dtype=pl.Int128)
    return pl.when(front.abs() < bound).then(front * last + total)


@dataclass(frozen=True)
class _Verdict:
    """The parts of a verdict, three-valued; `where` is None where every row is judged."""

    where: pl.Expr | None
    when: pl.Expr | None
    claims: tuple[pl.Expr, ...]

    @classmethod
    def of(cls, rule: RulePlan, translator: Translator) -> "_Verdict":
        where = (
            translator.value(rule.where).fill_null(value=False) if rule.where is not None else None
        )
        when = translator.value(rule.when) if rule.when is not None else None
        return cls(where, when, tuple(translator.values(rule.claims)))

    def code(self) -> pl.Expr:
        """The verdict and the cause in one number."""
        applies = pl.lit(value=True) if self.when is None else self.when

        def number(value: int) -> pl.Expr:
            return pl.lit(value, dtype=pl.UInt16)

        # The first branch whose condition is true decides; an unknown one is passed over.
        branches = [] if self.when is None else [(~self.when, NOT_APPLICABLE)]
        branches.append((joined(self.claims, every=True), HOLDS))
        branches += [(applies & ~claim, FAILS + n) for n, claim in enumerate(self.claims)]
        code = number(UNKNOWN)
        for condition, value in reversed(branches):
            code = pl.when(condition).then(number(value)).otherwise(code)
        return code if self.where is None else pl.when(self.where).then(code)


def cause_of(code: pl.Expr) -> pl.Expr:
    """Which claim failed, from the number of a verdict; 0 where none did."""
    return pl.when(code >= FAILS).then(code - (FAILS - 1)).otherwise(0).cast(pl.UInt16)
