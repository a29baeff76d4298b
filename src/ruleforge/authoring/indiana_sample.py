"""indiana_sample: a number of pupils and a seed -> a synthetic Indiana district, and its faults

For tests, demonstrations and benchmarks of the Indiana rulebooks. Nothing in it comes from a real
person or school. The same arguments give the same bytes on every machine: all chance comes from
`random.Random(seed).random()`, whose sequence Python guarantees. Pupils are made and written one at
a time, so memory does not grow with their number.

The faults are planted, each with a pupil of its own, and `planted.csv` is the complete list of what
has to be reported: a row `finding` for every finding, of the rules SpecialEducation-1 to -19 and of
the built-in rules of the tables, and a row `near miss` for a pupil who comes as near to the rule as
one can without being reported. Every other row is clean. The count date is 1 December.
"""

import calendar
import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import IO, Literal, NamedTuple, Protocol, TypeVar
from xml.sax.saxutils import escape

Layout = Literal["csv", "edfi"]
_Option = TypeVar("_Option")

_PUPILS_PER_CORPORATION = 20_000
_MOST_CORPORATIONS = 90
_STATE = "1088000000"  # owns the special education programs

_GRADES = ("PK", "KG", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13")
_LAST_NAMES = [
    "Abbott",
    "Baker",
    "Castillo",
    "Dawson",
    "Ellery",
    "Fenwick",
    "Garnet",
    "Hollis",
    "Ivers",
    "Jarrow",
    "Kessler",
    "Lindqvist",
    "Marlow",
    "Norwood",
    "Okafor",
    "Pruitt",
    "Quimby",
    "Ramsey",
    "Stanton",
    "Teague",
    "Underhill",
    "Vance",
    "Whitlock",
    "Yarrow",
]
_FIRST_NAMES = [
    "Ada",
    "Bruno",
    "Clara",
    "Dmitri",
    "Elena",
    "Felix",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Kira",
    "Leo",
    "Mina",
    "Noel",
    "Olga",
    "Pablo",
    "Rosa",
    "Silas",
    "Tess",
    "Ulric",
    "Vera",
    "Walt",
    "Xenia",
    "Yusuf",
    "Zoe",
]
_COUNTIES = (
    "Adams",
    "Brown",
    "Clay",
    "Daviess",
    "Floyd",
    "Greene",
    "Jasper",
    "Lake",
    "Owen",
    "Vigo",
)

_PROGRAM_NAMES = {
    "26": "Regular Early Childhood, at least 10 Hours",
    "27": "Regular Early Childhood, at least 10 Hours, Other Location",
    "28": "Regular Early Childhood, less than 10 Hours",
    "29": "Regular Early Childhood, less than 10 Hours, Other Location",
    "33": "Special Education Program, Separate Class",
    "34": "Special Education Program, Separate School",
    "35": "Special Education Program, Residential Facility",
    "36": "Other Services at Provider Location",
    "37": "Other Services at Home",
    "38": "Private Preschool",
    "50": "Regular Classroom (80% or more)",
    "51": "Resource Room (40%-79%)",
    "52": "Separate Class (less than 40%)",
    "53": "Separate Day School Facility (+50%)",
    "54": "Residential Facility (+50%)",
    "55": "Correctional Facility",
    "56": "Parentally placed in Private School",
    "57": "Student's disability requires home services",
}
_UNSERVED = "Identified Unserved NonPublic/Homeschool Only"
_VOUCHER = "Choice Voucher"

# Settings that go with a program; "" is a blank one.
_SETTINGS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(["26", "27", "28", "29"], ("", "", "01", "02", "04", "06", "09", "10")),
    **dict.fromkeys(["33", "34", "35"], ("", "", "02", "04", "06", "09")),
    **dict.fromkeys(["50", "51", "52", "53", "54"], ("", "", "", "02", "04", "06", "09", "10")),
    "36": ("",),
    "37": ("", "01", "02", "04"),
    "38": ("10",),
    "55": ("04",),
    "56": ("03", "10"),
    "57": ("", "02", "04"),
    _UNSERVED: ("03", "10"),
    _VOUCHER: ("10",),
}
_PRESCHOOL = ["26", "26", "26", "27", "28", "28", "29", "33", "33", "34", "35", "36", "37"]
_SCHOOL_AGE = ["50", "50", "50", "50", "50", "51", "51", "51", "52", "52", "53", "54", "55", "57"]
_NON_PUBLIC_PRESCHOOL = ["38"]
_NON_PUBLIC_SCHOOL_AGE = ["56", "56", "56", _UNSERVED, _VOUCHER]
_DISABILITIES = [
    "07",
    "07",
    "07",
    "09",
    "09",
    "17",
    "17",
    "15",
    "05",
    "06",
    "10",
    "11",
    "01",
    "02",
    "03",
    "04",
    "12",
]
_DELAY = "08"
_EXITS = ("10", "14", "15", "19", "20", "25", "26", "27", "31")


