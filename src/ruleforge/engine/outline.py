"""outline: plan.TablePlan -> text, one pipeline with its steps and then its rules

What `ruleforge show plan` prints: the columns that a pass reads, what is attached to each row on
the way (`r…` are rows that are reached, `s…` figures and values), and the conditions that are left
of each rule. `polars_outline` says what Polars makes of the same pass.
"""

from collections.abc import Iterable, Iterator

import polars as pl

from ruleforge.engine.plan import Derive, Gather, Keep, Measure, Pipeline, Reach, Step, TablePlan
from ruleforge.language.notation import notation
from ruleforge.language.types import type_name

_INDENT = "  "


def outline(plan: TablePlan) -> str:
    """The pass over one table, one line a step."""
    number = len(plan.rules)
    lines = [f"{plan.table}: one pass for {number} rule{'s' if number != 1 else ''}"]
    lines += _indented(_pipeline(plan.pipeline))
    for each in plan.rules:
        severity = each.rule.severities[0][0]
        lines.append(f"{_INDENT}rule {each.rule.id} {severity}")
        said = [
            (word, expr)
            for word, expr in (("where", each.where), ("when", each.when))
            if expr is not None
        ]
        said += [("claim", claim) for claim in each.claims]
        lines += [f"{_INDENT * 2}{word} {notation(expr)}" for word, expr in said]
    return "\n".join(lines) + "\n"


def polars_outline(plan: TablePlan, query: pl.LazyFrame) -> str:
    """The optimised plan of one pass in Polars' own words.

    What several of its parts share is a `CACHE`, done once.
    """
    head = f"{plan.table}: Polars' plan of the pass\n"
    return head + query.explain(engine="streaming").rstrip() + "\n"


def _pipeline(pipeline: Pipeline) -> Iterator[str]:
    scan = pipeline.scan
    yield f"scan {scan.table} as {scan.prefix}: {', '.join(scan.columns) or 'no columns'}"
    for step in pipeline.steps:
        yield from _step(step)


def _step(step: Step) -> Iterator[str]:
    match step:
        case Derive():
            yield f"derive {step.slot} = {notation(step.value)}"
        case Keep():
            yield f"keep where {notation(step.condition)}"
        case Reach():
            keys = ", ".join(map(notation, step.keys))
            columns = ", ".join(step.columns) or "whether it is there"
            yield f"reach {step.table} as {step.prefix} by {keys}: {columns}"
        case Gather():
            yield from _gather(step)


def _gather(step: Gather) -> Iterator[str]:
    links = " and ".join(f"{inside.name} = {notation(outside)}" for inside, outside in step.links)
    yield f"gather by {links}" if links else "gather of all rows"
    yield from _indented(_pipeline(step.source))
    if step.paired is not None:
        yield f"{_INDENT}pair with {', '.join(step.paired) or 'the row alone'}"
        for inner in step.steps:
            yield from _indented(_step(inner), 2)
    yield from _indented(map(_measure, step.measures))


def _measure(measure: Measure) -> str:
    parts = [f"{measure.slot} = {measure.kind}"]
    if measure.value is not None:
        joint = "by " if measure.kind in ("latest", "earliest") else "of "
        parts.append(joint + notation(measure.value))
    if measure.condition is not None:
        parts.append(f"where {notation(measure.condition)}")
    if measure.columns:
        parts.append(f"giving {', '.join(measure.columns)}")
    return f"{' '.join(parts)}: {type_name(measure.type)}"


def _indented(lines: Iterable[str], times: int = 1) -> Iterator[str]:
    return (_INDENT * times + line for line in lines)
