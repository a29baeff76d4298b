"""oracle: the Ed-Fi sample districts -> what the special education rules have to say about them

A second opinion, written from the meaning of the rules and sharing nothing with the engine: no
rulebook is read, there are no tables, only dictionaries by pupil, and every verdict is worked out
for one pupil at a time. Where data is missing an answer is `None`, neither yes nor no; `both`,
`either` and `verdict` are sections 4 and 6 of the language page.
"""

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

Answer = bool | None

GRADE_WORDS = {
    "Preschool/Prekindergarten": "PK",
    "Kindergarten": "KG",
    "First grade": "01",
    "Second grade": "02",
    "Third grade": "03",
    "Fourth grade": "04",
    "Fifth grade": "05",
    "Sixth grade": "06",
    "Seventh grade": "07",
    "Eighth grade": "08",
    "Ninth grade": "09",
    "Tenth grade": "10",
    "Eleventh grade": "11",
    "Twelfth grade": "12",
}
KINDERGARTENS = {"KG", "KG - Morning", "KG - Afternoon"}
GRADES = {"PK", *KINDERGARTENS, *(f"{grade:02d}" for grade in range(1, 14))}
PRESCHOOL = {"26", "27", "28", "29", "33", "34", "35", "36", "37", "38"}
SCHOOL_AGE = {"50", "51", "52", "53", "54", "55", "56", "57"}


def listed(lines: str) -> dict[str, str]:
    """Lines `code name`, by what a file may hold: the code or the name."""
    pairs = [line.strip().partition(" ") for line in lines.strip().splitlines()]
    codes_by_word = {name: code for code, _, name in pairs}
    return codes_by_word | {code: code for code, _, _ in pairs}


PROGRAMS = listed(
    """
26 Regular Early Childhood, at least 10 Hours
27 Regular Early Childhood, at least 10 Hours, Other Location
28 Regular Early Childhood, less than 10 Hours
29 Regular Early Childhood, less than 10 Hours, Other Location
33 Special Education Program, Separate Class
34 Special Education Program, Separate School
35 Special Education Program, Residential Facility
36 Other Services at Provider Location
37 Other Services at Home
38 Private Preschool
50 Regular Classroom (80% or more)
51 Resource Room (40%-79%)
52 Separate Class (less than 40%)
53 Separate Day School Facility (+50%)
54 Residential Facility (+50%)
55 Correctional Facility
56 Parentally placed in Private School
57 Student's disability requires home services
    """
) | {
    name: name
    for name in ("Undefined", "Choice Voucher", "Identified Unserved NonPublic/Homeschool Only")
}
SETTING_NAMES = listed(
    """
01 Community-Based Preschool/Head Start
02 Medical/Mental Health Placement
03 Homeschooled
04 Court-Ordered Placement
05 Residential Placement
06 Out-of-State Placement
07 Public Preschool Program in a Separate Building
08 Head Start
09 Private Vendor (Day Program/Residential)
10 Non-Public School (PK-13)
99 Not applicable, state school number provided
    """
)
DISABILITIES = listed(
    """
01 Multiple Disabilities
02 Orthopedic Impairment
03 Visual Impairment, including Blindness
04 Hearing Impairment, including Deafness
05 Emotional Disability (Full Time)
06 Emotional Disability (Other)
07 Specific Learning Disability
08 Developmental Delay (ages 3-8 only)
09 Speech or Language Impairment
10 Mild Cognitive Disability
11 Moderate Cognitive Disability
12 Severe Cognitive Disability
14 Deaf-Blindness
15 Autism Spectrum Disorders
16 Traumatic Brain Injury
17 Other Health Impairment
    """
) | {"Developmental Delay": "08"}
REASONS = listed(
    """
1 Transferred to Regular Education
11 Earned High School Diploma
12 Received Certificate
13 Reached maximum age of 22
14 Deceased
15 Dropout
16 Moved, known to be continuing in General Education only, or out of state
17 Moved, continuing Special Education in Indiana
18 Received an Alternate Diploma
99 No longer qualifies
    """
)
EXITS = {
    code: code
    for code in [
        "01",
        "02",
        "03",
        "05",
        "10",
        "12",
        "13",
        "14",
        "15",
        "16",
        "17",
        "18",
        "19",
        "20",
        "21",
        "22",
        "25",
        "26",
        "27",
        "28",
        "29",
        "30",
        "31",
        "33",
        "34",
        "50",
    ]
}
SECTORS = {"Public School": "public", "Private School": "non-public"}
RESPONSIBILITIES = {
    word: word for word in ("Accountability", "Attendance", "Funding", "Legal Settlement")
}

