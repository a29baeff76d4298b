"""rounds: the steps of a pipeline -> the same steps in rounds, each with one frame that its
questions look back at

A question about pairs of rows, and one that picks a row, looks at the pipeline's own frame twice:
to find its rows, and to join the answer. Asked one after the other, each would look at all those
before it, and the plan would double with each. So steps are done in rounds: first whatever attaches
columns, then the questions, all from the frame as it was before the first of them. A step comes
into a later round only where it reads what a question of an earlier one has answered.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ruleforge.engine.plan import Derive, Gather, Keep, Reach, Step
from ruleforge.language import core


@dataclass(frozen=True)
class Round:
    """`steps` attach columns; then `questions` are asked, none of which needs another's answer."""

    steps: tuple[Step, ...]
    questions: tuple[Gather, ...]


def rounds(steps: Iterable[Step]) -> tuple[Round, ...]:
    """The rounds of a pipeline's steps; within each they keep their order."""
    number_by_column: dict[
        str, int
    ] = {}  # the round from which on a column is there, 0 where it is not named
    attaching: list[list[Step]] = [[]]
    asking: list[list[Gather]] = [[]]
    for step in steps:
        number = max((number_by_column.get(name, 0) for name in _read(step)), default=0)
        looks_back = _looks_back(step)
        ready = number + 1 if looks_back else number
        number_by_column.update(dict.fromkeys(_made(step), ready))
        while len(attaching) <= ready:
            attaching.append([])
            asking.append([])
        if looks_back:
            assert isinstance(step, Gather)
            asking[number].append(step)
        else:
            attaching[number].append(step)
    return tuple(
        Round(tuple(here), tuple(questions))
        for here, questions in zip(attaching, asking, strict=True)
        if here or questions
    )


def _looks_back(step: Step) -> bool:
    return isinstance(step, Gather) and (
        step.paired is not None or any(m.kind in ("latest", "earliest") for m in step.measures)
    )


def _read(step: Step) -> Iterator[str]:
    """The columns of the pipeline that a step reads."""
    match step:
        case Derive():
            yield from _names((step.value,))
        case Keep():
            yield from _names((step.condition,))
        case Reach():
            yield from _names(step.keys)
        case Gather():
            yield from _names([outside for _, outside in step.links])
            yield from step.paired or ()


def _made(step: Step) -> Iterator[str]:
    """The columns that a step attaches."""
    match step:
        case Derive():
            yield step.slot
        case Keep():
            return
        case Reach():
            yield step.prefix
            yield from (f"{step.prefix}.{name}" for name in step.columns)
        case Gather():
            for measure in step.measures:
                yield measure.slot
                yield from (f"{measure.slot}.{name}" for name in measure.columns)


def _names(exprs: Sequence[core.Expr]) -> Iterator[str]:
    for expr in exprs:
        yield from (node.name for node in core.walk(expr) if isinstance(node, core.LetValue))
