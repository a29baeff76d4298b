"""build: Parsed -> ast.Rulebook

One method for each kind of declaration and clause; `build_expression` has those of expressions, and
the walk.

What the grammar cannot say is said here or in `literals`: which dates exist, what an escape means,
and what stands between the braces of a message.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any, NamedTuple

from lark import Token

from ruleforge.language import ast, literals, messages
from ruleforge.language.build_expression import (
    Children,
    ExpressionBuilder,
    TooDeepError,
    tokens_of,
)
from ruleforge.language.cut import MOST_LEVELS, MOST_MISTAKES
from ruleforge.language.diagnostic import Diagnostic, in_order
from ruleforge.language.parse import (
    Parsed,
    collector_at_rest,
    declared_name,
    parse_expression,
)
from ruleforge.language.source import Span


@collector_at_rest()
def build(parsed: Parsed) -> tuple[ast.Rulebook, list[Diagnostic]]:
    """The rulebook, and every diagnostic of its text: those of `parse` too, in the order of their
    places.
    """
    source = parsed.source
    diagnostics = list(parsed.diagnostics)
    header: ast.Header | None = None
    declarations: list[ast.Declaration] = []
    broken = list(parsed.broken)
    for piece in parsed.pieces:
        if len(diagnostics) > MOST_MISTAKES:
            diagnostics.append(messages.too_many_mistakes(piece.span, MOST_MISTAKES))
            break
        builder = _Builder(partial(Span, source), diagnostics)
        try:
            built = builder.value_of(piece.tree)
        except TooDeepError as error:
            diagnostics.append(messages.too_deep(error.span, MOST_LEVELS))
            broken += declared_name(piece.span)
            continue
        if isinstance(built, ast.Header):
            header = header or built
        else:
            declarations.append(built)
    whole = Span(source, 0, len(source.text))
    rulebook = ast.Rulebook(header, tuple(declarations), whole, tuple(broken))
    return rulebook, list(in_order(diagnostics))


class _Clause(NamedTuple):
    """What a clause adds to its declaration: a value of one of its fields."""

    field: str
    value: Any


class _Builder(ExpressionBuilder):
    """Builds one declaration."""

    def _doc(self, children: Children) -> ast.Text | None:
        docs = tokens_of(children, "TEXT") or tokens_of(children, "CODES_DOC")
        return self._text(docs[0]) if docs else None

    # ── header, parameters, codes ───────────────────────────────────────────────────────────────

    def header(self, c: Children, span: Span) -> ast.Header:
        edition = c[3]
        if edition.value.lstrip("0") != "1":
            self._diagnostics.append(messages.edition_unknown(self._span(edition), edition.value))
        clauses = _gathered(c[4:])
        return ast.Header(
            name=c[1].text,
            edition=1,
            title=_first(clauses["titles"]),
            source=_first(clauses["sources"]),
            uses=tuple(name for names in clauses["uses"] for name in names),
            shows=tuple(clauses["shows"]),
            span=span,
        )

    def dotted_name(self, c: Children, span: Span) -> ast.Name:
        return ast.Name("".join(token.value.strip("`") for token in c), span)

    def uses(self, c: Children, _span: Span) -> _Clause:
        return _Clause("uses", tuple(c[1::2]))

    def show_as(self, c: Children, span: Span) -> _Clause:
        return _Clause("shows", ast.ShowAs(self._name(c[1]), self._text(c[3]), span))

    def parameter(self, c: Children, span: Span) -> ast.Parameter:
        name, type_ = self._names(c)
        clauses = _gathered(c)
        choices, default = _first(clauses["choices"]), _first(clauses["default"])
        return ast.Parameter(name, type_, choices, default, self._doc(c), span)

    def choices(self, c: Children, _span: Span) -> _Clause:
        return _Clause("choices", c[1])

    def default(self, c: Children, _span: Span) -> _Clause:
        return _Clause("default", c[1])

    def codes(self, c: Children, span: Span) -> ast.Codes:
        lines = tuple(each for each in c if isinstance(each, ast.CodeLine))
        return ast.Codes(self._name(c[1]), self._doc(c), lines, span)

    def code_line(self, c: Children, span: Span) -> ast.CodeLine:
        code, label = self._text(c[0]), self._text(c[1])
        between = Span(span.source, code.span.end, label.span.start)
        if "\n" in between.text:
            self._diagnostics.append(messages.label_on_other_line(code.span))
        parts = _gathered(c)
        also = tuple(text for texts in parts["also"] for text in texts)
        return ast.CodeLine(code, label, also, _first(parts["since"]), _first(parts["until"]), span)

    def code_also(self, c: Children, _span: Span) -> _Clause:
        return _Clause("also", self._texts(c))

    def code_since(self, c: Children, _span: Span) -> _Clause:
        year = literals.school_year(c[1].value, self._span(c[1]), self._diagnostics)
        return _Clause(c[0].value, year)

    code_until = code_since

    # ── tables ──────────────────────────────────────────────────────────────────────────────────

    def table(self, c: Children, span: Span) -> ast.Table:
        parts = _gathered(c)
        return ast.Table(
            name=self._names(c)[0],
            lookup=c[0].type == "LOOKUP",
            doc=self._doc(c),
            files=tuple(parts["files"]),
            columns=tuple(parts["columns"]),
            links=tuple(parts["links"]),
            keys=tuple(parts["keys"]),
            span=span,
        )

    def file(self, c: Children, span: Span) -> _Clause:
        options = self._once(c[2:])
        return _Clause(
            "files",
            ast.File(
                pattern=self._text(c[1]),
                delimiter=options.get("delimited"),
                header="no" not in options,
                dates=options.get("dates"),
                element=options.get("element"),
                span=span,
            ),
        )

    def file_delimited(self, c: Children, span: Span) -> "_Option":
        return _Option(c[0].value, self._text(c[1]), span)

    file_dates = file_element = flag_from = file_delimited

    def file_no_header(self, c: Children, span: Span) -> "_Option":
        return _Option(c[0].value, value=True, span=span)

    flag_required = flag_sensitive = flag_by_label = file_no_header

    def column(self, c: Children, span: Span) -> _Clause:
        flags = self._once(c[3:])
        references, reference_name = flags.get("references", (None, None))
        return _Clause(
            "columns",
            ast.Column(
                name=self._name(c[0]),
                type=self._name(c[2]),
                required="required" in flags,
                max_length=flags.get("max"),
                identifies=flags.get("identifies"),
                references=references,
                reference_name=reference_name,
                sensitive="sensitive" in flags,
                header=flags.get("from"),
                by_label="by" in flags,
                span=span,
            ),
        )

    def flag_max(self, c: Children, span: Span) -> "_Option":
        return _Option("max", self._integer(c[1]), span)

    def flag_identifies(self, c: Children, span: Span) -> "_Option":
        return _Option("identifies", self._name(c[1]), span)

    def flag_references(self, c: Children, span: Span) -> "_Option":
        named = self._name(c[3]) if len(c) > 2 else None
        return _Option("references", (self._name(c[1]), named), span)

    def link(self, c: Children, span: Span) -> _Clause:
        named = self._name(c[5]) if len(c) > 4 else None
        return _Clause("links", ast.Link(self._name(c[1]), c[3], named, span))

    def key(self, c: Children, _span: Span) -> _Clause:
        return _Clause("keys", c[1])

    def names(self, c: Children, _span: Span) -> tuple[ast.Name, ...]:
        return self._names(c)

    def _once(self, options: "Iterable[_Option]") -> dict[str, Any]:
        by_word: dict[str, Any] = {}
        for option in options:
            if option.word in by_word:
                self._diagnostics.append(messages.repeated_flag(option.span, option.word))
            by_word[option.word] = option.value
        return by_word

    # ── definitions ─────────────────────────────────────────────────────────────────────────────

    def define(self, c: Children, span: Span) -> ast.Define:
        arguments = c[3] if c[2].type == "LPAR" else None
        return ast.Define(self._name(c[1]), arguments, c[-1], span)

    def arguments(self, c: Children, _span: Span) -> tuple[ast.Argument, ...]:
        return tuple(c[::2])

    def argument(self, c: Children, span: Span) -> ast.Argument:
        return ast.Argument(self._name(c[0]), self._name(c[2]), span)

    # ── rules ───────────────────────────────────────────────────────────────────────────────────

    def rule(self, c: Children, span: Span) -> ast.Rule:
        clauses = _gathered(c[3:])
        return ast.Rule(
            name=self._name(c[1]),
            severities=c[2],
            also_known_as=tuple(text for texts in clauses["also_known_as"] for text in texts),
            titles=tuple(clauses["titles"]),
            sources=tuple(clauses["sources"]),
            helps=tuple(clauses["helps"]),
            tags=tuple(tag for tags in clauses["tags"] for tag in tags),
            applies=tuple(clauses["applies"]),
            fors=tuple(clauses["fors"]),
            afters=tuple(clauses["afters"]),
            lets=tuple(clauses["lets"]),
            whens=tuple(clauses["whens"]),
            requires=tuple(clauses["requires"]),
            reports=tuple(clauses["reports"]),
            againsts=tuple(clauses["againsts"]),
            messages=tuple(clauses["messages"]),
            dues=tuple(clauses["dues"]),
            span=span,
        )

    def severities(self, c: Children, _span: Span) -> tuple[ast.SeverityStep, ...]:
        steps = [each for each in c if isinstance(each, ast.SeverityStep)]
        last = self._name(c[-1])
        return (*steps, ast.SeverityStep(last, None, last.span))

    def severity_if(self, c: Children, span: Span) -> ast.SeverityStep:
        return ast.SeverityStep(self._name(c[0]), c[2], span)

    def title(self, c: Children, _span: Span) -> _Clause:
        return _Clause(c[0].value + "s", self._text(c[1]))

    source = help = title

    def also_known_as(self, c: Children, _span: Span) -> _Clause:
        return _Clause("also_known_as", self._texts(c))

    def tags(self, c: Children, _span: Span) -> _Clause:
        return _Clause("tags", c[1])

    def applies(self, c: Children, _span: Span) -> _Clause:
        return _Clause("applies", c[2])

    def for_clause(self, c: Children, span: Span) -> _Clause:
        variable, table = c[1]
        where = c[2] if len(c) > 2 else None
        return _Clause("fors", ast.ForClause(variable, table, where, span))

    def let(self, c: Children, span: Span) -> _Clause:
        return _Clause("lets", ast.LetClause(self._name(c[1]), c[3], span))

    def when(self, c: Children, _span: Span) -> _Clause:
        return _Clause("whens", c[1])

    def require(self, c: Children, span: Span) -> _Clause:
        otherwise = self._template(c[3]) if len(c) > 2 else None
        return _Clause("requires", ast.RequireClause(c[1], otherwise, span))

    def report_when(self, c: Children, _span: Span) -> _Clause:
        return _Clause("reports", c[2])

    def message(self, c: Children, _span: Span) -> _Clause:
        return _Clause("messages", self._template(c[1]))

    def due(self, c: Children, span: Span) -> _Clause:
        return _Clause("dues", ast.Due(self._integer(c[1]), len(c) > 3, span))

    def against(self, c: Children, span: Span) -> _Clause:
        variable, table = c[1]
        where = c[2] if len(c) > 2 else None
        return _Clause("againsts", ast.ForClause(variable, table, where, span))

    def after(self, c: Children, span: Span) -> _Clause:
        return _Clause("afters", ast.AfterClause(self._names(c, "RULE_ID"), span))

    def _template(self, token: Token) -> ast.Template:
        text = self._text(token)
        parts = literals.template_parts(text, self._diagnostics)
        built = ((self._hole(each) if isinstance(each, literals.Hole) else each) for each in parts)
        return ast.Template(tuple(part for part in built if part is not None), text.span)

    def _hole(self, hole: literals.Hole) -> ast.Expr | None:
        plain = literals.plain_path(hole)
        if plain is not None:
            return plain
        parsed = parse_expression(hole.text, hole.place)
        if isinstance(parsed, Diagnostic):
            self._diagnostics.append(parsed)
            return None
        expression: ast.Expr = ExpressionBuilder(hole.place, self._diagnostics).value_of(parsed)
        return expression

    # ── tests ───────────────────────────────────────────────────────────────────────────────────

    def test(self, c: Children, span: Span) -> ast.Test:
        clauses = _gathered(c)
        return ast.Test(
            title=self._text(c[1]),
            settings=tuple(each for part in clauses["settings"] for each in part),
            givens=tuple(clauses["givens"]),
            expects=tuple(clauses["expects"]),
            onlys=tuple(each for part in clauses["onlys"] for each in part),
            span=span,
        )

    def named_values(self, c: Children, _span: Span) -> tuple[ast.NamedValue, ...]:
        return tuple(c[::2])

    def named_value(self, c: Children, span: Span) -> ast.NamedValue:
        return ast.NamedValue(self._name(c[0]), c[2], span)

    def test_with(self, c: Children, _span: Span) -> _Clause:
        return _Clause("settings", c[1])

    def test_given(self, c: Children, span: Span) -> _Clause:
        header, *rows = self._rows(c)
        return _Clause("givens", ast.Given(c[1], header, tuple(rows), span))

    def test_only(self, c: Children, _span: Span) -> _Clause:
        return _Clause("onlys", self._names(c, "RULE_ID"))

    def test_nothing(self, _c: Children, span: Span) -> _Clause:
        return _Clause("expects", ast.Expect(None, (), span))

    def test_expect(self, c: Children, span: Span) -> _Clause:
        header, *rows = self._rows(c)
        return _Clause("expects", ast.Expect(header, tuple(rows), span))

    def _rows(self, children: Children) -> list[ast.CellRow]:
        return [
            literals.cell_row(row.value, row.start_pos or 0, self._place, self._diagnostics)
            for row in tokens_of(children, "ROW")
        ]

    # ── datasets, views, scopes, populations, reports, functions of the host ────────────────────

    def dataset(self, c: Children, span: Span) -> ast.Dataset:
        return ast.Dataset(self._name(c[1]), self._doc(c), span)

    def function(self, c: Children, span: Span) -> ast.HostFunction:
        return ast.HostFunction(self._name(c[1]), c[3], self._name(c[-1]), span)

    def view(self, c: Children, span: Span) -> ast.View:
        clauses = _gathered(c)
        return ast.View(
            name=self._name(c[1]),
            doc=self._doc(c),
            rows=_rows_of(c),
            joined=_first(clauses["joined"]),
            groups=_first(clauses["groups"]) or (),
            selects=_first(clauses["selects"]) or (),
            keep=_first(clauses["keep"]),
            span=span,
        )

    def view_with(self, c: Children, span: Span) -> _Clause:
        variable, table = c[1]
        return _Clause("joined", ast.ForClause(variable, table, c[3], span))

    def view_group(self, c: Children, _span: Span) -> _Clause:
        return _Clause("groups", c[2])

    def view_select(self, c: Children, _span: Span) -> _Clause:
        return _Clause("selects", c[1])

    def view_keep(self, c: Children, span: Span) -> _Clause:
        return _Clause("keep", ast.KeepClause(c[1].value, c[3], c[5], span))

    def expressions(self, c: Children, _span: Span) -> tuple[ast.Expr, ...]:
        return tuple(c[::2])

    def scope(self, c: Children, span: Span) -> ast.Scope:
        return ast.Scope(_rows_of(c), span)

    def population(self, c: Children, span: Span) -> ast.Population:
        lists = [each for each in c if type(each) is tuple and type(each[-1]) is ast.Name]
        roles, *unless = lists
        return ast.Population(
            self._name(c[1]), _rows_of(c), roles, unless[0] if unless else (), span
        )

    def report(self, c: Children, span: Span) -> ast.Report:
        lists = [each for each in c if type(each) is tuple and type(each[0]) is ast.NamedValue]
        *groups, shows = lists
        name, rows = self._name(c[1]), _rows_of(c)
        return ast.Report(name, self._doc(c), rows, groups[0] if groups else (), shows, span)


def _rows_of(children: Children) -> ast.ForClause:
    """The rows that a declaration goes through, with the condition that stands beside them."""
    variable, table = next(
        each for each in children if type(each) is tuple and type(each[-1]) is ast.TableName
    )
    where = next((each for each in children if isinstance(each, ast.Expr)), None)
    return ast.ForClause(variable, table, where, variable.span.to(table.span))


class _Option(NamedTuple):
    """A flag of a column or an option of a file: `word` is the keyword it begins with."""

    word: str
    value: Any
    span: Span


class _Fields(dict[str, list[Any]]):
    def __missing__(self, field: str) -> list[Any]:
        return []


def _gathered(children: Children) -> _Fields:
    """The clauses among the children, by field, in their order."""
    gathered = _Fields()
    for each in children:
        if type(each) is _Clause:
            gathered.setdefault(each.field, []).append(each.value)
    return gathered


def _first(values: list[Any]) -> Any:
    return values[0] if values else None