# By rule: the programs it is about, the settings that go with them, and whether a blank one does.
SETTINGS: dict[int, tuple[str, str, bool]] = {
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


@dataclass
class Stay:
    school: str | None = None
    entry: date | None = None
    exit: date | None = None
    grade: str | None = None
    primary: Answer = None


@dataclass
class Program:
    program: str | None = None
    setting: str | None = None
    begin: date | None = None
    end: date | None = None
    eligible: Answer = None
    first_disability: str | None = None
    second_disability: str | None = None


@dataclass
class Pupil:
    """Everything about one pupil. `known` is False for an id that no Student element has."""

    known: bool = False
    born: date | None = None
    stays: list[Stay] = field(default_factory=list)
    programs: list[Program] = field(default_factory=list)


@dataclass
class Districts:
    """`faults` are the cells, keys and references that are wrong: built-in rule and student id."""

    pupils: dict[str, Pupil] = field(default_factory=dict)
    sector_by_school: dict[str, str | None] = field(default_factory=dict)
    faults: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    elements: Counter[str] = field(default_factory=Counter)
    primary_flag_supplied: bool = False

    def pupil(self, student_id: str) -> Pupil:
        return self.pupils.setdefault(student_id, Pupil())


@dataclass
class Judgement:
    """What one rule says. `failing` counts failing rows by student id."""

    counts: Counter[str] = field(default_factory=Counter)
    failing: Counter[str] = field(default_factory=Counter)
    evaluated: bool = True

    def add(self, student_id: str, said: str) -> None:
        self.counts[said] += 1
        if said == "fails":
            self.failing[student_id] += 1


# ── answers that may be missing ────────────────────────────────────────────────────────────────


def both(*answers: Answer) -> Answer:
    if any(answer is False for answer in answers):
        return False
    return None if None in answers else True


def either(*answers: Answer) -> Answer:
    if any(answer is True for answer in answers):
        return True
    return None if None in answers else False


def among(value: str | None, values: Iterable[str]) -> Answer:
    return None if value is None else value in set(values)


def at_least(value: int | None, limit: int) -> Answer:
    return None if value is None else value >= limit


def at_most(value: int | None, limit: int) -> Answer:
    return None if value is None else value <= limit


def age(born: date | None, on: date) -> int | None:
    if born is None:
        return None
    had_birthday = (on.month, on.day) >= (born.month, born.day)
    return on.year - born.year - (0 if had_birthday else 1)


def covers(first: date | None, last: date | None, day: date) -> Answer:
    begun = None if first is None else first <= day
    return both(begun, True if last is None else last >= day)


def verdict(applies: Answer, claim: Answer) -> str:
    if applies is False:
        return "not_applicable"
    if claim is True:
        return "holds"
    return "fails" if applies is True and claim is False else "unknown"


# ── the rules ──────────────────────────────────────────────────────────────────────────────────


def judge(districts: Districts, year: int, count_date: date) -> dict[str, Judgement]:
    """By rule id. `year` is the one in which the school year starts."""
    july_1, december_1 = date(year, 7, 1), date(year, 12, 1)

    def school_age_place(pupil: Pupil) -> Answer:
        grade = grade_on(pupil, count_date)
        young_enough = at_most(age(pupil.born, july_1), 22)
        years = age(pupil.born, count_date)
        six = None if years is None else years == 6
        return either(
            both(among(grade, GRADES - {"PK"}), young_enough),
            both(among(grade, {"PK"}), six),
        )

    def wrong_for_preschool(pupil: Pupil, program: Program) -> Answer:
        return both(
            covers(program.begin, program.end, count_date),
            among(program.program, PRESCHOOL | SCHOOL_AGE),
            among(grade_on(pupil, count_date), {"PK"}),
            at_most(age(pupil.born, count_date), 5),
        )

    by_program: dict[int, Callable[[Pupil, Program], tuple[Answer, Answer]]] = {
        1: lambda pupil, program: (
            among(program.program, {"38", "56"}),
            not public_meanwhile(districts, pupil, program),
        ),
        2: lambda pupil, _: (True, at_most(age(pupil.born, july_1), 22)),
        3: lambda pupil, _: (True, at_least(age(pupil.born, count_date), 3)),
        5: lambda pupil, program: (
            among(program.first_disability, {"08"}),
            at_most(age(pupil.born, december_1), 8),
        ),
        6: lambda pupil, program: (
            among(program.second_disability, {"08"}),
            at_most(age(pupil.born, december_1), 8),
        ),
        7: lambda pupil, program: (
            wrong_for_preschool(pupil, program),
            among(program.program, PRESCHOOL),
        ),
        13: lambda pupil, program: (
            both(
                covers(program.begin, program.end, count_date),
                among(program.program, SCHOOL_AGE),
            ),
            school_age_place(pupil),
        ),
        19: lambda _, program: (
            covers(program.begin, program.end, count_date),
            program.eligible is True,
        ),
    }
    for rule, (programs, settings, blank_goes) in SETTINGS.items():
        by_program[rule] = setting_rule(programs.split(), settings.split(), blank_goes)

    judgements = {f"SpecialEducation-{rule}": Judgement() for rule in range(1, 20)}
    for student_id, pupil in districts.pupils.items():
        for program in pupil.programs:
            for rule, ask in by_program.items():
                said = verdict(*ask(pupil, program))
                judgements[f"SpecialEducation-{rule}"].add(student_id, said)
        if pupil.known:
            running = [
                program
                for program in pupil.programs
                if covers(program.begin, program.end, count_date) is True
            ]
            placed = [each for each in running if each.program not in (None, "Undefined")]
            said = verdict(bool(pupil.programs), bool(running))
            judgements["SpecialEducation-4"].add(student_id, said)
            said = verdict(bool(running), bool(placed))
            judgements["SpecialEducation-18"].add(student_id, said)
    if not districts.primary_flag_supplied:
        judgements["SpecialEducation-1"] = Judgement(evaluated=False)
    return judgements


def setting_rule(
    programs: list[str], settings: list[str], blank_goes: bool
) -> Callable[[Pupil, Program], tuple[Answer, Answer]]:
    def ask(_: Pupil, program: Program) -> tuple[Answer, Answer]:
        goes = blank_goes if program.setting is None else program.setting in settings
        return among(program.program, programs), goes

    return ask


def public_meanwhile(districts: Districts, pupil: Pupil, program: Program) -> bool:
    """Whether a public school was surely the primary one on some day of the program."""
    for stay in pupil.stays:
        public = stay.school is not None and districts.sector_by_school.get(stay.school) == "public"
        if not (public and stay.primary and stay.entry and program.begin):
            continue
        first = max(stay.entry, program.begin)
        last = min(stay.exit or date.max, program.end or date.max)
        if first <= last:
            return True
    return False


def grade_on(pupil: Pupil, day: date) -> str | None:
    """The grade of the latest stay that surely covers the day."""
    there = [stay for stay in pupil.stays if covers(stay.entry, stay.exit, day) is True]
    if not there:
        return None
    return max(there, key=lambda stay: (stay.entry or date.min, stay.school or "")).grade


# ── reading ────────────────────────────────────────────────────────────────────────────────────


def read_districts(folder: Path) -> Districts:
    """All interchange files of the folder, with everything that the built-in rules report."""
    districts = Districts()
    roots = [ET.parse(path).getroot() for path in sorted(folder.glob("*.xml"))]
    for root in roots:
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]
    corporations: set[str | None] = set()
    for root in roots:
        districts.elements.update(element.tag for element in root)
        corporations |= {words(each, "LocalEducationAgencyId") for each in root}
        for student in root.iterfind("Student"):
            read_student(districts, student)
    corporations.discard(None)
    for root in roots:
        places = {element.get("id"): element for element in root if element.get("id")}
        for school in root.iterfind("School"):
            read_school(districts, school, places, corporations)
    keys: Counter[tuple[str, tuple[str | None, ...]]] = Counter()
    for root in roots:
        for element in root.iterfind("StudentSchoolAssociation"):
            keys[read_stay(districts, element)] += 1
        for element in root.iterfind("StudentSpecialEducationProgramAssociation"):
            keys[read_program(districts, element)] += 1
        for element in root.iterfind("StudentProgramAssociation"):
            keys[read_other_program(districts, element)] += 1
        for element in root.iterfind("StudentEducationOrganizationResponsibilityAssociation"):
            keys[read_responsibility(districts, element, corporations)] += 1
    for (table, key), rows in keys.items():
        if rows > 1:
            districts.faults[f"{table}.key", key[0]] += rows
    return districts


