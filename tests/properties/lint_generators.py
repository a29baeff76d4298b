"""lint_generators: a seed -> a small rulebook, and rows to try every claim of lint on

Conditions are trees, so that one can be written twice in different ways: other names, operands in
another order, a `let` for a part. Values of rows are those that stand in the conditions, their
neighbours, and missing.
"""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from random import Random
from typing import Any

from ruleforge.engine.reference_backend import Row
from ruleforge.language.core import Value
from ruleforge.language.schema import SchoolYear

SCHEMA = """\
rulebook case edition 1
parameter day: date
parameter limit: integer in {1..3}
parameter school_year: school_year
codes kind
  "a" "A" until 2020-21
  "b" "B"
  "c" "C" since 2022-23
table parent
  parent_id: text
  kind:      kind
  size:      integer
  key parent_id
table t
  id:        text
  parent_id: text references parent
  kind:      kind
  other:     kind
  flag:      boolean
  n:         integer
  m:         integer
  x:         decimal
  from_day:  date
  to_day:    date
  year:      school_year
  word:      text
  key id
table item
  id:    text
  q:     integer
  kind:  kind
  begin: date
  key id, q
"""

DAYS = [
    dt.date(2004, 2, 29),
    dt.date(2013, 6, 30),
    dt.date(2022, 2, 28),
    dt.date(2022, 3, 1),
    dt.date(2023, 6, 30),
    dt.date(2023, 7, 1),
    dt.date(2023, 12, 1),
]
VALUES: dict[str, list[Any]] = {
    "kind": ["a", "b", "c"],
    "boolean": [True, False],
    "integer": [-1, 0, 1, 2, 3, 10],
    "decimal": [
        Decimal("-0.5"),
        Decimal(0),
        Decimal("0.5"),
        Decimal(1),
        Decimal("1.5"),
        Decimal(2),
    ],
    "date": DAYS,
    "school_year": [SchoolYear(2021), SchoolYear(2022), SchoolYear(2023)],
    "text": ["a", "b", "B", "ab", "b2"],
}
COLUMNS = {
    "t": {
        "kind": ["kind", "other"],
        "boolean": ["flag"],
        "integer": ["n", "m"],
        "decimal": ["x"],
        "date": ["from_day", "to_day"],
        "school_year": ["year"],
        "text": ["word"],
    },
    "item": {"kind": ["kind"], "integer": ["q"], "date": ["begin"]},
}
TYPES = {
    "t": {"id": "text", "parent_id": "text"} | {n: k for k, ns in COLUMNS["t"].items() for n in ns},
    "item": {"id": "text", "q": "integer", "kind": "kind", "begin": "date"},
    "parent": {"parent_id": "text", "kind": "kind", "size": "integer"},
}
PARAMETERS = {"date": "day", "integer": "limit", "school_year": "school_year"}

Tree = tuple[Any, ...]


