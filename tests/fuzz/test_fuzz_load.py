"""The short form of `make fuzz`, and whether it would find what it looks for."""

import re
from pathlib import Path
from random import Random

import fuzz_load
import pytest
from fuzz_corpus import ROOT, declarations, large_seeds, seeds, whole_rulebooks
from mutate import MAY_GROW_TO, MUTATIONS, mutated

from ruleforge.language.core import Rulebook
from ruleforge.language.diagnostic import Diagnostic
from ruleforge.language.load import RulebookError, load_text
from ruleforge.language.messages import CODES
from ruleforge.language.source import Source, Span

INPUTS = 2_000


def test_mutated_rulebooks_are_answered_well() -> None:
    found = list(fuzz_load.failures(INPUTS, 0, lambda _: None))
    assert [(each.number, each.kind, each.detail, each.text) for each in found] == []


def test_the_inputs_are_the_same_for_the_same_seed_and_others_for_another() -> None:
    first = [fuzz_load.text_of(number, 1) for number in range(20)]
    assert first == [fuzz_load.text_of(number, 1) for number in range(20)]
    assert first != [fuzz_load.text_of(number, 2) for number in range(20)]


def test_the_inputs_reach_every_stage() -> None:
    """Some load, and among the rest are mistakes of most kinds."""
    loaded, codes = 0, set()
    for number in range(1, 1_000):
        try:
            load_text(fuzz_load.text_of(number, 3))
            loaded += 1
        except RulebookError as error:
            codes |= {each.code for each in error.diagnostics}
    assert loaded > 50
    # RF5xx are about parameters, which are given to a rulebook that is loaded.
    possible = {code for code in CODES if not code.startswith("RF5")}
    assert len(codes & possible) > 0.8 * len(possible)


def test_every_rulebook_of_the_repository_is_taken_up() -> None:
    texts = list(whole_rulebooks())
    for path in ROOT.joinpath("rulebooks").rglob("*.rules"):
        assert path.read_text(encoding="utf-8") in texts
    cases = list(ROOT.joinpath("tests", "cases").rglob("*.case"))
    assert len(texts) > len(cases) > 50
    assert len(large_seeds()) >= 2


def test_a_small_seed_has_what_its_declaration_names() -> None:
    ends = re.compile(r"\nrule SpecialEducation-17 (?!.*\ntest )", re.DOTALL)
    found = [each for each in seeds() if ends.search(each)]
    assert found
    assert all("table special_education" in each and len(each) < 10_000 for each in found)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: each.__name__)
def test_a_mutation_takes_any_text(mutation: object) -> None:
    assert callable(mutation)
    chance = Random(5)
    for text in ("", " ", "\n", "rulebook a edition 1", *seeds()[:60]):
        assert isinstance(mutation(text, chance), str)
    assert any(mutation(seeds()[0], chance) != seeds()[0] for _ in range(20))


def test_what_is_mutated_does_not_grow_without_end() -> None:
    chance = Random(6)
    assert all(len(mutated(each, chance)) <= MAY_GROW_TO for each in seeds() for _ in range(3))


# ── it would find ──────────────────────────────────────────────────────────────────────────────


def answered(monkeypatch: pytest.MonkeyPatch, found: Diagnostic) -> None:
    def load(*_: object) -> Rulebook:
        raise RulebookError((found,))

    monkeypatch.setattr(fuzz_load, "load_text", load)


@pytest.mark.parametrize(
    ("code", "span", "kind"),
    [
        ("RF101", None, "RF101 has no place"),
        ("RF101", (0, 9), "RF101 is not within the text"),
        ("RF101", (3, 2), "RF101 is not within the text"),
        ("RF999", (0, 1), "RF999 has no page"),
    ],
)
def test_a_diagnostic_that_is_none_is_found(
    monkeypatch: pytest.MonkeyPatch, code: str, span: tuple[int, int] | None, kind: str
) -> None:
    text = "1234"
    place = Span(Source(fuzz_load.PATH, text), *span) if span else None
    answered(monkeypatch, Diagnostic(code, "a fact", place, "a reason", "a fix"))
    judged = fuzz_load.judged(text)
    assert judged is not None
    assert judged[0] == kind


def test_a_place_of_another_text_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Span(Source(fuzz_load.PATH, "another"), 0, 1)
    answered(monkeypatch, Diagnostic("RF101", "a fact", place, "a reason", "a fix"))
    assert fuzz_load.judged("one") == ("RF101 is of no file", "a fact")


def test_a_crash_is_found_and_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(text: str, _: str) -> Rulebook:
        if "b" in text and "d" in text:
            raise KeyError("b")
        return load_text("rulebook a edition 1")

    monkeypatch.setattr(fuzz_load, "load_text", load)
    text = "aaa\nabc\n" * 20 + "cde\n" * 20
    found = fuzz_load.judged(text)
    assert found is not None
    assert found[0].startswith("KeyError in ")
    assert sorted(fuzz_load.smallest(text, found[0])) == ["b", "d"]


def test_what_is_slow_and_what_never_ends_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz_load, "MOST_SECONDS", -1.0)
    found = fuzz_load.judged("rulebook a edition 1")
    assert found is not None
    assert found[0] == "slow"

    def load(*_: object) -> Rulebook:
        while True:
            pass

    monkeypatch.setattr(fuzz_load, "load_text", load)
    monkeypatch.setattr(fuzz_load, "GIVEN_UP_AFTER", 0.05)
    found = fuzz_load.judged("rulebook a edition 1")
    assert found is not None
    assert found[0] == "endless"


def test_the_command_says_what_it_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["fuzz_load.py", "--inputs", "20", "--seed", "4"])
    assert fuzz_load.main() == 0
    assert "20 inputs in " in capsys.readouterr().out
    monkeypatch.setattr(fuzz_load, "judged", lambda text: ("odd", "why") if "r" in text else None)
    assert fuzz_load.main() == 1
    out = capsys.readouterr().out
    assert "# odd: input " in out
    assert "#   why\nr\n" in out


def test_the_pages_are_those_of_the_repository() -> None:
    assert set(CODES) <= fuzz_load.pages()
    assert declarations(
        Path(ROOT, "rulebooks/indiana/model/enrollment.rules").read_text(encoding="utf-8")
    )
