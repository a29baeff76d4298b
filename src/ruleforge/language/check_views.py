"""check_views: views, scopes, populations and reports -> core.View

All four are a table made of others. A view is checked when its name is first read, so that those
that it reads come before it, and once. What a rulebook's views and rules read of a table stands
within the scopes of that rulebook: the table's name is bound to a view of its own, which the engine
makes like any other.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from ruleforge.language import ast, core
from ruleforge.language import check_messages as say
from ruleforge.language.check_expression import ExpressionChecker, Oversize, Scope
from ruleforge.language.check_view_columns import Grouped, Named, Parts, Ungrouped
from ruleforge.language.schema import Table
from ruleforge.language.source import Span

MOST_VIEWS = 50  # that stand one upon the other


@dataclass
class ViewChecker:
    """Checks what is made of tables. `views` are those that are right, in the order in which they
    are to be made.
    """

    expressions: ExpressionChecker
    views: dict[str, core.View] = field(default_factory=dict)
    tried: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)  # by what is no view
    read_by: dict[str, set[str]] = field(default_factory=dict)  # the views that a view reads
    heights: dict[str, int] = field(default_factory=dict)  # how many stand one upon the other
    under_way: list[str] = field(default_factory=list)
    bindings: dict[int, dict[str, str]] = field(default_factory=dict)
    binding: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.expressions.view = self.table

    # ── views and scopes ────────────────────────────────────────────────────────────────────────

    def all(self) -> None:
        """Checks every view and scope, read or not."""
        for home in self.expressions.declarations.scopes:
            self.scopes(home)
        read = set(self.read)
        for name, declared in self.expressions.declarations.views.items():
            self.table(name, declared.view.name.span)
        self.read = read

    def used(self) -> set[str]:
        """The views that something reads, be it through others. One that only views read which
        nothing reads is not among them, but for those of a view with a mistake.
        """
        found: set[str] = set()
        pending = [*self.read, *self.expressions.misread]
        pending += [name for name in self.read_by if name not in self.views]
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                pending += self.read_by.get(name, ())
        return found

    def table(self, name: str, span: Span) -> Table | None:
        """The table that a view is; None where it has a mistake, which is told."""
        if self.under_way:
            self.read_by.setdefault(self.under_way[-1], set()).add(name)
        else:
            self.read.add(name)
        declared = self.expressions.declarations.views[name]
        if name in self.under_way:
            circle = [*self.under_way[self.under_way.index(name) :], name]
            self.expressions.complain(say.circle_of_views(span, circle))
            return None
        if declared.home in self.binding:
            self.expressions.complain(say.scope_reads_view(span, name))
            return None
        if name not in self.tried:
            if len(self.under_way) >= MOST_VIEWS:
                self.expressions.complain(say.too_many_views(span, MOST_VIEWS))
                return None
            self.tried.add(name)
            self.under_way.append(name)
            with self.inside(declared.home, declared.view.name.span):
                view = self.made(_parts_of(declared.view))
            self.under_way.pop()
            below = self.read_by.get(name, ())
            self.heights[name] = 1 + max((self.heights.get(each, 0) for each in below), default=0)
            if view is not None and self.heights[name] > MOST_VIEWS:
                place = declared.view.name.span
                self.expressions.complain(say.too_many_views(place, MOST_VIEWS))
            elif view is not None:
                self.add(view)
        return self.views[name].table if name in self.views else None

    def is_right(self, name: str) -> bool:
        """Whether a view has no mistake."""
        return name in self.views

    def add(self, view: core.View) -> None:
        self.views[view.table.name] = view
        self.expressions.schema.derived[view.table.name] = view.table

    def scopes(self, home: int) -> Mapping[str, str]:
        """What the names of tables mean in a rulebook that has scopes."""
        if home not in self.bindings:
            self.bindings[home] = {}
            self.binding.add(home)
            by_table: dict[str, list[ast.Scope]] = {}
            for scope in self.expressions.declarations.scopes.get(home, ()):
                with self.inside(None, scope.span):
                    table = self.scoped_table(scope)
                if table is not None:
                    by_table.setdefault(table.name, []).append(scope)
            bound = {name: self.scoped(name, each, home) for name, each in by_table.items()}
            self.binding.discard(home)
            self.bindings[home].update((name, new) for name, new in bound.items() if new)
        return self.bindings[home]

    def scoped_table(self, scope: ast.Scope) -> Table | None:
        name = scope.rows.table
        if name.dataset is None and name.table.text in self.expressions.declarations.views:
            self.expressions.misread.add(name.table.text)
            self.expressions.complain(say.scope_of_view(name.span, name.table.text))
            return None
        return self.expressions.table(name)

    def scoped(self, name: str, scopes: Sequence[ast.Scope], home: int) -> str | None:
        """The name of the table within all of its scopes."""
        table = self.expressions.schema.table(name)
        conditions: list[core.Expr] = []
        variable = core.RowVariable(0, name, scopes[0].rows.variable.text)
        for scope in scopes:
            with self.inside(None, scope.span):
                rows = self.row(scope.rows, Scope())
                if rows is not None and scope.rows.where is not None:
                    condition = self.expressions.condition(scope.rows.where, rows[1])
                    conditions += [condition] if condition is not None else []
        if len(conditions) < len(scopes):
            return None
        where = conditions[0]
        if len(conditions) > 1:
            where = core.And(tuple(conditions), scopes[0].span)
        full = f"{name}@{home}"
        derived = replace(table, name=full, base=table.kind, label=table.shown, files=())
        columns = tuple(
            (each.name, core.ColumnValue(variable, each.name, each.type, scopes[0].span))
            for each in table.columns
        )
        view = core.View(derived, variable, None, None, where, None, columns, None, scopes[0].span)
        self.add(view)
        return full

    @contextmanager
    def inside(self, home: int | None, place: Span) -> Iterator[None]:
        """The checking of one declaration in the midst of another, with a budget of its own, and
        the scopes of its rulebook.
        """
        expressions = self.expressions
        bindings = {} if home is None else self.scopes(home)
        before = (
            expressions.bindings,
            expressions.place,
            expressions.parts_of_rule,
            expressions.what,
            expressions.level,
            expressions.expanding,
        )
        expressions.bindings = bindings
        expressions.place = place
        expressions.what = "this declaration"
        expressions.parts_of_rule = expressions.level = expressions.expanding = 0
        try:
            yield
        except Oversize:
            pass
        finally:
            (
                expressions.bindings,
                expressions.place,
                expressions.parts_of_rule,
                expressions.what,
                expressions.level,
                expressions.expanding,
            ) = before

    # ── one view ────────────────────────────────────────────────────────────────────────────────

    def row(self, clause: ast.ForClause, scope: Scope) -> tuple[core.RowVariable, Scope] | None:
        """The row variable of a clause and the scope that has it."""
        with self.expressions.over(clause.variable, clause.table, scope) as inside:
            return inside

    def made(self, parts: Parts) -> core.View | None:
        """The view, or None where it has a mistake, which is told."""
        expressions = self.expressions
        before = len(expressions.diagnostics)
        first = self.row(parts.rows, Scope())
        if first is None:
            return None
        variable, scope = first
        joined, on = None, None
        if parts.joined is not None:
            second = self.row(parts.joined, scope)
            if second is None:
                return None
            joined, scope = second
            assert parts.joined.where is not None
            on = expressions.condition(parts.joined.where, scope)
            if on is None:
                return None
            place = parts.joined.variable.span.to(parts.joined.table.span)
            # WHY: one that reads its own rows alone is beside every row too.
            both = core.And((on, core.OtherRow(joined, variable, place)), place)
            if not expressions.is_linked(place, joined, both, clause="on"):
                return None
        where = expressions.condition(parts.rows.where, scope) if parts.rows.where else None
        rows = [variable] if joined is None else [variable, joined]
        maker = Grouped if parts.grouped else Ungrouped
        columns = maker(expressions, parts, scope, rows, on).columns()
        if columns is None or any(e.level == "error" for e in expressions.diagnostics[before:]):
            return None
        return core.View(
            columns.table, variable, joined, on, where, columns.group, columns.values, columns.keep,
            parts.span,
        )  # fmt: skip

    # ── populations and reports ─────────────────────────────────────────────────────────────────

    def population(
        self, declared: ast.Population, unless: tuple[core.Severity, ...], home: int
    ) -> core.Population | None:
        """A population: its units are the groups of the values of its roles."""
        name = declared.name.text
        with self.inside(home, declared.name.span):
            table = self.expressions.table(declared.rows.table)
            if table is None:
                return None
            roles = table.roles
            variable = declared.rows.variable
            groups: list[Named] = []
            spans: dict[str, Span] = {}
            for role in declared.roles:
                if role.text in spans:
                    self.expressions.complain(say.stands_twice(role.span, "role", spans[role.text]))
                elif role.text not in roles:
                    self.expressions.complain(
                        say.unknown_role(role.span, role.text, table.shown, list(roles))
                    )
                else:
                    column = ast.Name(roles[role.text], role.span)
                    operand = ast.Variable(variable.text, role.span)
                    groups.append(Named(role, ast.Attribute(operand, column, role.span)))
                spans.setdefault(role.text, role.span)
            if len(groups) < len(declared.roles):
                return None
            parts = Parts(
                f"population {name}",
                declared.rows,
                declared.span,
                grouped=True,
                groups=tuple(groups),
            )
            view = self.made(parts)
            if view is not None:
                names = tuple(role.text for role in declared.roles)
                return core.Population(name, view, names, unless, declared.name.span)
        return None

    def report(self, declared: ast.Report, home: int) -> core.Report | None:
        """A report: the figures of groups, or of all rows."""
        name = declared.name.text
        with self.inside(home, declared.name.span):
            parts = Parts(
                f"report {name}",
                declared.rows,
                declared.span,
                grouped=True,
                groups=tuple(Named(each.name, each.value) for each in declared.groups),
                selects=tuple(Named(each.name, each.value) for each in declared.shows),
            )
            view = self.made(parts)
            if view is not None:
                title = declared.title.value if declared.title else name
                return core.Report(name, title, view, declared.name.span)
        return None


def _parts_of(view: ast.View) -> Parts:
    return Parts(
        view.name.text,
        view.rows,
        view.span,
        view.joined,
        bool(view.groups),
        tuple(Named(None, each) for each in view.groups),
        tuple(Named(each.name, each.value) for each in view.selects),
        view.keep,
    )
