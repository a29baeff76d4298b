"""parameters: what a host gives -> the value of every parameter, or every diagnostic

A value may come as itself or as the text that a shell hands over. What does not fit is refused by
name, before anything is evaluated.
"""

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal

from ruleforge.language.check_messages import named
from ruleforge.language.core import Parameter, Rulebook, Value
from ruleforge.language.diagnostic import Diagnostic
from ruleforge.language.resolve import AS_OF
from ruleforge.language.schema import Schema, SchoolYear
from ruleforge.language.suggest import nearest
from ruleforge.language.types import (
    BooleanType,
    CodeType,
    DateType,
    DecimalType,
    IntegerType,
    PeriodType,
    SchoolYearType,
    TextType,
)

_BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}


class ParameterError(ValueError):
    """Parameters that do not fit the rulebook. `diagnostics` are all of them."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__(diagnostics)
        self.diagnostics = diagnostics

    def __str__(self) -> str:
        return "; ".join(f"{each.fact} ({each.why}; {each.fix})" for each in self.diagnostics)


def bind(
    rulebook: Rulebook, given: Mapping[str, object], as_of: dt.date
) -> dict[str, Value | None]:
    """The value of every parameter of the rulebook, None for one that is neither given nor has a
    default.

    Raises `ParameterError` for names that the rulebook does not know and values that do not fit.
    """
    diagnostics: list[Diagnostic] = []
    day = converted(as_of, rulebook.parameters[AS_OF], rulebook.schema)
    if day is None:
        diagnostics.append(_unfit(AS_OF, as_of, rulebook.parameters[AS_OF], rulebook.schema))
    values: dict[str, Value | None] = {n: p.default for n, p in rulebook.parameters.items()}
    values[AS_OF] = day
    for name, value in given.items():
        parameter = rulebook.parameters.get(name)
        if parameter is None or name == AS_OF:
            diagnostics.append(_unknown(name, rulebook))
            continue
        fitting = converted(value, parameter, rulebook.schema)
        if fitting is None:
            diagnostics.append(_unfit(name, value, parameter, rulebook.schema))
        else:
            values[name] = fitting
    if diagnostics:
        raise ParameterError(tuple(diagnostics))
    return values


def _unknown(name: str, rulebook: Rulebook) -> Diagnostic:
    if name == AS_OF:
        return Diagnostic(
            "RF501",
            f"`{AS_OF}` is not given among the parameters",
            None,
            why="every rulebook has it: it is the day on which the evaluation is made",
            fix="give it by itself (`--as-of 2023-12-05`, or `as_of=` in Python)",
        )
    others = sorted(set(rulebook.parameters) - {AS_OF})
    near = nearest(name, others)
    if near:
        fix = f"did you mean `{near}`?"
    elif others:
        fix = f"its parameters are {', '.join(f'`{o}`' for o in others)}"
    else:
        fix = "leave it out: this rulebook has no parameters"
    return Diagnostic(
        "RF501",
        f"`{rulebook.name}` has no parameter `{name}`",
        None,
        why="a parameter that no rule reads would change nothing",
        fix=fix,
    )


def _unfit(name: str, value: object, parameter: Parameter, schema: Schema) -> Diagnostic:
    if parameter.choices is not None:
        fix = f"choose one of {', '.join(str(choice) for choice in parameter.choices)}"
    elif isinstance(parameter.type, CodeType):
        near = nearest(str(value), schema.code_sets[parameter.type.name].position_by_code)
        fix = f"did you mean {near}?" if near else f"give a code of `{parameter.type.name}`"
    else:
        fix = f"write it as {_EXAMPLES[type(parameter.type)]}"
    return Diagnostic(
        "RF502",
        f"`{value}` does not fit the parameter `{name}`",
        None,
        why=f"`{name}` is {named(parameter.type)}",
        fix=fix,
    )


_EXAMPLES: dict[type, str] = {
    TextType: "a text that is not blank",
    IntegerType: "a whole number, such as 20",
    DecimalType: "a number, such as 0.5",
    BooleanType: "true or false",
    DateType: "a date, such as 2023-10-01",
    SchoolYearType: "a school year, such as 2023-24",
}


def converted(value: object, parameter: Parameter, schema: Schema) -> Value | None:
    """A given value as a value of the parameter's type; None where it does not fit."""
    result = _typed(value, parameter, schema)
    if parameter.choices is not None and result not in parameter.choices:
        return None
    return result


def _typed(value: object, parameter: Parameter, schema: Schema) -> Value | None:
    text = value.strip() if isinstance(value, str) else None
    match parameter.type:
        case TextType():
            return text and str(value)
        case CodeType(name):
            return text if text in schema.code_sets[name].position_by_code else None
        case IntegerType():
            if isinstance(value, bool):
                return None
            if text is not None and re.fullmatch(r"[+-]?[0-9]{1,18}", text):
                return int(text)
            return value if isinstance(value, int) and abs(value) < 10**18 else None
        case DecimalType():
            if isinstance(value, bool):
                return None
            if isinstance(value, int | float | Decimal):
                # WHY: by text, so that 0.1 is 0.1; but 1E-10 is a number like any other.
                text = f"{Decimal(str(value)):f}"
            elif text is None:
                return None
            if not re.fullmatch(r"[+-]?[0-9]{1,18}(\.[0-9]{1,10})?", text):
                return None
            return Decimal(text)
        case BooleanType():
            return value if isinstance(value, bool) else _BOOLEANS.get((text or "").casefold())
        case DateType():
            if isinstance(value, dt.datetime):
                return None
            if isinstance(value, dt.date):
                return value
            try:
                return dt.date.fromisoformat(text) if text and len(text) == 10 else None
            except ValueError:
                return None
        case SchoolYearType():
            return value if isinstance(value, SchoolYear) else school_year_of(text or "")
        case PeriodType():
            return None


def school_year_of(text: str) -> SchoolYear | None:
    """`2023-24` or `2023-2024` as a school year."""
    match = re.fullmatch(r"([0-9]{4})-([0-9]{2}|[0-9]{4})", text)
    if match is None:
        return None
    year = SchoolYear(int(match[1]))
    long = f"{year.start_year:04d}-{year.start_year + 1:04d}"
    return year if 1 <= year.start_year <= 9997 and text in (str(year), long) else None
