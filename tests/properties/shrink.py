"""shrink: a case that fails -> a small one that fails in the same way

Takes out rules, clauses, tables, rows and cells, and puts parts of expressions in the place of the
whole, as long as what is left still fails. What no longer parses or checks is no failure, so
nothing here needs to know the grammar.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from expressions import SCHEMA_TEXT, Case, Given

MOST_TRIES = 400


def smallest(case: Case, fails: Callable[[Case], bool], most_tries: int = MOST_TRIES) -> Case:
    """The smallest case found for which `fails` still is true."""
    tries = 0
    progress = True
    while progress:
        progress = False
        for smaller in _smaller(case):
            tries += 1
            if tries > most_tries:
                return case
            if fails(smaller):
                case, progress = smaller, True
                break
    return case


def _smaller(case: Case) -> Iterator[Case]:
    """Cases with something less, the boldest first."""
    before, after = case.text.split(SCHEMA_TEXT)
    blocks = after.split("\n\n")
    for number in range(len(blocks)):
        rest = [*blocks[:number], *blocks[number + 1 :]]
        yield replace(case, text=before + SCHEMA_TEXT + "\n\n".join(rest))
    for name in case.tables:
        yield replace(case, tables={n: g for n, g in case.tables.items() if n != name})
    lines = after.split("\n")
    for number, line in enumerate(lines):
        if line.strip() and not line.startswith("rule"):
            rest = [*lines[:number], *lines[number + 1 :]]
            yield replace(case, text=before + SCHEMA_TEXT + "\n".join(rest))
    for name, given in case.tables.items():
        for number in range(len(given.rows)):
            yield _with(case, name, _without_row(given, number))
    for smaller in _simpler(after):
        yield replace(case, text=before + SCHEMA_TEXT + smaller)
    for name, given in case.tables.items():
        for number, row in enumerate(given.rows):
            for column, value in row.items():
                if value is not None or given.spellings[number][column] is not None:
                    yield _with(case, name, _without_cell(given, number, column))


def _simpler(text: str) -> Iterator[str]:
    """The text with a bracket replaced by a part of itself, or by a simple condition, and with
    holes of messages taken out.
    """
    spans = _brackets(text)
    spans.sort(key=lambda span: span[0] - span[1])
    for start, end in spans:
        inner = text[start + 1 : end - 1]
        for word in (" and ", " or ", " + ", " - ", " * ", " / ", " = ", ", "):
            position = inner.find(word)
            if position > 0:
                yield text[:start] + "(" + inner[:position] + ")" + text[end:]
                yield text[:start] + "(" + inner[position + len(word) :] + ")" + text[end:]
        if text[end - 1] == "}":
            yield text[:start] + text[end:]
            continue
        for condition in ("x is present", "x is missing"):
            if condition not in inner:
                yield text[:start] + f"({condition})" + text[end:]
        for one, other in _brackets(inner):
            if text[start:end] != inner[one:other]:
                yield text[:start] + inner[one:other] + text[end:]


def _brackets(text: str) -> list[tuple[int, int]]:
    """Where each pair of brackets or braces stands."""
    found: list[tuple[int, int]] = []
    open_at: list[int] = []
    for position, character in enumerate(text):
        if character in "({":
            open_at.append(position)
        elif character in ")}" and open_at:
            found.append((open_at.pop(), position + 1))
    return found


def _with(case: Case, name: str, given: Given) -> Case:
    return replace(case, tables={**case.tables, name: given})


def _without_row(given: Given, number: int) -> Given:
    rows = [*given.rows[:number], *given.rows[number + 1 :]]
    spellings = [*given.spellings[:number], *given.spellings[number + 1 :]]
    return replace(given, rows=rows, spellings=spellings)


def _without_cell(given: Given, number: int, column: str) -> Given:
    rows, spellings = list(given.rows), list(given.spellings)
    rows[number] = {**rows[number], column: None}
    spellings[number] = {**spellings[number], column: None}
    return replace(given, rows=rows, spellings=spellings)
