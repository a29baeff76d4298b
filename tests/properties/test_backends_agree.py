"""Polars and the reference say the same of generated rulebooks and tables: every row of a view,
verdict, count, cause, message, counterpart, unit and figure.

Each case is compared row by row, see `agreement`. The normal run is the same every time. A long
one, with seeds of its own:

    RULEFORGE_CASES=20000 pytest tests/properties/test_backends_agree.py

prints the seed that it begins with, and RULEFORGE_SEED=… repeats it. A failure prints a case made
as small as it could be, and the line of Python that makes the whole one again.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from random import SystemRandom

import pytest
from expressions import Emphasis
from series import WORKERS, compared, workers

EMPHASES = (
    Emphasis("all", share=4),
    Emphasis("quantifiers", quantifiers=5, functions=1, share=3),
    Emphasis("functions", quantifiers=1, functions=8, most_rows=4, share=2),
    Emphasis("extremes", quantifiers=2, functions=6, extreme=True, most_rows=4, share=3),
    Emphasis("views", views=3, whole=12, rules=2, share=5),
    Emphasis("rulebooks", views=1, whole=45, quantifiers=2, rules=4, fuel=14, most_rows=8, share=5),
)

LONG = "RULEFORGE_CASES" in os.environ
CASES = int(os.environ.get("RULEFORGE_CASES", "2200"))
SEED = int(os.environ.get("RULEFORGE_SEED", str(SystemRandom().randrange(2**32) if LONG else 2024)))


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with workers() as processes:
        yield processes


@pytest.mark.parametrize("emphasis", EMPHASES, ids=lambda each: each.name)
def test_polars_and_the_reference_agree(
    emphasis: Emphasis, pool: ProcessPoolExecutor, capsys: pytest.CaptureFixture[str]
) -> None:
    number = CASES * emphasis.share // sum(each.share for each in EMPHASES)
    if LONG:
        with capsys.disabled():
            print(f"\n{emphasis.name}: {number} cases, RULEFORGE_SEED={SEED}")
    each = -(-number // WORKERS)
    series = [pool.submit(compared, emphasis, each, SEED + worker) for worker in range(WORKERS)]
    differences = [said for one in series if (said := one.result()) is not None]
    assert not differences, "\n\n".join(differences)
