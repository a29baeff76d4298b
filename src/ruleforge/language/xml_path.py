"""xml_path: text -> Path

Where a column stands below its element: `StudentReference/StudentIdentity/StudentUniqueId`,
`Disability[2]/Disability`, `Disability[1 by OrderOfDisability]/Disability`. Names are local names:
namespaces count for nothing.
"""

import re
from dataclasses import dataclass

FORMS = (
    "`A/B`, `A[2]/B` or `A[2 by C]/B`, where A, B, C are element names and the number counts from 1"
)
_NAME = r"[^\W\d][\w.-]*"
_STEP = re.compile(rf"\s*({_NAME})\s*(?:\[\s*([1-9]\d{{0,8}})(?:\s+by\s+({_NAME}))?\s*\])?\s*")


@dataclass(frozen=True, slots=True)
class Step:
    """The `number`-th child called `name`; with `by`, the one whose child `by` says `number`."""

    name: str
    number: int = 1
    by: str | None = None


Path = tuple[Step, ...]


class PathError(ValueError):
    """A text that is no path. `where` says which step is none; the message says which forms there
    are too.
    """

    def __init__(self, text: str, where: str) -> None:
        super().__init__(f"`{text}` is no path below an element: {where}. Write {FORMS}.")
        self.where = where


def parse_path(text: str) -> Path:
    """The steps from the element to the value, at least one. Raises `PathError`."""
    steps = []
    for part in text.split("/"):
        found = _STEP.fullmatch(part)
        if found is None:
            where = (
                f"`{part.strip()}` in it is no step" if part.strip() else "a step in it is empty"
            )
            raise PathError(text, where)
        name, number, by = found.groups()
        steps.append(Step(name, int(number or 1), by))
    return tuple(steps)
