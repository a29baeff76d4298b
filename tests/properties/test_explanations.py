"""An explanation says what the engine says, of generated rulebooks and rows: the verdict is that of
Polars, and the value of every part is what the reference makes of that part alone, with all rows of
all tables before it and not only those that are linked.
"""

import json
from collections.abc import Callable

import pytest
from agreement import evaluated, loaded, reference_rows
from generators import Case, Emphasis, case_of, seeds
from hypothesis import HealthCheck, Phase, given, seed, settings

from ruleforge.engine.explain_expression import Explainer
from ruleforge.engine.folding import folded
from ruleforge.engine.lower import lower
from ruleforge.engine.plan import ROW
from ruleforge.engine.polars_backend import PolarsBackend
from ruleforge.engine.reference_backend import Evaluator
from ruleforge.engine.result import Result
from ruleforge.engine.revision import LINE, Part
from ruleforge.language import core

EMPHASES = (
    (Emphasis("all", most_rows=5), 25),
    (Emphasis("quantifiers", quantifiers=5, functions=1, most_rows=5), 25),
    (Emphasis("extremes", quantifiers=2, functions=6, extreme=True, most_rows=4), 15),
)


def lined(case: Case) -> dict[str, tuple[Part, ...]]:
    """The tables of a case, each as from a file, so that a row is known by its line."""
    return {
        name: (Part(given.frame().with_row_index(LINE, offset=1).lazy(), f"{name}.csv"),)
        for name, given in case.tables.items()
    }


def polars_verdicts(rulebook: core.Rulebook, result: Result) -> dict[tuple[str, int], str | None]:
    backend = PolarsBackend(result.tables, rulebook.schema, result.parameters)
    ready = [folded(rule, result.parameters, rulebook.schema) for rule in rulebook.rules]
    found: dict[tuple[str, int], str | None] = {}
    for plan in lower(ready, rulebook.schema):
        frame = backend.verdicts(plan).collect()
        for number, each in enumerate(plan.rules):
            for row, verdict in frame.select(ROW, f"verdict.{number}").iter_rows():
                found[each.rule.id, row] = verdict
    return found


@pytest.mark.parametrize(
    ("emphasis", "number"), EMPHASES, ids=lambda each: str(getattr(each, "name", ""))
)
def test_an_explanation_says_what_the_engine_says(
    emphasis: Emphasis, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {"rows": 0, "steps": 0, "verdicts": set[str | None]()}
    original: Callable[..., object] = Explainer.step

    @seed(7)
    @settings(
        max_examples=number,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(seeds())
    def agree(drawn: bytes) -> None:
        case = case_of(drawn, emphasis)
        rulebook = loaded(case)
        result = evaluated(case, rulebook, lined(case))
        tables = {
            name: reference_rows(given, result.tables[name]) for name, given in case.tables.items()
        }
        verdicts = polars_verdicts(rulebook, result)
        messages = {
            (rule, line): message
            for rule, line, message in result.select("rule", "line", "message").iter_rows()
        }

        def checked(
            self: Explainer, expr: core.Expr, rows: object, *rest: object, **options: object
        ) -> object:
            step = original(self, expr, rows, *rest, **options)
            alone = Evaluator(rulebook.schema, tables, result.parameters, self.lets, self.rows)
            assert step.value == alone.value(expr, rows), (drawn.hex(), step.text)
            assert step.text, expr
            seen["steps"] += 1
            return step

        monkeypatch.setattr(Explainer, "step", checked)
        for rule in rulebook.rules:
            for row in range(len(case.tables[rule.variable.table].rows)):
                said = result.explain(rule.id, {"line": row + 1}, show_sensitive=True)
                assert said.verdict == verdicts[rule.id, row], (drawn.hex(), rule.id, row)
                message = messages.get((rule.id, row + 1), "")
                assert said.message == message, (drawn.hex(), rule.id, row)
                for other in said.others:
                    if (other.rule, row) in verdicts:
                        assert other.verdict == verdicts[other.rule, row], (drawn.hex(), other.rule)
                    elif other.verdict == "fails":
                        assert (other.rule, row + 1) in messages, (drawn.hex(), other.rule)
                    else:
                        assert (other.rule, row + 1) not in messages, (drawn.hex(), other.rule)
                assert str(said) and json.dumps(said.to_dict())
                seen["rows"] += 1
                seen["verdicts"].add(said.verdict)

    agree()
    assert seen["rows"] > number and seen["steps"] > 10 * number, seen
    assert {"holds", "fails", "unknown", "not applicable"} <= seen["verdicts"]
