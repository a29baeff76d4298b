"""explain_expression: core.Expr, a row -> Step, the value of every part beside its words

The reference backend evaluates; this only looks on, and asks it for each part again. It differs in
one thing: where a quantifier or a reference goes by equalities with rows outside, only the rows
that have those values are looked at, for no other can match.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ruleforge.engine.admit import BAD, FILE, RAW, bad, raw
from ruleforge.engine.explanation import (
    ROWS_WITHHELD,
    UNREADABLE,
    WITHHELD,
    Cells,
    Place,
    RowSeen,
    RowsSeen,
    Step,
)
from ruleforge.engine.linked_rows import LinkedRows
from ruleforge.engine.own_words import own_words, place_of
from ruleforge.engine.reference_backend import Evaluator, PlainFunction, Row, Rows
from ruleforge.engine.reference_functions import shown
from ruleforge.engine.reference_judge import message_of
from ruleforge.engine.revision import LINE
from ruleforge.engine.whole_views import SOURCE
from ruleforge.language import core
from ruleforge.language.check_expression import depths_read, links
from ruleforge.language.check_messages import named
from ruleforge.language.core import Value
from ruleforge.language.notation import notation
from ruleforge.language.schema import Schema
from ruleforge.language.sensitive import reads_sensitive
from ruleforge.language.source import Span
from ruleforge.language.types import BOOLEAN

_ROWS = (core.RowVariable, core.Follow, core.Pick)
_MOST_NEAR = 5_000  # rows that have one value less than counterparts have
_QUANTIFIERS = (core.Exists, core.Every, core.Aggregate)
_Quantifier = core.Exists | core.Every | core.Aggregate | core.Pick


@dataclass(frozen=True)
class Sight:
    """What an explanation sees, and what of it may be shown.

    `views` are all views; `functions` those of the host, of one row's values. `most_rows` is the
    number of rows of another table that are shown of each kind.
    """

    schema: Schema
    views: Mapping[str, core.View]
    linked: LinkedRows
    parameters: Mapping[str, Value | None]
    functions: Mapping[str, PlainFunction]
    show_sensitive: bool
    most_rows: int


@dataclass(frozen=True)
class Reach:
    """What the rows of a quantifier are looked for by: the columns of its table, and the values
    that they must have. Nothing equals those of them that are `missing`.
    """

    wanted: Mapping[str, Value]
    missing: tuple[core.Expr, ...]

    @property
    def none(self) -> bool:
        """Whether no row can have the values."""
        return bool(self.missing)


class Explainer(Evaluator):
    """Evaluates the parts of one rule, or of a view, for one row, and tells what each came to.

    `written` is where they are written.
    """

    def __init__(
        self,
        sight: Sight,
        row: Row,
        written: Span,
        lets: Mapping[str, core.Expr] | None = None,
    ) -> None:
        super().__init__(sight.schema, {}, sight.parameters, lets, {0: row}, sight.functions)
        self.sight = sight
        self.linked = sight.linked
        self.written = written
        self.show_sensitive = sight.show_sensitive
        self.most_rows = sight.most_rows
        self.against: core.Against | None = None
        self._matching: dict[tuple[object, ...], list[dict[int, Row | None]]] = {}

    @classmethod
    def of_rule(cls, sight: Sight, rule: core.Rule, row: Row) -> "Explainer":
        """That of a rule for a row of its table."""
        explainer = cls(sight, row, place_of(rule), dict(rule.lets))
        explainer.against = rule.against
        return explainer

    @classmethod
    def of_view(cls, sight: Sight, view: core.View, row: Row) -> "Explainer":
        """That of a view for a row of its first table."""
        source = view.span.source
        return cls(sight, row, Span(source, 0, len(source.text)))

    def leniently(self) -> "Explainer":
        """Itself: a row has every column, missing where it was not supplied."""
        return self

    # ── rows of other tables ────────────────────────────────────────────────────────────────────

    def matching(
        self, variable: core.RowVariable, where: core.Expr | None, rows: Rows
    ) -> list[dict[int, Row | None]]:
        # WHY: every part above a quantifier asks for it again.
        seen = (id(variable), id(where), *sorted((depth, id(row)) for depth, row in rows.items()))
        if seen not in self._matching:
            inner = self.looked_at(variable, where, rows)
            self._matching[seen] = [each for each in inner if self.is_true(where, each)]
        return self._matching[seen]

    def looked_at(
        self, variable: core.RowVariable, where: core.Expr | None, rows: Rows
    ) -> list[dict[int, Row | None]]:
        """The rows that a quantifier has to look at, each within `rows`: those that are linked."""
        reach = self.reach(variable, where, rows)
        found = [] if reach.none else self.linked.of(variable.table, reach.wanted)
        return [{**rows, variable.depth: row} for row in found]

    def reach(self, variable: core.RowVariable, where: core.Expr | None, rows: Rows) -> Reach:
        """By what the rows of a quantifier are found."""
        wanted: dict[str, Value] = {}
        missing: list[core.Expr] = []
        for inner, outer in links(where, variable.depth) if where is not None else ():
            if not isinstance(inner, core.ColumnValue) or inner.row != variable:
                continue
            value = self.value(outer, rows)
            if not isinstance(value, Value):
                missing.append(outer)
            elif inner.column not in wanted:
                wanted[inner.column] = value
        return Reach(wanted, tuple(missing))

    def _follow(self, row: core.Follow, rows: Rows) -> Row | None:
        here = self.row(row.row, rows)
        if here is None:
            return None
        link = self.schema.table(core.table_of(row.row)).links_by_name[row.link]
        # NOTE: within a scope the reference leads to what the scope leaves of the table.
        target = self.schema.table(row.table)
        wanted: dict[str, Value] = {}
        for own, key in zip(link.columns, target.key, strict=True):
            value = here[own]
            if value is None:
                return None
            wanted[key] = value
        columns = [column.name for column in target.columns]
        found = self.linked.of(row.table, wanted)
        return min(found, key=lambda each: self.rank(target, each, columns), default=None)

    # ── steps ───────────────────────────────────────────────────────────────────────────────────

    def clause(
        self, expr: core.Expr, rows: Rows, *, decided: bool = True, public: bool = False
    ) -> Step:
        """A whole clause, quoted where it is written. `public`: the verdict tells already what it
        came to, so that is not withheld, whatever it reads.
        """
        decided = decided and (public or not self.withholds(expr))
        return self.step(expr, rows, self.written, decided=decided, public=public)

    def step(
        self,
        expr: core.Expr,
        rows: Rows,
        outer: Span | None,
        *,
        decided: bool = False,
        public: bool = False,
    ) -> Step:
        """What a part of what stands at `outer` came to, with its own parts below it."""
        value = self.value(expr, rows)
        written = own_words(expr, outer)
        sensitive = self.withholds(expr)
        withheld = sensitive and not public
        origin, place = self._origin(expr, rows)
        quantifier = _quantifier_of(expr)
        if sensitive and quantifier is not None:
            origin = origin or ROWS_WITHHELD
        parts = [
            self.step(
                part, rows, written.within, decided=decided and self._decides(part, expr, rows)
            )
            for part in self._parts(expr, rows)
        ]
        return Step(
            written.text,
            None if withheld else value,
            is_condition=expr.type == BOOLEAN,
            decided=decided,
            withheld=withheld,
            origin=origin,
            place=place,
            parts=tuple(parts),
            rows=None
            if sensitive or quantifier is None
            else self._rows_seen(quantifier, rows, written.within),
        )

    def _decides(self, part: core.Expr, whole: core.Expr, rows: Rows) -> bool:
        """Whether a part made the whole what it is. An `and` that is true needs all its operands,
        one that is false those that are; an `or` the other way round. A mark would tell the value
        of a part that is withheld.
        """
        if part.type != BOOLEAN or self.withholds(part):
            return False
        if isinstance(whole, core.And | core.Or):
            return self.truth(part, rows) is self.truth(whole, rows)
        return True

    def message(self, rule: core.Rule, cause: int) -> str:
        """The message of a claim about the row, as a finding has it."""
        if rule.against is not None:
            return message_of(rule, cause, self, show_sensitive=self.show_sensitive)
        template = rule.claims[cause - 1].message
        return "".join(
            part
            if isinstance(part, str)
            else WITHHELD
            if self.withholds(part)
            else shown(self.value(part, self.rows))
            for part in template.parts
        )

    def withholds(self, expr: core.Expr) -> bool:
        """Whether the value of a part is not to be shown."""
        return not self.show_sensitive and reads_sensitive(_plain(expr), self.schema, self.lets)

    def _parts(self, expr: core.Expr, rows: Rows) -> Sequence[core.Expr]:
        """The parts that were asked and say something: constants do not, and what the language
        makes of one word (`not in`, `between`) is one part.
        """
        parts: list[core.Expr] = []
        match expr:
            case core.If():
                truth = self.truth(expr.condition, rows)
                branch = {True: [expr.then], False: [expr.otherwise], None: []}[truth]
                parts = [expr.condition, *branch]
            case core.Exists() | core.Every() | core.Aggregate() | core.LetValue():
                pass
            case core.ColumnValue() | core.RowPresent():
                pass
            case core.SetOf():
                parts = list(expr.members)
            case _:
                # What goes through rows, and this does not know, stays whole. That two rows are two
                # is nothing that an author has written.
                children = core.children(expr)
                if not any(isinstance(each, _ROWS) for each in children):
                    parts = [
                        each for each in children if not isinstance(each, (*_ROWS, core.OtherRow))
                    ]
        told: list[core.Expr] = []
        for part in parts:
            if isinstance(part, core.Constant) or _reads_nothing(part):
                continue
            if isinstance(part, core.SetOf) or _is_one_word(part, expr):
                told += self._parts(part, rows)
            else:
                told.append(part)
        return list(dict.fromkeys(told))

    def _origin(self, expr: core.Expr, rows: Rows) -> tuple[str, Place | None]:
        """Where a value comes from, and the row of another table that it is a cell of."""
        match expr:
            case core.ParameterValue():
                return "parameter", None
            case core.LetValue():
                return "let", None
            case core.ColumnValue() | core.RowPresent() if not isinstance(
                expr.row, core.RowVariable
            ):
                row = self.row(expr.row, rows)
                table = core.table_of(expr.row)
                shown_name = self.schema.table(table).shown
                if row is None:
                    return f"no row of {shown_name}", None
                cell = expr if isinstance(expr, core.ColumnValue) else None
                unreadable = self._unreadable(cell, rows) if cell is not None else ""
                return unreadable or shown_name, self.place(table, row)
            case core.ColumnValue():
                return self._unreadable(expr, rows), None
            case _:
                return "", None

    def _unreadable(self, expr: core.ColumnValue, rows: Rows) -> str:
        """What stands in a cell that is missing because it could not be read."""
        row = self.row(expr.row, rows)
        if row is None:
            return ""
        row, column = self._cell_behind(core.table_of(expr.row), row, expr.column)
        if row.get(bad(column)) is not True:
            return ""
        held = WITHHELD if self.withholds(expr) else f'"{shown(row.get(raw(column)))}"'
        return f"{UNREADABLE}{held}, which is not {named(expr.type)}"

    def _cell_behind(self, table: str, row: Row, column: str) -> tuple[Row, str]:
        """The cell of the data that a view shows: its row, and its column there. The cell itself
        where it is in no view, or the view works it out.
        """
        while row.get(column) is None and table in self.sight.views:
            view = self.sight.views[table]
            value, number = dict(view.columns).get(column), row.get(SOURCE)
            if not isinstance(value, core.ColumnValue) or value.row != view.variable:
                break
            if not isinstance(number, int):
                break
            table, column = view.variable.table, value.column
            row = self.linked.numbered(table, number)
        return row, column

    def place(self, table: str, row: Row) -> Place:
        """A row as a person finds it."""
        file, line = row.get(FILE), row.get(LINE)
        return Place(
            self.schema.table(table).shown,
            self.cells(table, row, self.schema.table(table).key),
            file if isinstance(file, str) else None,
            line if isinstance(line, int) else None,
        )

    def cells_read(
        self, parts: Iterable[core.Expr | core.Row], depth: int, inner: Rows
    ) -> Iterator[tuple[str, str]]:
        """The cells that are read of the row of a depth, and of the rows that it leads to."""
        for node in _of_one_row(parts, depth):
            path = notation(node).partition(".")[2]
            if isinstance(_root(node.row), core.RowVariable) and not path.startswith("#"):
                value = self.value(node, inner)
                withheld = value is not None and self.withholds(node)
                yield path, WITHHELD if withheld else shown(value)

    def cells(self, table: str, row: Row, names: Iterable[str]) -> Cells:
        """Some cells of a row, each once, as a message shows them."""
        columns = self.schema.table(table).columns_by_name
        return tuple(
            (name, self.cell(shown(row[name]), columns[name].sensitive, row[name]))
            for name in dict.fromkeys(names)
            if name in row
        )

    def cell(self, text: str, sensitive: bool, value: Value | None) -> str:  # noqa: FBT001 - said once
        return WITHHELD if sensitive and value is not None and not self.show_sensitive else text

    # ── rows that were looked at ────────────────────────────────────────────────────────────────

    def _rows_seen(self, expr: _Quantifier, rows: Rows, within: Span | None) -> RowsSeen:
        """The rows that a quantifier has looked at: first those that decide, then the others."""
        variable, where = expr.variable, expr.where
        reach = self.reach(variable, where, rows)
        looked_at = self.looked_at(variable, where, rows)
        linked = bool(reach.wanted) or reach.none
        others = False
        if self.against == core.Against(variable, where):
            others = any(isinstance(each, core.OtherRow) for each in _operands(where))
            near = self._nearly_linked(variable, reach, looked_at)
            linked = linked and not near
            looked_at = self._nearest_first(variable, where, [*looked_at, *near])
        matching = {id(each[variable.depth]) for each in self.matching(variable, where, rows)}
        picked = self._pick(expr, rows) if isinstance(expr, core.Pick) else None
        kinds: tuple[list[RowSeen], ...] = ([], [], [])
        for inner in looked_at:
            row = inner[variable.depth]
            is_match = id(row) in matching
            failing = (
                isinstance(expr, core.Every)
                and is_match
                and self.truth(expr.satisfies, inner) is not True
            )
            kind = kinds[0 if failing or row is picked else 1 if is_match else 2]
            if row is not None and len(kind) < self.most_rows:
                seen = self._row_seen(expr, row, inner, within, is_match=is_match)
                kind.append(replace(seen, picked=row is picked))
        return RowsSeen(
            self.schema.table(variable.table).shown,
            linked,
            len(looked_at),
            len(matching),
            tuple(each for kind in kinds for each in kind),
            others,
            tuple(dict.fromkeys(own_words(each, within).text for each in reach.missing)),
        )

    def _nearly_linked(
        self, variable: core.RowVariable, reach: Reach, linked: Iterable[dict[int, Row | None]]
    ) -> list[dict[int, Row | None]]:
        """The rows that have all but one of the values by which counterparts are looked for, where
        there are not too many that do.
        """
        seen = {id(each[variable.depth]) for each in linked} | {id(self.rows[0])}
        found: list[dict[int, Row | None]] = []
        if reach.none or len(reach.wanted) < 2:
            return []
        for left_out in reach.wanted:
            wanted = {name: value for name, value in reach.wanted.items() if name != left_out}
            for row in self.linked.few(variable.table, wanted, _MOST_NEAR):
                if id(row) not in seen:
                    seen.add(id(row))
                    found.append({**self.rows, variable.depth: row})
        return found

    def _nearest_first(
        self,
        variable: core.RowVariable,
        where: core.Expr | None,
        looked_at: Iterable[dict[int, Row | None]],
    ) -> list[dict[int, Row | None]]:
        """Rows that may stand against the row, without the row itself: those that do, as a finding
        names them, then those that the fewest parts of the condition keep from it.
        """
        table = self.schema.table(variable.table)
        parts = _operands(where)

        def order(inner: dict[int, Row | None]) -> tuple[int, int, list[Any]]:
            truths = [self.truth(part, inner) for part in parts]
            row = inner[variable.depth]
            assert row is not None
            untrue = sum(truth is not True for truth in truths)
            return untrue, sum(truth is False for truth in truths), self.rank(table, row)

        own = self.rows[0]
        return sorted((each for each in looked_at if each[variable.depth] is not own), key=order)

    def _row_seen(
        self, expr: _Quantifier, row: Row, inner: Rows, within: Span | None, *, is_match: bool
    ) -> RowSeen:
        table = expr.variable.table
        matches: bool | None = True
        because: tuple[Step, ...] = ()
        satisfies = None
        if not is_match and expr.where is not None:
            matches = self.truth(expr.where, inner)
            because = decisive(self.step(expr.where, inner, within, decided=True))
        elif isinstance(expr, core.Every):
            satisfies = self.step(expr.satisfies, inner, within, decided=True)
            because = decisive(satisfies) if satisfies.value is not True else ()
        cells = tuple(self.cells_read(_inner(expr), expr.variable.depth, inner))
        return RowSeen(self.place(table, row), matches, cells, satisfies=satisfies, because=because)


def _operands(where: core.Expr | None) -> list[core.Expr]:
    """The conditions that must all be true."""
    if isinstance(where, core.And):
        return [each for operand in where.operands for each in _operands(operand)]
    return [] if where is None else [where]


def _quantifier_of(expr: core.Expr) -> _Quantifier | None:
    """The question about other rows that an expression asks itself."""
    match expr:
        case core.Exists() | core.Every() | core.Aggregate():
            return expr
        case core.ColumnValue() | core.RowPresent():
            row = _root(expr.row)
            return row if isinstance(row, core.Pick) else None
        case _:
            return None


def _root(row: core.Row) -> core.Row:
    """The row from which references lead to a row."""
    while isinstance(row, core.Follow):
        row = row.row
    return row


def _of_one_row(parts: Iterable[core.Expr | core.Row], depth: int) -> Iterator[core.ColumnValue]:
    """The columns that are read of the row of a depth, and of the rows that it leads to."""
    pending = list(parts)
    while pending:
        node = pending.pop(0)
        if isinstance(node, core.ColumnValue) and depths_read(node) == {depth}:
            yield node
        # NOTE: the row of a `let` may have the same depth, where it is picked from another table.
        rebinds = isinstance(node, (*_QUANTIFIERS, core.Pick)) and node.variable.depth == depth
        pending = [*(() if rebinds else _inner(node)), *pending]


def _inner(node: core.Expr | core.Row) -> Sequence[core.Expr | core.Row]:
    return core.row_children(node) if isinstance(node, core.Row) else core.children(node)


def _is_one_word(part: core.Expr, whole: core.Expr) -> bool:
    """Whether a part and its whole are one word of the language, such as `not in`."""
    conditions = whole.type == BOOLEAN and part.type == BOOLEAN
    return conditions and part.span == whole.span and bool(part.span.text)


def _reads_nothing(expr: core.Expr) -> bool:
    """Whether an expression is the same whatever is read."""
    return not any(
        isinstance(each, (core.ParameterValue, core.LetValue, core.HostCall, *_ROWS, *_QUANTIFIERS))
        for each in core.walk(expr)
    )


def _plain(expr: core.Expr) -> core.Expr:
    """The expression with the columns that built-in rules ask for replaced by those that they stand
    for, so that it is known whether they are sensitive.
    """

    def named(part: core.Expr) -> core.Expr:
        if isinstance(part, core.ColumnValue) and part.column.startswith((BAD, RAW)):
            name = part.column.removeprefix(BAD).removeprefix(RAW)
            return replace(part, column=name)
        return part

    return core.rewritten(expr, named)


def decisive(step: Step) -> tuple[Step, ...]:
    """The smallest conditions that decided a step, each once."""
    below = [part for part in step.parts if part.decided]
    if not below:
        return (step,)
    return tuple(dict.fromkeys(leaf for part in below for leaf in decisive(part)))
