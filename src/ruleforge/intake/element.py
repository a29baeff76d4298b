"""element: one record of an interchange file, and what a path finds in it

A record is small and lives for a moment, so it is a plain tree of slots. A path ends at an element
without children (its text is the value), at nothing, or at a reference (`ref="ID"`) whose target
may stand anywhere in the file.
"""

from dataclasses import dataclass

from ruleforge.language.xml_path import Path, Step


class Element:
    """`children` are by local name, in the order of the file; None where there are none."""

    __slots__ = ("children", "name", "ref", "text")

    def __init__(self, name: str) -> None:
        self.name = name
        self.children: dict[str, list[Element]] | None = None
        self.ref: str | None = None
        self.text: str | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """The value is what `rest` finds in the element whose id is `target`."""

    target: str
    rest: Path


@dataclass(frozen=True, slots=True)
class Cell:
    """An element that is there; `value` is None where it is blank."""

    value: str | None


def find(element: Element, path: Path) -> Cell | Reference | None:
    """What stands at the path: None where nothing does, or an element that has children itself."""
    for depth, step in enumerate(path):
        if element.children is None:
            # WHY: Ed-Fi puts `ref` on elements called `…Reference` only, and one that spells out
            # its identity needs none.
            if element.ref is not None and depth and element.name.endswith("Reference"):
                return Reference(element.ref, path[depth:])
            return None
        same = element.children.get(step.name)
        if same is None:
            return None
        if step.number == 1 and step.by is None:
            element = same[0]
        elif (picked := _pick(same, step)) is None:
            return None
        else:
            element = picked
    return Cell(_value(element.text)) if element.children is None else None


def references(path: Path) -> list[Path]:
    """Each rest of the path that may have to be found in the target of a reference."""
    return [
        path[depth:] for depth in range(1, len(path)) if path[depth - 1].name.endswith("Reference")
    ]


def find_in_target(target: Element, rest: Path) -> Cell | Reference | None:
    """What the rest of a path finds in the element that a reference names.

    There the identity is not wrapped: `…Identity/X` is `X` in the element itself.
    """
    unwrapped = (
        find(target, rest[1:]) if len(rest) > 1 and rest[0].name.endswith("Identity") else None
    )
    return find(target, rest) if unwrapped is None else unwrapped


def _pick(same: list[Element], step: Step) -> Element | None:
    if step.by is None:
        return same[step.number - 1] if step.number <= len(same) else None
    orders = [_order(each, step.by) for each in same]
    if step.number in orders:
        return same[orders.index(step.number)]
    unordered = [each for each, order in zip(same, orders, strict=True) if order is None]
    # The free numbers are 1, 2, 3 … without those that some element says; which of them is ours?
    nth = (
        step.number
        - 1
        - len({order for order in orders if order is not None and 0 < order < step.number})
    )
    return unordered[nth] if nth < len(unordered) else None


def _order(element: Element, by: str) -> int | None:
    found = find(element, (Step(by),))
    if not isinstance(found, Cell) or found.value is None:
        return None
    text = found.value.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _value(text: str | None) -> str | None:
    """As in the file; of a descriptor URI the part behind `#`."""
    if text is None or not text.strip():
        return None
    if text.startswith("uri://") and "#" in text:
        return text.partition("#")[2] or None
    return text