def words(element: ET.Element, path: str) -> str | None:
    """The text at a path, of a descriptor the part behind `#`; None where it is absent or blank."""
    found = element.findtext(path)
    if found is None or not found.strip():
        return None
    return found.rpartition("#")[2] if found.startswith("uri://") else found


def day(element: ET.Element, path: str) -> date | None:
    found = words(element, path)
    return None if found is None else date.fromisoformat(found)


def truth(found: str | None) -> Answer:
    return None if found is None else {"1": True, "true": True, "0": False, "false": False}[found]


def read_student(districts: Districts, element: ET.Element) -> None:
    student_id = words(element, "StudentUniqueId") or ""
    pupil = districts.pupil(student_id)
    if pupil.known:
        raise AssertionError(f"{student_id} is there twice, which this oracle does not expect")
    pupil.known = True
    pupil.born = day(element, "BirthData/BirthDate")
    if pupil.born is None:
        districts.faults["student.birth_date.required", student_id] += 1
    if len(student_id) > 9:
        districts.faults["student.student_id.length", student_id] += 1


def read_school(
    districts: Districts,
    element: ET.Element,
    places: dict[str | None, ET.Element],
    corporations: set[str | None],
) -> None:
    control = words(element, "AdministrativeFundingControl")
    if control is not None and control not in SECTORS:
        districts.faults["school.sector.code", None] += 1
    districts.sector_by_school[words(element, "SchoolId") or ""] = SECTORS.get(control or "")
    reference = element.find("LocalEducationAgencyReference")
    if reference is not None:
        agency = places.get(reference.get("ref"))
        if agency is None or words(agency, "LocalEducationAgencyId") not in corporations:
            districts.faults["school.corp_id.reference", None] += 1


