"""One compiled rulebook serves many threads."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import polars as pl

import ruleforge as rf

BOOK = rf.load_text(
    """
rulebook threads edition 1
parameter limit: integer
table pupil
  pupil_id: text identifies student
  age: integer
  key pupil_id
table stay
  pupil_id: text identifies student references pupil
  days: integer
  key pupil_id, days

rule R-1 error
  for p in pupil
  require p.age < limit
  message "{p.pupil_id} is {p.age}, the limit is {limit}."

rule R-2 warning
  for p in pupil
  require sum(s.days for s in stay where s.pupil_id = p.pupil_id) <= 1000
  message "{p.pupil_id} has too many days."

rule R-3 warning
  for s in stay
  require s.pupil.age >= 5
  message "{s.pupil_id} is {s.pupil.age}."
""",
    "threads.rules",
)
THREADS, TURNS, PUPILS = 8, 4, 2_000


def revision(number: int) -> rf.Revision:
    """Pupil 0 to `number` are too old, the pupil after them has too many days, one stay is
    nobody's.
    """
    pupils = pl.DataFrame(
        {
            "pupil_id": [f"{number}-{each}" for each in range(PUPILS)],
            "age": [50 + number if each <= number else 10 for each in range(PUPILS)],
        }
    )
    stays = pl.DataFrame(
        {
            "pupil_id": [f"{number}-{number + 1}", f"{number}-{number + 1}", "nobody"],
            "days": [600, 401, number],
        }
    )
    return rf.Revision(f"r{number}", {"pupil": pupils, "stay": stays})


def evaluated(number: int) -> rf.Result:
    return rf.evaluate(
        BOOK, revision(number), as_of=dt.date(2023, 12, 5), parameters={"limit": 40 + number}
    )


def test_each_thread_gets_its_own_result() -> None:
    start = Barrier(THREADS)

    def work(number: int) -> list[rf.Result]:
        start.wait()
        return [evaluated(number) for _ in range(TURNS)]

    with ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(work, range(THREADS)))
    for number, of_thread in enumerate(results):
        alone = evaluated(number).findings
        expected = [
            *(
                f"{number}-{each} is {50 + number}, the limit is {40 + number}."
                for each in range(number + 1)
            ),
            f"{number}-{number + 1} has too many days.",
            '`pupil_id` is "nobody", which `pupil` does not have.',
        ]
        for result in of_thread:
            assert result.findings["revision"].unique().to_list() == [f"r{number}"]
            assert result.findings["message"].to_list() == expected
            assert result.findings.equals(alone)


def test_one_result_is_read_by_many_threads() -> None:
    result = evaluated(3)
    start = Barrier(THREADS)

    def work(_: int) -> pl.DataFrame:
        start.wait()
        return result.select("rule", "message", "values", "fingerprint")

    with ThreadPoolExecutor(THREADS) as pool:
        first, *others = pool.map(work, range(THREADS))
    assert first.height == 6
    assert all(each.equals(first) for each in others)
