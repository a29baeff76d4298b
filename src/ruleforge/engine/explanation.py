"""explanation: why a rule says of a row what it says

Frozen data, made by `explain`. Every value is there twice: as itself, for `to_dict`, and `shown` as
a message would show it. What reads a sensitive column is withheld, unless the host asked for it:
then neither its value nor its truth is here.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ruleforge.engine.reference_functions import Period, Result, shown
from ruleforge.language.schema import SchoolYear

WITHHELD = "(withheld)"
ROWS_WITHHELD = "its rows are withheld: it reads what is sensitive"
UNREADABLE = "the cell holds "
_TRUTHS = {True: "true", False: "false", None: "unknown"}
Cells = tuple[tuple[str, str], ...]  # name and text of some cells of a row
Json = dict[str, object]


def truth_word(truth: bool | None) -> str:  # noqa: FBT001 - a truth value is the subject
    """`true`, `false` or `unknown`."""
    return _TRUTHS[truth]


@dataclass(frozen=True)
class Place:
    """A row as a person finds it: its table, key, and where it stands in a file, if in one."""

    table: str
    key: Cells
    file: str | None = None
    line: int | None = None

    def to_dict(self) -> Json:
        return {
            "table": self.table,
            "key": dict(self.key),
            "file": self.file,
            "line": self.line,
        }


@dataclass(frozen=True)
class Step:
    """A part of a rule, and what it came to for the row.

    `value` is None where it is missing or unknown; `is_condition` tells which. `decided` where it
    made the whole what it is: the operands that made an `and` false, an `or` true, or either
    unknown. `origin` says where a value comes from, if not from the row itself. A part that was
    never asked for (the other branch of an `if`) is not among `parts`.
    """

    text: str
    value: Result
    is_condition: bool = False
    decided: bool = False
    withheld: bool = False
    origin: str = ""
    place: Place | None = None
    parts: tuple["Step", ...] = ()
    rows: "RowsSeen | None" = None

    @property
    def is_unreadable(self) -> bool:
        """Whether the value is missing because what stands in the cell is none; `origin` says so."""
        return self.origin.startswith(UNREADABLE)

    @property
    def shown(self) -> str:
        """The value as a message shows it, a condition as `true`, `false` or `unknown`."""
        if self.withheld:
            return WITHHELD
        if self.is_condition:
            return truth_word(self.value if isinstance(self.value, bool) else None)
        return shown(self.value)

    def to_dict(self) -> Json:
        return {
            "text": self.text,
            "kind": "condition" if self.is_condition else "value",
            "value": None if self.withheld else _plain(self.value),
            "shown": self.shown,
            "decided": self.decided,
            "origin": self.origin,
            "row": None if self.place is None else self.place.to_dict(),
            "parts": _listed(self.parts),
            "rows": None if self.rows is None else self.rows.to_dict(),
        }


@dataclass(frozen=True)
class RowSeen:
    """A row of another table that was looked at.

    `matches` is what `where` came to. `picked` where it is the one that `latest` or `earliest`
    takes. `because` are the parts that kept it from matching, or, of `every`, from satisfying.
    """

    place: Place
    matches: bool | None
    values: Cells
    picked: bool = False
    satisfies: Step | None = None
    because: tuple[Step, ...] = ()

    def to_dict(self) -> Json:
        return {
            **self.place.to_dict(),
            "matches": self.matches,
            "values": dict(self.values),
            "picked": self.picked,
            "satisfies": None if self.satisfies is None else self.satisfies.to_dict(),
            "because": _listed(self.because),
        }


@dataclass(frozen=True)
class RowsSeen:
    """The rows of another table that a question was asked of.

    `looked_at` is the number of rows that are linked to the row, or of the table where nothing
    links them; `matching` of those for which `where` is true. `rows` are the first of them, those
    that decide before the others; `left_out` is the number of the rest. `others` where the row
    itself is a row of that table and not counted. `missing` are the values by which rows would be
    linked and which are missing, so that there are none. Of `against` rows are looked at too that have all
    but one of the values by which it links them; they are not `linked`.
    """

    table: str
    linked: bool
    looked_at: int
    matching: int
    rows: tuple[RowSeen, ...]
    others: bool = False
    missing: tuple[str, ...] = ()

    @property
    def left_out(self) -> int:
        return self.looked_at - len(self.rows)

    def to_dict(self) -> Json:
        return {
            "table": self.table,
            "linked": self.linked,
            "looked_at": self.looked_at,
            "matching": self.matching,
            "rows": _listed(self.rows),
            "left_out": self.left_out,
            "others": self.others,
            "missing": list(self.missing),
        }


@dataclass(frozen=True)
class Clause:
    """A clause of the rule: `where`, `let NAME`, `when`, `require`, `report when`, `against`; or that
    which leaves the row out of what the rule goes through, `scope` or `view`.
    """

    word: str
    step: Step

    def to_dict(self) -> Json:
        return {"clause": self.word, **self.step.to_dict()}


@dataclass(frozen=True)
class Taken:
    """A rule that reports the row, or one that is the same by key or roles, so that a rule `after`
    it does not judge the row.
    """

    rule: str
    row: Place
    message: str

    def to_dict(self) -> Json:
        return {"rule": self.rule, "row": self.row.to_dict(), "message": self.message}


@dataclass(frozen=True)
class Spoken:
    """What another rule says of the same row. `verdict` is None where it was not evaluated, which
    `reason` explains; `message` is there where it fails. `built_in` where the table makes the rule.
    """

    rule: str
    severity: str
    title: str
    verdict: str | None
    message: str = ""
    reason: str = ""
    built_in: bool = False

    def to_dict(self) -> Json:
        return {
            "rule": self.rule,
            "severity": self.severity,
            "title": self.title,
            "verdict": self.verdict,
            "message": self.message or None,
            "reason": self.reason or None,
            "built_in": self.built_in,
        }


@dataclass(frozen=True)
class Explanation:
    """Why a rule says of a row what it says.

    `verdict` is one of the four, None where the rule does not speak about the row, which `reason`
    explains. `cause` is the number of the first `require` that is false, from 1. `clauses` are
    those that were looked at: no claim, where `when` is false, nor where the row is `taken` by the
    rules that the rule is `after`. `made_of` are the rows behind a row of a view that groups rows.
    `parameters` are those that the rule reads. `others` are all other rules about rows of the same
    table, the built-in ones too.
    """

    rulebook: str
    rule: str
    severity: str
    title: str
    row: Place
    roles: Cells
    verdict: str | None
    reason: str
    cause: int | None
    message: str
    parameters: Cells
    clauses: tuple[Clause, ...]
    others: tuple[Spoken, ...]
    taken: tuple[Taken, ...] = ()
    made_of: RowsSeen | None = None

    def to_dict(self) -> Json:
        """The explanation as JSON has it: objects, arrays, texts, numbers, true, false and null."""
        return {
            "rulebook": self.rulebook,
            "rule": self.rule,
            "severity": self.severity,
            "title": self.title,
            "row": self.row.to_dict(),
            "roles": dict(self.roles),
            "verdict": self.verdict,
            "reason": self.reason or None,
            "cause": self.cause,
            "message": self.message or None,
            "parameters": dict(self.parameters),
            "clauses": _listed(self.clauses),
            "taken": _listed(self.taken),
            "made_of": None if self.made_of is None else self.made_of.to_dict(),
            "others": _listed(self.others),
        }

    def __str__(self) -> str:
        # WHY: the text knows this module, so it is asked for when somebody wants to read.
        from ruleforge.engine.explanation_text import explanation_text

        return explanation_text(self)


def _listed(parts: Sequence[Clause | Step | RowSeen | Taken | Spoken]) -> list[Json]:
    return [each.to_dict() for each in parts]


def _plain(value: Result) -> object:
    """A value as JSON has it; dates, school years and decimals as their texts."""
    match value:
        case Period(start, end):
            return {"start": start.isoformat(), "end": None if end is None else end.isoformat()}
        case Decimal() | SchoolYear() | dt.date():
            return shown(value)
        case _:
            return value
