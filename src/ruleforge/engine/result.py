"""result: what an evaluation found

Counts are there at once; findings are written out when they are asked for, since five million of
them must not cost five million texts that nobody reads.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import polars as pl

from ruleforge.engine.admit import AdmittedTable
from ruleforge.engine.explanation import Explanation
from ruleforge.engine.host_functions import HostFunctions, Implementation
from ruleforge.engine.needs import Supply
from ruleforge.engine.revision import FileRecord, Refusal, Revision
from ruleforge.engine.whole_views import TablesAndViews
from ruleforge.language import core

if TYPE_CHECKING:
    from ruleforge.engine.metadata import Manifest


@dataclass(frozen=True)
class Hits:
    """The rows that one rule reports: `#row`, `#file`, `#line`, `cause`, and the key and roles of
    the row as `own.c`.
    """

    rule: core.Rule
    severity: core.Severity
    frame: pl.DataFrame


class Writer(Protocol):
    """Makes findings of hits and refusals; with `columns` only those, and only what they cost."""

    def __call__(
        self,
        hits: Sequence[Hits],
        refusals: Sequence[Refusal],
        columns: Sequence[str] | None = None,
    ) -> pl.DataFrame: ...


@dataclass(frozen=True)
class Result:
    """The outcome of one evaluation.

    `rules` has a row for each rule, the author's first: `rule`, `severity` (in force), `status`
    (evaluated, not evaluated, does not apply), `reason`, the counts `holds`, `fails`, `unknown`,
    `not_applicable` (null unless evaluated) and `milliseconds`, the time of the pass that judged it
    together with the other rules of its table. `rows` is the number of rows of each table.
    """

    rulebook: core.Rulebook
    rules: pl.DataFrame
    files: tuple[FileRecord, ...]
    refusals: tuple[Refusal, ...]
    hits: tuple[Hits, ...] = field(repr=False)
    writer: Writer = field(repr=False)
    parameters: Mapping[str, core.Value | None]
    revision: Revision = field(repr=False)
    supply: Supply = field(repr=False)
    rows: Mapping[str, int]
    populations: Mapping[str, pl.DataFrame] = field(default_factory=dict, repr=False)
    reports: Mapping[str, pl.DataFrame] = field(default_factory=dict, repr=False)
    unmade: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, Implementation] = field(default_factory=dict, repr=False)

    @property
    def tables(self) -> Mapping[str, AdmittedTable]:
        """The tables of the data, and the views that were made."""
        return self.supply.tables

    @cached_property
    def findings(self) -> pl.DataFrame:
        """Every finding, with every column (see `finding_schema`), in the order of the rules and of
        the rows.
        """
        return self.writer(self.hits, self.refusals)

    def select(self, *columns: str) -> pl.DataFrame:
        """Some columns of every finding; what is not asked for (messages, say) costs nothing."""
        return self.writer(self.hits, self.refusals, columns)

    def batches(self, size: int = 500_000) -> Iterator[pl.DataFrame]:
        """The rows of `findings` in their order, at most `size` at a time and each time of one
        rule, or lines and files that were refused: for writing more findings than memory holds.
        """
        for each in self.hits:
            for start in range(0, each.frame.height, size):
                part = each.frame.slice(start, size)
                yield self.writer([Hits(each.rule, each.severity, part)], ())
        for start in range(0, len(self.refusals), size):
            yield self.writer((), self.refusals[start : start + size])

    def sample(self, per_rule: int) -> pl.DataFrame:
        """The first findings of each rule. The counts in `rules` say how many there are in all."""
        hits = [Hits(h.rule, h.severity, h.frame.head(per_rule)) for h in self.hits]
        taken: dict[str, int] = {}
        refusals = []
        for refusal in self.refusals:
            name = refusal.table or ""
            taken[name] = taken.get(name, 0) + 1
            if taken[name] <= per_rule:
                refusals.append(refusal)
        return self.writer(hits, refusals)

    def explain(
        self,
        rule: str,
        row: Mapping[str, object],
        *,
        show_sensitive: bool = False,
        most_rows: int = 5,
    ) -> Explanation:
        """Why a rule says of a row what it says: the values read, and which part decided.

        `row` has values of columns or roles of the rule's table, such as its key, as themselves or
        as text; `file` and `line` will do too. `most_rows` is how many rows of another table are
        shown of each kind. Raises `RowError` where there is no such rule, or not exactly one such
        row.
        """
        # WHY: an explanation is made by the reference backend, which an evaluation does without.
        from ruleforge.engine.explain import explained

        return explained(
            self.rulebook,
            self.revision,
            self._whole_views,
            rule,
            row,
            show_sensitive=show_sensitive,
            most_rows=most_rows,
        )

    @cached_property
    def _whole_views(self) -> TablesAndViews:
        """What `explain` reads: views are made once."""
        called = HostFunctions.bound(self.rulebook, self.functions)
        return TablesAndViews(self.rulebook.views, self.supply, called)

    @property
    def complete(self) -> bool:
        """Whether every file was read to its end."""
        return all(record.complete for record in self.files)

    @property
    def worst(self) -> core.Severity | None:
        """The gravest severity of which there is a finding."""
        found = {core.Severity(s) for s in self.rules.filter(pl.col("fails") > 0)["severity"]}
        return next((severity for severity in core.Severity if severity in found), None)

    @cached_property
    def manifest(self) -> "Manifest":
        """What it takes to repeat this evaluation."""
        # WHY: pydantic takes as long to import as Polars, and a shell that prints findings has no
        # use for it.
        from ruleforge.engine.metadata import manifest_of

        return manifest_of(self.rulebook, self.revision, self.parameters, self.tables)
