"""describe: hits -> findings

Writes out what a rule found: keys, roles, the message with its values, the values read, a
fingerprint. Texts are made for the reported rows only, by a second, narrow query over those rows; a
sensitive value is withheld unless the host asks for it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import PurePath

import polars as pl

from ruleforge.engine.admit import FILE, raw
from ruleforge.engine.finding import VALUES, finding_schema, judged_tables, key_fields
from ruleforge.engine.lower import lower_counterparts, lower_values
from ruleforge.engine.needs import said_by
from ruleforge.engine.plan import ROW
from ruleforge.engine.polars_backend import PolarsBackend
from ruleforge.engine.polars_types import as_text
from ruleforge.engine.polars_views import counterparts, linked_rows
from ruleforge.engine.reference_backend import constant_value
from ruleforge.engine.result import Hits
from ruleforge.engine.revision import LINE, Refusal
from ruleforge.language import core
from ruleforge.language.check_expression import depths_read
from ruleforge.language.core import Severity
from ruleforge.language.schema import Schema, Table
from ruleforge.language.sensitive import reads_sensitive
from ruleforge.language.source import Source, Span
from ruleforge.language.types import DATE, INTEGER, TEXT

FILE_RULE = "intake.file"
WITHHELD = "(withheld)"
MISSING = "(missing)"
MOST_COUNTERPARTS = 100  # that one finding names; their number is always exact
_TEXTS = {"message", "values"}
_OF_COUNTERPARTS = {"message", "counterparts", "counterpart_count"}
_PLACE = Span(Source("<finding>", ""), 0, 0)


def line_rule(table: str) -> str:
    """The id of the built-in rule that a line is a row of its table."""
    return f"{table}.line"


@dataclass(frozen=True)
class Describer:
    """Writes findings of one evaluation."""

    rulebook: core.Rulebook
    revision: str
    backend: PolarsBackend
    show_sensitive: bool

    @property
    def schema(self) -> Schema:
        return self.rulebook.schema

    def __call__(
        self,
        hits: Sequence[Hits],
        refusals: Sequence[Refusal],
        columns: Sequence[str] | None = None,
    ) -> pl.DataFrame:
        key = key_fields(judged_tables(self.rulebook, self.backend.tables))
        whole = finding_schema(self.schema, key)
        wanted = list(whole) if columns is None else list(columns)
        unknown = [name for name in wanted if name not in whole]
        if unknown:
            raise ValueError(
                f"findings have no column {unknown[0]!r}; they have {', '.join(whole)}"
            )
        schema = {name: whole[name] for name in wanted}
        frames = [self.of_rule(each, key, schema) for each in hits if each.frame.height]
        if refusals:
            frames.append(self.of_refusals(refusals, schema))
        return pl.concat(frames) if frames else pl.DataFrame(schema=schema)

    # ── rows of a rule ──────────────────────────────────────────────────────────────────────────

    def of_rule(
        self, hits: Hits, key: dict[str, pl.DataType], schema: dict[str, pl.DataType]
    ) -> pl.DataFrame:
        rule, table = hits.rule, self.schema.table(hits.rule.variable.table)
        files = self.backend.tables[table.name].files
        frame = hits.frame
        others = None
        if rule.against is not None and set(schema) & _OF_COUNTERPARTS:
            others = self.counterparts(hits, key, set(schema))
            frame = frame.join(others, on=ROW, how="left", maintain_order="left")
        if set(schema) & _TEXTS:
            frame = frame.join(self.texts(hits, others), on=ROW, how="left", maintain_order="left")
        own_text = self.own_texts(table)
        exprs: dict[str, pl.Expr] = {
            "revision": pl.lit(self.revision),
            "rulebook": pl.lit(self.rulebook.name),
            "rule": pl.lit(rule.id),
            "severity": pl.lit(hits.severity.value),
            "cause": pl.col("cause"),
            "table": pl.lit(table.shown),
            **self.identity(table, key),
            "message": pl.col("message") if "message" in frame.columns else pl.lit(""),
            "values": pl.col("values") if "values" in frame.columns else pl.lit(None),
            "counterparts": pl.col("counterparts") if others is not None else pl.lit(None),
            "counterpart_count": pl.col("number") if others is not None else pl.lit(None),
            "fingerprint": pl.lit(""),
            "due": pl.lit(self.due(rule), dtype=pl.Date),
            "waived": pl.lit(value=False),
            "file": pl.col(FILE).replace_strict(
                list(range(len(files))), list(files), default=None, return_dtype=pl.String
            ),
            "line": pl.col(LINE),
        }
        if "fingerprint" in schema:
            texts = frame.select(own_text[name].alias(name) for name in table.key)
            prints = self.fingerprints(rule.id, table, texts, frame["cause"])
            exprs["fingerprint"] = pl.lit(pl.Series(prints, dtype=pl.String))
        chosen = [exprs[name].cast(dtype).alias(name) for name, dtype in schema.items()]
        return frame.with_columns(chosen).select(list(schema))

    def own_texts(self, table: Table) -> dict[str, pl.Expr]:
        """Key and roles of a row as text, whether they may be shown or not."""
        return {
            name: as_text(pl.col(f"own.{name}"), table.columns_by_name[name].type)
            for name in {*table.key, *table.roles.values()}
        }

    def identity(self, table: Table, key: dict[str, pl.DataType]) -> dict[str, pl.Expr]:
        """What tells which row a frame's row is of a table: `key`, and each role."""
        texts = self.own_texts(table)
        shown = {name: self.unless_sensitive(table, name, text) for name, text in texts.items()}
        fields = [
            (
                (shown[name] if dtype == pl.String() else self.own(table, name))
                if name in table.key
                else pl.lit(None, dtype=dtype)
            ).alias(name)
            for name, dtype in key.items()
        ]
        nobody = pl.lit(None, dtype=pl.String)
        roles = {
            role: shown[table.roles[role]] if role in table.roles else nobody
            for role in self.schema.roles
        }
        return {"key": pl.struct(fields), **roles}

    def is_withheld(self, table: Table, column: str) -> bool:
        return table.columns_by_name[column].sensitive and not self.show_sensitive

    def unless_sensitive(self, table: Table, column: str, text: pl.Expr) -> pl.Expr:
        """A text of a column, or that it is withheld. A missing value is missing all the same."""
        if not self.is_withheld(table, column):
            return text
        return pl.when(text.is_not_null()).then(pl.lit(WITHHELD))

    def own(self, table: Table, column: str) -> pl.Expr:
        """A value of a column, null where it is withheld: a date has no way to say so."""
        value = pl.col(f"own.{column}")
        return (
            pl.when(pl.lit(value=False)).then(value) if self.is_withheld(table, column) else value
        )

    def fingerprints(
        self, rule: str, table: Table, key: pl.DataFrame, causes: pl.Series
    ) -> list[str]:
        """One for each row: rulebook, rule, table, key and cause, which a next revision, machine or
        version does not change.
        """
        head = "".join(_measured(part) for part in (self.rulebook.name, rule, table.shown))
        parts = [
            *(
                pl.concat_str([pl.lit(f"{name}="), pl.col(name)]).fill_null(name)
                for name in key.columns
            ),
            pl.lit(causes.cast(pl.String)),
        ]
        measured = [
            piece
            for part in parts
            for piece in (part.str.len_chars().cast(pl.String), pl.lit(":"), part)
        ]
        texts = key.select(pl.concat_str([pl.lit(head), *measured])).to_series()
        return [_hashed(text) for text in texts]

    def due(self, rule: core.Rule) -> dt.date | None:
        """The day by which it is to be put right, counted from the day of the evaluation."""
        if rule.due is None:
            return None
        number = core.Constant(rule.due.number, INTEGER, _PLACE)
        as_of = core.ParameterValue("as_of", DATE, _PLACE)
        later: core.Expr = core.Arithmetic("+", as_of, number, DATE, _PLACE)
        if rule.due.business:
            later = core.Apply("add_business_days", (as_of, number), DATE, _PLACE)
        value = constant_value(later, self.backend.parameters)
        return value if isinstance(value, dt.date) else None

    # ── texts ───────────────────────────────────────────────────────────────────────────────────

    def texts(self, hits: Hits, others: pl.DataFrame | None) -> pl.DataFrame:
        """`#row`, `message` and `values` of the reported rows. `others` has what messages say of
        counterparts, as `said.0`, `said.1`, …
        """
        rule = hits.rule
        read = values_read(rule)
        listed = listed_in(rule)
        said = [part for part in said_by(rule) if part not in listed]
        wanted = list(dict.fromkeys([*said, *read.values()]))
        number = {expr: position for position, expr in enumerate(wanted)}
        extract = lower_values(rule, wanted, self.schema)
        found = self.backend.texts(extract, hits.frame[ROW]).collect(engine="streaming")
        found = hits.frame.select(ROW, "cause").join(
            found, on=ROW, how="left", maintain_order="left"
        )
        if others is not None and listed:
            heard = others.select(ROW, *(f"said.{n}" for n in range(len(listed))))
            found = found.join(heard, on=ROW, how="left", maintain_order="left")

        def shown(expr: core.Expr) -> pl.Expr:
            if expr in listed:
                return pl.col(f"said.{listed.index(expr)}")
            if self.is_hidden(rule, expr):
                return pl.lit(WITHHELD)
            return pl.col(f"value.{number[expr]}")

        message = pl.lit("")
        for position, claim in reversed(list(enumerate(rule.claims, start=1))):
            parts = [
                pl.lit(part) if isinstance(part, str) else shown(part).fill_null(MISSING)
                for part in claim.message.parts
            ]
            text = pl.concat_str(parts) if parts else pl.lit("")
            message = pl.when(pl.col("cause") == position).then(text).otherwise(message)
        pairs = [
            pl.struct(pl.lit(label).alias("column"), shown(expr).alias("value"))
            for label, expr in read.items()
        ]
        values = pl.concat_list(pairs) if pairs else pl.lit([], dtype=VALUES)
        return found.select(ROW, message.alias("message"), values.cast(VALUES).alias("values"))

    def is_hidden(self, rule: core.Rule, expr: core.Expr) -> bool:
        """Whether a value is not to be shown."""
        return not self.show_sensitive and reads_sensitive(
            _plain(expr), self.schema, dict(rule.lets)
        )

    # ── counterparts ────────────────────────────────────────────────────────────────────────────

    def counterparts(
        self, hits: Hits, key: dict[str, pl.DataType], columns: set[str]
    ) -> pl.DataFrame:
        """`#row`, `number` of counterparts, the first of them as `counterparts`, and what the
        message says of those as `said.0`, `said.1`, …

        They are in the order of their key, then of their other columns.
        """
        rule = hits.rule
        assert rule.against is not None
        other = self.schema.table(rule.against.variable.table)
        listed = listed_in(rule) if "message" in columns else []
        extract = lower_counterparts(rule, listed, self.schema)
        texts = [f"value.{number}" for number in range(len(listed))]
        linked = linked_rows(self.backend, extract, hits.frame[ROW])
        order = self.order(other, linked.other[extract.other])
        counted, named = [], []
        for numbers, first in counterparts(self.backend, extract, linked, order, MOST_COUNTERPARTS):
            counted.append(numbers)
            named.append(first)
        first_pairs = pl.concat(named)
        lists = [pl.col("#other"), *(pl.col(name) for name in texts)]
        found = pl.concat(counted).join(
            first_pairs.group_by(ROW, maintain_order=True).agg(lists), on=ROW, how="left"
        )
        more = pl.when(pl.col("number") > MOST_COUNTERPARTS).then(pl.lit(" and more"))
        said = []
        for number, expr in enumerate(listed):
            different = pl.col(f"value.{number}").list.eval(
                pl.element().fill_null(MISSING).unique(maintain_order=True)
            )
            text = pl.concat_str(different.list.join(", "), more.otherwise(pl.lit("")))
            if self.is_hidden(rule, expr):
                text = pl.lit(WITHHELD)
            said.append(text.alias(f"said.{number}"))
        found = found.with_columns(said)
        if "counterparts" not in columns:
            return found.drop("#other", *texts)
        rows = found.select(ROW, "#other").explode("#other")
        known = self.described(other, rows["#other"], key)
        described = rows.join(known, on="#other", how="left", maintain_order="left")
        others = described.group_by(ROW, maintain_order=True).agg("counterparts")
        return found.drop("#other", *texts).join(others, on=ROW, how="left")

    def order(self, table: Table, rows: pl.Series) -> pl.DataFrame:
        """`#other`: numbers of rows of a table in the order of its key, then of its other columns;
        what is missing comes first.
        """
        others = [name for name in table.columns_by_name if name not in table.key]
        order = [*table.key, *others]
        found = self.backend.tables[table.name].at(rows, order)
        ranked = found.sort(order, nulls_last=False, maintain_order=True)
        return ranked.select(pl.col(ROW).cast(rows.dtype).alias("#other"))

    def described(self, table: Table, rows: pl.Series, key: dict[str, pl.DataType]) -> pl.DataFrame:
        """`#other`, numbers of rows of a table, and `counterparts`: what tells which row each is."""
        names = list(dict.fromkeys([*table.key, *table.roles.values()]))
        found = self.backend.tables[table.name].at(rows, names)
        found = found.rename({name: f"own.{name}" for name in names})
        who = [pl.lit(table.shown).alias("table")]
        who += [expr.alias(name) for name, expr in self.identity(table, key).items()]
        return found.select(
            pl.col(ROW).cast(rows.dtype).alias("#other"), pl.struct(who).alias("counterparts")
        )

    # ── lines and files that could not be read ──────────────────────────────────────────────────

    def line(self, refusal: Refusal) -> str:
        """A refused line verbatim, unless its table has a column that is not to be shown."""
        table = self.schema.tables.get(refusal.table or "")
        if table is None or self.show_sensitive:
            return refusal.text or ""
        sensitive = any(column.sensitive for column in table.columns)
        return WITHHELD if sensitive else refusal.text or ""

    def of_refusals(
        self, refusals: Sequence[Refusal], schema: dict[str, pl.DataType]
    ) -> pl.DataFrame:
        rows = []
        for each in refusals:
            rule = FILE_RULE if each.line is None or each.table is None else line_rule(each.table)
            at = f", byte {each.byte}" if each.byte is not None else ""
            where = (
                f"{each.file}, line {each.line}{at}"
                if each.line is not None
                else f"{each.file}{at}"
            )
            values = [] if each.text is None else [{"column": "line", "value": self.line(each)}]
            rows.append(
                {
                    "revision": self.revision,
                    "rulebook": self.rulebook.name,
                    "rule": rule,
                    "severity": Severity.ERROR.value,
                    "cause": 1,
                    "table": each.table,
                    "message": f"{where}: {each.reason}.",
                    "values": values,
                    "fingerprint": fingerprint(
                        self.rulebook.name, rule, PurePath(each.file).name, each.text or each.reason
                    ),
                    "waived": False,
                    "file": each.file,
                    "line": each.line,
                }
            )
        return pl.DataFrame(
            [{name: row.get(name) for name in schema} for row in rows], schema=schema
        )


