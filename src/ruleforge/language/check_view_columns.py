"""check_view_columns: what a view selects -> its columns, key, roles and references

In a grouped view an expression is read twice. First as if it were about one row; then whatever
equals a value of `group by` becomes that value, and each question about the rows of the group a
`Figure`. What then still reads a row has as many values as the group has rows, and is refused.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import NamedTuple, TypeVar

from ruleforge.language import ast, core
from ruleforge.language import check_messages as say
from ruleforge.language.check_expression import ExpressionChecker, Scope, depths_read
from ruleforge.language.schema import Column, Link, Table
from ruleforge.language.sensitive import reads_sensitive
from ruleforge.language.source import Span
from ruleforge.language.types import BOOLEAN, PERIOD

Node = TypeVar("Node")

_PLAIN_FIGURES = ("count", "count distinct", "exists", "every")


class Named(NamedTuple):
    """A value with its name, where the author gives it one."""

    name: ast.Name | None
    value: ast.Expr


@dataclass(frozen=True)
class Parts:
    """What a table is made of, as written. `grouped` where its rows are groups; of none, one."""

    name: str
    rows: ast.ForClause
    span: Span
    joined: ast.ForClause | None = None
    grouped: bool = False
    groups: tuple[Named, ...] = ()
    selects: tuple[Named, ...] = ()
    keep: ast.KeepClause | None = None


class Columns(NamedTuple):
    """The columns of a view, and what they read if that is groups."""

    table: Table
    group: core.Group | None
    values: tuple[tuple[str, core.Expr], ...]
    keep: core.Keep | None


@dataclass
class Maker:
    """Works out the columns of one view; `on` is the condition of a join."""

    expressions: ExpressionChecker
    parts: Parts
    scope: Scope
    rows: list[core.RowVariable]
    on: core.Expr | None
    values: dict[str, core.Expr] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)  # what a column is, as a message says it
    chosen: dict[str, Span] = field(default_factory=dict)  # where the author gives a name

    @property
    def noun(self) -> str:
        """What is made."""
        return self.parts.name.partition(" ")[0] if " " in self.parts.name else "view"

    def own_table(self, row: core.RowVariable) -> Table:
        return self.expressions.schema.table(row.table)

    def value(self, expr: ast.Expr, scope: Scope) -> core.Expr | None:
        """A value that a column can hold."""
        checked = self.expressions.value(expr, scope)
        if checked is not None and checked.type == PERIOD:
            why, fix = "a period is no column", "name its two dates"
            self.expressions.complain(say.wrong_type(expr.span, "a value", PERIOD, why, fix))
            return None
        return checked

    def add(self, name: str, value: core.Expr, what: str) -> None:
        """Adds a column that is `what`."""
        self.values[name] = value
        self.told[name] = what

    def collide(self, span: Span, name: str, what: str, why: str, fix: str) -> None:
        """Says that a column would be what has its name already, and `what`."""
        self.expressions.complain(say.same_column(span, name, self.told[name], what, why, fix))

    def selected(self, scope: Scope) -> list[tuple[ast.Name, core.Expr]] | None:
        """The values behind `select`, checked."""
        found: list[tuple[ast.Name, core.Expr]] = []
        spans: dict[str, Span] = {}
        fine = True
        for name, expr in self.parts.selects:
            assert name is not None
            if name.text in spans:
                first = spans[name.text]
                self.expressions.complain(
                    say.declared_twice(name.span, "the column", name.text, first)
                )
                fine = False
            spans.setdefault(name.text, name.span)
            value = self.value(expr, scope)
            fine = fine and value is not None
            if value is not None:
                found.append((name, value))
        self.chosen = spans
        return found if fine else None

    def kept(self, scope: Scope) -> core.Keep | None:
        """`keep`, whose values become columns with hidden names where they are none yet."""
        clause = self.parts.keep
        if clause is None:
            return None
        for name, value in self.values.items():
            if name not in scope.rows and not name.startswith("#"):
                scope = replace(scope, values={**scope.values, name: value})
        by = self.value(clause.by, scope)
        per = [self.value(each, scope) for each in clause.per]
        if by is not None and by.type == BOOLEAN:
            self.expressions.complain(say.not_comparable(clause.by.span, by.type, clause.kind))
            return None
        lifted = [self.lift(each) for each in (by, *per) if each is not None]
        if len(lifted) < 1 + len(per) or None in lifted:
            return None
        names = [
            self.column_of(each, f"#keep.{number}")
            for number, each in enumerate(lifted)
            if each is not None
        ]
        return core.Keep(clause.kind == "latest", names[0], tuple(names[1:]))

    def column_of(self, value: core.Expr, otherwise: str) -> str:
        for name, each in self.values.items():
            if each == value:
                return name
        self.values[otherwise] = value
        return otherwise

    def lift(self, expr: core.Expr) -> core.Expr | None:
        return expr

    # ── what the columns are ────────────────────────────────────────────────────────────────────

    def table(
        self, key: Sequence[str], sources: Mapping[str, core.Expr], figures: frozenset[str], *,
        key_declared: bool,
    ) -> Table:  # fmt: skip
        """The table of the columns. `sources` are what they read of rows; `figures` of them show
        nothing of single rows.
        """
        shown = {n: value for n, value in self.values.items() if not n.startswith("#")}
        roles = self.roles(sources)
        schema = self.expressions.schema
        columns = []
        for name, value in shown.items():
            source = sources.get(name, value)
            origin = self.origin(source)
            columns.append(
                Column(
                    name,
                    value.type,
                    max_length=origin.max_length if origin else None,
                    identifies=roles.get(name),
                    sensitive=name not in figures and reads_sensitive(source, schema),
                )
            )
        return Table(
            self.parts.name,
            tuple(columns),
            tuple(key) or tuple(shown),
            key_declared=key_declared,
            links=tuple(self.links(shown, sources)),
            doc="",
        )

    def origin(self, value: core.Expr) -> Column | None:
        """The column that a value is, whichever row it is of."""
        if not isinstance(value, core.ColumnValue):
            return None
        table = self.expressions.schema.table(core.table_of(value.row))
        return table.columns_by_name[value.column]

    def roles(self, sources: Mapping[str, core.Expr]) -> dict[str, str]:
        """The role of each column that has one: columns of the rows themselves before those of rows
        that they refer to.
        """
        roles: dict[str, str] = {}
        for own in (True, False):
            for name, value in sources.items():
                origin = self.origin(value)
                if origin is None or origin.identifies is None:
                    continue
                assert isinstance(value, core.ColumnValue)
                is_own = isinstance(value.row, core.RowVariable)
                if is_own is own and origin.identifies not in roles.values():
                    roles.setdefault(name, origin.identifies)
        return roles

    def links(
        self, shown: Mapping[str, core.Expr], sources: Mapping[str, core.Expr]
    ) -> Iterator[Link]:
        """The references that can still be followed, since the view keeps their columns."""
        taken = set(shown)
        for row in self.rows:
            columns = {
                value.column: name
                for name, value in reversed(list(sources.items()))
                if isinstance(value, core.ColumnValue) and value.row == row and name in shown
            }
            for link in self.own_table(row).links:
                if link.name not in taken and all(each in columns for each in link.columns):
                    taken.add(link.name)
                    renamed = tuple(columns[each] for each in link.columns)
                    yield replace(link, columns=renamed, checked=False)


class Ungrouped(Maker):
    """Each row, or pair of rows, is a row of the view."""

    def columns(self) -> Columns | None:
        if self.parts.selects:
            selected = self.selected(self.scope)
            if selected is None:
                return None
            for name, value in selected:
                self.add(name.text, value, say.snippet(value.span))
        else:
            for row in self.rows:
                if not self.whole(row):
                    return None
        key: dict[str, None] = {}
        declared = all(self.own_table(row).key_declared for row in self.rows)
        for row in self.rows if declared else ():
            for column in self.own_table(row).key:
                named = self.key_column(row, column)
                if named is None:
                    return None
                key[named] = None
        before = len(self.expressions.diagnostics)
        keep = self.kept(self.scope)
        if len(self.expressions.diagnostics) > before:
            return None
        table = self.table(tuple(key), self.values, frozenset(), key_declared=declared)
        return Columns(table, None, tuple(self.values.items()), keep)

    def cell(self, row: core.RowVariable, column: str) -> core.ColumnValue:
        value_type = self.own_table(row).columns_by_name[column].type
        return core.ColumnValue(row, column, value_type, self.parts.span)

    def equated(self, value: core.ColumnValue) -> core.Expr:
        """The value of the first row that a join makes equal to one of the second; else itself."""
        pending = [self.on] if self.on is not None else []
        while pending:
            part = pending.pop()
            if isinstance(part, core.And):
                pending += part.operands
            elif isinstance(part, core.Compare) and part.op == "=":
                for one, other in ((part.left, part.right), (part.right, part.left)):
                    of_first = isinstance(other, core.ColumnValue) and other.row == self.rows[0]
                    if one == value and of_first:
                        return other
        return value

    def whole(self, row: core.RowVariable) -> bool:
        """Adds every column of a row; of a joined one those that are not equal to one there."""
        for column in self.own_table(row).columns_by_name:
            value = self.cell(row, column)
            what = f"`{row.name}.{column}`"
            if column not in self.values:
                self.add(column, value, what)
            elif self.equated(value) != self.values[column]:
                why = "without `select` a view has the columns of both rows"
                fix = f"select what is wanted, such as `{row.name}_{column} = {row.name}.{column}`"
                self.collide(self.joined_place, column, what, why, fix)
                return False
        return True

    @property
    def joined_place(self) -> Span:
        """Where the rows are named that are joined, or those of the view."""
        rows = self.parts.joined or self.parts.rows
        return rows.variable.span.to(rows.table.span)

    def key_column(self, row: core.RowVariable, column: str) -> str | None:
        """The name under which the view has a key column; it is added where it is not selected."""
        value = self.cell(row, column)
        for wanted in (value, self.equated(value)):
            for name, each in self.values.items():
                if each == wanted:
                    return name
        what = f"the key column `{row.name}.{column}`"
        if column not in self.values:
            self.add(column, value, what)
            return column
        why = "the key of its rows is always among the columns of a view"
        if column in self.chosen:
            self.collide(self.chosen[column], column, what, why, "choose another name")
        else:
            fix = f"select it by a name of its own: `{row.name}_{column} = {row.name}.{column}`"
            self.collide(self.joined_place, column, what, why, fix)
        return None


class Grouped(Maker):
    """Each group is a row of the view."""

    by: list[tuple[str, core.Expr]]
    figures: dict[core.Figure, core.LetValue]

    def columns(self) -> Columns | None:
        self.by, self.figures = [], {}
        inner = replace(self.scope, group=tuple(row.name for row in self.rows))
        groups = [(name, self.value(expr, self.scope), expr) for name, expr in self.parts.groups]
        selected = self.selected(inner)
        if selected is None or any(value is None for _, value, _ in groups):
            return None
        sources: dict[str, core.Expr] = {}
        for number, (given, value, expr) in enumerate(groups):
            assert value is not None
            name = given.text if given else self.name_of(value, selected)
            if name is None:
                self.expressions.complain(say.nameless_value(expr.span))
                return None
            let = core.LetValue(f"by.{number}", value.type, expr.span)
            if value in sources.values() and given is None:
                first = next(each for each in sources.values() if each == value)
                self.expressions.complain(say.grouped_twice(expr.span, first.span))
                return None
            self.by.append((let.name, value))
            what = say.snippet(expr.span)
            if name in self.values:
                why = f"what rows are grouped by is a column of the {self.noun}"
                fix = f"name one of them behind `select`: `select … = {what.strip('`')}`"
                if given is not None:
                    fix = "choose another name"
                self.collide(given.span if given else expr.span, name, what, why, fix)
                return None
            self.add(name, let, what)
            sources[name] = value
        fine = True
        plain: set[str] = set()
        for chosen, value in selected:
            if sources.get(chosen.text) == value:
                continue
            if chosen.text in self.values:
                why = f"what rows are grouped by is a column of the {self.noun}"
                what = say.snippet(value.span)
                self.collide(chosen.span, chosen.text, what, why, "choose another name")
                return None
            lifted = self.lift(value)
            fine = fine and lifted is not None
            if lifted is not None:
                self.add(chosen.text, lifted, say.snippet(value.span))
                sources[chosen.text] = value
                if not self.shows_rows(value):
                    plain.add(chosen.text)
        keep = self.kept(inner) if fine else None
        if not fine or (keep is None and self.parts.keep is not None):
            return None
        key = [name for name in self.values if self.values[name] in self.lets()]
        table = self.table(key, sources, frozenset(plain), key_declared=bool(key))
        group = core.Group(
            tuple(self.by),
            tuple(replace(figure, name=let.name) for figure, let in self.figures.items()),
        )
        return Columns(table, group, tuple(self.values.items()), keep)

    def lets(self) -> list[core.Expr]:
        return [core.LetValue(n, value.type, value.span) for n, value in self.by]

    @staticmethod
    def name_of(value: core.Expr, selected: Sequence[tuple[ast.Name, core.Expr]]) -> str | None:
        for name, each in selected:
            if each == value:
                return name.text
        return value.column if isinstance(value, core.ColumnValue) else None

    def shows_rows(self, value: core.Expr) -> bool:
        """Whether a value shows what stands in a sensitive column: counts and conditions do not."""
        schema = self.expressions.schema
        for node in _outside_plain_figures(value):
            if isinstance(node, core.ColumnValue) and reads_sensitive(node, schema):
                return True
        return False

    # ── from one row to the group ───────────────────────────────────────────────────────────────

    def lift(self, expr: core.Expr) -> core.Expr | None:
        """The expression with the group's values and figures in place of its rows."""
        lifted = self.lifted(expr)
        for node in core.walk(lifted):
            if isinstance(node, core.RowVariable) and node.depth < len(self.rows):
                read: core.Expr = next(
                    (
                        each
                        for each in core.walk(lifted)
                        if isinstance(each, core.ColumnValue | core.RowPresent)
                        and _root(each.row) == node
                    ),
                    expr,
                )
                groups = [say.snippet(each.value.span) for each in self.parts.groups]
                complaint = say.not_of_the_group(read.span, node.name, groups, read.type)
                self.expressions.complain(complaint)
                return None
        return lifted

    def lifted(self, expr: core.Expr) -> core.Expr:
        for name, value in self.by:
            if self.is_same(expr, value):
                return core.LetValue(name, expr.type, expr.span)
        match expr:
            case core.Exists() if expr.variable.depth == 0:
                return self.figure("exists", None, expr.where, None, expr)
            case core.Every() if expr.variable.depth == 0:
                return self.figure("every", expr.satisfies, expr.where, None, expr)
            case core.Aggregate() if expr.variable.depth == 0:
                return self.figure(expr.kind, expr.value, expr.where, None, expr)
            case core.ColumnValue() | core.RowPresent():
                picked = _root(expr.row)
                if isinstance(picked, core.Pick) and picked.variable.depth == 0:
                    kind = "latest" if picked.latest else "earliest"
                    # WHY: a question about the group is at depth 0, the row that it picks at its own.
                    name = picked.variable.name
                    own = next(each for each in self.rows if each.name == name)
                    row = _with_root(expr.row, own)
                    return self.figure(kind, picked.by, picked.where, replace(expr, row=row), expr)
                return replace(expr, row=self.lifted_row(expr.row))
            case core.Exists():
                return replace(expr, where=self.maybe(expr.where))
            case core.Every():
                asked = self.lifted(expr.satisfies)
                return replace(expr, where=self.maybe(expr.where), satisfies=asked)
            case core.Aggregate():
                return replace(expr, where=self.maybe(expr.where), value=self.maybe(expr.value))
            case _:
                return core.mapped(expr, self.lifted)

    def is_same(self, expr: core.Expr, value: core.Expr) -> bool:
        """Whether an expression is a value of `group by`, be it within a question of its own, where
        the rows that it goes through itself lie deeper.
        """
        if expr == value or type(expr) is not type(value):
            return expr == value
        own = len(self.rows)
        depths = [_least_depth(each, own) for each in (expr, value)]
        if None in depths or depths[0] == depths[1]:
            return False
        return _deeper(expr, own, (depths[1] or 0) - (depths[0] or 0)) == value

    def maybe(self, expr: core.Expr | None) -> core.Expr | None:
        return None if expr is None else self.lifted(expr)

    def lifted_row(self, row: core.Row) -> core.Row:
        match row:
            case core.Follow():
                return replace(row, row=self.lifted_row(row.row))
            case core.Pick():
                return replace(row, by=self.lifted(row.by), where=self.maybe(row.where))
            case _:
                return row

    def figure(
        self,
        kind: str,
        value: core.Expr | None,
        where: core.Expr | None,
        picked: core.Expr | None,
        expr: core.Expr,
    ) -> core.Expr:
        """The value of a figure, the same one for equal questions.

        Whether a row is found is a figure that is missing where none is picked, and false where the
        picked row refers to none.
        """
        self.reads_no_other_row(expr, (value, where, picked))
        new = core.Figure("", kind, value, where, picked, expr.type)
        if new not in self.figures:
            self.figures[new] = core.LetValue(f"figure.{len(self.figures)}", expr.type, expr.span)
        let = self.figures[new]
        if isinstance(expr, core.RowPresent):
            return core.And((core.Present(let, expr.span), let), expr.span)
        return let

    def reads_no_other_row(self, expr: core.Expr, parts: Iterable[core.Expr | None]) -> None:
        """Says so where a figure stands in a question about other rows, and reads those."""
        for part in (each for each in parts if each is not None):
            outside = [depth for depth in depths_read(part) if depth >= len(self.rows)]
            for node in core.walk(part) if outside else ():
                if isinstance(node, core.RowVariable) and node.depth == min(outside):
                    self.expressions.complain(say.figure_of_other_row(expr.span, node.name))
                    return


