"""RuleForge: a declarative rules engine for the people who certify education data.

    import datetime as dt
    import ruleforge as rf

    book = rf.load("indiana.special_education")  # a name, or a path ending in .rules
    revision = rf.read(book, "extracts/2023-10-02")  # or rf.Revision("r7", tables={…})
    result = rf.evaluate(
        book,
        revision,
        as_of=dt.date(2023, 12, 5),
        parameters={"school_year": "2023-24", "count_date": dt.date(2023, 12, 1)},
    )
    result.rules  # a polars frame: how often each rule holds, fails, is unknown, does not apply
    result.findings  # a polars frame: rule, severity, key, roles, message, values, file and line
    result.manifest  # what it takes to repeat this

What leaves Python goes as the pydantic models `RulebookInfo`, `RuleInfo`, `FindingRecord` and
`Manifest`, which are loaded when they are first asked for.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ruleforge.authoring.lint import Lint, lint
    from ruleforge.engine.admit import RevisionError
    from ruleforge.engine.evaluate import evaluate
    from ruleforge.engine.explanation import Explanation
    from ruleforge.engine.host_functions import FunctionError
    from ruleforge.engine.metadata import FindingRecord, Manifest, RulebookInfo, RuleInfo
    from ruleforge.engine.named_row import RowError
    from ruleforge.engine.parameters import ParameterError
    from ruleforge.engine.result import Result
    from ruleforge.engine.revision import Revision
    from ruleforge.intake.error import IntakeError
    from ruleforge.language.core import Rulebook, Severity
    from ruleforge.language.load import RulebookError, load, load_text
    from ruleforge.language.schema import SchoolYear

    __version__: str

__all__ = [
    "Explanation",
    "FindingRecord",
    "FunctionError",
    "IntakeError",
    "Lint",
    "Manifest",
    "ParameterError",
    "Result",
    "Revision",
    "RevisionError",
    "RowError",
    "RuleInfo",
    "Rulebook",
    "RulebookError",
    "RulebookInfo",
    "SchoolYear",
    "Severity",
    "__version__",
    "evaluate",
    "lint",
    "load",
    "load_text",
    "read",
]


def read(
    book: "Rulebook",
    path: str | Path | Sequence[str | Path],
    *,
    name: str | None = None,
    blank: Iterable[str] = (),
    datasets: Mapping[str, str | Path | Sequence[str | Path]] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> "Revision":
    """The revision that a folder (with all below it), a file, or several of them hold, read as the
    tables of the rulebook declare.

    `blank` names columns (`"enrollment.exit_date"`) that the data has and that are blank
    everywhere. `datasets` are where the other sets of tables lie that the rulebook declares:
    `{"prior": "extracts/2022-10-02"}`. What cannot be read is in the revision's `refusals`; `IntakeError` is for a path
    that is not there.
    """
    from ruleforge.intake.read import read as read_files

    return read_files(
        book.schema, path, name=name, blank=blank, datasets=datasets, progress=progress
    )


# Where each name is at home.
_HOMES = {
    "Explanation": "engine.explanation",
    "FindingRecord": "engine.metadata",
    "FunctionError": "engine.host_functions",
    "IntakeError": "intake.error",
    "Lint": "authoring.lint",
    "Manifest": "engine.metadata",
    "ParameterError": "engine.parameters",
    "Result": "engine.result",
    "Revision": "engine.revision",
    "RevisionError": "engine.admit",
    "RowError": "engine.named_row",
    "RuleInfo": "engine.metadata",
    "Rulebook": "language.core",
    "RulebookError": "language.load",
    "RulebookInfo": "engine.metadata",
    "SchoolYear": "language.schema",
    "Severity": "language.core",
    "evaluate": "engine.evaluate",
    "lint": "authoring.lint",
    "load": "language.load",
    "load_text": "language.load",
}


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        # WHY: pytest imports this package for its plugin in every run, also of projects without
        # rules, and Polars and pydantic each take longer to import than a rulebook to parse.
        if name == "__version__":
            from ruleforge.engine.version import installed_version

            return installed_version()
        if name in _HOMES:
            value = getattr(import_module(f"ruleforge.{_HOMES[name]}"), name)
            globals()[name] = value
            return value
        raise AttributeError(f"module `ruleforge` has no attribute `{name}`")