def pupil_of(districts: Districts, table: str, element: ET.Element) -> str:
    student_id = words(element, "StudentReference/StudentIdentity/StudentUniqueId") or ""
    if not districts.pupil(student_id).known:
        districts.faults[f"{table}.student_id.reference", student_id] += 1
    return student_id


def required(
    districts: Districts, table: str, student_id: str, cells: dict[str, str | None]
) -> None:
    for column, found in cells.items():
        if found is None:
            districts.faults[f"{table}.{column}.required", student_id] += 1


def coded(
    districts: Districts, column: str, student_id: str, found: str | None, codes: dict[str, str]
) -> str | None:
    """The code; None, with a fault, for a word that stands for none."""
    if found is not None and found not in codes:
        districts.faults[f"{column}.code", student_id] += 1
    return None if found is None else codes.get(found)


def read_stay(districts: Districts, element: ET.Element) -> tuple[str, tuple[str | None, ...]]:
    table = "enrollment"
    student_id = pupil_of(districts, table, element)
    school = words(element, "SchoolReference/SchoolIdentity/SchoolId")
    grade = words(element, "EntryGradeLevel")
    entry = words(element, "EntryDate")
    cells = {"school_id": school, "grade": grade, "entry_date": entry}
    required(districts, table, student_id, cells)
    if school not in districts.sector_by_school:
        districts.faults["enrollment.school_id.reference", student_id] += 1
    coded(districts, "enrollment.exit_type", student_id, words(element, "ExitWithdrawType"), EXITS)
    primary = words(element, "PrimarySchool")
    districts.primary_flag_supplied |= primary is not None
    grades = GRADE_WORDS | {code: code for code in GRADES}
    districts.pupil(student_id).stays.append(
        Stay(
            school=school,
            entry=day(element, "EntryDate"),
            exit=day(element, "ExitWithdrawDate"),
            grade=coded(districts, "enrollment.grade", student_id, grade, grades),
            primary=truth(primary),
        )
    )
    return table, (student_id, school, entry)


