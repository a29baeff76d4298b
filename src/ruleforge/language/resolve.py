"""resolve: rulebooks in order of use -> Declarations

Binds what stands outside rules: code sets, tables with their keys, references and links, datasets,
parameters, definitions, functions of the host; and gathers views and scopes, which `check` reads.
Every name has one meaning over all rulebooks that are used together. A declaration with a mistake
is left out and its name kept as `broken`, so that one mistake is told once.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from typing import TypeVar

from ruleforge.language import ast
from ruleforge.language import check_messages as say
from ruleforge.language.core import HostFunction, Parameter, Value
from ruleforge.language.declarations import (
    Declarations,
    DeclaredView,
    DefineArgument,
    Definition,
)
from ruleforge.language.diagnostic import Diagnostic
from ruleforge.language.functions import FUNCTIONS
from ruleforge.language.schema import (
    Code,
    CodeSet,
    Column,
    FileClause,
    Link,
    Schema,
    SchoolYear,
    Table,
)
from ruleforge.language.source import Span
from ruleforge.language.types import (
    BOOLEAN,
    DATE,
    DECIMAL,
    INTEGER,
    NAMED_TYPES,
    SCHOOL_YEAR,
    TEXT,
    CodeType,
    DecimalType,
    ValueType,
)
from ruleforge.language.xml_path import PathError, parse_path

Node = TypeVar(
    "Node",
    ast.Codes,
    ast.Table,
    ast.Parameter,
    ast.Define,
    ast.Dataset,
    ast.HostFunction,
    ast.Population,
    ast.Report,
)

AS_OF = "as_of"
MOST_CHOICES = 1_000


def resolve(
    rulebooks: Sequence[ast.Rulebook],
    *,
    incomplete: bool = False,
    wrong_literals: frozenset[Span] = frozenset(),
) -> tuple[Declarations, list[Diagnostic]]:
    """The meaning of every declared name. `rulebooks` come with those that are used before those
    that use them.

    With `incomplete` some rulebook, or a part of one, could not be read: then no name is called
    unknown. `wrong_literals` are the places of dates and numbers that are none, which is told
    already.
    """
    resolver = _Resolver(rulebooks, incomplete=incomplete, wrong_literals=wrong_literals)
    resolver.run()
    return resolver.declarations(), resolver.diagnostics


def literal_value(expr: ast.Expr) -> Value | None:
    """The value of a literal, with a minus sign perhaps; None for anything else."""
    if isinstance(expr, ast.Negative) and isinstance(expr.operand, ast.Literal):
        value = expr.operand.value
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return -value
        return None
    return expr.value if isinstance(expr, ast.Literal) else None


def fitting(
    name: str, expr: ast.Expr, value_type: ValueType, code_sets: Mapping[str, CodeSet]
) -> Value | Diagnostic:
    """The value of a literal, as one of the type of the parameter `name`, or why it is none."""
    value = literal_value(expr)
    if value is None:
        reason = "defaults, choices and settings are written out"
        return say.bad_default(expr.span, name, reason, "write a value, not an expression")
    if isinstance(value_type, CodeType) and isinstance(value, str):
        code_set = code_sets[value_type.name]
        known = value in code_set.position_by_code
        return value if known else say.unknown_code(expr.span, value, code_set)
    got = literal_type(value)
    if value_type == DECIMAL and got == INTEGER and isinstance(value, int):
        return Decimal(value)
    if got != value_type or (isinstance(value, str) and not value.strip()):
        return say.wrong_literal(expr.span, name, value_type, got)
    return value


def literal_type(value: Value) -> ValueType:
    """The type of a literal, before what stands beside it makes a code of it."""
    match value:
        case bool():
            return BOOLEAN
        case int():
            return INTEGER
        case Decimal():
            exponent = value.as_tuple().exponent
            return DecimalType(max(0, -exponent) if isinstance(exponent, int) else 0)
        case str():
            return TEXT
        case dt.date():
            return DATE
        case SchoolYear():
            return SCHOOL_YEAR


def date_format_reason(text: str) -> str | None:
    """Why a text is no date format, or None where it is one: `%Y`, `%m`, `%d`, once each."""
    directives = re.findall(r"%(.?)", text)
    if sorted(directives) != ["Y", "d", "m"]:
        return "a date format has `%Y`, `%m` and `%d`, once each, and nothing else after `%`"
    if re.search(r"[0-9]", text):
        return "a date format has no digits of its own"
    return None


class _Resolver:
    def __init__(
        self,
        rulebooks: Sequence[ast.Rulebook],
        *,
        incomplete: bool,
        wrong_literals: frozenset[Span],
    ) -> None:
        self.rulebooks = rulebooks
        self.wrong_literals = wrong_literals
        self.incomplete = incomplete
        self.diagnostics: list[Diagnostic] = []
        self.code_sets: dict[str, CodeSet] = {}
        self.tables: dict[str, Table] = {}
        self.parameters: dict[str, Parameter] = {
            AS_OF: Parameter(AS_OF, DATE, None, None, "The day on which the evaluation is made.")
        }
        self.definitions: dict[str, Definition] = {}
        self.functions: dict[str, HostFunction] = {}
        self.datasets: dict[str, str] = {}
        self.views: dict[str, DeclaredView] = {}
        self.derived: dict[str, Table] = {}
        # What the parser could not read is told already.
        self.broken = {name.text for rulebook in rulebooks for name in rulebook.broken}
        self.spans: dict[str, Span] = {}
        self.type_spans: dict[str, Span] = {}
        self.twice: set[str] = set()
        self.outer_names: dict[str, str] = {}

    def complain(self, diagnostic: Diagnostic) -> None:
        self.diagnostics.append(diagnostic)

    def declarations(self) -> Declarations:
        return Declarations(
            Schema(self.tables, self.code_sets, self.derived),
            self.parameters,
            self.definitions,
            self.functions,
            self.datasets,
            self.views,
            {
                home: tuple(each for each in rulebook.declarations if isinstance(each, ast.Scope))
                for home, rulebook in enumerate(self.rulebooks)
            },
            len(self.rulebooks) - 1,
            {
                **{each.name.text: "population" for each in self.of_kind(ast.Population)},
                **{each.name.text: "report" for each in self.of_kind(ast.Report)},
            },
            self.spans,
            frozenset(self.broken),
            self.incomplete,
            self.wrong_literals,
        )

    def of_kind(self, kind: type[Node]) -> Iterable[Node]:
        for rulebook in self.rulebooks:
            for declaration in rulebook.declarations:
                if isinstance(declaration, kind):
                    yield declaration

    def run(self) -> None:
        for codes in self.of_kind(ast.Codes):
            self.codes(codes)
        tables = []
        for table in self.of_kind(ast.Table):
            if self.new_type(table.name, "the table"):
                tables.append(table)
                self.tables[table.name.text] = self.columns(table)
        for table in tables:
            self.keys_and_files(table)
        for table in tables:
            self.links(table)
        for home, rulebook in enumerate(self.rulebooks):
            for view in rulebook.declarations:
                if isinstance(view, ast.View) and self.new_type(view.name, "the view"):
                    self.views[view.name.text] = DeclaredView(view, home)
        # WHY: of two that have one name nobody knows which is meant, so what reads it is not judged
        # by either.
        for name in self.twice:
            self.tables.pop(name, None)
            self.code_sets.pop(name, None)
            self.views.pop(name, None)
        self.drop_tables()
        self.cut_links()
        self.of_datasets()
        for parameter in self.of_kind(ast.Parameter):
            self.parameter(parameter)
        self.outer_names = {
            AS_OF: "the day of the evaluation",
            **dict.fromkeys(self.parameters, "a parameter"),
            **{define.name.text: "a definition" for define in self.of_kind(ast.Define)},
        }
        for function in self.of_kind(ast.HostFunction):
            self.host_function(function)
        for define in self.of_kind(ast.Define):
            self.definition(define)
        self.circles()

    # ── types ───────────────────────────────────────────────────────────────────────────────────

    def new_type(self, name: ast.Name, what: str) -> bool:
        """Whether a code set or table name is new; says so where it is not."""
        if name.text in NAMED_TYPES:
            self.complain(say.name_taken(name.span, name.text, "a type of the language"))
            return False
        if name.text in self.type_spans:
            first = self.type_spans[name.text]
            self.complain(say.declared_twice(name.span, what, name.text, first))
            self.twice.add(name.text)
            self.broken.add(name.text)
            return False
        self.type_spans[name.text] = name.span
        return True

    def value_type(self, name: ast.Name, tables: Iterable[str] = ()) -> ValueType | None:
        if name.text in NAMED_TYPES:
            return NAMED_TYPES[name.text]
        if name.text in self.broken:
            return None
        if name.text in self.code_sets:
            return CodeType(name.text)
        if not self.incomplete:
            known = [*NAMED_TYPES, *self.code_sets]
            self.complain(say.unknown_type(name.span, name.text, known, tables))
        return None

    def codes(self, codes: ast.Codes) -> None:
        if not self.new_type(codes.name, "the code set"):
            return
        taken: dict[str, Span] = {}
        result: list[Code] = []
        for line in codes.lines:
            for spelling in (line.code, *line.also):
                if spelling.value in taken:
                    first = taken[spelling.value]
                    self.complain(
                        say.declared_twice(spelling.span, "the code", spelling.value, first)
                    )
                elif not spelling.value.strip():
                    self.complain(say.blank_code(spelling.span))
                taken.setdefault(spelling.value, spelling.span)
            also = tuple(text.value for text in line.also)
            since, until = self.year(line.since), self.year(line.until)
            if line.since and line.until and since and until and until < since:
                self.complain(say.backwards_range(line.since.span, line.until.span, "time"))
            result.append(Code(line.code.value, line.label.value, also, since, until))
        unique = {code.code: code for code in reversed(result)}
        ordered = tuple(code for code in result if unique[code.code] is code)
        doc = codes.doc.value if codes.doc else ""
        self.code_sets[codes.name.text] = CodeSet(codes.name.text, ordered, doc)

    @staticmethod
    def year(literal: ast.Literal | None) -> SchoolYear | None:
        return literal.value if literal and isinstance(literal.value, SchoolYear) else None

    # ── tables ──────────────────────────────────────────────────────────────────────────────────

    def columns(self, table: ast.Table) -> Table:
        columns: dict[str, Column] = {}
        spans: dict[str, Span] = {}
        roles: dict[str, Span] = {}
        for column in table.columns:
            name = column.name.text
            if name in columns:
                self.complain(say.declared_twice(column.name.span, "the column", name, spans[name]))
                self.broken.add(f"{table.name.text}.{name}")
                continue
            spans[name] = column.name.span
            value_type = self.value_type(column.type)
            if value_type is None:
                self.broken.add(f"{table.name.text}.{name}")
                continue
            if column.max_length and value_type != TEXT:
                self.complain(
                    say.does_not_fit(
                        column.max_length.span,
                        f"`{name}` is {say.named(value_type)} and has no length",
                        "`max` limits the characters of a text",
                        "take `max` out",
                    )
                )
            if column.by_label and not isinstance(value_type, CodeType):
                self.complain(
                    say.does_not_fit(
                        say.within(column.span, r"\bby\s+label\b"),
                        f"`{name}` is {say.named(value_type)} and has no labels",
                        "`by label` reads the labels of a code set",
                        "take `by label` out",
                    )
                )
            role = column.identifies
            if role and role.text in roles:
                self.complain(say.role_twice(role.span, role.text, roles[role.text]))
            elif role:
                roles[role.text] = role.span
            columns[name] = Column(
                name,
                value_type,
                column.required,
                self.number(column.max_length),
                role.text if role else None,
                column.sensitive,
                column.header.value if column.header else None,
                column.by_label,
            )
        doc = table.doc.value if table.doc else ""
        return Table(
            table.name.text,
            tuple(columns.values()),
            tuple(columns),
            key_declared=False,
            lookup=table.lookup,
            doc=doc,
        )

    @staticmethod
    def number(literal: ast.Literal | None) -> int | None:
        return literal.value if literal and isinstance(literal.value, int) else None

    def keys_and_files(self, declared: ast.Table) -> None:
        table = self.tables[declared.name.text]
        key: tuple[str, ...] = ()
        for number, names in enumerate(declared.keys):
            if number > 0:
                self.complain(
                    say.does_not_fit(
                        names[0].span,
                        f"`{table.name}` has two keys",
                        "the key tells the rows of a table apart",
                        "keep one of them",
                    )
                )
                continue
            spans: dict[str, Span] = {}
            for name in names:
                if name.text in spans:
                    first = spans[name.text]
                    self.complain(say.declared_twice(name.span, "the key column", name.text, first))
                elif self.known_column(table, name):
                    spans[name.text] = name.span
            key = tuple(spans)
        self.paths(declared)
        files = tuple(self.file(each) for each in declared.files)
        self.tables[table.name] = replace(
            table, key=key or table.key, key_declared=bool(key), files=files
        )

    def known_column(self, table: Table, name: ast.Name) -> bool:
        if name.text in table.columns_by_name:
            return True
        if f"{table.name}.{name.text}" not in self.broken:
            self.complain(
                say.unknown_key_column(name.span, table.name, name.text, table.columns_by_name)
            )
        return False

    def paths(self, declared: ast.Table) -> None:
        """Refuses a `from` that is no path, where the table is read from XML."""
        if not any(clause.element for clause in declared.files):
            return
        for column in declared.columns:
            if column.header is None:
                continue
            try:
                parse_path(column.header.value)
            except PathError as mistake:
                self.complain(say.bad_path(column.header.span, mistake.where))

    def file(self, clause: ast.File) -> FileClause:
        if clause.delimiter and len(clause.delimiter.value) != 1:
            self.complain(
                say.does_not_fit(
                    clause.delimiter.span,
                    "a delimiter is one character",
                    "one character stands between the fields of a line",
                    'write it as `delimited "^"`',
                )
            )
        reason = date_format_reason(clause.dates.value) if clause.dates else None
        if clause.dates and reason:
            self.complain(
                say.does_not_fit(
                    clause.dates.span,
                    "this is no date format",
                    reason,
                    'write it as `dates "%Y%m%d"`',
                )
            )
        return FileClause(
            clause.pattern.value,
            clause.delimiter.value if clause.delimiter else ",",
            clause.header,
            clause.dates.value if clause.dates else None,
            clause.element.value if clause.element else None,
        )

    def links(self, declared: ast.Table) -> None:
        table = self.tables[declared.name.text]
        links: dict[str, Link] = {}
        spans: dict[str, Span] = {}

        def add(
            name: ast.Name | str, target: ast.Name, columns: tuple[str, ...], *, checked: bool
        ) -> None:
            text, span = (
                (name.text, name.span) if isinstance(name, ast.Name) else (name, target.span)
            )
            other = self.target(target)
            if other is None:
                self.broken.add(f"{table.name}.{text}")
            elif text in table.columns_by_name:
                self.complain(say.name_taken(span, text, f"a column of `{table.name}`"))
            elif text in links:
                self.complain(say.declared_twice(span, "the reference", text, spans[text]))
            elif self.fits(table, columns, other, target.span):
                links[text] = Link(text, other.name, columns, checked)
                spans[text] = span
            else:
                self.broken.add(f"{table.name}.{text}")

        for column in declared.columns:
            if column.references is None or column.name.text not in table.columns_by_name:
                continue
            own = column.name.text
            if column.reference_name is None and not own.endswith("_id"):
                self.complain(
                    say.does_not_fit(
                        column.references.span,
                        f"the reference of `{own}` has no name of its own",
                        "a column that ends in `_id` gives its reference its name, without the `_id`",
                        f"name it: `references {column.references.text} named …`",
                    )
                )
                continue
            add(
                column.reference_name or own.removesuffix("_id"),
                column.references,
                (own,),
                checked=True,
            )
        for link in declared.links:
            # WHY: a list, so that every column that is not there is told.
            if all([self.known_column(table, name) for name in link.columns]):  # noqa: C419
                columns = tuple(each.text for each in link.columns)
                add(link.link_name or link.table.text, link.table, columns, checked=False)
            else:
                self.broken.add(f"{table.name}.{(link.link_name or link.table).text}")
        self.tables[table.name] = replace(table, links=tuple(links.values()))

    def drop_tables(self) -> None:
        """Takes tables away whose columns have a type that is declared twice."""
        for table in [*self.tables.values()] if self.twice else ():
            types = {c.type.name for c in table.columns if isinstance(c.type, CodeType)}
            if types & self.twice:
                del self.tables[table.name]
                self.broken.add(table.name)
                self.twice.add(table.name)

    def cut_links(self) -> None:
        """Takes the links to tables that are declared twice away; what follows them is silent."""
        for table in [*self.tables.values()] if self.twice else ():
            kept = tuple(link for link in table.links if link.table not in self.twice)
            gone = {f"{table.name}.{each.name}" for each in table.links if each not in kept}
            self.broken |= gone
            self.tables[table.name] = replace(table, links=kept)

    def target(self, name: ast.Name) -> Table | None:
        if name.text in self.tables:
            return self.tables[name.text]
        if not (name.text in self.broken or self.incomplete):
            self.complain(say.unknown_table(name.span, name.text, self.tables))
        return None

    def fits(self, table: Table, columns: tuple[str, ...], target: Table, span: Span) -> bool:
        """Whether the columns can find a row of the target by its key."""
        if not target.key_declared:
            if not any(name.startswith(f"{target.name}.") for name in self.broken):
                self.complain(
                    say.does_not_fit(
                        span,
                        f"`{target.name}` has no key to be found by",
                        "a reference finds a row by the key of its table",
                        f"give `{target.name}` a `key`",
                    )
                )
            return False
        if len(columns) != len(target.key):
            needed, given = len(target.key), len(columns)
            key = " and ".join(f"`{name}`" for name in target.key)
            self.complain(
                say.does_not_fit(
                    span,
                    f"`{target.name}` is found by {key}, and {given} column{'s are' if given > 1 else ' is'} given",
                    "a reference gives a value for every column of the key",
                    f"write `link {target.name} on …` with {needed} column{'s' if needed > 1 else ''}",
                )
            )
            return False
        for own, other in zip(columns, target.key, strict=True):
            mine, theirs = table.columns_by_name[own].type, target.columns_by_name[other].type
            if mine != theirs:
                self.complain(
                    say.does_not_fit(
                        span,
                        f"`{own}` is {say.named(mine)} and `{target.name}.{other}` is {say.named(theirs)}",
                        "a reference and the key that it finds are of one type",
                        "give both columns the same type",
                    )
                )
                return False
        return True

    def of_datasets(self) -> None:
        """Each dataset has every table, and its references lead to its own tables."""
        spans: dict[str, Span] = {}
        for dataset in self.of_kind(ast.Dataset):
            name = dataset.name.text
            if name in spans:
                self.complain(
                    say.declared_twice(dataset.name.span, "the dataset", name, spans[name])
                )
                continue
            spans[name] = dataset.name.span
            self.datasets[name] = dataset.doc.value if dataset.doc else ""
            for table in self.tables.values():
                links = tuple(
                    replace(link, table=f"{name}.{link.table}", checked=False)
                    for link in table.links
                )
                full = f"{name}.{table.name}"
                self.derived[full] = replace(
                    table, name=full, links=links, base=table.name, dataset=name, files=()
                )

    # ── parameters and definitions ──────────────────────────────────────────────────────────────

    def new_name(self, name: ast.Name, what: str) -> bool:
        if name.text == AS_OF:
            self.complain(say.name_taken(name.span, AS_OF, "the day of the evaluation"))
            return False
        if name.text in self.spans:
            first = self.spans[name.text]
            self.complain(say.declared_twice(name.span, what, name.text, first))
            self.broken.add(name.text)
            return False
        self.spans[name.text] = name.span
        return True

    def parameter(self, declared: ast.Parameter) -> None:
        name = declared.name.text
        if not self.new_name(declared.name, "the parameter"):
            return
        value_type = self.value_type(declared.type)
        if value_type is None:
            self.broken.add(name)
            return
        choices: tuple[Value, ...] | None = None
        if declared.choices:
            choices = tuple(self.choices(name, declared.choices, value_type))
        default = None
        if declared.default is not None:
            default = self.fitting(name, declared.default, value_type)
            if default is not None and choices is not None and default not in choices:
                listed = ", ".join(str(choice) for choice in choices)
                self.complain(
                    say.bad_default(
                        declared.default.span,
                        name,
                        "the default is not among the choices",
                        f"choose one of {listed}",
                    )
                )
        doc = declared.doc.value if declared.doc else ""
        self.parameters[name] = Parameter(name, value_type, choices, default, doc)

    def choices(self, name: str, choices: ast.SetOf, value_type: ValueType) -> Iterable[Value]:
        for item in choices.items:
            if not isinstance(item, ast.Range):
                value = self.fitting(name, item, value_type)
                if value is not None:
                    yield value
                continue
            low = self.fitting(name, item.low, value_type)
            high = self.fitting(name, item.high, value_type)
            if low is not None and high is not None:
                yield from self.range(name, item, low, high, value_type)

    def range(
        self, name: str, item: ast.Range, low: Value, high: Value, value_type: ValueType
    ) -> Sequence[Value]:
        """Every value from one to another."""
        values: Sequence[Value] = ()
        if isinstance(value_type, CodeType):
            order = list(self.code_sets[value_type.name].position_by_code)
            values = order[order.index(str(low)) : order.index(str(high)) + 1]
        elif isinstance(low, SchoolYear) and isinstance(high, SchoolYear):
            values = [SchoolYear(year) for year in range(low.start_year, high.start_year + 1)]
        elif value_type == INTEGER and isinstance(low, int) and isinstance(high, int):
            if high - low < MOST_CHOICES:
                values = range(low, high + 1)
            else:
                reason = f"at most {MOST_CHOICES:,} choices are offered"
                fix = "leave the choices out, and let a rule look at the value"
                self.complain(say.bad_default(item.span, name, reason, fix))
                return ()
        else:
            self.complain(say.no_range(item.span, value_type))
            return ()
        if not values:
            order_of = (
                f"`{value_type.name}`" if isinstance(value_type, CodeType) else "their values"
            )
            self.complain(say.backwards_range(item.low.span, item.high.span, order_of))
        return values

    def fitting(self, name: str, expr: ast.Expr, value_type: ValueType) -> Value | None:
        """The value of a literal that fits the type; says so where it does not."""
        if expr.span in self.wrong_literals:
            return None
        value = fitting(name, expr, value_type, self.code_sets)
        if isinstance(value, Diagnostic):
            self.complain(value)
            return None
        return value

    def definition(self, declared: ast.Define) -> None:
        name = declared.name.text
        if not self.new_name(declared.name, "the definition"):
            return
        arguments: tuple[DefineArgument, ...] | None = None
        if declared.arguments is not None:
            parts = self.arguments(declared.arguments)
            if parts is None:
                self.broken.add(name)
                return
            arguments = tuple(parts)
            if name in FUNCTIONS:
                self.complain(
                    say.name_taken(declared.name.span, name, "a function of the language")
                )
                self.broken.add(name)
                return
        self.definitions[name] = Definition(name, arguments, declared.value, declared.name.span)

    def host_function(self, declared: ast.HostFunction) -> None:
        name = declared.name.text
        if name in FUNCTIONS:
            self.complain(say.name_taken(declared.name.span, name, "a function of the language"))
            self.broken.add(name)
            return
        if not self.new_name(declared.name, "the function"):
            return
        parts = self.arguments(declared.arguments, of_host=True)
        if declared.result.text in self.tables or declared.result.text in self.views:
            span = declared.result.span
            self.complain(say.table_as_type(span, span.text, "what a function gives"))
            result = None
        else:
            result = self.value_type(declared.result)
        rows = [each for each in parts or () if each.table is not None]
        if rows:
            self.complain(say.row_for_host(declared.name.span, name, rows[0].name))
        if parts is None or result is None or rows:
            self.broken.add(name)
            return
        arguments = tuple((each.name, each.type) for each in parts if each.type is not None)
        self.functions[name] = HostFunction(name, arguments, result, declared.name.span)

    def arguments(
        self, declared: Sequence[ast.Argument], *, of_host: bool = False
    ) -> list[DefineArgument] | None:
        """The arguments of a definition, or of a function of the host; None where one has a mistake."""
        parts: list[DefineArgument] = []
        spans: dict[str, Span] = {}
        mistakes = len(self.diagnostics)
        for argument in declared:
            name, written = argument.name, argument.type
            if name.text in spans:
                self.complain(
                    say.declared_twice(name.span, "the argument", name.text, spans[name.text])
                )
            elif name.text in self.outer_names:
                self.complain(say.name_taken(name.span, name.text, self.outer_names[name.text]))
            spans.setdefault(name.text, name.span)
            if written.text in self.tables or written.text in self.views:
                parts.append(DefineArgument(name.text, None, written.text))
                continue
            value_type = self.value_type(written, () if of_host else (*self.tables, *self.views))
            if value_type is not None:
                parts.append(DefineArgument(name.text, value_type, None))
        fine = len(parts) == len(declared) and len(self.diagnostics) == mistakes
        return parts if fine else None

    def circles(self) -> None:
        """Definitions that come back to themselves are refused, with the path; the others are put
        in order of use.
        """
        uses = {
            name: sorted(self.used_definitions(each)) for name, each in self.definitions.items()
        }
        done: set[str] = set()
        ordered: dict[str, Definition] = {}
        for start in self.definitions:
            path: list[str] = []
            stack: list[tuple[str, int]] = [(start, 0)]
            while stack:
                name, position = stack.pop()
                if position == 0:
                    if name in done:
                        continue
                    path.append(name)
                if position < len(uses[name]):
                    stack.append((name, position + 1))
                    following = uses[name][position]
                    if following in path:
                        circle = [*path[path.index(following) :], following]
                        self.complain(
                            say.circle_of_definitions(self.definitions[circle[0]].span, circle)
                        )
                        self.broken |= set(circle)
                    elif following not in done:
                        stack.append((following, 0))
                else:
                    done.add(name)
                    path.pop()
                    ordered[name] = self.definitions[name]
        self.definitions = ordered

    def used_definitions(self, definition: Definition) -> set[str]:
        own = {argument.name for argument in definition.arguments or ()}
        return {
            name
            for name in names_in(definition.value)
            if name in self.definitions and name not in own
        }


def names_in(part: ast.Expr | ast.Range | ast.Declaration) -> set[str]:
    """Every bare name and function name in an expression or a declaration."""
    found: set[str] = set()
    pending: list[object] = [part]
    while pending:
        node = pending.pop()
        if isinstance(node, tuple):
            pending += node
        elif isinstance(node, ast.Variable):
            found.add(node.name)
        else:
            if isinstance(node, ast.Call) and node.operand is None:
                found.add(node.name.text)
            for name in _PARTS.get(type(node), ()):
                pending.append(getattr(node, name))
    return found


# The fields of each kind of node in which expressions may stand.
_MAY_HOLD = ("Expr", "Clause", "Step", "Template", "SetOf", "Range", "NamedValue")
_PARTS: dict[type, tuple[str, ...]] = {
    kind: tuple(
        field.name for field in fields(kind) if any(each in str(field.type) for each in _MAY_HOLD)
    )
    for kind in vars(ast).values()
    if isinstance(kind, type) and is_dataclass(kind)
}
