"""frame: a pipeline under construction

The problem is to take expressions that walk through rows and quantifiers and leave only columns. A
`Frame` is a pipeline being built that has certain row variables; whatever reads only those
variables is attached to it once and becomes a column. A quantifier opens a frame for its own table.
What it says about its own rows alone is worked out there; equalities with rows outside become
links; and only what compares inner and outer rows in another way needs the pairs of both, which is
a third frame with both parents.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from ruleforge.engine import plan as pl
from ruleforge.engine.plan import ROW
from ruleforge.language import core
from ruleforge.language.check_expression import depths_read, links
from ruleforge.language.schema import Schema
from ruleforge.language.source import Source, Span
from ruleforge.language.types import BOOLEAN, INTEGER, PERIOD, ValueType

_Node = core.Expr | core.Row
_Question = core.Exists | core.Every | core.Aggregate
# WHY: an engine says such a value by naming its parts again and again (a quotient names its
# dividend to find the sign, to divide and to round), so that what is written three deep would be
# thousands of parts long.
_REPEATS = (
    core.Apply,
    core.HostCall,
    core.Arithmetic,
    core.If,
    core.InSet,
    core.InPeriod,
    core.Overlaps,
)
_NO_SPAN = Span(Source("<plan>", ""), 0, 0)


@dataclass
class Columns:
    """Columns asked of one set of rows: they grow while the frame is built."""

    prefix: str
    table: str
    names: dict[str, None] = field(default_factory=dict)


@dataclass
class _Reaching:
    """A `Reach` whose columns are still being asked for."""

    keys: tuple[core.Expr, ...]
    columns: Columns

    def finished(self) -> pl.Step:
        columns = self.columns
        return pl.Reach(columns.table, columns.prefix, self.keys, tuple(columns.names))


@dataclass
class _Gathering:
    """A `Gather` to which measures, and columns of the rows that they pick, are still being added."""

    inner: "Frame"
    links: tuple[tuple[core.LetValue, core.Expr], ...]
    pairs: "Frame | None"
    others: bool = False
    measures: list[tuple[pl.Measure, Columns]] = field(default_factory=list)

    def finished(self) -> pl.Step:
        measures = tuple(
            replace(measure, columns=tuple(columns.names)) for measure, columns in self.measures
        )
        source = self.inner.pipeline()
        if self.pairs is None:
            return pl.Gather(source, self.links, measures)
        paired = tuple(self.pairs.carried)
        return pl.Gather(
            source, self.links, measures, paired, self.pairs.finished_steps(), self.others
        )


@dataclass
class Beside:
    """Pairs of rows whose columns are still being asked for."""

    outer: "Frame"
    pairs: "Frame"
    links: tuple[tuple[core.LetValue, core.Expr], ...]
    others: bool

    def finished(self) -> pl.Pairs:
        inner = self.pairs.inner
        assert inner is not None
        carried = tuple(self.pairs.carried)
        steps = self.pairs.finished_steps()
        return pl.Pairs(
            self.outer.pipeline(), inner.pipeline(), self.links, carried, steps, self.others
        )


@dataclass
class Frame:
    """A pipeline under construction, with the row variables whose columns it has.

    A frame of pairs has no scan of its own but two parents: each of its rows is a row of `outer`
    beside one of `inner`.
    """

    schema: Schema
    numbers: "count[int]"
    scan: Columns
    depth: int
    outer: "Frame | None" = None
    inner: "Frame | None" = None
    steps: "list[pl.Derive | pl.Keep | _Reaching | _Gathering]" = field(default_factory=list)
    slots: dict[core.Expr, core.LetValue] = field(default_factory=dict)
    rows: dict[core.Row, Columns] = field(default_factory=dict)
    answers: dict[_Question, core.LetValue] = field(default_factory=dict)
    sources: "dict[tuple[str, int], Frame]" = field(default_factory=dict)
    gatherings: "dict[object, _Gathering]" = field(default_factory=dict)
    carried: dict[str, None] = field(default_factory=dict)  # columns of `outer` that the pairs need

    @classmethod
    def of_table(cls, variable: core.RowVariable, schema: Schema, numbers: "count[int]") -> "Frame":
        scan = Columns(f"r{next(numbers)}", variable.table)
        return cls(schema, numbers, scan, variable.depth)

    def pairs_with(self, inner: "Frame") -> "Frame":
        return Frame(self.schema, self.numbers, inner.scan, inner.depth, outer=self, inner=inner)

    def pipeline(self) -> pl.Pipeline:
        steps = self.finished_steps()
        return pl.Pipeline(
            pl.Scan(self.scan.table, self.scan.prefix, tuple(self.scan.names)), steps
        )

    def finished_steps(self) -> tuple[pl.Step, ...]:
        return tuple(
            step.finished() if isinstance(step, _Reaching | _Gathering) else step
            for step in self.steps
        )

    def lets(self, rule: core.Rule) -> dict[str, core.Expr]:
        """The rule's `let`s: each a column of this frame, but for periods, which are no columns,
        and constants.
        """
        lets: dict[str, core.Expr] = {}
        for name, value in rule.lets:
            lowered = self.lower(with_lets(value, lets))
            lets[name] = lowered if value.type == PERIOD else self.derive(lowered)
        return lets

    def derive(self, lowered: core.Expr) -> core.Expr:
        """A column for a value, the same one for equal values."""
        if isinstance(lowered, core.Constant | core.LetValue | core.ParameterValue):
            return lowered
        if lowered not in self.slots:
            slot = f"s{next(self.numbers)}"
            self.steps.append(pl.Derive(slot, lowered))
            self.slots[lowered] = core.LetValue(slot, lowered.type, lowered.span)
        return self.slots[lowered]

    # ── where a part belongs ────────────────────────────────────────────────────────────────────

    def lower(self, expr: core.Expr) -> core.Expr:
        """The expression over columns of this frame, to which what it needs is attached."""
        match expr:
            case core.LetValue() | core.ColumnValue() | core.RowPresent():
                pass
            case core.Exists() | core.Every() | core.Aggregate() | core.OtherRow():
                pass
            case _:
                return core.mapped(expr, self.part if isinstance(expr, _REPEATS) else self.lower)
        home = self.home(expr)
        if home is not self:
            value = home.lower(expr)
            self.bring(home, value)
            return value
        match expr:
            case core.LetValue():
                return expr
            case core.ColumnValue():
                columns = self.columns_of(expr.row)
                columns.names[expr.column] = None
                return core.LetValue(f"{columns.prefix}.{expr.column}", expr.type, expr.span)
            case core.OtherRow():
                own, other = self.number(expr.left), self.number(expr.right)
                return core.Compare("!=", own, other, expr.span)
            case core.RowPresent():
                if isinstance(expr.row, core.RowVariable):
                    return core.Constant(value=True, type=BOOLEAN, span=expr.span)
                found = core.LetValue(self.columns_of(expr.row).prefix, BOOLEAN, expr.span)
                return core.Present(found, expr.span)
            case _:
                if expr not in self.answers:
                    self.answers[expr] = self.ask(expr.variable, expr.where, expr)[0]
                return self.answers[expr]

    def number(self, variable: core.RowVariable) -> core.LetValue:
        """The column with the number of a row in its table."""
        return self.hidden(variable, ROW)

    def hidden(self, variable: core.RowVariable, name: str) -> core.LetValue:
        """A column with a number that the schema does not know: of a row, a file or a line."""
        home = self.home(variable)
        home.scan.names[name] = None
        number = core.LetValue(f"{home.scan.prefix}.{name}", INTEGER, _NO_SPAN)
        self.bring(home, number)
        return number

    def part(self, expr: core.Expr) -> core.Expr:
        """A part of a value that names it more than once: a column of its own where it is not one
        already.
        """
        lowered = self.lower(expr)
        is_column = lowered.type != PERIOD and not isinstance(lowered, core.SetOf)
        return self.derive(lowered) if is_column else lowered

    def home(self, node: _Node) -> "Frame":
        """The frame nearest the scans that has every row a node reads."""
        if self.outer is None or self.inner is None:
            return self
        read = depths_read(node)
        if read <= {self.depth}:
            return self.inner.home(node)
        return self if self.depth in read else self.outer.home(node)

    def bring(self, home: "Frame", value: core.Expr) -> None:
        """Makes columns of another frame readable in the pairs of this one. Those of the inner
        frame are there anyway.
        """
        if home is self or home is self.inner or self.outer is None:
            return
        for part in core.walk(value):
            if isinstance(part, core.LetValue):
                self.carried[part.name] = None
        self.outer.bring(home, value)

    def beside(
        self, variable: core.RowVariable, condition: core.Expr | None
    ) -> "tuple[Frame, Beside]":
        """The frame of the pairs of a row of this frame and one of another table for which the
        condition is true, and how they are paired; what else is asked of the pairs is attached
        to the frame.
        """
        conditions = conjuncts(condition)
        own = [each for each in conditions if depths_read(each) <= {variable.depth}]
        outward = [each for each in conditions if each not in own]
        linked = [each for each in outward if any(links(each, variable.depth))]
        mixed = [each for each in outward if each not in linked]
        inner = self.source(variable, shared=False)
        pairs = self.pairs_with(inner)
        keep = joined([inner.lower(each) for each in own])
        sides = [next(links(each, variable.depth)) for each in linked]
        on = tuple((inner.column(inside), self.lower(outside)) for inside, outside in sides)
        if keep is not None:
            inner.steps.append(pl.Keep(keep))
        both = joined([pairs.lower(each) for each in mixed])
        if both is not None:
            pairs.steps.append(pl.Keep(both))
        others = any(isinstance(each, core.OtherRow) for each in mixed)
        return pairs, Beside(self, pairs, on, others)

    def whole_row(self, variable: core.RowVariable) -> list[str]:
        """The columns of a row, its key first: by these, ties go."""
        table = self.schema.table(variable.table)
        others = [name for name in table.columns_by_name if name not in table.key]
        home = self.home(variable)
        names = []
        for name in (*table.key, *others):
            home.scan.names[name] = None
            value_type = table.columns_by_name[name].type
            value = core.LetValue(f"{home.scan.prefix}.{name}", value_type, _NO_SPAN)
            self.bring(home, value)
            names.append(value.name)
        return names

    # ── rows and questions ──────────────────────────────────────────────────────────────────────

    def columns_of(self, row: core.Row) -> Columns:
        """Where the columns of a row are found; attaches the row where it is not there yet."""
        if isinstance(row, core.RowVariable):
            return self.scan
        if row not in self.rows:
            if isinstance(row, core.Follow):
                self.rows[row] = self.reach(row)
            else:
                self.rows[row] = self.ask(row.variable, row.where, row)[1]
        return self.rows[row]

    def reach(self, row: core.Follow) -> Columns:
        table = self.schema.table(core.table_of(row.row))
        keys = tuple(
            self.lower(core.ColumnValue(row.row, name, table.columns_by_name[name].type, _NO_SPAN))
            for name in table.links_by_name[row.link].columns
        )
        columns = Columns(f"r{next(self.numbers)}", row.table)
        self.steps.append(_Reaching(keys, columns))
        return columns

    def ask(
        self, variable: core.RowVariable, where: core.Expr | None, node: _Question | core.Pick
    ) -> tuple[core.LetValue, Columns]:
        """Attaches one question about the rows of another table; gives the column of its answer."""
        conditions = conjuncts(where)
        own = [each for each in conditions if depths_read(each) <= {variable.depth}]
        outward = [each for each in conditions if each not in own]
        linked = [each for each in outward if any(links(each, variable.depth))]
        mixed = [each for each in outward if each not in linked]
        kind, value, value_type = _asked(node)
        alone = value is None or depths_read(value) <= {variable.depth}
        in_pairs = bool(mixed) or not alone
        inner = self.source(variable, shared=not in_pairs)
        pairs = self.pairs_with(inner) if in_pairs else None
        condition = joined([inner.lower(each) for each in own])
        sides = [next(links(each, variable.depth)) for each in linked]
        on = tuple((inner.column(inside), self.lower(outside)) for inside, outside in sides)
        others = any(isinstance(each, core.OtherRow) for each in mixed)
        if pairs is None:
            lowered = inner.lower(value) if value is not None else None
        else:
            if condition is not None:
                inner.steps.append(pl.Keep(condition))
            condition = joined([pairs.lower(each) for each in mixed])
            lowered = pairs.lower(value) if value is not None else None
        if isinstance(node, core.Pick):
            # Ties go by the key and then the other columns, so the rows are read whole.
            inner.scan.names.update(
                dict.fromkeys(self.schema.table(variable.table).columns_by_name)
            )
        slot = f"s{next(self.numbers)}"
        columns = Columns(slot, variable.table)
        measure = pl.Measure(
            slot, kind, condition, lowered, value_type, variable.table, inner.scan.prefix
        )
        gathering = self.gathering(inner, on, pairs, others=others)
        gathering.measures.append((measure, columns))
        return core.LetValue(slot, value_type, _NO_SPAN), columns

    def source(self, variable: core.RowVariable, *, shared: bool) -> "Frame":
        """The frame of the table that is asked about; one for all questions that need no pairs."""
        if not shared:
            return Frame.of_table(variable, self.schema, self.numbers)
        key = (variable.table, variable.depth)
        if key not in self.sources:
            self.sources[key] = Frame.of_table(variable, self.schema, self.numbers)
        return self.sources[key]

    def column(self, inside: core.Expr) -> core.LetValue:
        """A column that holds a value of this frame."""
        column = self.derive(self.lower(inside))
        assert isinstance(column, core.LetValue)
        return column

    def gathering(
        self,
        inner: "Frame",
        on: tuple[tuple[core.LetValue, core.Expr], ...],
        pairs: "Frame | None",
        *,
        others: bool,
    ) -> _Gathering:
        """The step that joins the answers; questions about the same rows by the same links share
        it.
        """
        key = (inner.scan.prefix, on)
        if pairs is not None or key not in self.gatherings:
            gathering = _Gathering(inner, on, pairs, others)
            self.steps.append(gathering)
            if pairs is not None:
                return gathering
            self.gatherings[key] = gathering
        return self.gatherings[key]


def with_lets(expr: core.Expr, lets: dict[str, core.Expr]) -> core.Expr:
    """The expression with each `let` replaced by what was made of it."""
    if not lets:
        return expr

    def put(part: core.Expr) -> core.Expr:
        return lets.get(part.name, part) if isinstance(part, core.LetValue) else part

    return core.rewritten(expr, put)


def conjuncts(where: core.Expr | None) -> list[core.Expr]:
    """The conditions that are joined by `and`."""
    if where is None:
        return []
    if isinstance(where, core.And):
        return [part for operand in where.operands for part in conjuncts(operand)]
    return [where]


def joined(conditions: Sequence[core.Expr]) -> core.Expr | None:
    """The conditions joined by `and`; None for none."""
    if not conditions:
        return None
    return conditions[0] if len(conditions) == 1 else core.And(tuple(conditions), _NO_SPAN)


def _asked(node: _Question | core.Pick) -> tuple[str, core.Expr | None, ValueType]:
    """What is asked of the rows: the kind of measure, its value, and the type of the answer."""
    match node:
        case core.Exists():
            return "exists", None, node.type
        case core.Every():
            return "every", node.satisfies, node.type
        case core.Aggregate():
            return node.kind, node.value, node.type
        case core.Pick():
            return "latest" if node.latest else "earliest", node.by, BOOLEAN
