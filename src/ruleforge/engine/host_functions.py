"""host_functions: the functions that a rulebook names and the host brings

A function takes a Polars series for each argument and gives one of the same length, with the value
of each row, which may depend on nothing but that row: how many rows come at a time is not said. It
never sees a missing argument: of a missing value it is missing. What it gives is
checked as a cell is: a value that its type cannot hold is missing.

| type | series given | series taken |
|---|---|---|
| text, code | String | String; blank is missing, and so is a code that is not in its set |
| integer | Int64 | any integers |
| decimal | Float64 | any numbers, rounded half to even at 10 places; NaN is missing |
| boolean | Boolean | Boolean |
| date | Date | Date |
| school_year | String, `2023-24` | String, `2023-24` |
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal

import polars as pl

from ruleforge.engine.polars_types import FIRST_DAY, LARGEST, LAST_DAY, as_text, dtype_of, places_of
from ruleforge.language import core
from ruleforge.language.cell_value import cell_value
from ruleforge.language.functions import BLANKS
from ruleforge.language.schema import Schema, SchoolYear
from ruleforge.language.suggest import nearest
from ruleforge.language.types import (
    CELL_PLACES,
    BooleanType,
    CodeType,
    DateType,
    DecimalType,
    IntegerType,
    SchoolYearType,
    TextType,
    ValueType,
    type_name,
)

Implementation = Callable[..., object]

_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_LAST_PLACE = Decimal(1).scaleb(-CELL_PLACES)


class FunctionError(Exception):
    """A function that the rulebook names and the host has not brought, or that does not do what it
    is to do.
    """

    def __str__(self) -> str:
        # WHY: Polars writes the expression that it was at behind what we say, in names of its own.
        return super().__str__().partition("\n\nThis error occurred")[0]


@dataclass(frozen=True)
class HostFunctions:
    """What the host brings for the functions that a rulebook declares."""

    declared: Mapping[str, core.HostFunction]
    given: Mapping[str, Implementation]
    schema: Schema

    @classmethod
    def bound(cls, rulebook: core.Rulebook, given: Mapping[str, Implementation]) -> "HostFunctions":
        """Raises `FunctionError` where one is lacking, or one is given that the rulebook does not
        name.
        """
        for name in given:
            if name not in rulebook.functions:
                near = nearest(name, rulebook.functions)
                known = ", ".join(f"`{each}`" for each in rulebook.functions) or "none"
                hint = f"did you mean `{near}`?" if near else f"it declares {known}"
                raise FunctionError(f"the rulebook declares no function `{name}`; {hint}")
        lacking = [f"`{name}`" for name in rulebook.functions if name not in given]
        if lacking:
            are = "a function that is" if len(lacking) == 1 else "functions that are"
            raise FunctionError(
                f"the rulebook calls {', '.join(lacking)}, {are} not registered; "
                "give `functions={…}` to `evaluate`, or `--function NAME=MODULE:NAME` to the shell"
            )
        return cls(rulebook.functions, given, rulebook.schema)

    def call(
        self, name: str, arguments: Sequence[pl.Series], types: Sequence[ValueType]
    ) -> pl.Series:
        """The function of columns as the engine holds them, and its result so held.

        Raises `FunctionError` where it raises, or gives no such series.
        """
        declared = self.declared[name]
        lengths = {len(series) for series in arguments}
        # NOTE: a value that is written out has the length 1, also where there are no rows.
        height = 0 if 0 in lengths else max(lengths)
        whole = [
            s if len(s) == height else s.clear() if not height else s.new_from_index(0, height)
            for s in arguments
        ]
        present = pl.Series([True] * height, dtype=pl.Boolean)
        for series in whole:
            present = present & series.is_not_null()
        empty = pl.Series([None] * height, dtype=dtype_of(declared.result, self.schema))
        if not present.any():
            return empty
        wanted = [each for _, each in declared.arguments]
        handed = [
            handed_over(series.filter(present), value_type, each)
            for series, value_type, each in zip(whole, types, wanted, strict=True)
        ]
        try:
            result = self.given[name](*handed)
        except Exception as mistake:
            kind = type(mistake).__name__
            raise FunctionError(f"the function `{name}` raised {kind}: {mistake}") from mistake
        taken = self.taken(name, result, len(handed[0]))
        return empty.scatter(present.arg_true(), taken)

    def taken(self, name: str, result: object, height: int) -> pl.Series:
        """What a function gave, as the engine holds it."""
        wanted = self.declared[name].result
        if not isinstance(result, pl.Series):
            kind = type(result).__name__
            raise FunctionError(
                f"the function `{name}` gives {'an' if kind[0] in 'aeio' else 'a'} {kind};"
                " it is to give a Polars series"
            )
        if len(result) != height:
            raise FunctionError(
                f"the function `{name}` gives {len(result)} values for {height} rows"
            )
        if not _fits(result.dtype, wanted):
            raise FunctionError(
                f"the function `{name}` gives {result.dtype}, which is no {type_name(wanted)}"
            )
        values = [_held(value, wanted, self.schema) for value in result.to_list()]
        return pl.Series(values, dtype=dtype_of(wanted, self.schema))


def handed_over(series: pl.Series, value_type: ValueType, wanted: ValueType) -> pl.Series:
    """A column without missing values, as a function of the host takes it: an integer where a
    decimal is wanted is one.
    """
    match value_type:
        case IntegerType() if isinstance(wanted, DecimalType):
            return series.cast(pl.Float64)
        case DecimalType():
            return series.cast(pl.Float64) / 10.0 ** places_of(value_type)
        case CodeType():
            return series.cast(pl.String)
        case SchoolYearType():
            return pl.select(as_text(pl.lit(series), value_type)).to_series()
        case _:
            return series


def _fits(dtype: pl.DataType, wanted: ValueType) -> bool:
    if dtype == pl.Null():
        return True
    match wanted:
        case TextType() | CodeType() | SchoolYearType():
            return dtype == pl.String() or isinstance(dtype, pl.Categorical | pl.Enum)
        case IntegerType():
            return dtype.is_integer()
        case DecimalType():
            return dtype.is_numeric()
        case BooleanType():
            return dtype == pl.Boolean()
        case DateType():
            return dtype == pl.Date()
        case _:
            return False


def _held(value: object, wanted: ValueType, schema: Schema) -> object:
    """One value as the engine holds it, None where its type cannot hold it."""
    match value:
        case None:
            return None
        case str() if isinstance(wanted, TextType):
            return value if value.strip(BLANKS) else None
        case str():
            read = cell_value(value, wanted, schema.code_sets)
            return read.start_year if isinstance(read, SchoolYear) else read
        case bool():
            return value
        case int() | float() | Decimal() if isinstance(wanted, DecimalType):
            return _scaled(value)
        case int():
            return value if abs(value) < LARGEST else None
        case _:
            return value if FIRST_DAY <= value <= LAST_DAY else None  # type: ignore[operator]


def _scaled(value: float | Decimal) -> int | None:
    """A number times 10^10, rounded half to even."""
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not exact.is_finite() or abs(exact) >= LARGEST:
        return None
    rounded = exact.quantize(_LAST_PLACE, context=_EXACT)
    return int(rounded.scaleb(CELL_PLACES, context=_EXACT)) if abs(rounded) < LARGEST else None