def spelt(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"'
        case _:
            return str(value)


class Writer:
    """Random trees; with `plain` over codes and booleans of one row alone."""

    def __init__(self, random: Random, *, plain: bool = False) -> None:
        self.random = random
        self.plain = plain

    def constant(self, kind: str) -> Tree:
        return ("constant", self.random.choice(VALUES[kind]))

    def value(self, kind: str, table: str, depth: int = 1) -> Tree:
        """A value; never a bare constant."""
        pick = self.random.random()
        if depth and not self.plain and pick < 0.45:
            made = self.made(kind, table, depth)
            if made is not None:
                return made
        if pick > 0.9 and kind in PARAMETERS and not self.plain:
            return ("parameter", PARAMETERS[kind])
        names = COLUMNS[table].get(kind)
        if names is None:
            return ("column", "t", self.random.choice(COLUMNS["t"][kind]))
        if table == "t" and kind in ("kind", "integer") and pick > 0.75 and not self.plain:
            return ("parent", "kind" if kind == "kind" else "size")
        return ("column", table, self.random.choice(names))

    def made(self, kind: str, table: str, depth: int) -> Tree | None:
        r, v = self.random, lambda k: self.value(k, table, depth - 1)
        condition = self.test(table, depth - 1)
        options: dict[str, list[Tree]] = {
            "integer": [
                ("call", "age", v("date"), v("date")), ("sum", "+", v("integer"), self.constant("integer")),
                ("sum", "-", v("integer"), v("integer")), ("call", "abs", v("integer")),
                ("call", "floor", v("decimal")), ("call", "ceiling", v("decimal")),
                ("sum", "-", v("date"), v("date")), ("call", "length", v("text")),
                ("sum", "*", v("integer"), v("integer")), ("sum", "*", v("integer"), ("constant", 2)),
                ("days", v("date"), v("date")), ("call", "months_between", v("date"), v("date")),
                ("call", "round", v("decimal")),
            ],
            "decimal": [
                ("sum", "+", v("decimal"), v("decimal")), ("sum", "*", v("decimal"), self.constant("decimal")),
                ("sum", "/", v("decimal"), v("integer")), ("negative", v("decimal")),
            ],
            "date": [
                ("sum", "+", v("date"), self.constant("integer")), ("year day", v("school_year"), 7, 1),
                ("year day", v("school_year"), 2, 28), ("year", v("school_year"), "end"),
                ("year day", v("school_year"), 2, 29),
                ("call", "add_business_days", v("date"), self.constant("integer")),
            ],
            "school_year": [("year", v("school_year"), "next"), ("year", v("school_year"), "previous")],
            "text": [("call", "upper", v("text")), ("call", "left", v("text"), ("constant", 1))],
            "kind": [],
        }  # fmt: skip
        if kind == "boolean":
            return ("call", "starts_with", v("text"), self.constant("text"))
        choices = options[kind]
        choices.append(("if", condition, v(kind), v(kind)))
        choices.append(("call", "coalesce", v(kind), v(kind)))
        choices.append(("call", r.choice(["min_of", "max_of"]), v(kind), v(kind)))
        if table == "t":
            inside = self.linked(0)
            if kind == "integer":
                choices += [
                    ("count", inside), ("aggregate", "sum", "q", inside),
                    ("aggregate", "max", "q", inside), ("aggregate", "count distinct", "begin", inside),
                ] * 2  # fmt: skip
            if kind == "date":
                choices.append(("aggregate", "min", "begin", inside))
            if kind in ("kind", "integer"):
                choices.append(("latest", "kind" if kind == "kind" else "q", inside))
        return r.choice(choices)

    def linked(self, depth: int) -> Tree:
        """The rows of `item` that belong to the row, perhaps fewer."""
        link = ("=", ("column", "item", "id"), ("column", "t", "id"))
        if self.random.random() < 0.3:
            return ("and", link)
        return ("and", link, self.condition("item", depth))

    def test(self, table: str, depth: int) -> Tree:
        r = self.random
        kinds = ["kind", "boolean"] if self.plain else list(VALUES)
        kind = r.choice(kinds)
        left = self.value(kind, table, depth)
        pick = r.random()
        if kind == "boolean":
            return ("is", left) if pick < 0.7 else ("present", left)
        if pick < 0.15:
            return ("present", left)
        if pick < 0.35:
            return ("in", left, *(self.constant(kind) for _ in range(r.randint(1, 2))))
        if pick < 0.42 and kind == "text":
            return ("matches", left, r.choice(["[a-b]+", "b.?", "B"]))
        if pick < 0.55 and kind == "date":
            first, second = self.value("date", table, 0), self.value("date", table, 0)
            if r.random() < 0.5:
                return ("in period", left, first, second)
            return ("overlaps", left, first, second, self.value("date", table, 0))
        right = self.constant(kind) if pick < 0.8 else self.value(kind, table, depth)
        return (r.choice(["=", "!=", "<", "<=", ">", ">="]), left, right)

    def condition(self, table: str, depth: int = 2) -> Tree:
        r = self.random
        pick = r.random()
        if depth and pick < 0.3:
            return ("and", *(self.condition(table, depth - 1) for _ in range(r.randint(2, 3))))
        if depth and pick < 0.5:
            return ("or", *(self.condition(table, depth - 1) for _ in range(2)))
        if depth and pick < 0.6:
            return ("not", self.condition(table, depth - 1))
        if depth and pick < 0.75 and table == "t" and not self.plain:
            if r.random() < 0.6:
                return ("exists", self.linked(depth - 1))
            return ("every", self.linked(depth - 1), self.condition("item", depth - 1))
        return self.test(table, min(depth, 1))


def written(tree: Tree, row: str, item: str, random: Random | None) -> str:  # noqa: C901 - each kind
    """The tree as text; with `random` in an order of its own."""

    def w(each: Tree) -> str:
        return written(each, row, item, random)

    def shuffled(parts: list[str]) -> list[str]:
        if random is not None:
            random.shuffle(parts)
        return parts

    match tree:
        case ("constant", value):
            return spelt(value)
        case ("parameter", name):
            return name
        case ("column", table, name):
            return f"{row if table == 't' else item}.{name}"
        case ("parent", name):
            return f"{row}.parent.{name}"
        case ("call", name, *parts):
            return f"{name}({', '.join(map(w, parts))})"
        case ("sum", op, a, b):
            if op in "+*" and random is not None and random.random() < 0.5:
                a, b = b, a
            return f"({w(a)} {op} {w(b)})"
        case ("negative", a):
            return f"(-{w(a)})"
        case ("days", a, b):
            return f"days(period({w(a)}, {w(b)}))"
        case ("year", a, name):
            return f"{w(a)}.{name}"
        case ("year day", a, month, day):
            return f"{w(a)}.day({month}, {day})"
        case ("if", c, a, b):
            return f"(if {w(c)} then {w(a)} else {w(b)})"
        case ("count", where):
            return f"count({item} in item where {w(where)})"
        case ("aggregate", kind, column, where):
            word = kind.replace("count distinct", "count(distinct ") if " " in kind else f"{kind}("
            return f"{word}{item}.{column} for {item} in item where {w(where)})"
        case ("latest", column, where):
            return f"latest({item} in item by {item}.begin where {w(where)}).{column}"
        case ("exists", where):
            return f"exists({item} in item where {w(where)})"
        case ("every", where, claim):
            return f"every({item} in item where {w(where)} satisfies {w(claim)})"
        case ("is", a):
            return w(a)
        case ("present", a):
            return f"{w(a)} is present"
        case ("in", a, *members):
            return f"{w(a)} in {{{', '.join(shuffled([w(each) for each in members]))}}}"
        case ("matches", a, pattern):
            return f'{w(a)} matches "{pattern}"'
        case ("in period", a, b, c):
            return f"{w(a)} in period({w(b)}, {w(c)})"
        case ("overlaps", a, b, c, d):
            one, other = shuffled([f"period({w(a)}, {w(b)})", f"period({w(c)}, {w(d)})"])
            return f"{one} overlaps {other}"
        case ("not", a):
            return f"not ({w(a)})"
        case ("and" | "or", *parts):
            return f"({f' {tree[0]} '.join(shuffled([f'({w(each)})' for each in parts]))})"
        case (op, a, b):
            if random is not None and random.random() < 0.5:
                a, b, op = b, a, {"<": ">", ">": "<", "<=": ">=", ">=": "<="}.get(op, op)
            return f"{w(a)} {op} {w(b)}"
    raise AssertionError(tree)


def rule_text(
    name: str,
    when: Tree | None,
    claims: list[Tree],
    *,
    again: Random | None,
    where: Tree | None = None,
    applies: str = "",
) -> str:
    """A rule; with `again` the same rule as another would write it."""
    row, item = ("p", "e") if again is None else ("line", "entry")
    lines = [f"rule {name} error{' if limit < 3, otherwise warning' if applies else ''}"]
    lines += [f"  applies when {applies}"] if applies else []
    lines.append(f"  for {row} in t")
    if where is not None:
        lines[-1] += f" where {written(where, row, item, again)}"
    if when is not None:
        text = written(when, row, item, again)
        if again is not None and again.random() < 0.5:
            lines.append(f"  let about = {text}")
            text = "about"
        lines.append(f"  when {text}")
    if again is not None and len(claims) == 1 and again.random() < 0.5:
        lines.append(f"  report when not ({written(claims[0], row, item, again)})")
    else:
        lines += [f"  require {written(claim, row, item, again)}" for claim in claims]
    return "\n".join(lines) + "\n"


def rules_of(writer: Writer) -> list[str]:
    """A few rules; some are narrower than others, or say the opposite."""
    random = writer.random
    texts: list[str] = []
    made: list[tuple[Tree | None, list[Tree]]] = []
    for number in range(4):
        when = writer.condition("t") if random.random() < 0.7 else None
        claims = [writer.condition("t") for _ in range(random.choice((1, 1, 2)))]
        if made and random.random() < 0.6:
            old_when, old_claims = random.choice(made)
            pick = random.random()
            if pick < 0.35:
                when = ("and", old_when, writer.condition("t", 1)) if old_when else when
                claims = list(old_claims)
            elif pick < 0.6:
                when, claims = old_when, [("not", old_claims[0])]
            elif pick < 0.8:
                when, claims = old_when, [*old_claims, writer.condition("t", 1)]
            else:
                when, claims = old_when, list(old_claims)
        made.append((when, claims))
        again = random if random.random() < 0.5 else None
        where = writer.condition("t", 1) if random.random() < 0.25 else None
        years = ["school_year >= 2022-23", "school_year < 2022-23", "school_year = 2022-23"]
        applies = random.choice(years) if random.random() < 0.25 and not writer.plain else ""
        texts.append(
            rule_text(f"R-{number}", when, claims, again=again, where=where, applies=applies)
        )
    return texts


Data = tuple[dict[str, list[Row]], dict[str, Value | None]]


def samples(random: Random, number: int) -> Iterator[Data]:
    """Rows to judge: the first of `t`, with rows that belong to it."""

    def any_of(kind: str) -> Any:
        return None if random.random() < 0.2 else random.choice(VALUES[kind])

    for _ in range(number):
        row: Row = {name: any_of(kind) for name, kind in TYPES["t"].items()}
        row["id"] = random.choice(["1", "1", "1", None])
        row["parent_id"] = random.choice(["P", "P", "X", None])
        parent: Row = {name: any_of(kind) for name, kind in TYPES["parent"].items()}
        parent["parent_id"] = "P"
        items: list[Row] = []
        for _ in range(random.choice((0, 1, 2, 3))):
            item: Row = {name: any_of(kind) for name, kind in TYPES["item"].items()}
            item["id"] = random.choice(["1", "1", "2", None])
            items.append(item)
        parameters: dict[str, Value | None] = {
            "day": random.choice(DAYS),
            "limit": random.choice([1, 2, 3]),
            "school_year": random.choice(VALUES["school_year"]),
            "as_of": DAYS[-1],
        }
        yield {"t": [row], "parent": [parent], "item": items}, parameters


def all_plain_rows() -> list[Data]:
    """Every row as far as codes and booleans go."""
    kinds, flags = [*VALUES["kind"], None], [True, False, None]
    parameters: dict[str, Value | None] = {
        "day": DAYS[-1], "limit": 1, "school_year": SchoolYear(2023), "as_of": DAYS[-1]
    }  # fmt: skip
    return [
        (
            {
                "t": [dict.fromkeys(TYPES["t"]) | {"kind": kind, "other": other, "flag": flag}],
                "parent": [],
                "item": [],
            },
            parameters,
        )
        for kind, other, flag in product(kinds, kinds, flags)
    ]
