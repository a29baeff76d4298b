"""What the constructs of the language become: values, places, depth."""

import datetime as dt
from decimal import Decimal

import pytest

from ruleforge.language import ast
from ruleforge.language.build import _Builder, build
from ruleforge.language.diagnostic import Diagnostic
from ruleforge.language.parse import _lark, parse
from ruleforge.language.schema import SchoolYear
from ruleforge.language.source import Source, Span

HEADER = "rulebook r edition 1\n"
NOWHERE = Span(Source("", ""), 0, 0)


def read(text: str) -> tuple[ast.Rulebook, list[Diagnostic]]:
    return build(parse(Source("test.rules", HEADER + text)))


def declared(text: str) -> ast.Declaration:
    rulebook, diagnostics = read(text)
    assert diagnostics == []
    (declaration,) = rulebook.declarations
    return declaration


def expression(text: str) -> ast.Expr:
    declaration = declared(f"define it = {text}")
    assert isinstance(declaration, ast.Define)
    return declaration.value


def rule(clauses: str) -> ast.Rule:
    declaration = declared(f"rule A error {clauses}")
    assert isinstance(declaration, ast.Rule)
    return declaration


def codes_of(text: str) -> list[tuple[str, str]]:
    found = read(text)[1]
    return [(each.code, each.span.text if each.span else "") for each in found]


def name(text: str) -> ast.Name:
    return ast.Name(text, NOWHERE)


def literal(value: str | int | Decimal | bool | dt.date | SchoolYear) -> ast.Literal:
    return ast.Literal(value, NOWHERE)


def variable(text: str) -> ast.Variable:
    return ast.Variable(text, NOWHERE)


def text(value: str) -> ast.Text:
    return ast.Text(value, NOWHERE)


def outline(node: ast.Expr | ast.Range) -> str:
    """An expression with every bracket, to see how it was read."""
    match node:
        case ast.Variable(word):
            return word
        case ast.Literal(value):
            return str(value)
        case ast.Logic(word, operands):
            return "(" + f" {word} ".join(map(outline, operands)) + ")"
        case ast.Not(operand):
            return f"(not {outline(operand)})"
        case ast.Negative(operand):
            return f"(-{outline(operand)})"
        case ast.Arithmetic(op, left, right) | ast.Comparison(op, left, right):
            return f"({outline(left)} {op} {outline(right)})"
        case ast.Attribute(operand, attribute):
            return f"{outline(operand)}.{attribute.text}"
        case ast.If(condition, then, otherwise):
            return f"(if {outline(condition)} then {outline(then)} else {outline(otherwise)})"
        case ast.Between(operand, low, high):
            return f"({outline(operand)} between {outline(low)} and {outline(high)})"
        case ast.Call(called, arguments, operand):
            before = f"{outline(operand)}." if operand else ""
            return f"{before}{called.text}({', '.join(map(outline, arguments))})"
        case _:
            return type(node).__name__


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("a or b and not c = d + e * -f.g", "(a or (b and (not (c = (d + (e * (-f.g)))))))"),
        ("a or b or c", "(a or b or c)"),
        ("(a or b) or c", "((a or b) or c)"),
        ("a - b - c", "((a - b) - c)"),
        ("a / b * c", "((a / b) * c)"),
        ("- - a", "(-(-a))"),
        ("not not a", "(not (not a))"),
        ("a between b + 1 and c and d", "((a between (b + 1) and c) and d)"),
        ("if a or b then c else d or e", "(if (a or b) then c else (d or e))"),
        ("if a then b else if c then d else e", "(if a then b else (if c then d else e))"),
        ("if a then if b then c else d else e", "(if a then (if b then c else d) else e)"),
        ("a.b.c(1, d).e", "a.b.c(1, d).e"),
        ("f()", "f()"),
        ("y.start", "y.start"),
        ("2023 - 24", "(2023 - 24)"),
        ("a-b", "(a - b)"),
        ("a -1", "(a - 1)"),
    ],
)
def test_precedence(written: str, read_as: str) -> None:
    assert outline(expression(written)) == read_as


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("12", 12),
        ("0012", 12),
        ("0.25", Decimal("0.25")),
        ("999999999999999999", 10**18 - 1),
        ("true", True),
        ("false", False),
        ("2023-10-01", dt.date(2023, 10, 1)),
        ("2024-02-29", dt.date(2024, 2, 29)),
        ("2023-24", SchoolYear(2023)),
        ("2099-00", SchoolYear(2099)),
        ('"a"', "a"),
        ('""', ""),
        (r'"a \"b\" \\ c\nd"', 'a "b" \\ c\nd'),
        ('"{not a hole}"', "{not a hole}"),
        ('"# no comment"', "# no comment"),
    ],
)
def test_literals(written: str, value: object) -> None:
    found = expression(written)
    assert isinstance(found, ast.Literal)
    assert (found.value, type(found.value)) == (value, type(value))


