"""fuzz_load: a number of inputs and a seed -> the mutated rulebooks that are not answered well

`python tests/fuzz/fuzz_load.py --inputs 100000` loads so many rulebooks with something wrong in
them, each made from the seed and its number alone. Well answered is a rulebook, or a `RulebookError`
in which every mistake has a place within a text and a code with a page, within a second of the
processor's time. What is not is made small and printed as the text of a case.
"""

import argparse
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from random import Random
from types import FrameType

from fuzz_corpus import large_seeds, seeds
from mutate import TOKEN, mutated

from ruleforge.language.diagnostic import Diagnostic
from ruleforge.language.load import RulebookError, load_text
from ruleforge.language.render import render
from ruleforge.language.resources import message_pages

MOST_SECONDS = 1.0
GIVEN_UP_AFTER = 20.0  # seconds: a load that does not end is a failure too
LARGE_EVERY = 1_000  # one input in so many is a large rulebook
MOST_TRIES = 600  # of making a failure smaller
MOST_PRINTED = 3_000  # characters of a failure
PATH = "fuzz.rules"


@dataclass(frozen=True)
class Failure:
    """One input that is not answered well. `kind` is the same for the same fault, wherever met."""

    number: int
    kind: str
    detail: str
    text: str


class _EndlessError(BaseException):
    """A load is given up. No `Exception`, so that nothing on the way takes it for its own."""


def text_of(number: int, seed: int) -> str:
    """The input of a number: the same for the same seed, as long as the corpus is the same."""
    chance = Random(f"{seed}/{number}")
    corpus = large_seeds() if number % LARGE_EVERY == 0 else seeds()
    return mutated(chance.choice(corpus), chance)


def failures(inputs: int, seed: int, report: Callable[[int], None]) -> Iterator[Failure]:
    """The failures among the inputs with the numbers 1 to `inputs`, each kind once."""
    met: set[str] = set()
    for number in range(1, inputs + 1):
        text = text_of(number, seed)
        found = judged(text)
        if found is not None and found[0] not in met:
            met.add(found[0])
            small = smallest(text, found[0])
            yield Failure(number, *(judged(small) or found), small)
        report(number)


def judged(text: str) -> tuple[str, str] | None:
    """What is wrong with the answer to a text, as a kind and in detail; None where nothing is."""
    started = time.process_time()
    try:
        diagnostics = _answer(text)
    except _EndlessError:
        return "endless", f"no answer after {GIVEN_UP_AFTER:.0f} s"
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        last = next((f for f in reversed(frames) if "ruleforge" in f.filename), frames[-1])
        where = f"{last.filename.rpartition('/')[2]}:{last.name}"
        return f"{type(error).__name__} in {where}", traceback.format_exc(limit=-6)
    seconds = time.process_time() - started
    if seconds > MOST_SECONDS:
        return "slow", f"{seconds:.1f} s of processor time"
    for each in diagnostics:
        wrong = _wrong_with(each, text)
        if wrong:
            return f"{each.code} {wrong}", render([each]) if each.span is None else each.fact
    render(diagnostics)
    return None


def _answer(text: str) -> tuple[Diagnostic, ...]:
    """What a load has to say. Raises whatever it raises beside a `RulebookError`."""

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise _EndlessError

    before = signal.signal(signal.SIGPROF, give_up)
    signal.setitimer(signal.ITIMER_PROF, GIVEN_UP_AFTER)
    try:
        return load_text(text, PATH).warnings
    except RulebookError as error:
        return error.diagnostics
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@cache
def pages() -> frozenset[str]:
    """The codes that have a page."""
    return frozenset(message_pages())


def _wrong_with(diagnostic: Diagnostic, text: str) -> str:
    if diagnostic.code not in pages():
        return "has no page"
    span = diagnostic.span
    if span is None:
        return "has no place"
    source = span.source
    if not source.path or (source.path == PATH and source.text != text):
        return "is of no file"
    if not 0 <= span.start <= span.end <= len(source.text):
        return "is not within the text"
    line, column = source.line_and_column(span.start)
    within = 1 <= line <= source.text.count("\n") + 1
    if not within or not 1 <= column <= len(source.line_text(line)) + 2:
        return "has no line and column"
    if not diagnostic.fact or not diagnostic.why or not diagnostic.fix:
        return "lacks fact, reason or fix"
    return ""


# ── making a failure smaller ───────────────────────────────────────────────────────────────────


def smallest(text: str, kind: str, most_tries: int = MOST_TRIES) -> str:
    """A small text that is answered badly in the same way."""
    tries = most_tries if kind not in ("slow", "endless") else 60
    for divide in (_lines_of, TOKEN.findall, list):
        text, tries = _thinned(divide(text), kind, tries)
    return text


def _lines_of(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _thinned(parts: list[str], kind: str, tries: int) -> tuple[str, int]:
    """The parts without those that it fails without, by halves, quarters and so on."""
    size = max(1, len(parts) // 2)
    while tries > 0:
        start, shorter = 0, False
        while start < len(parts) and tries > 0:
            rest = parts[:start] + parts[start + size :]
            tries -= 1
            found = judged("".join(rest))
            if found is not None and found[0] == kind:
                parts, shorter = rest, True
            else:
                start += size
        if size == 1 and not shorter:
            break
        size = max(1, size // 2)
    return "".join(parts), tries


# ── the command ────────────────────────────────────────────────────────────────────────────────


def _cut(text: str) -> str:
    if len(text) <= MOST_PRINTED:
        return text
    return f"{text[:MOST_PRINTED]}…\n# {len(text):,} characters; `--only` prints the input whole"


def main() -> int:
    """Runs the inputs; 1 where one is not answered well."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=100_000, help="(default: 100,000)")
    parser.add_argument("--seed", type=int, default=1, help="(default: 1)")
    parser.add_argument("--only", type=int, help="print the input of this number, and its answer")
    arguments = parser.parse_args()
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if arguments.only is not None:
        text = text_of(arguments.only, arguments.seed)
        print(text, judged(text) or "is answered well", sep="\n\n")
        return 0
    started = time.process_time()

    def report(number: int) -> None:
        if number % 5_000 == 0:
            print(f"{number:,} inputs, {time.process_time() - started:.0f} s", flush=True)

    print(f"{len(seeds())} small rulebooks and {len(large_seeds())} large ones are mutated")
    count = 0
    for failure in failures(arguments.inputs, arguments.seed, report):
        count += 1
        print(f"\n# {failure.kind}: input {failure.number} of seed {arguments.seed}, made small")
        print("\n".join(f"#   {line}" for line in failure.detail.splitlines()))
        print(_cut(failure.text), end="\n\n", flush=True)
    seconds = time.process_time() - started
    print(f"{arguments.inputs:,} inputs in {seconds:.0f} s: {count} kinds of failure")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