class Student(NamedTuple):
    """A row of `student`."""

    student_id: str
    last_name: str
    first_name: str
    birth_date: str
    county_of_residence: str
    us_entry_date: str


class Stay(NamedTuple):
    """A row of `enrollment`."""

    student_id: str
    school_id: str
    corp_id: str
    entry_date: str
    grade: str
    primary_school: str = "true"
    exit_date: str = ""
    exit_type: str = ""


class Program(NamedTuple):
    """A row of `special_education`."""

    student_id: str
    edorg_id: str
    corp_id: str
    program: str
    begin_date: str
    end_date: str = ""
    setting: str = ""
    idea_eligibility: str = "true"
    primary_disability: str = "07"
    secondary_disability: str = ""
    reason_exited: str = ""


class School(NamedTuple):
    """A row of `school`."""

    school_id: str
    school_name: str
    corp_id: str
    sector: str = "public"
    org_type: str = "Traditional Public"
    is_choice: str = "false"
    is_adult_charter: str = "false"


class Corporation(NamedTuple):
    """A row of `corporation`."""

    corp_id: str
    corp_name: str
    org_type: str


class Planted(NamedTuple):
    """A row of the list of what must be found, and of what must not."""

    rule: str
    table: str
    student_id: str
    expected: str
    note: str


@dataclass(frozen=True, slots=True)
class _Case:
    """One pupil with everything that is reported about the pupil, and what has to come of it."""

    students: list[Student]
    stays: list[Stay] = field(default_factory=list)
    programs: list[Program] = field(default_factory=list)
    planted: list[Planted] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Corporation:
    """A public corporation with its schools, and the non-public school in its area."""

    corporation: Corporation
    early: School
    elementary: tuple[School, School]
    middle: School
    high: School
    non_public: School

    def schools(self) -> tuple[School, ...]:
        return (self.early, *self.elementary, self.middle, self.high, self.non_public)

    def school_for(self, grade: str) -> School:
        position = _GRADES.index(grade) if grade in _GRADES else 1
        if position == 0:
            return self.early
        if position <= 6:
            return self.elementary[0]
        return self.middle if position <= 9 else self.high