@pytest.mark.parametrize(
    "written",
    [
        "2023-02-30",
        "2023-13-01",
        "0000-01-01",
        "2023-25",
        "0000-01",
        "2023-245",
        "2023-10-1",
        "1-2",
        "1234567890123456789",
        "9" * 5_000,
        "0.12345678901",
    ],
)
def test_dates_and_numbers_that_are_none(written: str) -> None:
    assert codes_of(f"define a = {written}") == [("RF105", written)]


def test_tests_on_values() -> None:
    a, b = variable("a"), variable("b")
    assert expression("a is missing") == ast.Presence(a, True, NOWHERE)
    assert expression("a is present") == ast.Presence(a, False, NOWHERE)
    assert expression("a in b") == ast.Membership(a, b, False, NOWHERE)
    assert expression("a not in b") == ast.Membership(a, b, True, NOWHERE)
    assert expression('a matches "[0-9]+"') == ast.Matches(a, text("[0-9]+"), NOWHERE)
    assert expression("a overlaps b") == ast.Overlaps(a, b, NOWHERE)


def test_sets() -> None:
    first = ast.Range(literal("26"), literal("29"), NOWHERE)
    assert expression('{"26".."29", "33"}') == ast.SetOf((first, literal("33")), NOWHERE)
    assert expression("{1..2}") == ast.SetOf((ast.Range(literal(1), literal(2), NOWHERE),), NOWHERE)
    assert expression("{0.5..2.5}") == ast.SetOf(
        (ast.Range(literal(Decimal("0.5")), literal(Decimal("2.5")), NOWHERE),), NOWHERE
    )


def test_rows() -> None:
    e, t = name("e"), ast.TableName(name("t"), None, NOWHERE)
    prior = ast.TableName(name("t"), name("prior"), NOWHERE)
    c, d, v = variable("c"), variable("d"), variable("v")
    assert expression("exists(e in t)") == ast.Quantifier("exists", e, t, None, None, NOWHERE)
    assert expression("exists(e in prior.t where c)") == ast.Quantifier(
        "exists", e, prior, c, None, NOWHERE
    )
    assert expression("every(e in t satisfies d)") == ast.Quantifier(
        "every", e, t, None, d, NOWHERE
    )
    assert expression("every(e in t where c satisfies d)") == ast.Quantifier(
        "every", e, t, c, d, NOWHERE
    )
    assert expression("count(e in t where c)") == ast.Aggregate(
        "count", None, False, e, t, c, NOWHERE
    )
    assert expression("count(distinct v for e in t)") == ast.Aggregate(
        "count", v, True, e, t, None, NOWHERE
    )
    for kind in ("sum", "min", "max", "average"):
        assert expression(f"{kind}(v for e in t where c)") == ast.Aggregate(
            kind, v, False, e, t, c, NOWHERE
        )
    latest = ast.Pick("latest", e, t, v, c, NOWHERE)
    assert expression("latest(e in t by v where c).d") == ast.Attribute(latest, name("d"), NOWHERE)
    assert expression("earliest(e in t by v)") == ast.Pick("earliest", e, t, v, None, NOWHERE)


def test_header() -> None:
    source = Source(
        "x",
        'rulebook a.rule edition 1 title "T" source "S" uses b.model, c\n'
        'show error as "Fatal" uses d',
    )
    rulebook, diagnostics = build(parse(source))
    assert diagnostics == []
    assert rulebook.header == ast.Header(
        "a.rule",
        1,
        text("T"),
        text("S"),
        (name("b.model"), name("c"), name("d")),
        (ast.ShowAs(name("error"), text("Fatal"), NOWHERE),),
        NOWHERE,
    )


