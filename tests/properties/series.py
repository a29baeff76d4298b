"""series: an emphasis, a seed and a number -> that many cases compared, in processes side by side

A worker process has its own Polars with one thread: cases are so small that more threads only wait
for each other.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

from agreement import check, loaded
from expressions import Case, Emphasis
from generators import case_of, seeds
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import UnsatisfiedAssumption
from shrink import smallest

WORKERS = min(4, os.cpu_count() or 1)


@contextmanager
def workers() -> Iterator[ProcessPoolExecutor]:
    """Processes to compare cases in."""
    before = os.environ.get("POLARS_MAX_THREADS")
    os.environ["POLARS_MAX_THREADS"] = "1"
    try:
        with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
            yield pool
    finally:
        if before is None:
            del os.environ["POLARS_MAX_THREADS"]
        else:
            os.environ["POLARS_MAX_THREADS"] = before


def compared(emphasis: Emphasis, number: int, first: int) -> str | None:
    """None where both backends agree on a number of cases, else what they differ about in one of
    them.
    """
    explained: dict[bytes, str] = {}

    @seed(first)
    @settings(
        max_examples=number,
        database=None,
        deadline=None,
        # WHY: what fails is made smaller by `smallest`; a seed has no smaller form.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(seeds())
    def agree(drawn: bytes) -> None:
        case = case_of(drawn, emphasis)
        try:
            check(case)
        except (UnsatisfiedAssumption, KeyboardInterrupt):
            raise
        except BaseException as difference:  # a panic of Polars is no Exception
            if drawn not in explained:
                explained[drawn] = explanation(drawn, emphasis, case, difference)
            raise AssertionError from None

    try:
        agree()
    except AssertionError:
        return next(iter(explained.values()))
    return None


def explanation(drawn: bytes, emphasis: Emphasis, case: Case, difference: BaseException) -> str:
    """What is different, for a case that is as small as it could be made, and how to get the whole
    one.
    """
    kind = type(difference)
    small = smallest(case, lambda each: difference_of(each, kind) is not None)
    said = difference_of(small, kind) or str(difference)
    again = f"case_of(bytes.fromhex({drawn.hex()!r}), {emphasis!r})"
    return f"{kind.__name__}: {said}\n\n{small}\n\nThe whole case: {again}"


def difference_of(case: Case, kind: type[BaseException]) -> str | None:
    """What the two backends say differently; None for no difference, or one of another kind."""
    try:
        loaded(case)
    except BaseException:
        return None
    try:
        check(case)
    except kind as difference:
        return str(difference)
    except BaseException:
        return None
    return None
