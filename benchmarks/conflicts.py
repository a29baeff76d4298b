"""conflicts: what it costs to find the stays of a pupil that overlap

    python benchmarks/conflicts.py [--stays 6000000] [--conflicts 20000] [--one-pupil 10000]

Makes seeded stays of which few pupils have two, and of those few overlap; then judges them by an
`against` rule, and by what a user of Polars would write. Both must name the same rows. With
`--one-pupil` one pupil has that many stays beside all others, all of which overlap.
"""

import argparse
import datetime as dt
import resource
import time

import polars as pl

import ruleforge as rf

RULEBOOK = """
rulebook benchmarks.conflicts edition 1

table stay
  student_id: integer required
  school_id:  text required identifies school
  entry:      date required
  leave:      date
  key student_id, school_id, entry

rule overlap conflict
  for s in stay
  against t in stay where t.student_id = s.student_id
                      and period(t.entry, t.leave) overlaps period(s.entry, s.leave)
  message "{s.student_id} is also at {t.school_id}"
"""


def stays(number: int, conflicts: int, one_pupil: int) -> pl.DataFrame:
    """A tenth of the stays are a pupil's second; `conflicts` rows of these overlap another."""
    second = number // 10
    first = number - second
    start = pl.lit(dt.date(2023, 8, 1))
    days = pl.col("n").hash(7) % 60
    one = pl.select(pl.int_range(first).alias("n")).select(
        pl.col("n").alias("student_id"),
        (pl.col("n").hash(1) % 10_000).cast(pl.String).alias("school_id"),
        (start + pl.duration(days=days)).alias("entry"),
        pl.when(pl.col("n") < second)
        .then(pl.lit(dt.date(2024, 1, 10)))
        .otherwise(None)
        .alias("leave"),
    )
    late = pl.when(pl.col("n") < conflicts // 2).then(0).otherwise(30)
    two = pl.select(pl.int_range(second).alias("n")).select(
        pl.col("n").alias("student_id"),
        (pl.col("n").hash(2) % 10_000 + 10_000).cast(pl.String).alias("school_id"),
        (pl.lit(dt.date(2024, 1, 1)) + pl.duration(days=late)).alias("entry"),
        pl.lit(None, dtype=pl.Date).alias("leave"),
    )
    many = pl.select(pl.int_range(one_pupil).alias("n")).select(
        pl.lit(-1, dtype=pl.Int64).alias("student_id"),
        pl.col("n").cast(pl.String).alias("school_id"),
        start.alias("entry"),
        pl.lit(None, dtype=pl.Date).alias("leave"),
    )
    return pl.concat([one, two, many]).sample(fraction=1.0, shuffle=True, seed=1)


def by_hand(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows that overlap another of the same pupil, as one would write it in Polars."""
    rows = frame.lazy().with_row_index("row")
    several = rows.filter(pl.len().over("student_id") > 1)
    pairs = several.join(several, on="student_id", suffix="_other").filter(
        pl.col("row") != pl.col("row_other"),
        pl.col("leave").is_null() | (pl.col("entry_other") <= pl.col("leave")),
        pl.col("leave_other").is_null() | (pl.col("entry") <= pl.col("leave_other")),
    )
    return pairs.select("row").unique().sort("row").collect(engine="streaming")


def main() -> None:
    """Runs both and prints what they took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stays", type=int, default=6_000_000)
    parser.add_argument("--conflicts", type=int, default=20_000)
    parser.add_argument("--one-pupil", type=int, default=0)
    parser.add_argument("--no-hand", action="store_true", help="leave the contender out")
    arguments = parser.parse_args()
    frame = stays(arguments.stays, arguments.conflicts, arguments.one_pupil)
    book = rf.load_text(RULEBOOK)
    revision = rf.Revision("stays", tables={"stay": frame})
    started = time.perf_counter()
    result = rf.evaluate(book, revision, as_of=dt.date(2024, 2, 1), rules=["overlap"])
    judged = time.perf_counter() - started
    fails = result.rules.filter(pl.col("rule") == "overlap")["fails"].item()
    started = time.perf_counter()
    mine = next(hits for hits in result.hits if hits.rule.id == "overlap")
    said = result.writer([mine], (), ["message", "counterparts", "counterpart_count"])
    written = time.perf_counter() - started
    print(f"ruleforge: {fails:,} of {frame.height:,} stays overlap, in {judged:.2f} s")
    print(f"  messages and counterparts: {said.height:,} in {written:.2f} s")
    if not arguments.no_hand:
        started = time.perf_counter()
        found = by_hand(frame)
        hand = time.perf_counter() - started
        assert found["row"].to_list() == mine.frame["#row"].to_list(), "not the same rows"
        print(f"polars by hand: {hand:.2f} s; ratio {judged / hand:.2f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"peak memory of the process: {peak:.1f} GiB")


if __name__ == "__main__":
    main()