def _least_depth(expr: core.Expr, least: int) -> int | None:
    """The least depth, from `least` on, of the rows that an expression goes through."""
    rows = (node for node in core.walk(expr) if isinstance(node, core.RowVariable))
    return min((row.depth for row in rows if row.depth >= least), default=None)


def _deeper(node: Node, least: int, shift: int) -> Node:
    """A part of an expression with the rows of a depth from `least` on so much deeper."""
    if isinstance(node, core.RowVariable):
        return replace(node, depth=node.depth + shift) if node.depth >= least else node
    if isinstance(node, tuple):
        return tuple(_deeper(each, least, shift) for each in node)  # type: ignore[return-value]
    if not isinstance(node, core.Expr | core.Follow | core.Pick):
        return node
    parts = {each.name: getattr(node, each.name) for each in fields(node)}
    return replace(node, **{n: _deeper(part, least, shift) for n, part in parts.items()})


def _root(row: core.Row) -> core.Row:
    while isinstance(row, core.Follow):
        row = row.row
    return row


def _with_root(row: core.Row, root: core.Row) -> core.Row:
    return replace(row, row=_with_root(row.row, root)) if isinstance(row, core.Follow) else root


def _outside_plain_figures(expr: core.Expr) -> Iterator[core.Expr | core.Row]:
    """The parts of an expression but for those that are only counted or tested."""
    pending: list[core.Expr | core.Row] = [expr]
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, core.Exists | core.Every):
            continue
        if isinstance(node, core.Aggregate) and node.kind in _PLAIN_FIGURES:
            continue
        if isinstance(node, core.RowVariable | core.Follow | core.Pick):
            pending += core.row_children(node)
        else:
            pending += core.children(node)