def test_parameter() -> None:
    assert declared('parameter p: grade in {"01", "02"} = "01" "The grade."') == ast.Parameter(
        name("p"),
        name("grade"),
        ast.SetOf((literal("01"), literal("02")), NOWHERE),
        literal("01"),
        text("The grade."),
        NOWHERE,
    )
    assert declared("parameter p: date") == ast.Parameter(
        name("p"), name("date"), None, None, None, NOWHERE
    )


@pytest.mark.parametrize("doc", ["", ' "The doc."', ' "The doc: #1"  # comment', '\n  "The doc."'])
def test_codes(doc: str) -> None:
    written = f"""codes grade{doc}
      "01" "General #1"
      "02" "Special" also "Sp.", "02 Special" since 2019-20 until 2023-24
    """
    codes = declared(written)
    assert isinstance(codes, ast.Codes)
    assert (codes.doc is None) == (doc == "")
    assert codes.lines == (
        ast.CodeLine(text("01"), text("General #1"), (), None, None, NOWHERE),
        ast.CodeLine(
            text("02"),
            text("Special"),
            (text("Sp."), text("02 Special")),
            literal(SchoolYear(2019)),
            literal(SchoolYear(2023)),
            NOWHERE,
        ),
    )


def test_a_code_without_its_label_is_told_where_it_stands() -> None:
    found = codes_of('codes c\n  "01" "General"\n  "02"\n  "03" "Special"\n  "04" "More" "05"\n')
    assert found[0] == ("RF101", '"02"')


def test_a_code_has_school_years_and_no_dates() -> None:
    assert codes_of('codes c "01" "General" since 2023-10-01') == [("RF105", "2023-10-01")]


def test_table() -> None:
    table = declared(
        """lookup table t "Doc."
          file "*.txt" delimited "^" no header dates "%Y%m%d"
          a: text required max 30 identifies student references u named v sensitive from "A"
          b: grade by label
          file "*.xml" element "X"
          link calendar on a, b named days_of
          key a, b
          link other on b
          c: date
        """
    )
    ab = (name("a"), name("b"))
    assert table == ast.Table(
        name("t"),
        True,
        text("Doc."),
        (
            ast.File(text("*.txt"), text("^"), False, text("%Y%m%d"), None, NOWHERE),
            ast.File(text("*.xml"), None, True, None, text("X"), NOWHERE),
        ),
        (
            ast.Column(
                name("a"),
                name("text"),
                True,
                literal(30),
                name("student"),
                name("u"),
                name("v"),
                True,
                text("A"),
                False,
                NOWHERE,
            ),
            _column("b", "grade", by_label=True),
            _column("c", "date", by_label=False),
        ),
        (
            ast.Link(name("calendar"), ab, name("days_of"), NOWHERE),
            ast.Link(name("other"), (name("b"),), None, NOWHERE),
        ),
        (ab,),
        NOWHERE,
    )


def _column(column: str, type_: str, by_label: bool) -> ast.Column:
    nothing = (None, None, None, None)
    return ast.Column(name(column), name(type_), False, *nothing, False, None, by_label, NOWHERE)


def test_a_flag_stands_once() -> None:
    assert codes_of("table t a: text required max 3 required") == [("RF101", "required")]


def test_rule() -> None:
    written = declared(
        """rule HomeBound-1 error if a, warning if b, otherwise informational
          also known as "H1", "H 1" title "T" source "S" help "H" tags x, y
          applies when c
          for p in t where d
          let n = 1
          let m = 2
          when e
          require f else "no {n}"
          require g
          message "M"
          due 5 business days
        """
    )
    steps = (
        ast.SeverityStep(name("error"), variable("a"), NOWHERE),
        ast.SeverityStep(name("warning"), variable("b"), NOWHERE),
        ast.SeverityStep(name("informational"), None, NOWHERE),
    )
    table = ast.TableName(name("t"), None, NOWHERE)
    assert written == ast.Rule(
        name=name("HomeBound-1"),
        severities=steps,
        also_known_as=(text("H1"), text("H 1")),
        titles=(text("T"),),
        sources=(text("S"),),
        helps=(text("H"),),
        tags=(name("x"), name("y")),
        applies=(variable("c"),),
        fors=(ast.ForClause(name("p"), table, variable("d"), NOWHERE),),
        afters=(),
        lets=(
            ast.LetClause(name("n"), literal(1), NOWHERE),
            ast.LetClause(name("m"), literal(2), NOWHERE),
        ),
        whens=(variable("e"),),
        requires=(
            ast.RequireClause(
                variable("f"), ast.Template(("no ", variable("n")), NOWHERE), NOWHERE
            ),
            ast.RequireClause(variable("g"), None, NOWHERE),
        ),
        reports=(),
        againsts=(),
        messages=(ast.Template(("M",), NOWHERE),),
        dues=(ast.Due(literal(5), True, NOWHERE),),
        span=NOWHERE,
    )


