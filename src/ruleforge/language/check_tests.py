"""check_tests: the tests of a rulebook -> core.Test, or every diagnostic

A test is checked as rules are, before anything runs: its parameters, tables, columns, rules and
every cell. Of a row in which one cell is wrong the others are looked at all the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ruleforge.language import ast, core, messages
from ruleforge.language import check_messages as say
from ruleforge.language.cell_value import cell_value
from ruleforge.language.core import VERDICT_WORDS, Severity, Value
from ruleforge.language.cut import MOST_MISTAKES
from ruleforge.language.declarations import Declarations
from ruleforge.language.diagnostic import Diagnostic
from ruleforge.language.resolve import fitting
from ruleforge.language.schema import Schema, Table
from ruleforge.language.source import Span
from ruleforge.language.types import CodeType, TextType

_RULE, _VERDICT = "rule", "verdict"
_OF_FINDINGS = ("severity", "message", "cause")
_SAID = (_RULE, _VERDICT, *_OF_FINDINGS)
_FAILS = "fails"


def check_tests(
    declarations: Declarations, rulebook: ast.Rulebook
) -> tuple[tuple[core.Test, ...], list[Diagnostic]]:
    """The checked tests of one rulebook; those with a mistake are left out."""
    checker = _TestChecker(declarations, _judged(rulebook, declarations.schema))
    checker.unread = {name.text for name in rulebook.broken}
    tests: list[core.Test] = []
    for declaration in rulebook.declarations:
        if not isinstance(declaration, ast.Test):
            continue
        if len(checker.diagnostics) > MOST_MISTAKES:
            span = declaration.title.span
            checker.complain(messages.too_many_mistakes(span, MOST_MISTAKES))
            break
        before = len(checker.diagnostics)
        test = checker.test(declaration)
        if len(checker.diagnostics) == before:
            tests.append(test)
    return tuple(tests), checker.diagnostics


def full_name(table: ast.TableName) -> str:
    """A table's name, with its dataset's."""
    return f"{table.dataset.text}.{table.table.text}" if table.dataset else table.table.text


@dataclass(frozen=True)
class _Judged:
    """A rule that a test may name: its table, None where that is not known, and its claims."""

    table: str | None
    claims: int


def _judged(rulebook: ast.Rulebook, schema: Schema) -> dict[str, _Judged]:
    rules = (each for each in rulebook.declarations if isinstance(each, ast.Rule))
    own = {
        rule.name.text: _Judged(
            full_name(rule.fors[0].table) if rule.fors else None, max(1, len(rule.requires))
        )
        for rule in rules
    }
    made = {
        f"{table.name}.{name}": _Judged(table.name, 2)
        for table in schema.tables.values()
        for name in built_in_names(table)
    }
    return {**made, **own}


def built_in_names(table: Table) -> Iterable[str]:
    """The names, behind that of the table, of the rules that its declaration can make."""
    for column in table.columns:
        if column.required:
            yield f"{column.name}.required"
        if isinstance(column.type, CodeType):
            yield f"{column.name}.code"
        elif not isinstance(column.type, TextType):
            yield f"{column.name}.type"
        if column.max_length is not None:
            yield f"{column.name}.length"
    yield from (f"{link.columns[0]}.reference" for link in table.links if link.checked)
    if table.key_declared:
        yield "key"


@dataclass
class _TestChecker:
    declarations: Declarations
    judged: Mapping[str, _Judged]
    unread: set[str] = field(default_factory=set)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    @property
    def schema(self) -> Schema:
        return self.declarations.schema

    def complain(self, diagnostic: Diagnostic) -> None:
        self.diagnostics.append(diagnostic)

    def is_excused(self, name: str) -> bool:
        """Whether a name that is not known may be that of something that could not be read."""
        broken = self.declarations.broken
        return self.declarations.incomplete or name in broken or name in self.unread

    def test(self, test: ast.Test) -> core.Test:
        if not test.expects:
            self.complain(say.test_without_expectation(test.title.span))
        for again in test.expects[1:]:
            span = say.within(again.span, "expect")
            self.complain(say.test_clause_twice(span, "expect", "put all rows below one `expect`"))
        return core.Test(
            test.title.value,
            tuple(self.settings(test.settings)),
            tuple(self.givens(test.givens)),
            tuple(each for expect in test.expects for each in self.expectations(expect)),
            tuple(name.text for name in test.onlys if self.rule_is_known(name.text, name.span)),
            test.title.span,
        )

    # ── parameters ──────────────────────────────────────────────────────────────────────────────

    def settings(self, settings: Iterable[ast.NamedValue]) -> Iterable[tuple[str, Value]]:
        places: dict[str, Span] = {}
        for setting in settings:
            name, span = setting.name.text, setting.name.span
            parameter = self.declarations.parameters.get(name)
            if name in places:
                self.complain(say.set_twice(span, "the setting", name, places[name]))
            places.setdefault(name, span)
            if parameter is None:
                if not self.is_excused(name):
                    self.complain(say.test_parameter(span, name, self.declarations.parameters))
                continue
            if setting.value.span in self.declarations.wrong_literals:
                continue
            value = fitting(name, setting.value, parameter.type, self.schema.code_sets)
            if isinstance(value, Diagnostic):
                self.complain(value)
            elif value is not None:
                if parameter.choices is not None and value not in parameter.choices:
                    listed = ", ".join(str(choice) for choice in parameter.choices)
                    reason = "the value is not among the choices"
                    fix = f"choose one of {listed}"
                    self.complain(say.bad_default(setting.value.span, name, reason, fix))
                yield name, value

    # ── tables ──────────────────────────────────────────────────────────────────────────────────

    def givens(self, givens: Iterable[ast.Given]) -> Iterable[core.GivenTable]:
        places: dict[str, Span] = {}
        for given in givens:
            name, span = full_name(given.table), given.table.table.span
            dataset = given.table.dataset
            if dataset is not None and dataset.text not in self.declarations.datasets:
                if not self.is_excused(dataset.text):
                    self.complain(
                        say.unknown_dataset(dataset.span, dataset.text, self.declarations.datasets)
                    )
                continue
            if name in places:
                fix = "put all its rows below one `given`"
                self.complain(say.test_clause_twice(span, f"given {name}", fix))
            places.setdefault(name, span)
            table = self.given_table(given.table)
            if table is None:
                if given.table.table.text in self.declarations.views:
                    self.complain(say.given_view(span, given.table.table.text))
                elif not self.is_excused(given.table.table.text):
                    known = self.schema.tables
                    self.complain(say.unknown_table(span, given.table.table.text, known))
                continue
            checked = self.given(given, table)
            if checked is not None:
                yield checked

    def given_table(self, name: ast.TableName) -> Table | None:
        """A table that data has: declared, or a dataset's."""
        table = name.table.text
        return self.schema.table(full_name(name)) if table in self.schema.tables else None

    def given(self, given: ast.Given, table: Table) -> core.GivenTable | None:
        fine = self.header(given.header)
        for cell in given.header.cells:
            unread = f"{table.kind}.{cell.text}" in self.declarations.broken
            if cell.text and cell.text not in table.columns_by_name:
                if not unread and not self.is_excused(table.kind):
                    self.complain(say.test_column(cell.span, cell.text, table))
                fine = False
        names = tuple(cell.text for cell in given.header.cells)
        rows = []
        for row in given.rows:
            self.length(row, given.header)
            values: list[Value | None] = []
            for name, cell in zip(names, row.cells, strict=False):
                known = name in table.columns_by_name
                values.append(self.value(cell, table, name) if known else None)
            rows.append((*values, *(None,) * (len(names) - len(values))))
        return core.GivenTable(table.name, names, tuple(rows)) if fine else None

    def header(self, header: ast.CellRow) -> bool:
        before = len(self.diagnostics)
        places: dict[str, Span] = {}
        if not header.cells:
            self.complain(say.nameless_column(header.span))
        for cell in header.cells:
            if not cell.text:
                self.complain(say.nameless_column(cell.span))
            elif cell.text in places:
                first = places[cell.text]
                self.complain(say.set_twice(cell.span, "the column", cell.text, first))
            places.setdefault(cell.text, cell.span)
        return len(self.diagnostics) == before

    def length(self, row: ast.CellRow, header: ast.CellRow) -> None:
        cells, columns = len(row.cells), len(header.cells)
        if cells > columns:
            self.complain(say.too_many_cells(row.cells[columns].span, cells, columns))

    def value(self, cell: ast.Cell, table: Table, name: str) -> Value | None:
        """The value of a cell of a column, None where it is blank or no value."""
        if not cell.text.strip():
            return None
        value_type = table.columns_by_name[name].type
        value = cell_value(cell.text, value_type, self.schema.code_sets)
        if value is None:
            if isinstance(value_type, CodeType):
                code_set = self.schema.code_sets[value_type.name]
                self.complain(say.unknown_code(cell.span, cell.text, code_set))
            else:
                self.complain(say.bad_cell(cell.span, cell.text, name, value_type))
        return value

    # ── what is expected ────────────────────────────────────────────────────────────────────────

    def expectations(self, expect: ast.Expect) -> Iterable[core.Expectation]:
        if expect.header is None:
            return
        self.header(expect.header)
        names = [cell.text for cell in expect.header.cells]
        if _RULE not in names:
            fact = "these expectations have no column `rule`"
            self.complain(say.nothing_expected_of(expect.header.span, fact))
            return
        if not expect.rows:
            fact = "no row stands below this header"
            self.complain(say.nothing_expected_of(expect.header.span, fact))
        self.row_names(expect)
        for row in expect.rows:
            self.length(row, expect.header)
            yield from self.expectation(row, dict(zip(names, row.cells, strict=False)))

    def row_names(self, expect: ast.Expect) -> None:
        """Columns of the header by which no row of any rule below it is known."""
        assert expect.header is not None
        names = [cell.text for cell in expect.header.cells]
        at = names.index(_RULE)
        rules = [row.cells[at].text for row in expect.rows if len(row.cells) > at]
        known: dict[str, None] = {}
        first: tuple[str, Table] | None = None
        for rule in rules:
            table = self.table_of(rule)
            if table is None:
                return
            first = first or (rule, table)
            known.update(dict.fromkeys(row_names(table)))
        for cell in expect.header.cells:
            if first and cell.text and cell.text not in known and cell.text not in _SAID:
                self.complain(say.test_row_name(cell.span, cell.text, *first, known))

    def expectation(
        self, row: ast.CellRow, cells: Mapping[str, ast.Cell]
    ) -> Iterable[core.Expectation]:
        rule = cells.get(_RULE)
        if rule is None or not rule.text:
            span = rule.span if rule else row.span
            self.complain(say.nothing_expected_of(span, "this row names no rule"))
            return
        filled = {name: cell for name, cell in cells.items() if cell.text.strip()}
        verdict = self.verdict(filled)
        severity = None
        if "severity" in filled:
            cell = filled["severity"]
            if cell.text in {each.value for each in Severity}:
                severity = Severity(cell.text)
            else:
                self.complain(say.unknown_severity(cell.span, cell.text, list(Severity)))
        if not self.rule_is_known(rule.text, rule.span):
            return
        message = filled["message"].text if "message" in filled else None
        yield core.Expectation(
            rule.text,
            verdict,
            tuple(self.known_by(rule.text, filled)),
            severity,
            message,
            self.cause(rule.text, filled),
            row.span,
        )

    def verdict(self, filled: Mapping[str, ast.Cell]) -> str:
        cell = filled.get(_VERDICT)
        if cell is None:
            return _FAILS
        if cell.text not in VERDICT_WORDS:
            self.complain(say.unknown_verdict(cell.span, cell.text, VERDICT_WORDS))
            return _FAILS
        for name in _OF_FINDINGS if cell.text != _FAILS else ():
            if name in filled:
                span = filled[name].span
                self.complain(say.says_of_no_finding(span, name, cell.text))
        return cell.text

    def cause(self, rule: str, filled: Mapping[str, ast.Cell]) -> int | None:
        cell = filled.get("cause")
        if cell is None:
            return None
        claims = self.judged[rule].claims
        number = int(cell.text) if cell.text.isdecimal() and len(cell.text) < 4 else 0
        if not 1 <= number <= claims:
            self.complain(say.bad_cause(cell.span, cell.text, rule, claims))
        return number

    def known_by(
        self, rule: str, filled: Mapping[str, ast.Cell]
    ) -> Iterable[tuple[str, str, Value]]:
        """The cells by which the row is known: the name as written, the column meant, the value."""
        table = self.table_of(rule)
        if table is None:
            return
        known = row_names(table)
        for name, cell in filled.items():
            if name in _SAID:
                continue
            if name not in known:
                self.complain(say.test_row_name(cell.span, name, rule, table, known))
                continue
            value = self.value(cell, table, known[name])
            if value is not None:
                yield name, known[name], value

    def rule_is_known(self, name: str, span: Span) -> bool:
        if name in self.judged:
            return True
        if not self.is_excused(name):
            self.complain(say.test_rule(span, name, self.judged))
        return False

    def table_of(self, rule: str) -> Table | None:
        judged = self.judged.get(rule)
        if judged is None or judged.table is None:
            return None
        return self.schema.tables.get(judged.table) or self.schema.derived.get(judged.table)


def row_names(table: Table) -> dict[str, str]:
    """What a row of a table may be known by, with the column that it means: its key columns, its
    roles, and the columns that hold the roles.
    """
    roles = table.roles
    return {**roles, **{name: name for name in (*table.key, *roles.values())}}
