"""Indiana's special education rules by hand in DuckDB: the tables read once, a statement a rule.

What an engineer who knows SQL would write. Each statement gives the ids of the pupils of the rows
that it reports. There are no messages, no keys, no counts of what held or could not be told.

`python indiana_duckdb.py FOLDER csv|parquet [--count-date D]` is run by `indiana.py`.
"""

import datetime as dt
from pathlib import Path

import duckdb
import polars as pl

import indiana_contender as contender

TABLES = {
    "student": "SELECT student_id, {birth_date} AS birth_date FROM {file}",
    "enrollment": """
        SELECT student_id, school_id, {entry_date} AS entry_date, {exit_date} AS exit_date,
               CASE WHEN list_contains($grades, grade) THEN grade END AS grade,
               {primary_school} AS primary_school
        FROM {file}""",
    "special_education": """
        SELECT student_id, {begin_date} AS begin_date, {end_date} AS end_date,
               CASE WHEN list_contains($programs, named) THEN named END AS program,
               CASE WHEN list_contains($settings, setting) THEN setting END AS setting,
               {idea_eligibility} AS idea_eligibility, primary_disability, secondary_disability
        FROM (SELECT *, coalesce(code, program) AS named
              FROM {file} LEFT JOIN program_names USING (program))""",
    "school": "SELECT school_id, sector FROM {file}",
}

MACROS = """
CREATE MACRO years(birth, day) AS
  year(day) - year(birth) - (month(birth) * 100 + day(birth) > month(day) * 100 + day(day))::INT;
CREATE MACRO holds_on(first, last, day) AS first <= day AND (last IS NULL OR last >= day);
"""

RUNNING = "holds_on(begin_date, end_date, getvariable('count_date'))"
BIRTHS = "(SELECT DISTINCT ON (student_id) student_id, birth_date FROM student)"
GRADES = """(
  SELECT student_id, last(grade ORDER BY entry_date, school_id) AS stay_grade FROM enrollment
  WHERE holds_on(entry_date, exit_date, getvariable('count_date')) GROUP BY student_id)"""
AGED = f"SELECT student_id FROM special_education JOIN {BIRTHS} USING (student_id) WHERE"
PLACED = f"""
  SELECT student_id FROM special_education
  LEFT JOIN {BIRTHS} USING (student_id) LEFT JOIN {GRADES} USING (student_id)
  WHERE {RUNNING} AND"""
SCHOOL_AGE = "program IN ('50', '51', '52', '53', '54', '55', '56', '57')"
OF_PUPIL = "SELECT 1 FROM special_education AS p WHERE p.student_id = s.student_id"


def by_setting(programs: str, settings: str, *, blank: bool) -> str:
    """The rows of some programs whose setting is not among those that go with them."""
    listed = ", ".join(f"'{setting}'" for setting in settings.split()) or "NULL"
    of = ", ".join(f"'{program}'" for program in programs.split())
    fits = f"coalesce(setting IN ({listed}), {'setting IS NULL' if blank else 'FALSE'})"
    return f"SELECT student_id FROM special_education WHERE program IN ({of}) AND NOT {fits}"