def fingerprint(*parts: str) -> str:
    """128 bits over parts, as hexadecimal digits."""
    return _hashed("".join(_measured(part) for part in parts))


def _measured(part: str) -> str:
    # NOTE: the length before each part keeps ("ab", "c") and ("a", "bc") apart.
    return f"{len(part)}:{part}"


def _hashed(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def listed_in(rule: core.Rule) -> list[core.Expr]:
    """The values in a rule's message that its counterparts have, each of them one."""
    if rule.against is None:
        return []
    return list(dict.fromkeys(part for part in said_by(rule) if 1 in depths_read(part)))


def values_read(rule: core.Rule) -> dict[str, core.Expr]:
    """The columns that a rule reads of its own row and of the rows that it leads to, by what
    findings call them.
    """
    found: dict[str, core.Expr] = {}
    parts = [rule.where, rule.when, *(value for _, value in rule.lets)]
    parts.extend(claim.condition for claim in rule.claims)
    for part in parts:
        for node in core.walk(part) if part is not None else ():
            if not isinstance(node, core.ColumnValue) or not depths_read(node) <= {0}:
                continue
            if isinstance(node.row, core.RowVariable) and node.row.depth != 0:
                continue
            cell: core.Expr = node
            column = node.column
            if column.startswith(("#bad.", "#raw.")):
                column = column[5:]
                cell = core.ColumnValue(node.row, raw(column), TEXT, node.span)
            found[".".join([*_steps(node.row), column])] = cell
    return found


def _steps(row: core.Row) -> list[str]:
    """How one gets from the rule's row to another, in words."""
    match row:
        case core.RowVariable():
            return []
        case core.Follow():
            return [*_steps(row.row), row.link]
        case core.Pick():
            return [f"{'latest' if row.latest else 'earliest'} {row.variable.table}"]


def _plain(expr: core.Expr) -> core.Expr:
    """The expression with hidden columns replaced by those that they stand for."""

    def named(part: core.Expr) -> core.Expr:
        if isinstance(part, core.ColumnValue) and part.column.startswith(("#bad.", "#raw.")):
            return core.ColumnValue(part.row, part.column[5:], part.type, part.span)
        return part

    return core.rewritten(expr, named)