def test_report_when_and_due_days() -> None:
    written = rule("for p in t report when a report when b due 3 days")
    assert written.reports == (variable("a"), variable("b"))
    assert written.dues == (ast.Due(literal(3), False, NOWHERE),)


# ── views, scopes, datasets, populations, reports, functions ───────────────────────────────────────


def rows(variable_name: str, table: str, where: ast.Expr | None = None) -> ast.ForClause:
    return ast.ForClause(
        name(variable_name), ast.TableName(name(table), None, NOWHERE), where, NOWHERE
    )


def column(row: str, word: str) -> ast.Expr:
    return ast.Attribute(variable(row), name(word), NOWHERE)


def named(word: str, value: ast.Expr) -> ast.NamedValue:
    return ast.NamedValue(name(word), value, NOWHERE)


DECLARATIONS: dict[str, ast.Declaration] = {
    "view v from x in t": ast.View(name("v"), None, rows("x", "t"), None, (), (), None, NOWHERE),
    'view v "doc" from x in t with y in u on x.a = y.a where x.b': ast.View(
        name("v"),
        text("doc"),
        rows("x", "t", column("x", "b")),
        rows("y", "u", ast.Comparison("=", column("x", "a"), column("y", "a"), NOWHERE)),
        (),
        (),
        None,
        NOWHERE,
    ),
    "view v from x in t group by x.c, x.d select n = x.c, m = 1 keep latest by x.a per x.b, n": ast.View(
        name("v"),
        None,
        rows("x", "t"),
        None,
        (column("x", "c"), column("x", "d")),
        (named("n", column("x", "c")), named("m", literal(1))),
        ast.KeepClause("latest", column("x", "a"), (column("x", "b"), variable("n")), NOWHERE),
        NOWHERE,
    ),
    "scope x in t where x.a": ast.Scope(rows("x", "t", column("x", "a")), NOWHERE),
    'dataset prior "Last year"': ast.Dataset(name("prior"), text("Last year"), NOWHERE),
    "population p of x in t by student": ast.Population(
        name("p"), rows("x", "t"), (name("student"),), (), NOWHERE
    ),
    "population p of x in t where x.a by student, lea unless error, exclusion": ast.Population(
        name("p"),
        rows("x", "t", column("x", "a")),
        (name("student"), name("lea")),
        (name("error"), name("exclusion")),
        NOWHERE,
    ),
    "report r from x in t show n = 1": ast.Report(
        name("r"), None, rows("x", "t"), (), (named("n", literal(1)),), NOWHERE
    ),
    'report r "title" from x in t where x.a by g = x.b show n = x.c, m = 1': ast.Report(
        name("r"),
        text("title"),
        rows("x", "t", column("x", "a")),
        (named("g", column("x", "b")),),
        (named("n", column("x", "c")), named("m", literal(1))),
        NOWHERE,
    ),
    "function f(a: text, b: t): decimal": ast.HostFunction(
        name("f"),
        (
            ast.Argument(name("a"), name("text"), NOWHERE),
            ast.Argument(name("b"), name("t"), NOWHERE),
        ),
        name("decimal"),
        NOWHERE,
    ),
}


@pytest.mark.parametrize("written", DECLARATIONS)
def test_declarations_of_what_is_made_of_tables(written: str) -> None:
    assert declared(written) == DECLARATIONS[written]


