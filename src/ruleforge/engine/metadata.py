"""metadata: what embeds the engine may store, as pydantic models with JSON Schema

A rulebook, a rule, a finding and the manifest of an evaluation, in a form that leaves Python:
`model_json_schema()` of each is the contract. Apart from the rest because pydantic takes a while to
import and a district at its shell does not need it.
"""

import datetime as dt
import platform
from collections.abc import Mapping
from hashlib import sha256

import polars as pl
from pydantic import BaseModel, ConfigDict

from ruleforge.engine.admit import AdmittedTable
from ruleforge.engine.revision import Revision
from ruleforge.engine.version import installed_version
from ruleforge.language.core import Rule, Rulebook, Value
from ruleforge.language.schema import shown_name


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RuleInfo(_Frozen):
    """What a rule is, for lists and documents. `severity` is the first of its schedule."""

    id: str
    printed_ids: tuple[str, ...]
    severity: str
    title: str
    source: str
    help: str
    tags: tuple[str, ...]
    table: str

    @classmethod
    def of(cls, rule: Rule) -> "RuleInfo":
        return cls(
            id=rule.id,
            printed_ids=rule.printed_ids,
            severity=rule.severities[0][0].value,
            title=rule.title,
            source=rule.source,
            help=rule.help,
            tags=rule.tags,
            table=shown_name(rule.variable.table),
        )


class RulebookInfo(_Frozen):
    """What a rulebook is. `sha256` is over its text and the texts of the rulebooks that it uses."""

    name: str
    title: str
    source: str
    sha256: str
    rules: tuple[RuleInfo, ...]

    @classmethod
    def of(cls, rulebook: Rulebook) -> "RulebookInfo":
        return cls(
            name=rulebook.name,
            title=rulebook.title,
            source=rulebook.source,
            sha256=rulebook_hash(rulebook),
            rules=tuple(RuleInfo.of(rule) for rule in rulebook.rules),
        )


class ValueRead(_Frozen):
    """A value that a rule read, as text."""

    column: str
    value: str | None


class Counterpart(_Frozen):
    """The other row of a conflict: its table, key and roles."""

    table: str
    key: dict[str, str | None]
    roles: dict[str, str | None]


class FindingRecord(_Frozen):
    """One finding: a row of `Result.findings`, its roles by name."""

    revision: str
    rulebook: str
    rule: str
    severity: str
    cause: int
    table: str | None
    key: dict[str, str | None]
    roles: dict[str, str | None]
    message: str
    values: tuple[ValueRead, ...]
    counterparts: tuple[Counterpart, ...]
    counterpart_count: int | None
    fingerprint: str
    due: dt.date | None
    waived: bool
    file: str | None
    line: int | None


class FileRead(_Frozen):
    """One file: rows + refused = lines or elements that it has, unless `complete` is false."""

    path: str
    tables: tuple[str, ...]
    size: int
    sha256: str
    rows: int
    refused: int
    complete: bool


class TableRead(_Frozen):
    """One table as it was judged. `fingerprint` is None where reading it twice would cost too much
    (a lazy frame).
    """

    name: str
    columns: tuple[str, ...]
    unusable: dict[str, str]
    fingerprint: str | None


class Manifest(_Frozen):
    """Enough to repeat an evaluation and to see whether something has changed since."""

    rulebook: str
    rulebook_sha256: str
    revision: str
    as_of: dt.date
    parameters: dict[str, str | None]
    files: tuple[FileRead, ...]
    tables: tuple[TableRead, ...]
    versions: dict[str, str]


def rulebook_hash(rulebook: Rulebook) -> str:
    """SHA-256 over the texts of a rulebook and all that it uses, wherever the files lie."""
    digest = sha256()
    for text in sorted(source.text for source in rulebook.sources):
        digest.update(sha256(text.encode("utf-8", "surrogatepass")).digest())
    return digest.hexdigest()


def manifest_of(
    rulebook: Rulebook,
    revision: Revision,
    parameters: Mapping[str, Value | None],
    tables: Mapping[str, AdmittedTable],
) -> Manifest:
    """The manifest of one evaluation."""
    as_of = parameters["as_of"]
    assert isinstance(as_of, dt.date)
    return Manifest(
        rulebook=rulebook.name,
        rulebook_sha256=rulebook_hash(rulebook),
        revision=revision.name,
        as_of=as_of,
        parameters={
            name: None if value is None else str(value)
            for name, value in sorted(parameters.items())
        },
        files=tuple(
            FileRead(
                path=record.path,
                tables=record.tables,
                size=record.size,
                sha256=record.sha256,
                rows=record.rows,
                refused=record.refused,
                complete=record.complete,
            )
            for record in revision.files
        ),
        tables=tuple(
            TableRead(
                name=name,
                columns=tuple(sorted(table.supplied)),
                unusable=dict(sorted(table.unusable.items())),
                fingerprint=_fingerprint(_given(revision, name)),
            )
            for name, table in sorted(tables.items())
            if _given(revision, name) is not None
        ),
        versions={
            "ruleforge": installed_version(),
            "polars": pl.__version__,
            "python": platform.python_version(),
        },
    )


def _given(revision: Revision, name: str) -> object:
    """What the host gave for a table; None for a view, and for what a dataset borrows."""
    dataset, _, table = name.rpartition(".")
    return (revision.datasets.get(dataset, {}) if dataset else revision.tables).get(table)


def _fingerprint(table: object) -> str | None:
    """A hash of an eager frame's columns and rows. Equal only under the same version of Polars,
    which the manifest names.
    """
    if not isinstance(table, pl.DataFrame):
        return None
    digest = sha256(repr(table.schema).encode())
    digest.update(str(table.height).encode())
    if table.width:
        # The sum of the rows' hashes, each made to depend on its place.
        places = pl.int_range(pl.len(), dtype=pl.UInt64)
        rows = table.select(pl.struct(pl.all(), places.alias("#place")).hash(seed=1).alias("h"))
        digest.update(str(rows.select(pl.col("h").cast(pl.Int128).sum()).item()).encode())
    return digest.hexdigest()
