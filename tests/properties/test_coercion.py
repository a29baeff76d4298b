"""What a cell becomes, against a plain reading of the same text: nothing raises, and every cell is
a value, missing or bad.
"""

import datetime as dt
import math
import re
from collections.abc import Callable
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ruleforge.engine.admit import AdmittedTable, admit, bad
from ruleforge.engine.revision import Part, Revision
from ruleforge.language.load import load_text

SCHEMA = load_text("""
rulebook cells.of_every_type edition 1

codes shade
  "01" "Light" also "1", "pale"
  "1 "  "Odd"
  "D"  "01"
  "é"  "Dark"  also "É"

table t
  text:     text
  integer:  integer
  decimal:  decimal
  boolean:  boolean
  date:     date
  year:     school_year
  code:     shade
  labelled: shade by label
""").schema

BLANK = (
    " \t\n\v\f\r\x85\xa0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)

# ── the plain reading ───────────────────────────────────────────────────────────────────────────

Reading = Callable[[str], object]  # of a text that is not blank; None where it is no value


def integer(text: str) -> object:
    found = re.fullmatch("[+-]?[0-9]+", text.strip(BLANK))
    value = int(text.strip(BLANK)) if found and len(text) < 100 else 10**18
    return value if abs(value) < 10**18 else None


def decimal(text: str) -> object:
    found = re.fullmatch(r"[+-]?([0-9]+)(?:\.([0-9]{1,10}))?", text.strip(BLANK))
    if found is None or len(found[1].lstrip("0")) > 18:
        return None
    return Decimal(text.strip(BLANK))


def boolean(text: str) -> object:
    word = text.strip(BLANK).lower()
    if word in {"true", "yes", "y", "t", "1"}:
        return True
    return False if word in {"false", "no", "n", "f", "0"} else None


def date_in(date_format: str) -> Reading:
    order = re.findall("%([Ymd])", date_format)
    shape = re.escape(date_format).replace("%Y", "([0-9]{4})")
    shape = shape.replace("%m", "([0-9]{2})").replace("%d", "([0-9]{2})")

    def date(text: str) -> object:
        found = re.fullmatch(shape, text.strip(BLANK))
        if found is None:
            return None
        parts = dict(zip(order, map(int, found.groups()), strict=True))
        try:
            return dt.date(parts["Y"], parts["m"], parts["d"])
        except ValueError:
            return None

    return date


def school_year(text: str) -> object:
    found = re.fullmatch("([0-9]{4})-([0-9]{2}|[0-9]{4})", text.strip(BLANK))
    if found is None or not 1 <= int(found[1]) <= 9997:
        return None
    following = f"{int(found[1]) + 1:04d}"
    return int(found[1]) if found[2] in {following, following[2:]} else None


def code(text: str) -> object:
    spellings = {"1": "01", "pale": "01", "É": "é", "01": "01", "1 ": "1 ", "D": "D", "é": "é"}
    return spellings.get(text)


def labelled(text: str) -> object:
    # A code is itself, even where it is the label of another.
    return code(text) or {"Light": "01", "Odd": "1 ", "Dark": "é"}.get(text)


READINGS: dict[str, Reading] = {
    "text": lambda text: text,
    "integer": integer,
    "decimal": decimal,
    "boolean": boolean,
    "date": date_in("%Y-%m-%d"),
    "year": school_year,
    "code": code,
    "labelled": labelled,
}

# ── texts ───────────────────────────────────────────────────────────────────────────────────────

_NEAR = st.text(alphabet="0123456789-+./ eE\t\u00a0\u3000１٣,x\n", max_size=24)
_WORDS = st.sampled_from(
    [
        "true",
        "TRUE",
        "Yes",
        "y",
        "T",
        "1",
        "01",
        "no",
        "N",
        "f",
        "0",
        "FALSE",
        "2",
        "oui",
        "K",
        "ſ",
        "Light",
        "Dark",
        "Odd",
        "pale",
        "É",
        "é",
        "D",
        "1",
        "nan",
        "inf",
        "NaN",
        "null",
        "None",
        "1 ",
        " 1",
        "2023-24",
        "2023-2024",
        "1999-00",
        "1999-2000",
        "2023-25",
        "9997-98",
        "9998-99",
        "0000-01",
        "0001-02",
        "2024-02-29",
        "2023-02-29",
        "0000-01-01",
        "9999-12-31",
        "0001-01-01",
        "2023-1-5",
        "+2023-01-05",
        "29.02.2024",
        "20240229",
        "02/29/2024",
        "2/9/2024",
        "1e5",
        "1_000",
        "999999999999999999",
        "1000000000000000000",
        "0" * 30 + "7",
        "-0",
        "+5",
        "--5",
        "1.",
        ".5",
        "0.0000000001",
        "0.00000000001",
        "999999999999999999.9999999999",
    ]
)
_DATES = st.dates().map(str) | st.from_regex("[0-9]{4}-[0-9]{2}-[0-9]{2}", fullmatch=True)
_YEARS = st.integers(0, 9999).map(lambda y: f"{y:04d}-{(y + 1) % 100:02d}")
_NUMBERS = st.integers(-(10**20), 10**20).map(str) | st.decimals(
    allow_nan=False, allow_infinity=False, places=11, min_value=-(10**19), max_value=10**19
).map(lambda d: f"{d:f}")
_SHORT = st.text(max_size=5)
TEXTS = _NEAR | _WORDS | _DATES | _YEARS | _NUMBERS | _SHORT
PADDED = st.tuples(
    st.sampled_from(["", " ", "\t", "\u3000"]), TEXTS, st.sampled_from(["", " ", "\n"])
)
CELLS = st.lists(st.none() | TEXTS | PADDED.map("".join), min_size=1, max_size=40)


def admitted(frame: pl.DataFrame, date_format: str | None = None) -> AdmittedTable:
    revision = Revision("r", {"t": (Part(frame.lazy(), None, date_format),)})
    return admit(revision, SCHEMA).tables["t"]


def read(table: AdmittedTable, column: str) -> tuple[list[object], list[bool]]:
    """The values of a column as Python has them, and which cells are bad."""
    names = {column: "value"}
    if column in table.convertible:
        names[bad(column)] = "bad"
    frame = table.scan(names).collect()
    values = frame["value"].to_list()
    if column == "decimal":
        values = [None if v is None else Decimal(v).scaleb(-10) for v in values]
    return values, frame["bad"].to_list() if "bad" in frame.columns else [False] * frame.height


@pytest.mark.parametrize("column", list(READINGS))
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(cells=CELLS)
def test_a_text_cell_is_what_a_plain_reading_makes_of_it(
    column: str, cells: list[str | None]
) -> None:
    frame = pl.DataFrame({column: cells}, schema={column: pl.String})
    values, is_bad = read(admitted(frame), column)
    filled = list(cells)
    wanted = [READINGS[column](c) if c is not None and c.strip(BLANK) else None for c in filled]
    assert values == wanted
    assert is_bad == [
        c is not None and c.strip(BLANK) != "" and value is None
        for c, value in zip(cells, wanted, strict=True)
    ]


@pytest.mark.parametrize(
    "date_format", ["%m/%d/%Y", "%Y%m%d", "%d.%m.%Y", "%Y-%m-%d", "(%d)[%m]%Y"]
)
@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(days=st.lists(st.dates() | TEXTS, min_size=1, max_size=30))
def test_a_date_is_read_in_the_format_of_its_file(
    date_format: str, days: list[dt.date | str]
) -> None:
    def spelled(day: dt.date) -> str:
        parts = {"%Y": f"{day.year:04d}", "%m": f"{day.month:02d}", "%d": f"{day.day:02d}"}
        return re.sub("%[Ymd]", lambda found: parts[found[0]], date_format)

    cells = [spelled(day) if isinstance(day, dt.date) else day for day in days]
    frame = pl.DataFrame({"date": cells}, schema={"date": pl.String})
    values, is_bad = read(admitted(frame, date_format), "date")
    plain = date_in(date_format)
    wanted = [plain(c) if c.strip(BLANK) else None for c in cells]
    assert values == wanted
    assert is_bad == [
        c.strip(BLANK) != "" and v is None for c, v in zip(cells, wanted, strict=True)
    ]


# ── columns that have a type already ───────────────────────────────────────────────────────────

FLOATS = st.lists(
    st.none()
    | st.floats(width=64)
    | st.integers(-(10**18), 10**18).map(float)
    | st.decimals(-(10**6), 10**6, places=3, allow_nan=False).map(float)
    | st.sampled_from(
        [1e-7, 1.5e-10, 1e-10, 1e-11, 1e15, 1e16, 1.2345678901234567e17, 1e18, -0.0, 0.1]
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(cells=FLOATS)
def test_a_float_is_the_decimal_that_it_shows(cells: list[float | None]) -> None:
    frame = pl.DataFrame({"decimal": cells}, schema={"decimal": pl.Float64})
    values, is_bad = read(admitted(frame), "decimal")

    def plain(cell: float | None) -> object:
        if cell is None or not math.isfinite(cell):
            return None
        shown = f"{Decimal(repr(cell)):f}"
        return decimal(shown.rstrip("0").rstrip(".") if "." in shown else shown)

    wanted = [plain(cell) for cell in cells]
    assert values == wanted
    # Not a number is how a frame of floats says missing.
    assert is_bad == [
        cell is not None and not math.isnan(cell) and value is None
        for cell, value in zip(cells, wanted, strict=True)
    ]


@pytest.mark.parametrize("dtype", [pl.Int8, pl.Int64, pl.UInt64, pl.Int128], ids=str)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_a_whole_number_stays_itself(dtype: type[pl.DataType], data: st.DataObject) -> None:
    low, high = {
        pl.Int8: (-128, 127),
        pl.Int64: (-(2**63), 2**63 - 1),
        pl.UInt64: (0, 2**64 - 1),
        pl.Int128: (-(2**127) + 1, 2**127 - 1),
    }[dtype]
    cells = data.draw(st.lists(st.none() | st.integers(low, high), min_size=1, max_size=20))
    for column in ("integer", "decimal"):
        values, is_bad = read(
            admitted(pl.DataFrame({column: cells}, schema={column: dtype})), column
        )
        wanted = [c if c is not None and abs(c) < 10**18 else None for c in cells]
        assert values == wanted
        assert is_bad == [c is not None and abs(c) >= 10**18 for c in cells]