def test_figures_of_a_group() -> None:
    """Without `in TABLE` the rows are those of the group."""
    report = declared(
        "report r from x in t show n = count(x), m = sum(x.a for x where x.b), "
        "l = latest(x by x.a).c, e = every(x satisfies x.b)"
    )
    assert isinstance(report, ast.Report)
    x = name("x")
    assert [each.value for each in report.shows] == [
        ast.Aggregate("count", None, False, x, None, None, NOWHERE),
        ast.Aggregate("sum", column("x", "a"), False, x, None, column("x", "b"), NOWHERE),
        ast.Attribute(
            ast.Pick("latest", x, None, column("x", "a"), None, NOWHERE), name("c"), NOWHERE
        ),
        ast.Quantifier("every", x, None, None, column("x", "b"), NOWHERE),
    ]


def test_after_and_against() -> None:
    written = rule("for x in t after B-1, C after D against y in prior.t where y.a = x.a")
    assert written.afters == (
        ast.AfterClause((name("B-1"), name("C")), NOWHERE),
        ast.AfterClause((name("D"),), NOWHERE),
    )
    prior = ast.TableName(name("t"), name("prior"), NOWHERE)
    linked = ast.Comparison("=", column("y", "a"), column("x", "a"), NOWHERE)
    assert written.againsts == (ast.ForClause(name("y"), prior, linked, NOWHERE),)


# ── tests ─────────────────────────────────────────────────────────────────────────────────────────


def the_test(written: str) -> ast.Test:
    rulebook, found = read(written)
    assert found == []
    (test,) = rulebook.declarations
    assert isinstance(test, ast.Test)
    return test


def test_the_clauses_of_a_test() -> None:
    test = the_test(
        'test "t"\n with a = 1, b = "x"\n given prior.t\n  | a | b |\n  | 1 |\n'
        " given u\n  | c |\n only A-1, B\n expect\n  | rule |\n  | A-1 |\n"
    )
    assert test.title.value == "t"
    assert [(each.name.text, each.value) for each in test.settings] == [
        ("a", ast.Literal(1, NOWHERE)),
        ("b", ast.Literal("x", NOWHERE)),
    ]
    first, second = test.givens
    assert (first.table.dataset, first.table.table.text) == (ast.Name("prior", NOWHERE), "t")
    assert [cell.text for cell in first.header.cells] == ["a", "b"]
    assert [[cell.text for cell in row.cells] for row in first.rows] == [["1"]]
    assert (second.table.table.text, second.rows) == ("u", ())
    assert [name.text for name in test.onlys] == ["A-1", "B"]
    (expect,) = test.expects
    assert expect.header is not None
    assert [[cell.text for cell in row.cells] for row in expect.rows] == [["A-1"]]


def test_expecting_nothing() -> None:
    (expect,) = the_test('test "t" expect nothing').expects
    assert expect.header is None


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ("| a | b |", ["a", "b"]),
        ("|a||", ["a", ""]),
        ("|   |\tb\t|", ["", "b"]),
        ("| a | # b | c", ["a"]),
        ("| a |   ", ["a"]),
        ('| "a | b" | "  c" |', ["a | b", "  c"]),
        ('| "# a" | "" |', ["# a", ""]),
        ('| "a \\"b\\" \\\\ c" |', ['a "b" \\ c']),
        ('| a "b" | c" |', ['a "b"', 'c"']),
    ],
)
def test_cells(row: str, cells: list[str]) -> None:
    test = the_test(f'test "t" given t\n  {row}\n expect nothing')
    header = test.givens[0].header
    assert [cell.text for cell in header.cells] == cells
    for cell in header.cells:
        assert cell.text in cell.span.text or '"' in cell.span.text or not cell.text


@pytest.mark.parametrize(
    ("row", "code", "underlined"),
    [
        ("| a | b", "RF101", "b"),
        ('| a | "b"', "RF101", '"b"'),
        ('| a | "b |', "RF102", '"b'),
        ('| "a" b | c |', "RF102", '"a" b'),
        ('| "a\\q" |', "RF109", "\\q"),
    ],
)
def test_rows_that_are_none(row: str, code: str, underlined: str) -> None:
    _, found = read(f'test "t" given t\n  {row}\n expect nothing')
    assert [(each.code, each.span and each.span.text) for each in found] == [(code, underlined)]


# ── messages ──────────────────────────────────────────────────────────────────────────────────────


def template(message: str) -> ast.Template:
    (found,) = rule(f'for p in t message "{message}"').messages
    return found


