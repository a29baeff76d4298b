"""lint_page: Lint -> text for a person, or records for a machine

As diagnostics look, and below each the row that shows it: what each column holds, what the rules say
of it.
"""

from collections.abc import Iterator

from ruleforge.authoring.lint import Lint, LintFinding
from ruleforge.authoring.witness import Witness
from ruleforge.language.render import printable, render, width

Record = dict[str, object]
_LABEL = "  row: "


def lint_page(lint: Lint, *, colour: bool = False) -> str:
    """One block a finding with an empty line between; empty where nothing was found."""
    return "\n".join(_block(finding, colour=colour) for finding in lint.findings)


def _block(finding: LintFinding, *, colour: bool) -> str:
    lines = [] if finding.witness is None else _rows(finding.witness)
    said = "".join(
        f"{_LABEL if number == 0 else ' ' * len(_LABEL)}{printable(line)}\n"
        for number, line in enumerate(lines)
    )
    return render([finding.diagnostic], colour=colour) + said


def _rows(witness: Witness) -> list[str]:
    widest = max((width(name) for name, _ in witness.cells), default=0)
    cells = [f"{name}{' ' * (widest - width(name))} = {value}" for name, value in witness.cells]
    verdicts = ", ".join(f"`{name}` {_said(word)}" for name, word in witness.verdicts)
    return [*cells, *([verdicts] if verdicts else [])]


def _said(verdict: str) -> str:
    return verdict if verdict.endswith("s") else f"is {verdict}"


def lint_records(lint: Lint) -> Iterator[Record]:
    """A record a finding. `file`, `line` and `column` are None for what has no place; `row` is None
    where no row shows it, and `cells` is a list because two rows may have columns of one name.
    """
    for finding in lint.findings:
        said, span = finding.diagnostic, finding.diagnostic.span
        line, column = span.source.line_and_column(span.start) if span else (None, None)
        row: Record | None = None
        if finding.witness is not None:
            row = {
                "cells": [{"name": name, "value": value} for name, value in finding.witness.cells],
                "verdicts": dict(finding.witness.verdicts),
            }
        yield {
            "code": said.code,
            "fact": said.fact,
            "why": said.why,
            "fix": said.fix,
            "file": span.source.path if span else None,
            "line": line,
            "column": column,
            "rules": list(finding.rules),
            "row": row,
        }
