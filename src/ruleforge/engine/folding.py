"""folding: rules and views with whatever reads no row worked out

An engine is then asked for nothing that it would work out again for every row.
"""

from collections.abc import Mapping
from dataclasses import replace

from ruleforge.engine.reference_backend import constant_value
from ruleforge.language import core
from ruleforge.language.core import Value
from ruleforge.language.schema import Schema
from ruleforge.language.types import PERIOD

Values = Mapping[str, Value | None]


def folded(rule: core.Rule, values: Values, schema: Schema) -> core.Rule:
    """The rule with whatever reads no row worked out."""

    def each(expr: core.Expr) -> core.Expr:
        return folded_expression(expr, values, schema)

    def maybe(expr: core.Expr | None) -> core.Expr | None:
        return None if expr is None else each(expr)

    def template(message: core.Template) -> core.Template:
        return core.Template(tuple(p if isinstance(p, str) else each(p) for p in message.parts))

    against = rule.against
    return replace(
        rule,
        where=maybe(rule.where),
        lets=tuple((name, each(value)) for name, value in rule.lets),
        when=maybe(rule.when),
        claims=tuple(
            core.Claim(each(claim.condition), template(claim.message)) for claim in rule.claims
        ),
        against=against and replace(against, where=maybe(against.where)),
    )


def folded_view(view: core.View, values: Values, schema: Schema) -> core.View:
    """The view with whatever reads no row worked out."""

    def each(expr: core.Expr) -> core.Expr:
        return folded_expression(expr, values, schema)

    def maybe(expr: core.Expr | None) -> core.Expr | None:
        return None if expr is None else each(expr)

    group = view.group
    if group is not None:
        figures = tuple(
            replace(f, value=maybe(f.value), where=maybe(f.where), picked=maybe(f.picked))
            for f in group.figures
        )
        group = core.Group(tuple((name, each(value)) for name, value in group.by), figures)
    columns = tuple((name, each(value)) for name, value in view.columns)
    return replace(view, on=maybe(view.on), where=maybe(view.where), group=group, columns=columns)


def folded_expression(expr: core.Expr, values: Values, schema: Schema) -> core.Expr:
    """The expression with whatever reads no row worked out."""

    def fold(part: core.Expr) -> core.Expr:
        if isinstance(part, core.ParameterValue):
            return core.Constant(values.get(part.name), part.type, part.span)
        if isinstance(part, core.Constant | core.SetOf | core.HostCall) or part.type == PERIOD:
            return part
        parts = core.children(part)
        settled = all(isinstance(each, core.Constant | core.SetOf) for each in parts)
        if not parts or not settled:
            return part
        value = constant_value(part, values, schema)
        assert not hasattr(value, "is_empty")
        return core.Constant(value, part.type, part.span)

    return core.rewritten(expr, fold)