def write_indiana_sample(
    folder: Path,
    *,
    pupils: int = 500,
    seed: int = 1,
    school_year: int = 2023,
    layout: Layout = "csv",
) -> None:
    """Writes a district of `pupils` pupils, the planted ones among them; never fewer than those.

    `school_year` is the year in which the school year starts. `csv` gives one file per table;
    `edfi` gives four files of interchange XML, without the faults for the built-in rules. Large
    numbers of pupils are spread over several corporations. The folder is made where it does not
    exist, and files of the same names in it are overwritten.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = Random(seed)
    number = max(1, min(_MOST_CORPORATIONS, pupils // _PUPILS_PER_CORPORATION))
    corporations = [_corporation(position) for position in range(number)]
    ids = _student_ids(rng)
    lines = [*_RULE_CASES.strip().splitlines(), *_setting_cases()]
    if layout == "csv":
        lines += _INTAKE_CASES.strip().splitlines()
    with ExitStack() as stack:
        writer: _Writer = (
            _CsvWriter(folder, stack) if layout == "csv" else _InterchangeWriter(folder, stack)
        )
        planted = _open_table(folder, "planted", Planted._fields, stack)
        for corporation in corporations:
            writer.write_corporation(corporation)
        for line in lines:
            case = _planted_case(line, rng, next(ids), corporations[0], school_year)
            writer.write_case(case)
            planted.writerows(case.planted)
        for position in range(pupils - len(lines)):
            home = corporations[position % number]
            writer.write_case(_Ordinary(rng, next(ids), home, school_year).case())


# ── who and where ──────────────────────────────────────────────────────────────────────────────


def _pick(rng: Random, options: Sequence[_Option]) -> _Option:
    # WHY: of `random.Random` only the sequence of `random()` is promised to stay as it is.
    return options[int(rng.random() * len(options))]


def _day_between(rng: Random, first: date, last: date) -> date:
    return first + timedelta(days=int(rng.random() * ((last - first).days + 1)))


def _student_ids(rng: Random) -> Iterator[str]:
    """Ids of 9 characters in no visible order, each once; most begin with 0, a few with B."""
    size = 10**8
    start = int(rng.random() * size)
    for position in range(size):
        scattered = (start + position * 61_803_399) % size
        yield f"{'B' if scattered % 397 == 0 else '0'}{scattered:08d}"


def _corporation(position: int) -> _Corporation:
    four = f"{9900 + position}"
    corp_id = f"10{four}0000"
    place = f"{_COUNTIES[position % len(_COUNTIES)]} Prairie {position + 1}"

    def public(number: int, kind: str) -> School:
        return School(f"10{four}{number:04d}", f"{place} {kind}", corp_id)

    own_id = f"1000009{position:03d}"
    name = f"{place} Community School Corporation"
    return _Corporation(
        corporation=Corporation(corp_id, name, "Traditional Public"),
        early=public(101, "Early Learning Center"),
        elementary=(public(201, "Elementary School East"), public(202, "Elementary School West")),
        middle=public(301, "Middle School"),
        high=public(401, "High School"),
        non_public=School(
            own_id, f"{place} Academy", own_id, "non-public", "Choice (non-public)", "true"
        ),
    )


def _student(rng: Random, student_id: str, birth_date: date) -> Student:
    from_abroad = rng.random() < 0.03
    return Student(
        student_id=student_id,
        last_name=_pick(rng, _LAST_NAMES),
        first_name=_pick(rng, _FIRST_NAMES),
        birth_date=str(birth_date),
        county_of_residence=_pick(rng, _COUNTIES),
        us_entry_date=str(birth_date + timedelta(days=900)) if from_abroad else "",
    )


def _stay(student_id: str, school: School, grade: str, entry: date, *more: str) -> Stay:
    return Stay(student_id, school.school_id, school.corp_id, str(entry), grade, *more)


def _program(student_id: str, school: School, program: str, begin: date, *more: str) -> Program:
    return Program(student_id, school.school_id, school.corp_id, program, str(begin), *more)


def _text(day: date | None) -> str:
    return "" if day is None else str(day)


def _leap_day(latest_year: int) -> date:
    """The last 29 February that is not after `latest_year`."""
    while not calendar.isleap(latest_year):
        latest_year -= 1
    return date(latest_year, 2, 29)


def _birth_date(rng: Random, year: int, grade: str) -> date:
    """One that goes with the grade: 3 to 5 in PK, 5 by 1 October in KG, 18 to 21 in grade 13."""
    position = _GRADES.index(grade)
    if grade == "PK":
        return _day_between(rng, date(year - 5, 10, 2), date(year - 3, 10, 1))
    if grade == "13":
        return _day_between(rng, date(year - 21, 7, 2), date(year - 18, 10, 1))
    return _day_between(rng, date(year - 5 - position, 10, 2), date(year - 4 - position, 10, 1))


def _usual_grade(year: int, birth_date: date) -> str:
    """The grade that goes with a birth date, by the age on 1 October."""
    not_yet = (birth_date.month, birth_date.day) > (10, 1)
    age = year - birth_date.year - not_yet
    return _GRADES[max(0, min(age - 4, len(_GRADES) - 1))]


# ── pupils in whom nothing is wrong ────────────────────────────────────────────────────────────


class _Ordinary:
    """One such pupil: 15 % are served by special education, some move, leave or come back."""

    def __init__(self, rng: Random, student_id: str, home: _Corporation, year: int) -> None:
        self.rng, self.student_id, self.home, self.year = rng, student_id, home, year
        self.served = rng.random() < 0.15
        grade = _pick(rng, _GRADES[:14])
        if self.served and rng.random() < 0.02:
            grade = "13"
        self.birth_date = _birth_date(rng, year, grade)
        if grade == "KG" and rng.random() < 0.2:
            grade = _pick(rng, ("KG - Morning", "KG - Afternoon"))
        self.grade = grade
        self.school = home.school_for(grade)
        self.non_public = rng.random() < (0.12 if self.served else 0.04)
        self.last_day: date | None = None
        if rng.random() < 0.05:
            # Whoever is served and leaves before the count date is a finding, so those stay longer.
            earliest = date(year + 1, 1, 8) if self.served else date(year, 9, 12)
            self.last_day = earliest + timedelta(days=int(rng.random() * 70))

    def case(self) -> _Case:
        return _Case(
            students=[_student(self.rng, self.student_id, self.birth_date)],
            stays=self.stays(),
            programs=self.programs() if self.served else [],
        )

    def stays(self) -> list[Stay]:
        rng, year, student_id, grade = self.rng, self.year, self.student_id, self.grade
        main = self.home.non_public if self.non_public else self.school
        entry = date(year, 8, 8)
        if self.last_day is None and rng.random() < 0.06:
            entry += timedelta(days=int(rng.random() * 90))
        left = (_text(self.last_day), _pick(rng, _EXITS) if self.last_day else "")
        chance = rng.random()
        if self.non_public and self.served and chance < 0.5:
            # Served at a public school, which is then not the primary one.
            return [
                _stay(student_id, main, grade, entry, "true", *left),
                _stay(student_id, self.school, grade, entry, "false", *left),
            ]
        if not self.non_public and self.last_day is None and entry.month == 8 and chance < 0.04:
            # To the sister school, or away and back again; always before the count.
            moved = _day_between(rng, date(year, 9, 1), date(year, 10, 20))
            east, west = self.home.elementary
            back, second = (1, west) if main is east else (11, main)
            return [
                _stay(student_id, main, grade, entry, "true", str(moved), "19"),
                _stay(student_id, second, grade, moved + timedelta(days=back)),
            ]
        return [_stay(student_id, main, grade, entry, "true", *left)]

    def programs(self) -> list[Program]:
        rng, year = self.rng, self.year
        if self.grade == "PK":
            choices = _NON_PUBLIC_PRESCHOOL if self.non_public else _PRESCHOOL
        else:
            choices = _NON_PUBLIC_SCHOOL_AGE if self.non_public else _SCHOOL_AGE
        begin = _day_between(rng, date(year, 8, 8), date(year, 10, 15))
        end, reason = self.last_day, _pick(rng, ("16", "17")) if self.last_day else ""
        if end is None and rng.random() < 0.04:
            end = _day_between(rng, date(year + 1, 1, 10), date(year + 1, 4, 30))
            reason = _pick(rng, ("1", "99"))
        pupil = ("true", *self.disabilities())
        programs = []
        if rng.random() < 0.08:
            changed = _day_between(rng, date(year, 10, 16), date(year, 11, 20))
            programs.append(self.program(_pick(rng, choices), begin, changed, *pupil))
            begin = changed + timedelta(days=1)
        programs.append(self.program(_pick(rng, choices), begin, end, *pupil, reason))
        return programs

    def program(self, program: str, begin: date, end: date | None, *more: str) -> Program:
        setting = _pick(self.rng, _SETTINGS[program])
        return _program(self.student_id, self.school, program, begin, _text(end), setting, *more)

    def disabilities(self) -> tuple[str, str]:
        """Primary and secondary; developmental delay for those under 9 on 1 December only."""
        rng, born = self.rng, self.birth_date
        age = self.year - born.year - ((born.month, born.day) > (12, 1))
        primary = _DELAY if age < 9 and rng.random() < 0.25 else _pick(rng, _DISABILITIES)
        secondary = _pick(rng, _DISABILITIES) if rng.random() < 0.2 else ""
        if secondary == primary:
            secondary = _DELAY if age < 9 else ""
        return primary, secondary


# ── pupils in whom something is wrong, or nearly ───────────────────────────────────────────────

# A line is a pupil: what is expected, the pupil, the programs, the stays, and a note.
#   expected   `+5` SpecialEducation-5 reports it, `-5` nearly; `+student.key` a built-in rule does
#   pupil      a grade (`auto` goes with the birth date), then the birth date: `7-1/23` is 1 July 23
#              years before, `leap/23` the last 29 February up to that year; `twice`: two rows
#   programs   program/setting; one begins on 14 August unless it says otherwise
#   stays      `public` or `private`; one begins on 8 August; `public` where nothing stands
# Cells are set with `name=value`. A date is month-day of the autumn of the school year, and is
# written as it stands, so that 11-31 is a date that cannot be read.
_RULE_CASES = """
+1 | 05 | 56/10 | public | public school is primary all year
+1 | PK | 38/10 begin=10-13 | public exit=10-13; private entry=10-14 | one day of overlap
-1 | PK | 38/10 begin=10-14 | public exit=10-13; private entry=10-14 | placed on the day after
-1 | 05 | 56/10 | public primary=false; private | public school is not the primary one
-1 -13 | 05 | 56/03 begin=10-14 | public exit=10-13 | homeschooled, so without a grade on 1 December
-1 | 05 | 56/10 | public primary=; private | primary flag of the public school is blank
-1 | 05 | 57 | public | home services are no parental placement
+2 +13 | 13 7-1/23 | 54 | | 23rd birthday on 1 July
+2 +13 | 13 5-5/24 | 53 | | over 23
+2 | 13 leap/23 | Unserved/03 | | 23 or more, born on 29 February; no age limit of the program
-2 -13 | 13 7-2/23 | 54 | | 23rd birthday on 2 July
-2 -13 | auto leap/19 | 51 | | under 23, born on 29 February
+3 | PK 12-2/3 | 26 | | third birthday on the day after the count date
+3 | PK 2-15/2 | 37/04 | | third birthday months after the count date
-3 | PK 12-1/3 | 33 | | third birthday on the count date
-3 | auto leap/3 | Unserved/10 | private | 3 or more, born on 29 February
+4 | 05 | 50 end=11-30 reason=1 | | ended on the day before the count date
+4 | 05 | 51 begin=12-2 | | begins on the day after the count date
+4 | 05 | 51 end=9-29; 52 begin=12-2 | | one ended before, the other begins after
-4 | 05 | 52 end=12-1 reason=17 | public exit=12-1 type=20 | program and stay end on the count date
-4 | 05 | 50 begin=12-1 | | begins on the count date
-4 | 05 | 50 end=11-30; 51 begin=12-1 | | one after the other, without a gap
+5 | auto 12-1/9 | 50 first=08 | | ninth birthday on 1 December
+5 | auto leap/9 | 51 first=08 | | 9 or more, born on 29 February
-5 | auto 12-2/9 | 50 first=08 | | ninth birthday on 2 December
-5 | auto leap/5 | 50 first=08 | | under 9, born on 29 February
-5 -6 | auto 12-1/9 | 50 first=17 second=09 | | 9 with other disabilities
+6 | auto 12-1/9 | 50 first=09 second=08 | | ninth birthday on 1 December
+6 | auto leap/9 | 51 first=09 second=08 | | 9 or more, born on 29 February
-6 | auto 12-2/9 | 50 first=09 second=08 | | ninth birthday on 2 December
-6 | auto leap/5 | 50 first=09 second=08 | | under 9, born on 29 February
+7 +13 | PK 12-2/6 | 50 | | sixth birthday on the day after the count date
+7 +13 | PK 12-1/3 | 57 | | school-age home services at 3
-7 -13 | PK 12-1/6 | 50 | | sixth birthday on the count date
-7 | PK 12-2/6 | 37 | | still 5, and in a preschool program
-7 -13 | PK 9-1/5 | 50 end=9-15; 26 begin=9-16 | public KG exit=9-15; public entry=9-16 | back to PK
-7 -13 | KG 9-30/5 | 50 begin=10-3 | public PK exit=10-2; public entry=10-3 | went up to KG
+13 | PK 12-1/7 | 50 | | seventh birthday on the count date
-13 | PK 12-2/7 | 52 | | seventh birthday on the day after the count date
-13 | KG 9-30/5 | 51 | public grade=KG_-_Morning | half-day kindergarten
+18 | 05 | Undefined | | Undefined
+18 | 05 | blank | | blank
+18 -7 | PK | Undefined | | not placed, so not placed wrongly for PK
-18 | 05 | Undefined end=11-30; 50 begin=12-1 | | placed on the count date
-18 | 05 | Undefined; 51 begin=10-2 | | placed, though Undefined was never ended
-18 | 05 | Unserved/10 | private | a program without an older code is a placement
+19 | 05 | 50 idea=false | | not eligible
+19 | 05 | 51 idea= | | eligibility is blank
+19 | 05 | 51 idea=false end=12-1 | | not eligible, and ends on the count date
-19 | 05 | 50 idea=false end=11-30; 50 begin=12-1 | | eligible from the count date on
-19 | 05 | 52 end=12-1; 51 idea=false begin=12-2 | | eligible up to the count date
"""

# NOTE: a cell that cannot be read is one finding, and missing for the rules; it is not reported as
# required as well. A duplicate key is a finding of each of its rows.
_INTAKE_CASES = """
+student.key +student.key | 05 twice | | | pupil is there twice
+student.birth_date.required | 05 birth_date= | | | no birth date
+student.us_entry_date.type | 05 us_entry_date=9-31 | | | 31 September
+student.county_of_residence.length | 05 county=A_very_long_name_for_one_county | | | 31 characters
+enrollment.key +enrollment.key | 05 | | public; public exit=11-3 | stay is there twice
+enrollment.school_id.reference | 05 | | public school=1099990000 | no such school
+enrollment.entry_date.required | 05 | | public entry= | no entry date
+enrollment.exit_date.type | 05 | | public exit=11-31 | 31 November
+enrollment.exit_date.type | 05 | | public exit=open | a word
+enrollment.grade.code | 09 | | public grade=9 | leading zero lost
+enrollment.exit_type.code | 05 | | public exit=10-5 type=98 | no such code
+enrollment.primary_school.type | 05 | | public primary=perhaps | neither true nor false
+special_education.key +special_education.key | 05 | 51; 51/02 | | program is there twice
+special_education.student_id.reference | 05 | 50 student=999999999 | | no such pupil
+special_education.begin_date.required +4 | 05 | 50 begin= | | not known to run
+special_education.end_date.type -4 | 05 | 50 end=9-31 | | 31 September; counts as open
+special_education.program.code +18 | 05 | 58 | | no such program
+special_education.setting.code -14 | 05 | 50/11 | | no such setting; 50 needs none
+special_education.setting.code +15 | 05 | 55/11 | | no such setting; 55 needs one
+special_education.primary_disability.code | 05 | 50 first=13 | | 13 is not used
+special_education.idea_eligibility.type +19 | 05 | 50 idea=perhaps | | neither true nor false
"""

# By rule: programs with settings that must be reported, and with settings that must not.
_SETTING_CASES = {
    8: ("26/03 29/08 27/05 28/99", "26 29/10 27/01 28/06"),
    9: ("33/10 34/03 35/01", "33/09 34 35/06"),
    10: ("36/02 36/10", "36 37/02"),
    11: ("37/06 37/08", "37 37/01"),
    12: ("38 38/03", "38/10 37"),
    14: ("50/03 52/07 54/01", "50 53/09 54/10"),
    15: ("55 55/02", "55/04 54"),
    16: ("56 56/04", "56/03 56/10"),
    17: ("57/10 57/06", "57 57/02"),
}
_NAMES_OF_CELLS = {
    "begin": "begin_date",
    "end": "end_date",
    "idea": "idea_eligibility",
    "first": "primary_disability",
    "second": "secondary_disability",
    "reason": "reason_exited",
    "student": "student_id",
    "county": "county_of_residence",
    "entry": "entry_date",
    "exit": "exit_date",
    "type": "exit_type",
    "primary": "primary_school",
    "school": "school_id",
}
_NAMES_OF_PROGRAMS = {"Unserved": _UNSERVED, "blank": ""}
_ABOUT_PUPILS = ("SpecialEducation-4", "SpecialEducation-18")


def _setting_cases() -> list[str]:
    return [
        f"{sign}{rule} | {'PK' if program < '50' else '05'} | {program} | "
        f"{'private' if program[:2] in ('38', '56') else 'public'} | program/setting {program}"
        for rule, by_sign in _SETTING_CASES.items()
        for sign, programs in zip("+-", by_sign, strict=True)
        for program in programs.split()
    ]


def _planted_case(line: str, rng: Random, student_id: str, home: _Corporation, year: int) -> _Case:
    expected, pupil, programs, stays, note = (cell.strip() for cell in line.split("|"))
    grade, *about = pupil.split()
    birth_date = date(year - (4 if grade == "PK" else 10), 3, 15)
    for born in (word for word in about if "/" in word):
        birth_date = _planted_birth_date(born, year)
    if grade == "auto":
        grade = _usual_grade(year, birth_date)
    student = _student(rng, student_id, birth_date)._replace(**_cells(about, year))
    made = _Case(students=[student] * (2 if "twice" in about else 1))
    school = home.school_for(grade)
    for words in (each.split() for each in programs.split(";") if each):
        program, _, setting = words[0].partition("/")
        program = _NAMES_OF_PROGRAMS.get(program, program)
        row = _program(student_id, school, program, date(year, 8, 14), "", setting)
        made.programs.append(row._replace(**_cells(words, year)))
    for words in (each.split() for each in (stays or "public").split(";")):
        at = home.non_public if words[0] == "private" else school
        own_grade = words[1] if words[1:] and words[1] in _GRADES else grade
        stay = _stay(student_id, at, own_grade, date(year, 8, 8))
        made.stays.append(stay._replace(**_cells(words, year)))
    for rule in expected.split():
        made.planted.append(_planted(rule, made, note))
    return made


def _planted_birth_date(born: str, year: int) -> date:
    day, _, years_before = born.partition("/")
    if day == "leap":
        return _leap_day(year - int(years_before))
    month, day_of_month = day.split("-")
    return date(year - int(years_before), int(month), int(day_of_month))


def _cells(words: Sequence[str], year: int) -> dict[str, str]:
    cells = {}
    for name, _, value in (word.partition("=") for word in words if "=" in word):
        month, dash, day = value.partition("-")
        if dash and month.isdigit():
            value = f"{year}-{month:0>2}-{day:0>2}"
        cells[_NAMES_OF_CELLS.get(name, name)] = value.replace("_", " ")
    return cells


def _planted(rule: str, made: _Case, note: str) -> Planted:
    expected = "finding" if rule[0] == "+" else "near miss"
    if rule[1:].isdigit():
        name = f"SpecialEducation-{rule[1:]}"
        table = "student" if name in _ABOUT_PUPILS else "special_education"
    else:
        name = rule[1:]
        table = name.partition(".")[0]
    # A program may be that of a pupil who does not exist.
    about = made.programs[0] if table == "special_education" else made.students[0]
    return Planted(name, table, about.student_id, expected, note)


# ── files ──────────────────────────────────────────────────────────────────────────────────────


class _Writer(Protocol):
    def write_corporation(self, corporation: _Corporation) -> None: ...

    def write_case(self, case: _Case) -> None: ...


class _RowWriter(Protocol):
    def writerow(self, row: Sequence[str], /) -> object: ...

    def writerows(self, rows: Iterable[Sequence[str]], /) -> object: ...


def _open_table(folder: Path, name: str, columns: Sequence[str], stack: ExitStack) -> _RowWriter:
    file = stack.enter_context((folder / f"{name}.csv").open("w", encoding="utf-8", newline=""))
    rows: _RowWriter = csv.writer(file, lineterminator="\n")
    rows.writerow(columns)
    return rows


class _CsvWriter:
    """One file per table. Every eighth program goes by its name, which the model accepts too."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.student = _open_table(folder, "student", Student._fields, stack)
        self.enrollment = _open_table(folder, "enrollment", Stay._fields, stack)
        self.special_education = _open_table(folder, "special_education", Program._fields, stack)
        self.school = _open_table(folder, "school", School._fields, stack)
        self.corporation = _open_table(folder, "corporation", Corporation._fields, stack)
        self.programs_written = 0

    def write_corporation(self, corporation: _Corporation) -> None:
        self.corporation.writerow(corporation.corporation)
        # A non-public school reports for itself, so it is a corporation too.
        own = corporation.non_public
        self.corporation.writerow(Corporation(own.school_id, own.school_name, own.org_type))
        for school in corporation.schools():
            self.school.writerow(school)

    def write_case(self, case: _Case) -> None:
        self.student.writerows(case.students)
        self.enrollment.writerows(case.stays)
        for program in case.programs:
            self.programs_written += 1
            name = _PROGRAM_NAMES.get(program.program)
            if name is not None and self.programs_written % 8 == 0:
                program = program._replace(program=name)
            self.special_education.writerow(program)


