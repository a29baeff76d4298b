"""plan: what will be done with the tables, before an engine does it

One `TablePlan` for each table that rules judge. Its pipeline begins with a scan of that table and
attaches, one join each, what the rules read beyond their own row: rows that are referred to
(`Reach`) and questions about other tables (`Gather`). What is left of a rule are expressions over
the columns of the pipeline, so that any number of rules share one pass.

Expressions are those of core, in which every row is gone: a `LetValue` names a column of the
pipeline (`r0.birth_date`, `s3`).
"""

from dataclasses import dataclass, field

from ruleforge.language import core
from ruleforge.language.types import ValueType

ROW = "#row"  # the number of a row in its table, from 0


@dataclass(frozen=True)
class Scan:
    """The rows of a table; its column `c` becomes `prefix.c`. `#row`, among the columns, is the number
    of the row.
    """

    table: str
    prefix: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Derive:
    """A new column."""

    slot: str
    value: core.Expr


@dataclass(frozen=True)
class Keep:
    """Only rows for which the condition is true stay."""

    condition: core.Expr


@dataclass(frozen=True)
class Reach:
    """The one row of `table` whose key equals `keys`; its column `c` becomes `prefix.c`, and
    `prefix` says whether there is one.

    Of several rows with that key it is the smallest, compared column by column in declared order.
    """

    table: str
    prefix: str
    keys: tuple[core.Expr, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Measure:
    """One figure about the rows that a `Gather` finds, of those for which `condition` is true.

    `kind` is exists, every, count, count distinct, sum, min, max, average, latest or earliest.
    `every` asks `value` of each row. `latest` and `earliest` take the row with the greatest or
    smallest `value` and give its `columns` as `slot.c`, and in `slot` whether there is one.
    """

    slot: str
    kind: str
    condition: core.Expr | None
    value: core.Expr | None
    type: ValueType
    table: str
    order_prefix: str  # of the columns of `table` among those of the source, by which ties go
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gather:
    """Figures about the rows of `source` that belong to a row of the pipeline.

    They belong by equality of the `links` (column of the source, expression of the pipeline), none
    for all of them. Where the measures read the outer row too, `paired` lists what they need of it,
    and `steps` are done on the pairs of rows. With `others` no row is paired with itself.
    """

    source: "Pipeline"
    links: tuple[tuple[core.LetValue, core.Expr], ...]
    measures: tuple[Measure, ...]
    paired: tuple[str, ...] | None = None
    steps: tuple["Step", ...] = ()
    others: bool = False


Step = Derive | Keep | Reach | Gather


@dataclass(frozen=True)
class Pipeline:
    """A scan and what is attached to its rows."""

    scan: Scan
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class RulePlan:
    """`where`, `when` and the claims of a rule, over the columns of its table's pipeline."""

    rule: core.Rule = field(compare=False, repr=False)
    where: core.Expr | None
    when: core.Expr | None
    claims: tuple[core.Expr, ...]


@dataclass(frozen=True)
class TablePlan:
    """All rules of one table, over one pipeline."""

    table: str
    pipeline: Pipeline
    rules: tuple[RulePlan, ...]


@dataclass(frozen=True)
class Extract:
    """Values of chosen rows of a table: what messages and findings show of them."""

    table: str
    pipeline: Pipeline
    values: tuple[core.Expr, ...]


@dataclass(frozen=True)
class Pairs:
    """Each row of `outer` beside each of `inner` that belongs to it by the `links`, as in `Gather`."""

    outer: Pipeline
    inner: Pipeline
    links: tuple[tuple[core.LetValue, core.Expr], ...]
    carried: tuple[str, ...]
    steps: tuple[Step, ...]
    others: bool


@dataclass(frozen=True)
class PairExtract:
    """Values of pairs of rows; `own` and `other` are the columns with their numbers."""

    pairs: Pairs
    own: str
    other: str
    values: tuple[core.Expr, ...]


@dataclass(frozen=True)
class GroupFigure:
    """A figure about each group, as `core.Figure`, over the columns of the rows. Ties of latest and
    earliest go by `ties`.
    """

    name: str
    kind: str
    condition: core.Expr | None
    value: core.Expr | None
    picked: core.Expr | None
    type: ValueType
    ties: tuple[str, ...]


@dataclass(frozen=True)
class Grouping:
    """The groups of rows that agree in `by`, with figures; `steps` are done on the groups."""

    by: tuple[tuple[str, core.Expr], ...]
    figures: tuple[GroupFigure, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class ViewPlan:
    """A view to be made. `order` are the columns by which its rows are in order; `columns` those that
    are made, over the columns of the rows or of the groups.
    """

    view: core.View = field(repr=False)
    source: Pipeline | Pairs
    order: tuple[str, ...]
    group: Grouping | None
    columns: tuple[tuple[str, core.Expr], ...]
