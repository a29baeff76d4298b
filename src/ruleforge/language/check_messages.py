"""check_messages: one function a mistake of names (RF2xx), types and codes (RF3xx) and size (RF4xx)

Each takes what it speaks about and gives a `Diagnostic`; no pass writes a sentence of its own.
Fact, reason and fix are a sentence each, in the present tense, and blame nobody.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from ruleforge.language.diagnostic import Diagnostic, Level
from ruleforge.language.schema import CodeSet, Schema, Table
from ruleforge.language.source import Span
from ruleforge.language.suggest import nearest
from ruleforge.language.types import BOOLEAN, DATE, DECIMAL, TEXT, CodeType, ValueType, type_name


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def named(value_type: ValueType) -> str:
    """A type with its article, as it reads in a sentence: `a date`, `text`, `a code of
    grade_level`.
    """
    name = type_name(value_type)
    if name == "text":
        return "text"
    if name in ("integer", "decimal", "boolean", "date", "school_year", "period"):
        return _a(name.replace("_", " "))
    return f"a code of `{name}`"


def snippet(span: Span) -> str:
    """What stands in the source at a place, in backticks, shortened."""
    text = " ".join(span.text.split())
    return f"`{text}`" if len(text) <= 50 else f"`{text[:47]}…`"


def _hint(name: str, candidates: Iterable[str], otherwise: str) -> str:
    near = nearest(name, candidates)
    return f"did you mean `{near}`?" if near else otherwise


def _stands(first: Span | None, here: Span) -> str:
    """Where the first of two stands: the line, and the file where that is another."""
    if first is None:
        return "the first stands before it"
    line = first.source.line_and_column(first.start)[0]
    place = "in line " if first.source.path == here.source.path else f"at {first.source.path}:"
    return f"the first stands {place}{line}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def within(span: Span, pattern: str) -> Span:
    """The part of a place that matches a pattern; the whole where none does."""
    found = re.search(pattern, span.text)
    if found is None:
        return span
    return Span(span.source, span.start + found.start(), span.start + found.end())


def _listed(names: Iterable[str], most: int = 8) -> str:
    all_names = list(names)
    shown = ", ".join(f"`{name}`" for name in all_names[:most])
    return shown if len(all_names) <= most else f"{shown} and {len(all_names) - most} more"


# ── names ──────────────────────────────────────────────────────────────────────────────────────


def unknown_column(span: Span, row: str, table: Table, name: str) -> Diagnostic:
    candidates = [*table.columns_by_name, *table.links_by_name]
    return Diagnostic(
        "RF201",
        f"`{table.name}` has no column `{name}`",
        span,
        why=f"{row} is a row of `{table.name}`, which has {_count(len(table.columns), 'column')}",
        fix=_hint(name, candidates, f"its columns are {_listed(table.columns_by_name)}"),
    )


def unknown_key_column(span: Span, table: str, name: str, columns: Iterable[str]) -> Diagnostic:
    return Diagnostic(
        "RF201",
        f"`{table}` has no column `{name}`",
        span,
        why="a key, a reference or a link names columns of its own table",
        fix=_hint(name, columns, f"its columns are {_listed(columns)}"),
    )


def unknown_property(
    span: Span, name: str, value_type: ValueType, known: Iterable[str]
) -> Diagnostic:
    if not list(known):
        return Diagnostic(
            "RF201",
            f"{named(value_type)} has no `.{name}`",
            span,
            why="only rows have columns, and only school years have properties",
            fix="take the value itself, without the point",
        )
    return Diagnostic(
        "RF201",
        f"{named(value_type)} has no `.{name}`",
        span,
        why="a school year has `.start`, `.end`, `.previous`, `.next` and `.day(month, day)`",
        fix=_hint(name, known, "use one of these"),
    )


def unknown_name(
    span: Span, name: str, known: Iterable[str], tables_by_row: Mapping[str, Table]
) -> Diagnostic:
    candidates = list(known)
    owner = next((row for row, t in tables_by_row.items() if name in t.columns_by_name), None)
    if owner is not None:
        return Diagnostic(
            "RF202",
            f"nothing here is called `{name}`",
            span,
            why="a column is named with the row that it belongs to",
            fix=f"write `{owner}.{name}`",
        )
    return Diagnostic(
        "RF202",
        f"nothing here is called `{name}`",
        span,
        why="a name is a row, a `let`, a parameter or a definition",
        fix=_hint(name, candidates, f"known here: {_listed(sorted(candidates))}"),
    )


def table_as_value(span: Span, name: str) -> Diagnostic:
    return Diagnostic(
        "RF202",
        f"`{name}` is a table, not a value",
        span,
        why="a rule speaks of one row of a table at a time",
        fix=f"go through its rows: `exists(r in {name} where …)`",
    )


def dataset_as_value(span: Span, name: str) -> Diagnostic:
    return Diagnostic(
        "RF202",
        f"`{name}` is a dataset, not a value",
        span,
        why="a dataset has tables, and a rule speaks of one row of a table at a time",
        fix=f"go through the rows of one: `exists(r in {name}.… where …)`",
    )


def function_as_value(span: Span, name: str, signature: str) -> Diagnostic:
    return Diagnostic(
        "RF202",
        f"`{name}` is a function, not a value",
        span,
        why=f"it is written `{signature}`",
        fix="give it its arguments",
    )


def counterpart_as_row(span: Span, name: str) -> Diagnostic:
    return Diagnostic(
        "RF202",
        f"`{name}` is a counterpart, and is not known here",
        span,
        why=f"there may be several `{name}`, and a rule speaks of one row at a time",
        fix="ask about it in the `where` of `against`, or show it in the message",
    )


def published_as_table(span: Span, name: str, what: str) -> Diagnostic:
    return Diagnostic(
        "RF203",
        f"`{name}` is a {what}, not a table",
        span,
        why=f"a {what} is what comes out of a rulebook, and nothing in it reads one",
        fix=f"make a view of its rows, and read that here and in the {what}",
    )


def table_as_type(span: Span, name: str, what: str) -> Diagnostic:
    return Diagnostic(
        "RF210",
        f"`{name}` is a table, and {what} is a value",
        span,
        why="a type is text, integer, decimal, boolean, date, school_year or a code set",
        fix="name the type of the value",
    )


def unknown_table(span: Span, name: str, known: Iterable[str]) -> Diagnostic:
    return Diagnostic(
        "RF203",
        f"there is no table `{name}`",
        span,
        why="rules read the tables that this rulebook or one that it uses declares",
        fix=_hint(name, known, "declare it, or name the rulebook that does after `uses`"),
    )


def unknown_dataset(span: Span, name: str, known: Iterable[str]) -> Diagnostic:
    return Diagnostic(
        "RF203",
        f"there is no dataset `{name}`",
        span,
        why="a table with a name and a point before it is read from another dataset",
        fix=_hint(name, known, f"declare it (`dataset {name}`), or take `{name}.` out"),
    )


def view_of_dataset(span: Span, dataset: str, view: str) -> Diagnostic:
    return Diagnostic(
        "RF203",
        f"`{dataset}` has no table `{view}`",
        span,
        why=f"`{view}` is a view, which reads what it names; a dataset has the declared tables",
        fix=f"declare a view that reads from `{dataset}.…`",
    )


def scope_of_view(span: Span, view: str) -> Diagnostic:
    return Diagnostic(
        "RF203",
        f"`{view}` is a view, and a scope is of a table",
        span,
        why="a view says itself which rows it has",
        fix="put the condition into the view",
    )


def scope_reads_view(span: Span, view: str) -> Diagnostic:
    return Diagnostic(
        "RF208",
        f"a scope reads the view `{view}`, for which the scope holds",
        span,
        why="the views of a rulebook are made of tables within its scopes",
        fix="ask the tables themselves",
    )


def given_view(span: Span, view: str) -> Diagnostic:
    return Diagnostic(
        "RF203",
        f"`{view}` is a view, and is made of the tables that a test gives",
        span,
        why="a test gives rows of declared tables, as a file would",
        fix="give the rows that the view reads",
    )


def row_for_host(span: Span, name: str, argument: str) -> Diagnostic:
    return Diagnostic(
        "RF210",
        f"`{name}` takes a row as `{argument}`",
        span,
        why="a function of the host takes values, and sees no rows",
        fix="give it the columns that it needs",
    )


# What people write who come from elsewhere.
_FOREIGN_FUNCTIONS = {
    **dict.fromkeys(
        ("today", "now", "sysdate", "getdate", "current_date"),
        "nothing reads a clock: use the parameter `as_of`, the day of the evaluation",
    ),
    **dict.fromkeys(("len", "strlen", "char_length"), "write `length(…)`"),
    **dict.fromkeys(("substr", "substring", "mid"), "write `left(…, n)` or `right(…, n)`"),
    **dict.fromkeys(("isnull", "is_null", "isblank", "is_blank"), "write `… is missing`"),
    **dict.fromkeys(("nvl", "ifnull", "if_null"), "write `coalesce(…, …)`"),
    **dict.fromkeys(("iif", "case", "decode"), "write `if … then … else …`"),
    **dict.fromkeys(("datediff", "date_diff"), "write `later - earlier`, which is whole days"),
    **dict.fromkeys(("to_date", "todate"), 'write `date_from(…, "%m/%d/%Y")`'),
    **dict.fromkeys(("to_number", "tonumber", "int", "cast"), "write `number(…)`"),
}


def unknown_function(span: Span, name: str, known: Iterable[str]) -> Diagnostic:
    return Diagnostic(
        "RF204",
        f"there is no function `{name}`",
        span,
        why="functions are those of the language and the definitions with arguments",
        fix=_FOREIGN_FUNCTIONS.get(name)
        or _hint(name, known, "the language page lists the functions"),
    )


def declared_twice(span: Span, what: str, name: str, first: Span | None) -> Diagnostic:
    return Diagnostic(
        "RF205",
        f"{what} `{name}` is declared twice",
        span,
        why=_stands(first, span),
        fix="rename one of them, or take it out",
    )


def grouped_twice(span: Span, first: Span) -> Diagnostic:
    return Diagnostic(
        "RF205",
        f"{snippet(span)} stands twice behind `group by`",
        span,
        why=_stands(first, span),
        fix="take one of them out",
    )


def stands_twice(span: Span, what: str, first: Span) -> Diagnostic:
    """`what` is the noun of what is named twice in a list."""
    return Diagnostic(
        "RF205",
        f"the {what} {snippet(span)} stands twice",
        span,
        why=_stands(first, span),
        fix="take one of them out",
    )


def role_twice(span: Span, role: str, first: Span) -> Diagnostic:
    return Diagnostic(
        "RF205",
        f"two columns identify the `{role}`",
        span,
        why=f"a row is about one {role}, and {_stands(first, span)}",
        fix="keep one of them, or give the other a role of its own",
    )


def word_twice(span: Span, severity: str, first: Span) -> Diagnostic:
    return Diagnostic(
        "RF205",
        f"`{severity}` is given two words",
        span,
        why=_stands(first, span),
        fix="keep one of them",
    )


def group_taken(span: Span, name: str, kind: str) -> Diagnostic:
    return Diagnostic(
        "RF205",
        f"`{name}` already means the rows of the group",
        span,
        why="one name has one meaning at a place, so that a rule reads one way",
        fix=f"write `{name}` without `in …` to ask about them (`{kind}`), or choose another name",
    )


def name_taken(span: Span, name: str, meaning: str) -> Diagnostic:
    return Diagnostic(
        "RF205",
        f"`{name}` already means {meaning}",
        span,
        why="one name has one meaning at a place, so that a rule reads one way",
        fix="choose another name",
    )


def unknown_rulebook(
    span: Span | None, name: str, looked: Sequence[str], known: Iterable[str], here: str | None
) -> Diagnostic:
    """`here` is a file from the current folder that is likely to be meant."""
    file = f"{name.replace('.', '/')}.rules"
    check = f"check the name: `{name}` is the file {file} under a folder of rulebooks"
    return Diagnostic(
        "RF206",
        f"there is no rulebook `{name}`",
        span,
        why=f"looked for {', '.join(looked)}",
        fix=f"write `{here}` for the file of this folder" if here else _hint(name, known, check),
    )


def unreadable_rulebook(span: Span | None, path: str, reason: str) -> Diagnostic:
    return Diagnostic(
        "RF206",
        f"the rulebook {path} cannot be read",
        span,
        why=reason,
        fix="check the path and that the file may be read",
    )


def _chain(path: Sequence[str], verb: str = "uses") -> str:
    first, *others = [f"`{name}`" for name in path]
    return f"{first} {verb} " + f", which {verb} ".join(others)


def too_many_uses(span: Span, most: int) -> Diagnostic:
    return Diagnostic(
        "RF206",
        f"more than {most} rulebooks use each other one after the other",
        span,
        why="a reader has to follow them all",
        fix="name the rulebook that is needed itself",
    )


def circle_of_uses(span: Span, path: Sequence[str]) -> Diagnostic:
    return Diagnostic(
        "RF207",
        "these rulebooks use each other in a circle",
        span,
        why=_chain(path),
        fix="move what both need into a rulebook that uses neither",
    )


def circle_of_views(span: Span, path: Sequence[str]) -> Diagnostic:
    return Diagnostic(
        "RF208",
        f"the view `{path[0]}` is made of itself",
        span,
        why=_chain(path, "reads"),
        fix="let one of them read tables alone" if len(path) > 2 else "read another table",
    )


def too_many_views(span: Span, most: int) -> Diagnostic:
    return Diagnostic(
        "RF402",
        f"more than {most} views stand here one upon the other",
        span,
        why="each of them is made before the next, and a reader has to follow them all",
        fix="read the tables, or a view that stands further down",
    )


def circle_of_definitions(span: Span, path: Sequence[str]) -> Diagnostic:
    return Diagnostic(
        "RF208",
        f"`{path[0]}` is defined by itself",
        span,
        why=_chain(path),
        fix="write one of them out without the other"
        if len(path) > 2
        else "say what it is without itself",
    )


def unused(span: Span, what: str, name: str) -> Diagnostic:
    return Diagnostic(
        "RF209",
        f"nothing uses the {what} `{name}`",
        span,
        why="what is declared and never read is often a slip in a name",
        fix="use it, or take it out",
        level=Level.WARNING,
    )


# What other languages call the types.
_FOREIGN_TYPES = {
    **dict.fromkeys(("string", "str", "char", "varchar", "character"), "text"),
    **dict.fromkeys(("int", "number", "bigint", "whole"), "integer"),
    **dict.fromkeys(("float", "double", "numeric", "real", "money"), "decimal"),
    **dict.fromkeys(("bool", "flag", "logical"), "boolean"),
    **dict.fromkeys(("datetime", "timestamp", "day"), "date"),
    **dict.fromkeys(("year", "schoolyear"), "school_year"),
}


def unknown_type(
    span: Span, name: str, known: Iterable[str], tables: Iterable[str] = ()
) -> Diagnostic:
    """`tables` are given where a row may stand too: in the arguments of a definition."""
    rows = list(tables)
    types = "text, integer, decimal, boolean, date, school_year or a code set"
    near = _FOREIGN_TYPES.get(name) or nearest(name, [*known, *rows])
    otherwise = "declare the code set, or name the rulebook that does after `uses`"
    if name == "period":
        near, otherwise = None, "take its two dates"
    return Diagnostic(
        "RF210",
        f"there is no type `{name}`",
        span,
        why=f"an argument is {types}, or a row of a table" if rows else f"a type is {types}",
        fix=f"did you mean `{near}`?" if near else otherwise,
    )


def rows_missing(span: Span, rule: str, table: str) -> Diagnostic:
    return Diagnostic(
        "RF211",
        f"rule `{rule}` does not say which rows it judges",
        span,
        why="a rule gives a verdict on each row of one table",
        fix=f"add `for r in {table}`",
    )


def claim_missing(span: Span, rule: str) -> Diagnostic:
    return Diagnostic(
        "RF211",
        f"rule `{rule}` claims nothing",
        span,
        why="a rule says what must hold, or what is to be reported",
        fix="add `require …`, `report when …` or `against …`",
    )


def clause_twice(span: Span, rule: str, clause: str, fix: str) -> Diagnostic:
    return Diagnostic(
        "RF211",
        f"rule `{rule}` says `{clause}` twice",
        span,
        why="this clause stands once in a rule",
        fix=fix,
    )


def two_claims(span: Span, rule: str, first: str, second: str) -> Diagnostic:
    return Diagnostic(
        "RF211",
        f"rule `{rule}` has both `{first}` and `{second}`",
        span,
        why="a rule makes one kind of claim",
        fix="keep one of them, or write two rules",
    )


def rule_before(span: Span, name: str, known: Iterable[str]) -> Diagnostic:
    return Diagnostic(
        "RF214",
        f"there is no rule `{name}`",
        span,
        why="`after` names rules that stand in this rulebook",
        fix=_hint(name, known, "write the id of the rule that goes first"),
    )


def no_counterpart(span: Span, rule: str) -> Diagnostic:
    return Diagnostic(
        "RF218",
        f"`{rule}` is a conflict and names no counterpart",
        span,
        why="the findings of a conflict say who the others are, which `against` finds",
        fix="write `against y in …` in place of `require` or `report when`, or call it an error",
        level=Level.WARNING,
    )


def after_itself(span: Span, path: Sequence[str]) -> Diagnostic:
    return Diagnostic(
        "RF216",
        f"rule `{path[0]}` is judged after itself",
        span,
        why=_chain(path, "is judged after"),
        fix="take one of them out of its `after`",
    )


def no_common_row(
    span: Span, rule: str, table: str, other: str, other_table: str, roles: Iterable[str]
) -> Diagnostic:
    named = _listed(roles)
    theirs = (
        f"`{other_table}` identifies {named}" if named else f"`{other_table}` identifies nobody"
    )
    return Diagnostic(
        "RF217",
        f"a row of `{other}` cannot be found again in `{rule}`",
        span,
        why=f"`{table}` and `{other_table}` have neither the same key nor a role in common: {theirs}",
        fix="say with `identifies` whom the rows are about",
    )


def unknown_role(span: Span, name: str, table: str, roles: Sequence[str]) -> Diagnostic:
    known = f"it identifies {_listed(roles)}" if roles else "it identifies nobody"
    return Diagnostic(
        "RF217",
        f"no column of `{table}` identifies a `{name}`",
        span,
        why=f"who counts is told by roles, and {known}",
        fix=_hint(name, roles, f"say with `identifies {name}` which column does"),
    )


def nameless_value(span: Span) -> Diagnostic:
    return Diagnostic(
        "RF317",
        f"{snippet(span)} gives no name to its column",
        span,
        why="what rows are grouped by is a column of the view, and only a column brings a name along",
        fix="give it one behind `select`: `select … = " + snippet(span)[1:],
    )


def same_column(span: Span, name: str, first: str, second: str, why: str, fix: str) -> Diagnostic:
    """`first` and `second` are what the two are, with backticks."""
    return Diagnostic(
        "RF317", f"the column `{name}` would be both {first} and {second}", span, why=why, fix=fix
    )


def not_of_the_group(
    span: Span, name: str, groups: Iterable[str], value_type: ValueType
) -> Diagnostic:
    listed = ", ".join(groups)
    shown = snippet(span).strip("`")
    asked = f"max({shown} for {name})"
    if value_type == BOOLEAN:
        asked = f"exists({name} where {shown})"
    return Diagnostic(
        "RF318",
        f"the rows of a group differ in {snippet(span)}",
        span,
        why=f"rows are grouped by {listed}" if listed else "all rows are one group",
        fix=f"ask about all of them, such as `{asked}`, or group by it too",
    )


def no_group(span: Span, name: str, table: str) -> Diagnostic:
    """`table` is that of the row of this name, or empty."""
    return Diagnostic(
        "RF318",
        f"`{name}` is not the rows of a group here",
        span,
        why="without `in`, a figure is about grouped rows: in a view with `group by`, or in a report",
        fix=f"say which rows: `r in {table}`" if table else f"say which rows: `{name} in …`",
    )


def group_in_group(span: Span) -> Diagnostic:
    return Diagnostic(
        "RF318",
        f"a figure about {snippet(span)} stands within another about the same group",
        span,
        why="a figure looks at one row of the group after the other",
        fix="select the inner figure in a view of its own, and read that",
    )


def figure_of_other_row(span: Span, name: str) -> Diagnostic:
    return Diagnostic(
        "RF318",
        f"{snippet(span)} is a figure about the group, and reads `{name}`",
        span,
        why=f"a figure is worked out once for a group, not for each `{name}`",
        fix="make a view of pairs, with `with … on …`, and group that",
    )


def other_group_row(span: Span, name: str, row: str) -> Diagnostic:
    return Diagnostic(
        "RF318",
        f"`{name}` is not a row that is grouped here",
        span,
        why=f"the rows of the group are called `{row}`",
        fix=f"write `{row}`, or say which rows: `{name} in …`",
    )


def misplaced_rulebook(header: Span, name: str, path: str, wanted: str) -> Diagnostic:
    return Diagnostic(
        "RF212",
        f"this rulebook is called `{name}`, and `{wanted}` is looked for",
        within(header, rf"(?<=\s){re.escape(name)}\b"),
        why=f"`uses {wanted}` finds it by its place, {path}",
        fix=f"call it `{wanted}`, or move its file",
    )


def unknown_severity(span: Span, name: str, known: Iterable[str]) -> Diagnostic:
    return Diagnostic(
        "RF213",
        f"there is no severity `{name}`",
        span,
        why="a severity is error, warning, exclusion, conflict or informational",
        fix=_hint(
            name, known, 'choose one of these; `show error as "Fatal"` prints it in your own word'
        ),
    )


# ── types and codes ────────────────────────────────────────────────────────────────────────────


def unknown_code(span: Span, code: str, code_set: CodeSet) -> Diagnostic:
    for each in code_set.codes:
        if code == each.label or code in each.also:
            what = "its label" if code == each.label else "another spelling"
            fix = f'write the code, `"{each.code}"`: `"{code}"` is {what}'
            break
    else:
        near = _near_code(code, code_set)
        label = next((each.label for each in code_set.codes if each.code == near), "")
        fix = (
            f'did you mean `"{near}"` ({label})?'
            if near
            else f"its codes are {_listed(code_set.position_by_code)}"
        )
    return Diagnostic(
        "RF301",
        f'`"{code}"` is not a code of `{code_set.name}`',
        span,
        why=f"`{code_set.name}` has {_count(len(code_set.codes), 'code')}, and a column of it holds no others",
        fix=fix,
    )


def _near_code(code: str, code_set: CodeSet) -> str | None:
    """The code that is meant: the same but for zeros in front, or the nearest."""
    padded = [c for c in code_set.position_by_code if c.lstrip("0") == code.lstrip("0")]
    if padded and code.strip("0"):
        return padded[0]
    return nearest(code, code_set.position_by_code)


def cannot_compare(
    left: Span, left_type: ValueType, right: Span, right_type: ValueType, schema: Schema
) -> Diagnostic:
    whole = left.to(right) if left.source == right.source and left.start < right.end else left
    return Diagnostic(
        "RF302",
        f"{snippet(left)} and {snippet(right)} cannot be compared",
        whole,
        why=f"{snippet(left)} is {named(left_type)} and {snippet(right)} is {named(right_type)}",
        fix=_make_comparable(left, left_type, right, right_type, schema),
    )


def _make_comparable(
    left: Span, left_type: ValueType, right: Span, right_type: ValueType, schema: Schema
) -> str:
    names = {type_name(left_type), type_name(right_type)}
    if isinstance(left_type, CodeType) and isinstance(right_type, CodeType):
        return "compare each with codes of its own set"
    if isinstance(left_type, CodeType) or isinstance(right_type, CodeType):
        code, other = (left_type, right) if isinstance(left_type, CodeType) else (right_type, left)
        return _make_code(schema.code_sets[type_name(code)], other, names)
    text = left if left_type == TEXT else right
    written = text.text.startswith('"')
    if names == {"date", "text"}:
        inner = text.text.strip('"')
        if written and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", inner):
            return f"write the date without quotes: `{inner}`"
        if written:
            return "write the date without quotes, such as `2023-10-01`"
        return 'turn the text into a date first, such as `date_from(…, "%Y-%m-%d")`'
    if "text" in names and names & {"integer", "decimal"}:
        other = right if text is left else left
        if written:
            return "write the number without quotes"
        if re.fullmatch("[0-9.]+", other.text):
            return f'write the text in quotes, `"{other.text}"`, or count with `number(…)`'
        return "turn the text into a number first: `number(…)`"
    if "boolean" in names:
        return "ask for the condition itself, or compare it with `true` or `false`, without quotes"
    if names == {"school_year", "date"}:
        return "compare with the first or last day of the year: `.start` or `.end`"
    return "compare values of one type"


def _make_code(code_set: CodeSet, other: Span, names: set[str]) -> str:
    if names & {"integer", "decimal"}:
        near = _near_code(other.text, code_set)
        example = f': `"{near}"`' if near else ""
        return f"a code is text with its zeros: write it in quotes{example}"
    if "text" in names:
        return f"compare with codes in quotes, or declare {snippet(other)} as `{code_set.name}`"
    return "compare with codes in quotes"


def not_comparable(span: Span, value_type: ValueType, op: str) -> Diagnostic:
    if op in ("=", "!="):
        why, fix = "a period is no single value", "ask with `overlaps`, or with `in` for a date"
    elif op in ("<", "<=", ">", ">=", "between"):
        why, fix = f"{named(value_type)} has no order", "test with `=`, `!=` or `in`"
        if type_name(value_type) == "period":
            fix = "ask with `overlaps`, or with `in` for a date"
    else:
        why, fix = f"{named(value_type)} has no order", "give numbers, dates, codes or texts"
    return Diagnostic(
        "RF302", f"`{op}` does not work on {named(value_type)}", span, why=why, fix=fix
    )


def wrong_argument_count(span: Span, signature: str, given: int, takes: str) -> Diagnostic:
    """`takes` is how many arguments the function takes, in figures."""
    return Diagnostic(
        "RF303",
        f"`{signature.split('(', maxsplit=1)[0]}` is given {_count(given, 'argument')}",
        span,
        why=f"it is written `{signature}`",
        fix=f"give it {takes}",
    )


def constant_called(span: Span, name: str) -> Diagnostic:
    return Diagnostic(
        "RF303",
        f"`{name}` is a constant and takes no arguments",
        span,
        why="only a definition that declares arguments is called with them",
        fix=f"write `{name}` without brackets",
    )


def wrong_argument(
    span: Span, signature: str, argument: str, wanted: str, got: str, fix: str = ""
) -> Diagnostic:
    return Diagnostic(
        "RF303",
        f"`{argument}` of `{signature.split('(', maxsplit=1)[0]}` is {wanted}, but {snippet(span)} is {got}",
        span,
        why=f"it is written `{signature}`",
        fix=fix or f"give {wanted}",
    )


def not_a_condition(span: Span, value_type: ValueType) -> Diagnostic:
    test = {"text": '= "…"', "integer": "> 0", "decimal": "> 0"}.get(
        type_name(value_type), "is present"
    )
    shown = snippet(span)
    named_value = re.match("`[a-z_]", shown) and "…" not in shown
    return Diagnostic(
        "RF304",
        f"{shown} is {named(value_type)}, not a condition",
        span,
        why="a condition is true, false or unknown",
        fix=f"say what is asked of it, such as `{shown[1:-1] if named_value else '…'} {test}`",
    )


def never_holds(span: Span, reason: str, fix: str) -> Diagnostic:
    return Diagnostic("RF305", f"{snippet(span)} can never hold", span, why=reason, fix=fix)


def never_equal(span: Span, reason: str, fix: str) -> Diagnostic:
    return Diagnostic("RF305", f"no value is ever {snippet(span)}", span, why=reason, fix=fix)


def blank_text(span: Span) -> Diagnostic:
    reason = "a text of blanks only is missing, and what is missing equals nothing"
    return never_equal(span, reason, "ask with `is missing` or `is present`")


def blank_code(span: Span) -> Diagnostic:
    reason = "a cell of blanks only is missing"
    return never_equal(span, reason, "take it out: a column without `required` may be missing")


def always_present(span: Span, value: Span) -> Diagnostic:
    return Diagnostic(
        "RF305",
        f"{snippet(value)} is always present",
        span,
        why="what is written out is never missing",
        fix="ask it of a column or a parameter",
    )


def no_such_day(span: Span) -> Diagnostic:
    return Diagnostic(
        "RF305",
        f"{snippet(span)} is a day in no year",
        span,
        why="it is written `.day(month, day)`",
        fix="name a day that exists, such as `.day(7, 1)`",
    )


def not_a_set(span: Span, got: str) -> Diagnostic:
    written = re.match('["0-9]', span.text)
    return Diagnostic(
        "RF306",
        f"{snippet(span)} is {got}, not a set",
        span,
        why="`in` asks whether a value is in a set, or a date in a period",
        fix=f"write a set in braces, such as `in {{{span.text if written else '…'}}}`, or compare with `=`",
    )


def set_as_value(span: Span) -> Diagnostic:
    return Diagnostic(
        "RF306",
        f"{snippet(span)} is a set, not a value",
        span,
        why="a set stands after `in`, in a definition, or where a function takes one",
        fix=f"ask whether a value is in it: `… in {snippet(span)[1:-1]}`",
    )


def backwards_range(low: Span, high: Span, order: str) -> Diagnostic:
    return Diagnostic(
        "RF306",
        f"nothing lies between {snippet(low)} and {snippet(high)}",
        low.to(high),
        why=f"the second comes before the first in the order of {order}",
        fix="turn them round",
    )


def no_range(span: Span, value_type: ValueType) -> Diagnostic:
    return Diagnostic(
        "RF306",
        f"there are no ranges of {named(value_type)}",
        span,
        why="ranges are of codes, numbers, dates and school years",
        fix="list the values",
    )


def bad_pattern(span: Span, reason: str) -> Diagnostic:
    closing = {"[": "]", "(": ")", "{": "}"}.get(span.text)
    if span.text in ("^", "$"):
        fix = f"leave `{span.text}` out"
    elif closing and "not closed" in reason:
        fix = f"add the closing `{closing}`, or write `\\\\{span.text}` for the sign itself"
    else:
        fix = "a pattern has characters, `.`, classes, groups, `|` and repetitions"
    return Diagnostic("RF307", "this pattern is not understood", span, why=reason, fix=fix)


def does_not_fit(span: Span, fact: str, why: str, fix: str) -> Diagnostic:
    return Diagnostic("RF308", fact, span, why=why, fix=fix)


def bad_path(span: Span, reason: str) -> Diagnostic:
    return does_not_fit(
        span,
        "this is no path below an element",
        f"the table is read from XML, and {reason}",
        "write it as `A/B`, `A[2]/B` or `A[2 by C]/B`, with the names of elements",
    )


def reads_rows(span: Span, where: str, fix: str) -> Diagnostic:
    return Diagnostic(
        "RF309",
        f"{snippet(span)} reads the data",
        span,
        why=f"{where} is decided once for all rows, before any is read",
        fix=fix,
    )


def calls_host(span: Span, where: str, fix: str) -> Diagnostic:
    return Diagnostic(
        "RF309",
        f"{snippet(span)} asks the host",
        span,
        why=f"{where} is decided before any function of the host is called",
        fix=fix,
    )


def row_as_value(span: Span, table: Table) -> Diagnostic:
    example = ""
    if table.key and re.fullmatch(r"[a-z_.0-9]+", span.text):
        example = f", such as `{span.text}.{table.key[0]}`"
    return Diagnostic(
        "RF310",
        f"{snippet(span)} is a row of `{table.name}`, not a value",
        span,
        why="a row holds many values, one in each column",
        fix=f"name one of its columns{example}, or ask whether it `is present`",
    )


def value_as_row(span: Span, table: str) -> Diagnostic:
    return Diagnostic(
        "RF310",
        f"{snippet(span)} is a value, not a row of `{table}`",
        span,
        why=f"this definition takes a row of `{table}`",
        fix="hand over the row itself",
    )


def wrong_row(span: Span, got: str, wanted: str) -> Diagnostic:
    return Diagnostic(
        "RF310",
        f"{snippet(span)} is a row of `{got}`, not of `{wanted}`",
        span,
        why=f"this definition takes a row of `{wanted}`",
        fix=f"hand over a row of `{wanted}`",
    )


def bad_default(span: Span, name: str, why: str, fix: str) -> Diagnostic:
    return Diagnostic(
        "RF311", f"{snippet(span)} does not fit the parameter `{name}`", span, why=why, fix=fix
    )


def wrong_literal(span: Span, name: str, wanted: ValueType, got: ValueType) -> Diagnostic:
    inner = span.text.strip('"')
    fix = f"give {named(wanted)}"
    if got == TEXT and wanted == BOOLEAN:
        fix = "write `true` or `false`, without quotes"
    elif got == TEXT and re.fullmatch("[0-9.-]+", inner):
        fix = f"write it without quotes: `{inner}`"
    elif wanted == TEXT:
        fix = f'write it in quotes: `"{inner}"`'
    why = f"the parameter is {named(wanted)}, and this is {named(got)}"
    if got == wanted:
        why, fix = "a text of blanks only is missing", "take it out, or write a text"
    return bad_default(span, name, why, fix)


def wrong_type(span: Span, wanted: str, got: ValueType, why: str, fix: str) -> Diagnostic:
    return Diagnostic(
        "RF312",
        f"{snippet(span)} is {named(got)}, where {wanted} is expected",
        span,
        why=why,
        fix=fix,
    )


def wrong_arithmetic(
    span: Span, op: str, left: Span, left_type: ValueType, right: Span, right_type: ValueType
) -> Diagnostic:
    takes = {
        "+": "two numbers, or a date and a whole number of days",
        "-": "two numbers, two dates, or a date and a whole number of days",
    }.get(op, "two numbers")
    if left_type == TEXT and right_type == TEXT:
        fix = "texts are not joined: a message shows several values beside each other"
    elif TEXT in (left_type, right_type):
        text = left if left_type == TEXT else right
        fix = (
            "write the number without quotes"
            if text.text.startswith('"')
            else f"turn the text into a number first: `number({text.text})`"
        )
    elif op == "-" and right_type == DATE:
        fix = "put the date first"
    elif DATE in (left_type, right_type) and op in "+-" and DECIMAL in (left_type, right_type):
        fix = "give a whole number of days"
    else:
        fix = f"give {takes}"
    return Diagnostic(
        "RF312",
        f"`{op}` does not work on {named(left_type)} and {named(right_type)}",
        span,
        why=f"`{op}` takes {takes}",
        fix=fix,
    )


def mixed_types(span: Span, first: ValueType, other: ValueType) -> Diagnostic:
    return Diagnostic(
        "RF312",
        f"{snippet(span)} is {named(other)}, where {named(first)} is expected",
        span,
        why=f"one of these values is taken, and the first is {named(first)}",
        fix="give values of one type",
    )


def too_many_places(span: Span, places: int, most: int) -> Diagnostic:
    return Diagnostic(
        "RF313",
        f"{snippet(span)} needs {places} places behind the point",
        span,
        why=f"decimals are exact, and hold {most} places",
        fix="round a factor first: `round(…, 2)`",
    )


# ── size ───────────────────────────────────────────────────────────────────────────────────────


def unlinked(
    span: Span,
    table: Table,
    variable: str,
    outer: str,
    column: str,
    clause: str,
    *,
    in_or: bool,
    is_view: bool,
) -> Diagnostic:
    """`column` is one that both tables have, or empty; `clause` is where the equality is missing;
    `in_or` where the only equalities stand within `or`.
    """
    link = f"`{variable}.{column} = {outer}.{column}`" if column else f"`{variable}.… = {outer}.…`"
    return Diagnostic(
        "RF401",
        f"every row is compared with every row of `{table.shown}`",
        span,
        why="an equality within `or` or `not` links no rows"
        if in_or
        else f"no equality links `{variable}` to `{outer}`",
        fix=f"join {link} to its `{clause}` with `and`"
        + ("" if is_view else f", or declare `{table.kind}` a `lookup table`"),
    )


def too_large(span: Span, what: str, most: int) -> Diagnostic:
    return Diagnostic(
        "RF402",
        f"{what} grows to more than {most:,} parts",
        span,
        why="definitions, and rows that a `let` names, are written out wherever they are used",
        fix="split the rule, or use `let` for what is used several times",
    )


def too_nested(span: Span, what: str, most: int) -> Diagnostic:
    return Diagnostic(
        "RF402",
        f"{what} goes more than {most} levels deep",
        span,
        why="definitions within definitions are written out one inside the other",
        fix="give the parts a `let` of their own",
    )


# ── tests ──────────────────────────────────────────────────────────────────────────────────────


def test_column(span: Span, name: str, table: Table) -> Diagnostic:
    return Diagnostic(
        "RF201",
        f"`{table.name}` has no column `{name}`",
        span,
        why=f"these are rows of `{table.name}`, which has {_count(len(table.columns), 'column')}",
        fix=_hint(name, table.columns_by_name, f"its columns are {_listed(table.columns_by_name)}"),
    )


def test_row_name(
    span: Span, name: str, rule: str, table: Table, known: Iterable[str]
) -> Diagnostic:
    names = list(known)
    return Diagnostic(
        "RF201",
        f"`{name}` is no key column and no role of `{table.name}`",
        span,
        why=f"`{rule}` judges rows of `{table.name}`, which are known by their key and their roles",
        fix=_hint(name, names, f"they are known by {_listed(names)}"),
    )


def test_parameter(span: Span, name: str, known: Iterable[str]) -> Diagnostic:
    names = sorted(known)
    return Diagnostic(
        "RF202",
        f"there is no parameter `{name}`",
        span,
        why="`with` sets the parameters of the rulebook, and `as_of`",
        fix=_hint(name, names, f"its parameters are {_listed(names)}"),
    )


def set_twice(span: Span, what: str, name: str, first: Span) -> Diagnostic:
    return Diagnostic(
        "RF205",
        f"{what} `{name}` stands twice",
        span,
        why=f"one of them would win, and {_stands(first, span)}",
        fix="keep one of them",
    )


def test_without_expectation(span: Span) -> Diagnostic:
    return Diagnostic(
        "RF211",
        "this test expects nothing in particular",
        span,
        why="a test says what the rules report of its rows",
        fix="add `expect` with rows, or `expect nothing`",
    )


def test_clause_twice(span: Span, clause: str, fix: str) -> Diagnostic:
    return Diagnostic(
        "RF211",
        f"this test says `{clause}` twice",
        span,
        why="this clause stands once in a test",
        fix=fix,
    )


def test_rule(span: Span, name: str, known: Iterable[str]) -> Diagnostic:
    return Diagnostic(
        "RF214",
        f"there is no rule `{name}`",
        span,
        why="a test speaks of the rules of its rulebook, and of those that its tables make",
        fix=_hint(name, known, "`ruleforge rules` lists the rules"),
    )


def unknown_verdict(span: Span, word: str, known: Sequence[str]) -> Diagnostic:
    return Diagnostic(
        "RF215",
        f"there is no verdict `{word}`",
        span,
        why="a rule holds, fails, is unknown or is not applicable to a row",
        fix=_hint(word, known, f"write one of {_listed(known)}"),
    )


_CELLS = {
    "integer": "write a whole number, such as `20`",
    "decimal": "write a number, such as `0.5`",
    "boolean": "write `true` or `false`",
    "date": "write a date, such as `2023-10-01`",
    "school_year": "write a school year, such as `2023-24`",
}


def bad_cell(span: Span, text: str, column: str, value_type: ValueType) -> Diagnostic:
    shown = text if len(text) <= 50 else text[:47] + "…"
    return Diagnostic(
        "RF314",
        f"`{shown}` is not {named(value_type)}",
        span,
        why=f"`{column}` is {named(value_type)}, and cells are read by the type of their column",
        fix=_CELLS.get(type_name(value_type), f"write {named(value_type)}"),
    )


def bad_cause(span: Span, text: str, rule: str, claims: int) -> Diagnostic:
    return Diagnostic(
        "RF314",
        f"`{text}` is no cause of `{rule}`",
        span,
        why="the cause is the number of the `require` that fails, the first being 1",
        fix="write `1`" if claims == 1 else f"write a number from 1 to {claims}",
    )


def too_many_cells(span: Span, cells: int, header: int) -> Diagnostic:
    return Diagnostic(
        "RF315",
        f"this row has {_count(cells, 'cell')}, and its header {_count(header, 'column')}",
        span,
        why="each cell belongs to the column above it",
        fix="take the cell out, or give it a column; a text with a `|` stands in double quotes",
    )


def nameless_column(span: Span) -> Diagnostic:
    return Diagnostic(
        "RF315",
        "a column of this header has no name",
        span,
        why="the first row names the column of every cell below it",
        fix="name it, or take it out",
    )


def nothing_expected_of(span: Span, fact: str) -> Diagnostic:
    return Diagnostic(
        "RF316",
        fact,
        span,
        why="each row of `expect` names the rule that it speaks of",
        fix="add a column `rule`, and the id of a rule in each row",
    )


def says_of_no_finding(span: Span, column: str, verdict: str) -> Diagnostic:
    return Diagnostic(
        "RF316",
        f"a row that is expected as `{verdict}` has no {column}",
        span,
        why="only a rule that fails makes a finding, with a severity, a message and a cause",
        fix=f"leave the {column} blank, or expect `fails`",
    )
