"""Indiana's special education rules by hand in Polars: a query a rule, all handed over at once.

What an engineer who knows Polars would write: lazy frames, only the columns that are read, tables
made small before they are joined, `collect_all` on the streaming engine so that equal parts are
done once. Each query gives the ids of the pupils of the rows that it reports. There are no
messages, no keys, no counts of what held or could not be told.

`python indiana_polars.py FOLDER csv|parquet [--count-date D]` is run by `indiana.py`.
"""

import datetime as dt
from pathlib import Path

import polars as pl

import indiana_contender as contender

JULY_1, DECEMBER_1 = dt.date(2023, 7, 1), dt.date(2023, 12, 1)

# By rule: programs, the settings that go with them, and whether none does.
SETTINGS = {
    8: ("26 27 28 29", "01 02 04 06 09 10", True),
    9: ("33 34 35", "02 04 06 09", True),
    10: ("36", "", True),
    11: ("37", "01 02 04", True),
    12: ("38", "10", False),
    14: ("50 51 52 53 54", "02 04 06 09 10", True),
    15: ("55", "04", False),
    16: ("56", "03 10", False),
    17: ("57", "02 04", True),
}


def tables(folder: Path, kind: str) -> dict[str, pl.LazyFrame]:
    """The four tables with their types. A code that is in no list counts as missing."""
    if kind == "parquet":
        files = {name: pl.scan_parquet(folder / f"{name}.parquet") for name in contender.TABLES}
        student, stays, programs, schools = (files[name] for name in contender.TABLES)
    else:
        files = {
            name: pl.scan_csv(folder / f"{name}.csv", infer_schema=False)
            for name in contender.TABLES
        }
        student, stays, programs, schools = (files[name] for name in contender.TABLES)
        student = student.with_columns(_date("birth_date"))
        stays = stays.with_columns(_date("entry_date", "exit_date"), _boolean("primary_school"))
        programs = programs.with_columns(
            _date("begin_date", "end_date"),
            _boolean("idea_eligibility"),
            pl.col("program").replace(contender.PROGRAM_NAMES),
        )
    return {
        "student": student,
        "enrollment": stays.with_columns(_code("grade", contender.GRADES)),
        "special_education": programs.with_columns(
            _code("program", contender.PROGRAMS), _code("setting", contender.SETTINGS)
        ),
        "school": schools,
    }


def _date(*names: str) -> pl.Expr:
    return pl.col(names).str.to_date("%Y-%m-%d", strict=False)


def _boolean(name: str) -> pl.Expr:
    return pl.col(name).replace_strict({"true": True, "false": False}, default=None)


def _code(name: str, codes: tuple[str, ...]) -> pl.Expr:
    return pl.when(pl.col(name).is_in(codes)).then(pl.col(name)).alias(name)


def years(birth: pl.Expr, on: dt.date) -> pl.Expr:
    """Whole years of age."""
    day = birth.dt.month().cast(pl.Int32) * 100 + birth.dt.day()
    return on.year - birth.dt.year() - (day > on.month * 100 + on.day).cast(pl.Int32)


def holds_on(first: str, last: str, day: dt.date) -> pl.Expr:
    """Whether a day lies between two columns, the second of which may be open."""
    return (pl.col(first) <= day) & (pl.col(last).is_null() | (pl.col(last) >= day))


def queries(t: dict[str, pl.LazyFrame], count_date: dt.date) -> dict[int, pl.LazyFrame]:
    """The ids of the pupils of the rows that each rule reports."""
    program, setting, birth = pl.col("program"), pl.col("setting"), pl.col("birth_date")
    programs = t["special_education"]
    running = programs.filter(holds_on("begin_date", "end_date", count_date))
    served = t["student"].join(programs, on="student_id", how="semi")
    births = served.select("student_id", "birth_date").unique(subset="student_id")
    aged = programs.join(births, on="student_id")
    grades = (
        t["enrollment"]
        .filter(holds_on("entry_date", "exit_date", count_date))
        .join(running, on="student_id", how="semi")
        .select("student_id", "school_id", "entry_date", "grade")
        .sort("entry_date", "school_id")
        .unique(subset="student_id", keep="last", maintain_order=True)
        .select("student_id", stay_grade="grade")
    )
    placed = (
        running.filter(program.is_in(contender.CODED))
        .join(births, on="student_id", how="left")
        .join(grades, on="student_id", how="left")
    )
    grade, age = pl.col("stay_grade"), years(birth, count_date)
    found = {
        1: parentally_placed(t),
        2: aged.filter(years(birth, JULY_1) >= 23),
        3: aged.filter(age < 3),
        4: served.join(running, on="student_id", how="anti"),
        5: aged.filter(pl.col("primary_disability") == "08", years(birth, DECEMBER_1) >= 9),
        6: aged.filter(pl.col("secondary_disability") == "08", years(birth, DECEMBER_1) >= 9),
        7: placed.filter(program.is_in(contender.SCHOOL_AGE), grade == "PK", age <= 5),
        13: placed.filter(
            program.is_in(contender.SCHOOL_AGE),
            ~(
                (grade.is_in(contender.GRADES[1:]) & (years(birth, JULY_1) <= 22))
                | ((grade == "PK") & (age == 6))
            ),
        ),
        18: served.join(running, on="student_id", how="semi").join(
            running.filter(program.is_not_null(), program != "Undefined"),
            on="student_id",
            how="anti",
        ),
        19: running.filter(~pl.col("idea_eligibility").fill_null(value=False)),
    }
    for rule, (of, allowed, blank) in SETTINGS.items():
        fits = setting.is_in(allowed.split()).fill_null(blank)
        found[rule] = programs.filter(program.is_in(of.split()), ~fits)
    return {rule: found[rule].select("student_id") for rule in sorted(found)}


def parentally_placed(t: dict[str, pl.LazyFrame]) -> pl.LazyFrame:
    """Rule 1: the rows of parents' placements during which a public school is the primary one."""
    placements = t["special_education"].filter(pl.col("program").is_in(["38", "56"]))
    placements = placements.select("student_id", "begin_date", "end_date").with_row_index("row")
    public = t["school"].filter(pl.col("sector") == "public")
    stays = (
        t["enrollment"]
        .filter(
            "primary_school",
            pl.col("exit_date").is_null() | (pl.col("entry_date") <= pl.col("exit_date")),
        )
        .join(public, on="school_id", how="semi")
        .select("student_id", "entry_date", "exit_date")
    )
    begin, end = pl.col("begin_date"), pl.col("end_date")
    entry, exit_ = pl.col("entry_date"), pl.col("exit_date")
    return (
        placements.filter(end.is_null() | (begin <= end))
        .join(stays, on="student_id")
        .filter(end.is_null() | (entry <= end), exit_.is_null() | (begin <= exit_))
        .unique(subset="row")
    )


def run(folder: Path, kind: str, count_date: dt.date) -> contender.Run:
    """All findings of the nineteen rules."""
    with contender.stage("queries") as stages:
        asked = queries(tables(folder, kind), count_date)
        answers = pl.collect_all(list(asked.values()), engine="streaming")
        found = [
            answer.select(rule=pl.lit(f"SpecialEducation-{rule}"), student="student_id")
            for rule, answer in zip(asked, answers, strict=True)
        ]
        findings = pl.concat(found)
    return contender.Run(findings, stages, contender.peak_bytes())


if __name__ == "__main__":
    contender.main(run)
