"""names: headers and file names -> names of the language, and what a name tells

Only clear names tell anything: a role, that a column is of a person, that it holds codes.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

_ROLES: dict[str, tuple[str, ...]] = {
    "student": (
        *("student_id", "pupil_id", "student_unique_id", "student_number", "student_test_number"),
        *("stn", "ssid", "sasid", "student_local_id", "local_student_id"),
    ),
    "school": ("school_id", "school_code", "school_number"),
    "staff": ("staff_id", "teacher_id", "educator_id", "staff_unique_id", "seid"),
    "lea": (
        *("lea_id", "district_id", "corp_id", "corporation_id"),
        *("lea_code", "district_code", "corporation_code"),
    ),
}
_ID = re.compile(r"(?:^|_)(?:id|ids|number|no|num|nbr|ssid|stn|seid|sasid|code|zip|phone|fein)$")
_CODED = re.compile(
    r"(?:^|_)(?:type|status|code|category|sector|grade|level|program|programme|race|ethnicity|gender"
    r"|sex|reason|kind|indicator|setting|disability|method|term|semester|exit)"
    r"(?:_|$)"
)
_PERSONAL = re.compile(
    r"(?:^|_)(?:name|names|first|last|middle|surname|forename|nickname|initials|address|street|city"
    r"|phone|email|mail|ssn|contact|guardian|parent|teacher|counselor|counsellor|author|user|comment"
    r"|comments|note|notes|remark|remarks|description|birthplace)(?:_|$)"
)
_SENSITIVE = re.compile(
    r"(?:^|_)(?:ssn|social_security(?:_number)?|(?:first|last|middle|full|given|family|maiden)_?name"
    r"|surname|address|street|phone|email|guardian|income)(?:_|$)"
)
_TRUTH = re.compile(r"^(?:is|has|was)_|(?:^|_)(?:flag|indicator|ind|yn)$")
_DAY = re.compile(r"(?:^|_)(?:date|dob|day|born|birthdate|birthday)(?:_|$)|date$")
BEGINNINGS = ("entry", "begin", "start", "beginning", "first", "from", "enroll", "enter")
ENDINGS = ("exit", "end", "leave", "ending", "last", "to", "withdrawal", "withdraw")


def snake(text: str) -> str:
    """The text as a name: `Student ID` and `StudentId` are `student_id`; empty where nothing of it
    can stand in a name.
    """
    plain = (
        unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode()
    )
    plain = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", plain)
    plain = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", plain)
    name = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")[:60].strip("_")
    return f"n_{name}" if name[:1].isdigit() else name


def named_apart(headers: Sequence[str]) -> dict[str, str]:
    """A name for each header that can be told from the others, in their order.

    Blank headers, and those that stand twice, are left out. No name is what another header says,
    for then that one would be read in its place.
    """
    stripped = [header.strip() for header in headers]
    names = {each: each for each in stripped if re.fullmatch(r"[a-z_][a-z0-9_]*", each)}
    for position, header in enumerate(stripped, start=1):
        if header.isprintable() and header not in names:
            stem = snake(header) or f"column_{position}"
            names[header] = apart(stem, names.values())
    return {h: names[h] for h in stripped if h in names and h and stripped.count(h) == 1}


def apart(stem: str, taken: Iterable[str]) -> str:
    """A name that is not taken yet."""
    names = set(taken)
    name, number = stem, 1
    while name in names:
        number += 1
        name = f"{stem}_{number}"
    return name


def roles_of(names: Iterable[str]) -> dict[str, str]:
    """The role of each column whose name says it clearly, each role once."""
    columns = set(names)
    return {
        next(each for each in known if each in columns): role
        for role, known in _ROLES.items()
        if columns & set(known)
    }


def says_id(name: str) -> bool:
    """Whether a column of this name holds ids, whose zeros count."""
    return _ID.search(name) is not None or any(name in known for known in _ROLES.values())


def says_codes(name: str) -> bool:
    """Whether a column of this name may well hold codes."""
    return _CODED.search(name) is not None


def says_personal(name: str) -> bool:
    """Whether a column of this name may hold what belongs to a person, which is never a code."""
    return _PERSONAL.search(name) is not None


def says_sensitive(name: str) -> bool:
    """Whether a column of this name clearly holds what is not to be printed."""
    return _SENSITIVE.search(name) is not None


def says_truth(name: str) -> bool:
    """Whether a column of this name says yes or no."""
    return _TRUTH.search(name) is not None


def says_day(name: str) -> bool:
    """Whether a column of this name holds dates."""
    return _DAY.search(name) is not None
