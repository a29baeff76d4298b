"""lint_years: a rule -> codes that it names, in years in which they are not in force"""

from collections.abc import Iterator

from ruleforge.authoring import lint_messages as say
from ruleforge.authoring.canonical import RuleFormulas
from ruleforge.authoring.formula import Atom, Formula, Op, Says, Value, literal
from ruleforge.authoring.modelled import parts_of
from ruleforge.authoring.satisfy import Possible, Solver
from ruleforge.language import core
from ruleforge.language.core import Rulebook
from ruleforge.language.diagnostic import Diagnostic
from ruleforge.language.schema import Code, SchoolYear
from ruleforge.language.types import SCHOOL_YEAR, CodeType

_PARAMETER = "school_year"


def codes_out_of_years(
    formulas: RuleFormulas, book: Rulebook, solver: Solver
) -> Iterator[Diagnostic]:
    """Codes that are written out in a rule and in force in none of the years in which it applies.

    A range such as `"26".."38"` means the codes that there are, so those are not looked at.
    """
    rule = formulas.rule
    parameter = book.parameters.get(_PARAMETER)
    if parameter is None or parameter.type != SCHOOL_YEAR:
        return
    for constant in _written(rule):
        assert isinstance(constant.type, CodeType)
        codes = book.schema.code_sets[constant.type.name].codes
        code = next(each for each in codes if each.code == constant.value)
        if code.since is None and code.until is None:
            continue
        if not solver.is_impossible(formulas.in_force, *_in_years(code)):
            continue
        if isinstance(solver.ask(formulas.in_force), Possible):
            yield say.out_of_years(constant.span, rule.id, code.code, _years(code))


def _written(rule: core.Rule) -> Iterator[core.Constant]:
    """The codes that stand in the rule itself: not in a definition, which others may use in other
    years, and not in a range.
    """
    for part in parts_of(rule):
        for node in core.walk(part):
            if not isinstance(node, core.Constant) or not isinstance(node.type, CodeType):
                continue
            written = node.span.text.startswith('"') and ".." not in node.span.text
            here = node.span.source == rule.span.source and node.span.start > rule.span.start
            if written and here:
                yield node


def _in_years(code: Code) -> Iterator[Formula]:
    year = Value(f"${_PARAMETER}", Op.PARAMETER, SCHOOL_YEAR, name=_PARAMETER)
    for first, last in ((code.since, None), (None, code.until)):
        end = first or last
        if end is None:
            continue
        other = Value(str(end), Op.CONSTANT, SCHOOL_YEAR, plain=end)
        a, b = (year, other) if first else (other, year)
        yield literal(Atom(f"{a.key} < {b.key}", Says.LESS, (a, b)), positive=False)


def _years(code: Code) -> str:
    def shown(year: SchoolYear) -> str:
        return f"`{year}`"

    if code.since and code.until:
        return f"from {shown(code.since)} to {shown(code.until)}"
    if code.since:
        return f"from {shown(code.since)} on"
    assert code.until is not None
    return f"until {shown(code.until)}"
