"""lint: core.Rulebook -> what is probably not meant, with a row for each that shows it

What is said is certain: it is said only where the solver finds that no data can be otherwise, and
where something had to be left out of the question, or the question took too much, nothing is said.
A row that is shown has been judged by the row-by-row engine before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from threading import Lock

from ruleforge.authoring import lint_messages as say
from ruleforge.authoring.canonical import Reader, RuleFormulas, canonical
from ruleforge.authoring.formula import (
    Formula,
    Op,
    Says,
    all_of,
    atoms,
    opposite,
    values_of,
)
from ruleforge.authoring.lint_conditions import impossible_conditions
from ruleforge.authoring.lint_years import codes_out_of_years
from ruleforge.authoring.modelled import Unmodelled
from ruleforge.authoring.satisfy import MOST_STEPS, Answer, No, Possible, Solver
from ruleforge.authoring.unused import unused
from ruleforge.authoring.witness import FAILS, HOLDS, Scene, Witness, scene, verdict, witness
from ruleforge.language import core
from ruleforge.language.core import Rulebook, Severity
from ruleforge.language.diagnostic import Diagnostic
from ruleforge.language.notation import notation
from ruleforge.language.sensitive import reads_sensitive

MOST_PAIRS = 5_000  # of rules that are held against each other
_MOST_MET = 150  # rows that are kept of a table
_GRAVE = (Severity.ERROR, Severity.WARNING, Severity.INFORMATIONAL)
_TO_BE_MET = {Severity.ERROR, Severity.CONFLICT, Severity.WARNING}

# WHY: the solver keeps one state for all who use it.
_ONE_AT_A_TIME = Lock()


@dataclass(frozen=True)
class LintFinding:
    """One thing that is probably not meant. `rules` are the rules that it is about, the one at its
    place first; `witness` a row that shows it, where there can be one.
    """

    diagnostic: Diagnostic
    rules: tuple[str, ...] = ()
    witness: Witness | None = None


@dataclass(frozen=True)
class Lint:
    """All that was found, by place, and in words what was left out because it was too much."""

    findings: tuple[LintFinding, ...]
    limits: tuple[str, ...]


def lint(book: Rulebook, rules: Iterable[str] | None = None) -> Lint:
    """What is probably not meant in a rulebook; with `rules` only what is about one of these ids.

    Raises `SolverMissing` where the extra `lint` is not installed.
    """
    wanted = None if rules is None else frozenset(rules)
    with _ONE_AT_A_TIME:
        linter = _Linter(book, wanted)
        linter.whole_file()
        linter.each_rule()
        linter.pairs()
        return Lint(_in_order(linter.findings, wanted), tuple(linter.limits()))


def _in_order(
    findings: Sequence[LintFinding], wanted: frozenset[str] | None
) -> tuple[LintFinding, ...]:
    """By place; what several rules bring about in one definition is said once."""
    by_place: dict[tuple[str, int, int, str, str], LintFinding] = {}
    for finding in findings:
        if wanted is not None and not wanted & set(finding.rules):
            continue
        span, said = finding.diagnostic.span, finding.diagnostic
        place = (span.source.path, span.start, span.end) if span else ("", 0, 0)
        by_place.setdefault((*place, said.code, said.fact), finding)
    return tuple(by_place[key] for key in sorted(by_place))


@dataclass(frozen=True)
class _Met:
    """Data that an answer was about, and what rules say of its row."""

    scene: Scene
    verdicts: dict[str, str | None]


@dataclass
class _Linter:
    book: Rulebook
    wanted: frozenset[str] | None
    findings: list[LintFinding] = field(default_factory=list)
    unmodelled: list[str] = field(default_factory=list)
    pairs_left: int = 0
    scenes: dict[str, list[_Met]] = field(default_factory=dict)  # by table
    formulas: list[RuleFormulas] = field(default_factory=list)  # of rules that can report a row

    def __post_init__(self) -> None:
        self.solver = Solver(self.book.schema, self.book.parameters)

    def add(
        self, diagnostic: Diagnostic, *rules: core.Rule, witness: Witness | None = None
    ) -> None:
        names = tuple(rule.id for rule in rules)
        self.findings.append(LintFinding(diagnostic, names, witness))

    def limits(self) -> list[str]:
        said = []
        if self.unmodelled:
            said.append(
                f"Not compared: {', '.join(self.unmodelled)}, which are too large or have parts that"
                " lint does not know."
            )
        if self.solver.undecided:
            number = self.solver.undecided
            what = "question was" if number == 1 else "questions were"
            said.append(f"{number} {what} given up after {MOST_STEPS:,} steps of the solver.")
        if self.pairs_left:
            said.append(
                f"{self.pairs_left:,} pairs of rules were not compared, beyond the first"
                f" {MOST_PAIRS:,}."
            )
        return said

    # ── what needs no solver ────────────────────────────────────────────────────────────────────

    def whole_file(self) -> None:
        """What nothing uses, and what messages should not say."""
        for warning in (*self.book.warnings, *unused(self.book)):
            self.findings.append(LintFinding(warning))
        for rule in self.book.rules:
            lets = dict(rule.lets)
            for claim in rule.claims:
                for part in claim.message.parts:
                    if not isinstance(part, str) and reads_sensitive(part, self.book.schema, lets):
                        column = self._sensitive(part, lets)
                        self.add(say.sensitive(part.span, rule.id, column), rule)

    def _sensitive(self, part: core.Expr, lets: dict[str, core.Expr]) -> str:
        """The sensitive column that a part of a message names, itself or through a `let`."""
        for node in core.walk(part):
            if isinstance(node, core.ColumnValue):
                table = self.book.schema.table(core.table_of(node.row))
                if table.columns_by_name[node.column].sensitive:
                    return f"{table.name}.{node.column}"
            elif isinstance(node, core.LetValue) and reads_sensitive(node, self.book.schema, lets):
                return self._sensitive(lets[node.name], lets)
        raise AssertionError("a part that reads no sensitive column")

    # ── rule by rule ────────────────────────────────────────────────────────────────────────────

    def each_rule(self) -> None:
        """Conditions, claims and codes of each rule by itself."""
        for rule in self.book.rules:
            try:
                formulas = canonical(rule, self.book.schema)
            except Unmodelled:
                self.unmodelled.append(rule.id)
                continue
            impossible = list(impossible_conditions(rule, self.book, self.solver))
            for diagnostic in impossible:
                self.add(diagnostic, rule)
            for diagnostic in codes_out_of_years(formulas, self.book, self.solver):
                self.add(diagnostic, rule)
            answer = self.solver.ask(formulas.fails)
            if answer is not No.IMPOSSIBLE:
                self.formulas.append(formulas)
                self.claims(formulas)
                self.keep(answer, rule)
                if _is_to_be_met(rule):
                    self.keep(self.solver.ask(formulas.holds), rule)
            elif not impossible and not self.clauses(formulas):
                self.claims(formulas)

    def clauses(self, formulas: RuleFormulas) -> bool:
        """Whether the rule is never about a row, and so says."""
        rule = formulas.rule
        conditions = [
            ("for … where", rule.where, formulas.judged),
            ("when", rule.when, formulas.about),
        ]
        for clause, condition, formula in conditions:
            if condition is not None and self.solver.is_impossible(formula):
                together = self.together(formulas, [formulas.in_force], (rule.where, rule.when))
                self.add(say.never_about(condition.span, rule.id, clause, together), rule)
                return True
        return False

    def claims(self, formulas: RuleFormulas) -> None:
        """Claims that never fail, or never first."""
        before: list[Formula] = []
        rule = formulas.rule
        for claim, (_, false) in zip(rule.claims, formulas.claims, strict=True):
            if self.solver.is_impossible(formulas.about, false):
                because = self.together(formulas, [false], (rule.where, rule.when))
                shown = self.seen(all_of(formulas.about, opposite(false)), {}, rule)
                diagnostic = say.never_fails(claim.condition.span, rule.id, because)
                self.add(diagnostic, rule, witness=shown)
            elif before and self.solver.is_impossible(formulas.about, false, *before):
                shown = self.seen(all_of(formulas.about, false), {rule.id: FAILS}, rule)
                self.add(say.never_first(claim.condition.span, rule.id), rule, witness=shown)
            before.append(opposite(false))

    def together(
        self,
        formulas: RuleFormulas,
        with_these: Sequence[Formula],
        clauses: Sequence[core.Expr | None],
    ) -> list[str]:
        """The fewest operands of some conditions that leave nothing possible; empty where not even
        all of them do.
        """
        reader = Reader.of_rule(formulas.rule, self.book.schema)
        parts = [part for clause in clauses if clause is not None for part in _operands(clause)]
        kept = [(notation(part), reader.true(part, reader.start)) for part in parts]
        if not self.solver.is_impossible(*with_these, *(formula for _, formula in kept)):
            return []
        for each in list(kept):
            rest = [other for other in kept if other is not each]
            if self.solver.is_impossible(*with_these, *(formula for _, formula in rest)):
                kept = rest
        return [text for text, _ in kept]

    def seen(self, formula: Formula, expected: dict[str, str], *rules: core.Rule) -> Witness | None:
        """A row for which a formula is true, if it is as expected."""
        answer = self.solver.ask(formula, nice=True)
        if not isinstance(answer, Possible):
            return None
        self.keep(answer, rules[0])
        return witness(answer, expected, rules, self.book)

    # ── rows that were met ──────────────────────────────────────────────────────────────────────

    def keep(self, answer: Answer, rule: core.Rule) -> None:
        """Keeps the data of an answer: it may show that other rules differ, which saves asking."""
        met = self.scenes.setdefault(rule.variable.table, [])
        if isinstance(answer, Possible) and len(met) < _MOST_MET:
            made = scene(answer, rule.variable.table, self.book)
            met += [] if made is None else [_Met(made, {})]

    def cannot_be(self, rule: core.Rule, *formulas: Formula) -> bool:
        """Whether no data makes all of the formulas true; data that does is kept."""
        answer = self.solver.ask(*formulas)
        self.keep(answer, rule)
        return answer is No.IMPOSSIBLE

    def is_met(self, one: core.Rule, says: str, other: core.Rule, *, also: str | None) -> bool:
        """Whether a row that was met is one of which the first rule says this, and the second what
        `also` is; with None, anything but that it fails.
        """
        for met in self.scenes.get(one.variable.table, ()):
            for rule in (one, other):
                if rule.id not in met.verdicts:
                    met.verdicts[rule.id] = verdict(rule, met.scene, self.book)
            second = met.verdicts[other.id]
            if met.verdicts[one.id] == says and (
                second == also if also is not None else second != FAILS
            ):
                return True
        return False

    # ── pair by pair ────────────────────────────────────────────────────────────────────────────

    def pairs(self) -> None:
        """Rules that say the same, less than another, or the opposite."""
        reads = {each.rule.id: _reads(each) for each in self.formulas}
        twins: set[str] = set()
        number = 0
        for one, other in combinations(self.formulas, 2):
            names = {one.rule.id, other.rule.id}
            if one.rule.variable.table != other.rule.variable.table or names & twins:
                continue
            if self.wanted is not None and not names & self.wanted:
                continue
            if one.fails != other.fails and not reads[one.rule.id] & reads[other.rule.id]:
                continue
            number += 1
            if number > MOST_PAIRS:
                self.pairs_left += 1
            elif self.equal(one, other):
                twins.add(other.rule.id)
            else:
                self.contradiction(one, other)

    def equal(self, one: RuleFormulas, other: RuleFormulas) -> bool:
        """Whether two rules report the same rows; says so, and if one reports what the other does."""
        alike = one.fails == other.fails
        first = alike or self.reports_all(other, one)
        second = alike or self.reports_all(one, other)
        if not first and not second:
            return False
        both = {one.rule.id: FAILS, other.rule.id: FAILS}
        shown = self.seen(all_of(one.fails, other.fails), both, one.rule, other.rule)
        # WHY: should the solver ever be wrong, the row that shows it keeps us from repeating it.
        if first and self.is_met(one.rule, FAILS, other.rule, also=None):
            return False
        if second and self.is_met(other.rule, FAILS, one.rule, also=None):
            return False
        if first and second:
            diagnostic = say.same(other.rule.span, other.rule.id, one.rule.id, alike=alike)
            self.add(diagnostic, other.rule, one.rule, witness=shown)
            return True
        less, more = (one.rule, other.rule) if first else (other.rule, one.rule)
        if _is_as_grave(more, less):
            self.add(say.implied(less.span, less.id, more.id), less, more, witness=shown)
        return False

    def reports_all(self, more: RuleFormulas, less: RuleFormulas) -> bool:
        """Whether every row that the second rule reports is one that the first reports."""
        if self.is_met(less.rule, FAILS, more.rule, also=None):
            return False
        return self.cannot_be(less.rule, less.fails, opposite(more.fails))

    def contradiction(self, one: RuleFormulas, other: RuleFormulas) -> None:
        """Says where no row that both rules are about satisfies both, though it could each."""
        if not (_is_to_be_met(one.rule) and _is_to_be_met(other.rule)):
            return
        if self.is_met(one.rule, HOLDS, other.rule, also=HOLDS):
            return
        if not self.cannot_be(one.rule, one.holds, other.holds):
            return
        rules = (one.rule, other.rule)
        first = {one.rule.id: HOLDS, other.rule.id: FAILS}
        second = {one.rule.id: FAILS, other.rule.id: HOLDS}
        shown = self.seen(all_of(one.holds, other.fails), first, *rules)
        if shown and self.seen(all_of(one.fails, other.holds), second, *rules):
            diagnostic = say.contradictory(other.rule.span, other.rule.id, one.rule.id)
            self.add(diagnostic, other.rule, one.rule, witness=shown)


def _operands(condition: core.Expr) -> Iterable[core.Expr]:
    if isinstance(condition, core.And):
        for operand in condition.operands:
            yield from _operands(operand)
    else:
        yield condition


def _reads(formulas: RuleFormulas) -> set[str]:
    """The columns that decide, and the tables that are asked."""
    found: set[str] = set()
    for atom in atoms([formulas.fails]):
        if atom.says is Says.EXISTS and atom.binder is not None:
            found.add(atom.binder.table)
        for value in values_of(atom):
            if value.op is Op.COLUMN:
                found.add(value.key)
            elif value.op in (Op.COUNT, Op.OPAQUE) and value.tests:
                binder = value.tests[0].atom.binder if value.tests[0].atom else None
                if binder is not None:
                    found.add(binder.table)
    return found


def _is_as_grave(more: core.Rule, less: core.Rule) -> bool:
    """Whether a finding of `more` says at least what one of `less` says: a warning does not stand
    for an error, nor an exclusion for anything else.
    """
    if more.severities == less.severities:
        return True
    if len(more.severities) > 1 or len(less.severities) > 1:
        return False
    grave, grave_less = more.severities[0][0], less.severities[0][0]
    if grave not in _GRAVE or grave_less not in _GRAVE:
        return False
    return _GRAVE.index(grave) <= _GRAVE.index(grave_less)


def _is_to_be_met(rule: core.Rule) -> bool:
    """Whether its findings are faults: an exclusion may well take a row that is right."""
    return all(severity in _TO_BE_MET for severity, _ in rule.severities)