def test_message() -> None:
    id_ = ast.Attribute(variable("p"), name("id"), NOWHERE)
    assert template("A {p.id} b").parts == ("A ", id_, " b")
    assert template("{p.id}").parts == (id_,)
    assert template("").parts == ()
    assert template("{{{p.id}}} {{x}}").parts == ("{", id_, "} {x}")
    assert template("{ p.id }").parts == (id_,)
    assert template("{1 + 2}").parts[0] == ast.Arithmetic("+", literal(1), literal(2), NOWHERE)
    assert template(r"{coalesce(a, \"}\")}!").parts == (
        ast.Call(name("coalesce"), (variable("a"), literal("}")), None, NOWHERE),
        "!",
    )
    assert template("{x in {1, 2}}").parts == (
        ast.Membership(variable("x"), ast.SetOf((literal(1), literal(2)), NOWHERE), False, NOWHERE),
    )


def test_places_within_a_message() -> None:
    rulebook, _ = read(r'rule A error message "a \"q\" {p.id} \\ {x  + f(\"s\")} {`by`}"')
    (written,) = rulebook.declarations
    assert isinstance(written, ast.Rule)
    plain, sum_, quoted = [each for each in written.messages[0].parts if not isinstance(each, str)]
    assert isinstance(plain, ast.Attribute)
    assert (plain.span.text, plain.name.span.text) == ("p.id", "id")
    assert isinstance(sum_, ast.Arithmetic)
    assert sum_.span.text == r"x  + f(\"s\")"
    assert sum_.right.span.text == r"f(\"s\")"
    assert quoted.span.text == "`by`"


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("a {b", [("RF109", "{")]),
        ("a } b", [("RF109", "}")]),
        ("a {} b", [("RF109", "{}")]),
        ("a { } b", [("RF109", "{ }")]),
        ("a {# b}", [("RF109", "# b")]),
        ("a {) b}", [("RF101", ")")]),
        ("a {@}", [("RF103", "@")]),
        (r"a \q b", [("RF109", r"\q")]),
        ("{a b} {} {c +}", [("RF101", "b"), ("RF109", "{}"), ("RF101", "+")]),
        (r"\q {a \"b\"}", [("RF109", r"\q"), ("RF101", r"\"b\"")]),
        ("{a}" * 101, [("RF104", "{a}")]),
        ("{2023-02-30}", [("RF105", "2023-02-30")]),
        ("{" + "-" * 101 + "a}", [("RF104", "-" * 101 + "a")]),
    ],
)
def test_mistakes_in_a_message(message: str, found: list[tuple[str, str]]) -> None:
    assert codes_of(f'rule A error message "{message}"') == found


# ── places and depth ───────────────────────────────────────────────────────────────────────────


def test_places() -> None:
    rulebook, _ = read("define a =  (1 + 2) * f(3) # end\ndefine b = 2")
    first = rulebook.declarations[0]
    assert isinstance(first, ast.Define)
    assert first.span.text == "define a =  (1 + 2) * f(3)"
    assert first.name.span.text == "a"
    assert first.value.span.text == "(1 + 2) * f(3)"
    assert first.span.source.line_and_column(first.span.start) == (2, 1)


def test_chains_of_and_are_flat() -> None:
    found = expression(" and ".join(["a"] * 5_000))
    assert isinstance(found, ast.Logic)
    assert len(found.operands) == 5_000


@pytest.mark.parametrize(
    ("before", "unit", "after"),
    [
        ("", "(", ""),
        ("", "not ", "a"),
        ("", "-", "a"),
        ("a", ".b", ""),
        ("1", " + 1", ""),
        ("1", " * 1", ""),
        ("", "if a then b else ", "c"),
        ("", "f(1, ", ""),
    ],
)
def test_nesting_has_an_end(before: str, unit: str, after: str) -> None:
    for levels, deep in ((98, False), (101, True), (3_000, True)):
        closing = ("1" + ")" * levels) if "(" in unit else after
        found = codes_of(f"define a = {before}{unit * levels}{closing}")
        assert [code for code, _ in found] == (["RF104"] if deep else []), levels


def test_every_node_of_the_grammar_is_built() -> None:
    for made in _lark().rules:
        node = made.alias or made.origin.name
        inlined = made.options.expand1 and len(made.expansion) == 1 and not made.alias
        if not inlined and not node.startswith("_") and node != "declaration":
            assert hasattr(_Builder, node), node