def read_program(districts: Districts, element: ET.Element) -> tuple[str, tuple[str | None, ...]]:
    table = "special_education"
    student_id = pupil_of(districts, table, element)
    begin = words(element, "BeginDate")
    place = words(
        element,
        "EducationOrganizationReference/EducationOrganizationIdentity/EducationOrganizationId",
    )
    required(districts, table, student_id, {"edorg_id": place, "begin_date": begin})

    def code(column: str, found: str | None, codes: dict[str, str]) -> str | None:
        return coded(districts, f"{table}.{column}", student_id, found, codes)

    name = words(element, "ProgramReference/ProgramIdentity/ProgramName")
    program = code("program", name, PROGRAMS)
    code("reason_exited", words(element, "ReasonExited"), REASONS)
    first, second = disabilities_in_order(element)
    districts.pupil(student_id).programs.append(
        Program(
            program=program,
            setting=code("setting", words(element, "SpecialEducationSetting"), SETTING_NAMES),
            begin=day(element, "BeginDate"),
            end=day(element, "EndDate"),
            eligible=truth(words(element, "IdeaEligibility")),
            first_disability=code("primary_disability", first, DISABILITIES),
            second_disability=code("secondary_disability", second, DISABILITIES),
        )
    )
    return table, (student_id, place, program, begin)


def disabilities_in_order(element: ET.Element) -> tuple[str | None, str | None]:
    """The first and the second: by their order, then those without one in the free places."""
    by_order: dict[int, str | None] = {}
    without: list[str | None] = []
    for each in element.iterfind("Disability"):
        order = words(each, "OrderOfDisability")
        if order is None:
            without.append(words(each, "Disability"))
        else:
            by_order[int(order)] = words(each, "Disability")
    free = [place for place in range(1, 100) if place not in by_order]
    by_order.update(zip(free, without, strict=False))
    return by_order.get(1), by_order.get(2)


def read_other_program(
    districts: Districts, element: ET.Element
) -> tuple[str, tuple[str | None, ...]]:
    table = "program_association"
    student_id = pupil_of(districts, table, element)
    cells = {
        "edorg_id": words(
            element,
            "EducationOrganizationReference/EducationOrganizationIdentity/EducationOrganizationId",
        ),
        "program_type": words(element, "ProgramReference/ProgramIdentity/ProgramType"),
        "program_name": words(element, "ProgramReference/ProgramIdentity/ProgramName"),
        "begin_date": words(element, "BeginDate"),
    }
    required(districts, table, student_id, cells)
    return table, (student_id, *cells.values())


def read_responsibility(
    districts: Districts, element: ET.Element, corporations: set[str | None]
) -> tuple[str, tuple[str | None, ...]]:
    table = "responsibility"
    student_id = pupil_of(districts, table, element)
    corporation = words(
        element,
        "EducationOrganizationReference/EducationOrganizationIdentity/EducationOrganizationId",
    )
    kind = words(element, "Responsibility")
    required(districts, table, student_id, {"corp_id": corporation, "responsibility": kind})
    if corporation not in corporations:
        districts.faults["responsibility.corp_id.reference", student_id] += 1
    kind = coded(districts, "responsibility.responsibility", student_id, kind, RESPONSIBILITIES)
    return table, (student_id, corporation, kind)