STATEMENTS = {
    1: """
      SELECT student_id FROM special_education AS p WHERE program IN ('38', '56')
      AND (end_date IS NULL OR begin_date <= end_date) AND EXISTS (
        SELECT 1 FROM enrollment AS e JOIN school AS s USING (school_id)
        WHERE e.student_id = p.student_id AND e.primary_school AND s.sector = 'public'
        AND (e.exit_date IS NULL OR e.entry_date <= e.exit_date)
        AND (p.end_date IS NULL OR e.entry_date <= p.end_date)
        AND (e.exit_date IS NULL OR p.begin_date <= e.exit_date))""",
    2: f"{AGED} years(birth_date, DATE '2023-07-01') >= 23",
    3: f"{AGED} years(birth_date, getvariable('count_date')) < 3",
    4: f"""
      SELECT student_id FROM student AS s
      WHERE EXISTS ({OF_PUPIL}) AND NOT EXISTS ({OF_PUPIL} AND {RUNNING})""",
    5: f"{AGED} primary_disability = '08' AND years(birth_date, DATE '2023-12-01') >= 9",
    6: f"{AGED} secondary_disability = '08' AND years(birth_date, DATE '2023-12-01') >= 9",
    7: f"""{PLACED} {SCHOOL_AGE} AND stay_grade = 'PK'
      AND years(birth_date, getvariable('count_date')) <= 5""",
    8: by_setting("26 27 28 29", "01 02 04 06 09 10", blank=True),
    9: by_setting("33 34 35", "02 04 06 09", blank=True),
    10: by_setting("36", "", blank=True),
    11: by_setting("37", "01 02 04", blank=True),
    12: by_setting("38", "10", blank=False),
    13: f"""{PLACED} {SCHOOL_AGE} AND NOT (
      (stay_grade <> 'PK' AND years(birth_date, DATE '2023-07-01') <= 22)
      OR (stay_grade = 'PK' AND years(birth_date, getvariable('count_date')) = 6))""",
    14: by_setting("50 51 52 53 54", "02 04 06 09 10", blank=True),
    15: by_setting("55", "04", blank=False),
    16: by_setting("56", "03 10", blank=False),
    17: by_setting("57", "02 04", blank=True),
    18: f"""
      SELECT student_id FROM student AS s
      WHERE EXISTS ({OF_PUPIL} AND {RUNNING})
      AND NOT EXISTS ({OF_PUPIL} AND {RUNNING} AND program <> 'Undefined')""",
    19: f"""
      SELECT student_id FROM special_education
      WHERE {RUNNING} AND NOT coalesce(idea_eligibility, FALSE)""",
}


def load(connection: duckdb.DuckDBPyConnection, folder: Path, kind: str) -> None:
    """The four tables with their types. A code that is in no list counts as missing."""
    given = {
        "grades": list(contender.GRADES),
        "programs": list(contender.PROGRAMS),
        "settings": list(contender.SETTINGS),
    }
    connection.execute("CREATE TEMP TABLE program_names (program VARCHAR, code VARCHAR)")
    names = list(contender.PROGRAM_NAMES.items())
    connection.executemany("INSERT INTO program_names VALUES (?, ?)", names)
    for name, select in TABLES.items():
        path = str(folder / f"{name}.{kind}").replace("'", "''")
        file = f"read_parquet('{path}')"
        if kind == "csv":
            file = f"read_csv('{path}', header = true, all_varchar = true)"
        columns = {
            column: column if kind == "parquet" else f"TRY_CAST({column} AS {dtype})"
            for dtype, names in (
                ("DATE", "birth_date entry_date exit_date begin_date end_date"),
                ("BOOLEAN", "primary_school idea_eligibility"),
            )
            for column in names.split()
        }
        text = select.format(file=file, **columns)
        used = {key: value for key, value in given.items() if f"${key}" in text}
        connection.execute(f"CREATE TEMP TABLE {name} AS {text}", used)


def run(folder: Path, kind: str, count_date: dt.date) -> contender.Run:
    """All findings of the nineteen rules."""
    with contender.stage("statements") as stages:
        connection = duckdb.connect()
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(MACROS)
        connection.execute(f"SET VARIABLE count_date = DATE '{count_date}'")
        load(connection, folder, kind)
        found = [
            pl.DataFrame(connection.sql(statement)).select(
                rule=pl.lit(f"SpecialEducation-{rule}"), student="student_id"
            )
            for rule, statement in sorted(STATEMENTS.items())
        ]
        findings = pl.concat(found)
    return contender.Run(findings, stages, contender.peak_bytes())


if __name__ == "__main__":
    contender.main(run)
