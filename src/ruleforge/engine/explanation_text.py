"""explanation_text: Explanation -> a page for whoever has to put the row right, or the rule

First what the rule says and the few things that decided it, then each clause with every value that
it read, then what other rules say. `explanation_lines` gives the same with the weight of each word,
for a page in colour.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import PurePath

from ruleforge.engine.explain_expression import decisive
from ruleforge.engine.explanation import (
    ROWS_WITHHELD,
    Cells,
    Clause,
    Explanation,
    Place,
    RowSeen,
    RowsSeen,
    Spoken,
    Step,
)
from ruleforge.engine.reference_backend import Verdict
from ruleforge.language.render import printable

_LET = "let "
_MOST_REASONS = 6
_MOST_OTHERS = 20
_MOST_CELLS = 6
_MOST_IN_A_LINE = 160


class Tone(Enum):
    """The weight of words."""

    PLAIN = auto()
    STRONG = auto()
    FAINT = auto()
    BAD = auto()
    GOOD = auto()
    DOUBT = auto()


@dataclass(frozen=True)
class SaidLine:
    """Words with their weight, so many blanks in."""

    words: tuple[tuple[str, Tone], ...] = ()
    indent: int = 0


_TONES = {"fails": Tone.BAD, "holds": Tone.GOOD, "unknown": Tone.DOUBT}
_MEANINGS = {
    Verdict.FAILS.value: "the row breaks the rule, and is reported.",
    Verdict.HOLDS.value: "the row has been checked and is in order, so it is not reported.",
    Verdict.UNKNOWN.value: "a value that the rule needs is missing, so nobody can say. "
    "The row is not reported.",
    Verdict.NOT_APPLICABLE.value: "the rule is not about this row, so it is not reported.",
}


def explanation_text(explanation: Explanation) -> str:
    """The page as text."""
    return "".join(
        " " * each.indent + "".join(printable(text) for text, _ in each.words).rstrip() + "\n"
        for each in explanation_lines(explanation)
    )


def explanation_lines(explanation: Explanation) -> list[SaidLine]:
    """The page, line by line."""
    lines = [*_head(explanation), _GAP, *_verdict(explanation)]
    told: set[Step] = set()
    why = list(_why(explanation, told))
    if why:
        lines += [_GAP, _line(("Why", Tone.STRONG)), *why]
    if explanation.made_of is not None:
        lines += [_GAP, *_made_of(explanation.made_of)]
    if explanation.clauses:
        lines += [
            _GAP,
            _line(("Step by step", Tone.STRONG), ("  (what decided is marked with *)", Tone.FAINT)),
        ]
        for clause in explanation.clauses:
            word = f"{clause.word} =" if clause.word.startswith(_LET) else clause.word
            lines += _step(clause.step, 0, told, word)
    if explanation.parameters:
        lines += [
            _GAP,
            _line(("Parameters", Tone.STRONG)),
            _line(_listed(explanation.parameters, 99), indent=2),
        ]
    others = list(_others(explanation.others))
    if others:
        lines += [_GAP, _line(("Other rules about this row", Tone.STRONG)), *others]
    return lines


_GAP = SaidLine()


def _line(*words: str | tuple[str, Tone], indent: int = 0) -> SaidLine:
    return SaidLine(
        tuple((each, Tone.PLAIN) if isinstance(each, str) else each for each in words), indent
    )


# ── what it is about ───────────────────────────────────────────────────────────────────────────


def _head(explanation: Explanation) -> Iterator[SaidLine]:
    yield _line((explanation.rule, Tone.STRONG), f"  {explanation.severity}")
    if explanation.title:
        yield _line(explanation.title)
    yield _GAP
    row = explanation.row
    who = ", ".join(f"{role} {text}" for role, text in explanation.roles if text != "(missing)")
    at = _at(row)
    yield _line((who or row.table, Tone.STRONG), (f"  {at}" if at else "", Tone.FAINT))
    yield _line((f"{row.table}: {_listed(row.key, _MOST_CELLS)}", Tone.FAINT), indent=2)


def _verdict(explanation: Explanation) -> Iterator[SaidLine]:
    verdict = explanation.verdict
    if verdict is None:
        yield _line(("The rule says nothing of this row", Tone.STRONG), f": {explanation.reason}.")
        return
    word = verdict[0].upper() + verdict[1:]
    if explanation.taken:
        tone = _TONES.get(verdict, Tone.STRONG)
        yield _line((word, tone), f": {explanation.reason}, so nothing is asked of it.")
        for each in explanation.taken:
            other = "" if each.row == explanation.row else f"  {_named(each.row)}"
            yield _line((each.rule, Tone.STRONG), other, f"  {each.message}", indent=2)
        return
    yield _line((word, _TONES.get(verdict, Tone.STRONG)), f": {_MEANINGS[verdict]}")
    if explanation.message:
        yield _line(explanation.message, indent=2)


# ── what decided ───────────────────────────────────────────────────────────────────────────────


def _why(explanation: Explanation, told: set[Step]) -> Iterator[SaidLine]:
    """Each clause that decided, with its smallest parts and the values that they have met. `told`
    gets the steps whose rows are shown here.
    """
    lets = {
        c.word.removeprefix(_LET): c.step for c in explanation.clauses if c.word.startswith(_LET)
    }
    for clause in explanation.clauses:
        if not clause.step.decided:
            continue
        reasons = decisive(clause.step)
        truth = clause.step.shown
        alone = reasons == (clause.step,)
        yield _line(
            (clause.word, Tone.STRONG), f" is {truth}{_consequence(clause, explanation)}", indent=2
        )
        for each in reasons[:_MOST_REASONS]:
            yield from _reason(each, lets, repeats=not alone)
            told.add(each)
            for part in each.parts:
                behind = lets.get(part.text) if part.origin == "let" else None
                if behind is not None and behind not in told:
                    yield from _let(part.text, behind, lets)
                shown = behind or part
                if shown.rows is not None and shown not in told:
                    yield from _rows(shown.rows, 8 if behind else 6)
                told.add(shown)
        if len(reasons) > _MOST_REASONS:
            yield _line((f"… and {len(reasons) - _MOST_REASONS} more, below", Tone.FAINT), indent=4)


def _consequence(clause: Clause, explanation: Explanation) -> str:
    """What follows from a clause that came to what it did."""
    value = clause.step.value
    match clause.word:
        case "when" if value is True:
            return ", so the rule is about this row:"
        case "when" if value is False:
            return ", so the rule is not about this row:"
        case "report when" | "against" if value is True and explanation.verdict == "fails":
            return ", so the row is reported:"
        case word if explanation.verdict is None and word.startswith(("scope", "where")):
            return ", so the rule is not about this row:"
        case "require" if value is False and explanation.verdict == "fails":
            return ", and must be true:"
        case _:
            return ":"


def _reason(step: Step, lets: dict[str, Step], *, repeats: bool) -> Iterator[SaidLine]:
    """One condition that decided: what it came to, and why."""
    text = f"`{step.text}`{f' is {step.shown}' if repeats else ''}"
    if step.rows is not None:
        yield _line(text, indent=4)
        yield from _rows(step.rows, 6)
        return
    met = step.origin if step.origin == ROWS_WITHHELD else _met(step, lets)
    if met and len(text) + len(met) > _MOST_IN_A_LINE:
        yield _line(text, indent=4)
        yield _line(met, indent=6)
    else:
        yield _line(f"{text}{f': {met}' if met else ''}", indent=4)


def _let(name: str, step: Step, lets: dict[str, Step]) -> Iterator[SaidLine]:
    """How the value of a `let` came about, where a condition that decided has met it."""
    met = _met(step, lets)
    yield _line((f"{name} = {step.text}{f': {met}' if met else ''}", Tone.FAINT), indent=6)


def _met(step: Step, lets: dict[str, Step]) -> str:
    """The values that a condition has met, in a line: `years is 8`."""
    said: dict[str, None] = {}
    for part in step.parts:
        shown = _missing_word(part) if _is_missing(part) else part.shown
        if step.text != part.text and (step.text != f"{part.text} is missing" or part.origin):
            said[f"{part.text} is {shown}{_because_missing(part, lets)}"] = None
    return ", ".join(said)


def _missing_word(step: Step) -> str:
    return f"missing, as {step.origin}" if step.is_unreadable else "missing"


def _is_missing(step: Step) -> bool:
    return step.value is None and not step.withheld and not step.is_condition


def _because_missing(step: Step, lets: dict[str, Step]) -> str:
    """Which of the values behind a missing one is missing."""
    if not _is_missing(step):
        return ""
    found = dict(_missing(step, lets))
    reasons = [f"{text}{note}" for text, note in found.items() if text != step.text]
    return f" because {' and '.join(reasons[:3])} is" if reasons else ""


def _missing(step: Step, lets: dict[str, Step]) -> Iterator[tuple[str, str]]:
    """The values behind a missing one that are missing themselves, and what more is known of each."""
    below = [lets[step.text]] if step.origin == "let" and step.text in lets else step.parts
    lacking = [part for part in below if part.value is None and not part.withheld]
    if not lacking:
        said = step.is_unreadable or step.origin.startswith("no row of ")
        yield step.text, f" ({step.origin})" if said else ""
    for part in lacking:
        yield from _missing(part, lets)


# ── step by step ───────────────────────────────────────────────────────────────────────────────


def _step(step: Step, depth: int, told: set[Step], word: str = "") -> Iterator[SaidLine]:
    indent = 2 + 2 * depth
    mark = "* " if step.decided else "  "
    tone = Tone.PLAIN if step.decided or not step.is_condition else Tone.FAINT
    yield SaidLine(
        (
            (mark, Tone.STRONG),
            (f"{word} " if word else "", Tone.STRONG),
            (step.text, tone),
            ("  → ", Tone.FAINT),
            (step.shown, _tone_of(step)),
            (_from(step), Tone.FAINT),
        ),
        indent,
    )
    if step.rows is not None and step in told:
        yield _line(("(its rows are above)", Tone.FAINT), indent=indent + 4)
    elif step.rows is not None:
        yield from _rows(step.rows, indent + 4)
    for part in step.parts:
        yield from _step(part, depth + 1, told)


def _tone_of(step: Step) -> Tone:
    return Tone.STRONG if step.decided or not step.is_condition else Tone.PLAIN


def _from(step: Step) -> str:
    """Where a value comes from."""
    if step.place is not None:
        at = _named(step.place)
        return f"  ({at}{f': {step.origin}' if step.is_unreadable else ''})"
    return f"  ({step.origin})" if step.origin and step.origin != "let" else ""


# ── rows of other tables ───────────────────────────────────────────────────────────────────────


def _rows(rows: RowsSeen, indent: int) -> Iterator[SaidLine]:
    number = f"{rows.looked_at:,} {_rows_word(rows)} of {rows.table}"
    verb = "is" if rows.looked_at == 1 else "are"
    told = f"{number} {verb} linked to this row" if rows.linked else f"{number} {verb} looked at"
    if not rows.looked_at:
        number = f"no {'other ' if rows.others else ''}row of {rows.table}"
        told = f"{number} is {'linked to this row' if rows.linked else 'there'}"
        if rows.missing:
            told += f", as {' and '.join(rows.missing)} {'is' if len(rows.missing) == 1 else 'are'} missing"
    elif rows.matching == rows.looked_at:
        told += f", and {'it matches' if rows.looked_at == 1 else 'all match'}"
    elif not rows.matching:
        told += f", and {'it does not match' if rows.looked_at == 1 else 'none matches'}"
    else:
        told += f", of which {rows.matching:,} match{'es' if rows.matching == 1 else ''}"
    yield _line((f"{told}{':' if rows.rows else ''}", Tone.FAINT), indent=indent)
    for each in rows.rows:
        yield from _row(each, indent + 2)
    if rows.left_out:
        yield _line((f"… and {rows.left_out:,} more", Tone.FAINT), indent=indent + 2)


def _rows_word(rows: RowsSeen) -> str:
    return f"{'other ' if rows.others else ''}row{'' if rows.looked_at == 1 else 's'}"


def _made_of(rows: RowsSeen) -> Iterator[SaidLine]:
    """The rows behind a row of a view."""
    number = f"{rows.looked_at:,} {_rows_word(rows)} of {rows.table}"
    yield _line(("Made of", Tone.STRONG), f" {number}")
    for each in rows.rows:
        at = _at(each.place)
        shown = _listed(_unique((*each.place.key, *each.values)), 2 * _MOST_CELLS)
        yield _line((f"{at}  " if at else "", Tone.FAINT), shown, indent=2)
    if rows.left_out:
        yield _line((f"… and {rows.left_out:,} more", Tone.FAINT), indent=2)


_MATCHES = {True: "matches", False: "does not match", None: "is not known to match"}
_SATISFIES = {
    True: "matches and satisfies",
    False: "matches, but does not satisfy",
    None: "matches, and whether it satisfies is unknown",
}


def _row(row: RowSeen, indent: int) -> Iterator[SaidLine]:
    word = "is the one taken" if row.picked else _MATCHES[row.matches]
    if row.satisfies is not None and not row.satisfies.withheld:
        value = row.satisfies.value
        word = _SATISFIES[value if isinstance(value, bool) else None]
    shown = _unique((*row.place.key, *row.values))
    at = _at(row.place)
    yield _line(
        (f"{at}  " if at else "", Tone.FAINT),
        _listed(shown, 2 * _MOST_CELLS),
        f"  {word}",
        indent=indent,
    )
    for each in row.because[:_MOST_REASONS]:
        met = _met(each, {})
        yield _line(f"`{each.text}` is {each.shown}{f': {met}' if met else ''}", indent=indent + 2)
        if each.rows is not None:
            yield from _rows(each.rows, indent + 4)


def _unique(cells: Iterable[tuple[str, str]]) -> Cells:
    return tuple(dict(cells).items())


# ── other rules ────────────────────────────────────────────────────────────────────────────────

_ORDER = ("fails", "unknown", None, "holds", "not applicable")


def _others(others: Sequence[Spoken]) -> Iterator[SaidLine]:
    by_verdict = {word: [each for each in others if each.verdict == word] for word in _ORDER}
    for word in ("fails", "unknown"):
        for each in by_verdict[word][:_MOST_OTHERS]:
            yield _line(
                (f"{word}  ", _TONES[word]),
                (f"{each.rule}  ", Tone.STRONG),
                f"{each.severity}  {each.message or each.title}",
                indent=2,
            )
        if (more := len(by_verdict[word]) - _MOST_OTHERS) > 0:
            yield _line((f"… and {more} more: {word}", Tone.FAINT), indent=2)
    for each in by_verdict[None][:_MOST_OTHERS]:
        yield _line(
            ("silent  ", Tone.FAINT), (f"{each.rule}  ", Tone.STRONG), each.reason, indent=2
        )
    if (more := len(by_verdict[None]) - _MOST_OTHERS) > 0:
        yield _line((f"… and {more} more that say nothing", Tone.FAINT), indent=2)
    for word in ("holds", "not applicable"):
        said = _names(by_verdict[word])
        if said:
            yield _line((f"{word}  {said}", Tone.FAINT), indent=2)


def _names(rules: Sequence[Spoken]) -> str:
    """The author's rules by their ids, the built-in checks as a number."""
    own = [each.rule for each in rules if not each.built_in]
    said = own[:_MOST_OTHERS]
    if (more := len(own) - _MOST_OTHERS) > 0:
        said.append(f"{more} more rules")
    if built_in := len(rules) - len(own):
        said.append(f"{built_in} built-in check{'' if built_in == 1 else 's'}")
    return ", ".join(said)


# ── parts of lines ─────────────────────────────────────────────────────────────────────────────


def _at(place: Place) -> str:
    if place.file is None:
        return "" if place.line is None else f"line {place.line}"
    dataset, dot, _ = place.table.partition(".")
    name = f"{dataset} {PurePath(place.file).name}" if dot else PurePath(place.file).name
    return name if place.line is None else f"{name}:{place.line}"


def _named(place: Place) -> str:
    """A row by its place, or by its key where it has none."""
    return _at(place) or f"{place.table} {_listed(place.key, _MOST_CELLS)}"


def _listed(cells: Cells, most: int) -> str:
    more = f" and {len(cells) - most} more" if len(cells) > most else ""
    return ", ".join(f"{name} {text}" for name, text in cells[:most]) + more