_NAMESPACE = "http://ed-fi.org/4.0.0-a"
_DESCRIPTORS = "uri://doe.in.gov"


class _InterchangeWriter:
    """Ed-Fi bulk interchange: a blank has no element, a code is a descriptor."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self.stack = folder, stack
        self.organizations = self._interchange("EducationOrganization")
        self.students = self._interchange("Student")
        self.stays = self._interchange("StudentEnrollment")
        self.programs = self._interchange("StudentProgram")

    def _interchange(self, name: str) -> IO[str]:
        file = (self.folder / f"Indiana-{name}.xml").open("w", encoding="utf-8", newline="\n")
        self.stack.enter_context(file)
        file.write('<?xml version="1.0" encoding="UTF-8"?>\n')
        file.write(f'<Interchange{name} xmlns="{_NAMESPACE}">\n')
        self.stack.callback(_close_interchange, file, name)
        return file

    def write_corporation(self, corporation: _Corporation) -> None:
        own = corporation.corporation
        self.organizations.write(
            f'<LocalEducationAgency id="LEAG_{own.corp_id}">'
            f"{_element('NameOfInstitution', own.corp_name)}"
            f"{_element('LocalEducationAgencyId', own.corp_id)}"
            "</LocalEducationAgency>\n"
        )
        for school in corporation.schools():
            public = school.sector == "public"
            control = "Public School" if public else "Private School"
            belongs = (
                f'<LocalEducationAgencyReference ref="LEAG_{school.corp_id}"/>' if public else ""
            )
            self.organizations.write(
                f'<School id="SCOL_{school.school_id}">'
                f"{_element('NameOfInstitution', school.school_name)}"
                f"{_element('SchoolId', school.school_id)}"
                "<AdministrativeFundingControl>uri://ed-fi.org/AdministrativeFundingControlDescriptor#"
                f"{control}</AdministrativeFundingControl>{belongs}</School>\n"
            )

    def write_case(self, case: _Case) -> None:
        for student in case.students:
            self.students.write(
                f"<Student>{_element('StudentUniqueId', student.student_id)}<Name>"
                f"{_element('FirstName', student.first_name)}"
                f"{_element('LastSurname', student.last_name)}"
                f"</Name><BirthData>{_element('BirthDate', student.birth_date)}"
                f"{_element('DateEnteredUS', student.us_entry_date)}</BirthData></Student>\n"
            )
        for stay in case.stays:
            self.stays.write(
                f"<StudentSchoolAssociation>{_pupil(stay.student_id)}"
                f"<SchoolReference><SchoolIdentity>{_element('SchoolId', stay.school_id)}"
                "</SchoolIdentity></SchoolReference>"
                f"{_element('PrimarySchool', stay.primary_school)}"
                f"{_element('EntryDate', stay.entry_date)}"
                f"{_descriptor('EntryGradeLevel', 'GradeLevel', stay.grade)}"
                f"{_element('ExitWithdrawDate', stay.exit_date)}"
                f"{_descriptor('ExitWithdrawType', 'ExitWithdrawType', stay.exit_type)}"
                "</StudentSchoolAssociation>\n"
            )
        for program in case.programs:
            self.programs.write(_program_element(program))


def _close_interchange(file: IO[str], name: str) -> None:
    file.write(f"</Interchange{name}>\n")


def _element(name: str, value: str) -> str:
    return f"<{name}>{escape(value)}</{name}>" if value else ""


def _descriptor(element: str, kind: str, value: str) -> str:
    return _element(element, f"{_DESCRIPTORS}/{kind}Descriptor#{value}") if value else ""


def _pupil(student_id: str) -> str:
    return (
        f"<StudentReference><StudentIdentity>{_element('StudentUniqueId', student_id)}"
        "</StudentIdentity></StudentReference>"
    )


def _organization(edorg_id: str) -> str:
    return (
        "<EducationOrganizationReference><EducationOrganizationIdentity>"
        f"{_element('EducationOrganizationId', edorg_id)}"
        "</EducationOrganizationIdentity></EducationOrganizationReference>"
    )


def _program_element(program: Program) -> str:
    name = _PROGRAM_NAMES.get(program.program, program.program)
    reference = (
        f"<ProgramReference><ProgramIdentity>{_organization(_STATE)}{_element('ProgramName', name)}"
        "<ProgramType>uri://ed-fi.org/ProgramTypeDescriptor#Special Education</ProgramType>"
        "</ProgramIdentity></ProgramReference>"
        if name
        else ""
    )
    disabilities = [
        f"<Disability>{_descriptor('Disability', 'Disability', code)}"
        f"<OrderOfDisability>{order}</OrderOfDisability></Disability>"
        for order, code in ((1, program.primary_disability), (2, program.secondary_disability))
        if code
    ]
    if program.student_id[-1] in "02468":
        disabilities.reverse()  # the order in the file says nothing
    return (
        f"<StudentSpecialEducationProgramAssociation>{_pupil(program.student_id)}{reference}"
        f"{_element('BeginDate', program.begin_date)}{_element('EndDate', program.end_date)}"
        f"{_descriptor('ReasonExited', 'ReasonExited', program.reason_exited)}"
        f"{_organization(program.edorg_id)}{_element('IdeaEligibility', program.idea_eligibility)}"
        f"{_descriptor('SpecialEducationSetting', 'SpecialEducationSetting', program.setting)}"
        f"{''.join(disabilities)}</StudentSpecialEducationProgramAssociation>\n"
    )
