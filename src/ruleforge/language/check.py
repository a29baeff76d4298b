"""check: Declarations and the rulebook that uses them -> core.Rulebook, or every diagnostic

Whatever can be known without data is known here: afterwards lowering and evaluation cannot fail for
a reason that lies in the rulebook. One rule with a mistake does not hide those of the next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ruleforge.language import ast, core, messages
from ruleforge.language import check_messages as say
from ruleforge.language.check_expression import (
    MOST_EXPANDED_PARTS,
    ExpressionChecker,
    Oversize,
    Scope,
    SetItems,
    depths_read,
)
from ruleforge.language.check_tests import check_tests
from ruleforge.language.check_views import ViewChecker
from ruleforge.language.core import Severity
from ruleforge.language.cut import MOST_MISTAKES
from ruleforge.language.declarations import Declarations
from ruleforge.language.diagnostic import Diagnostic
from ruleforge.language.resolve import names_in
from ruleforge.language.schema import Table, same_rows
from ruleforge.language.source import Source, Span

_ROWS = (core.RowVariable, core.Follow, core.Pick)
_NEVER_UNUSED = {"as_of", "school_year"}  # the engine itself reads these
_NOUNS = {
    ast.Parameter: "parameter",
    ast.Define: "definition",
    ast.HostFunction: "function",
    ast.View: "view",
}


def check(
    declarations: Declarations, rulebook: ast.Rulebook, sources: tuple[Source, ...]
) -> tuple[core.Rulebook | None, list[Diagnostic]]:
    """The checked rulebook with its warnings; None where there is any error."""
    checker = _RulebookChecker(declarations)
    checker.views.all()
    checker.definitions()
    checker.expressions.bindings = checker.views.scopes(declarations.main)
    rules = checker.rules(rulebook)
    populations = checker.populations(rulebook)
    reports = checker.reports(rulebook)
    words = checker.severity_words(rulebook.header)
    checker.unused(rulebook)
    tests, found = check_tests(declarations, rulebook)
    diagnostics = [*checker.expressions.diagnostics, *found]
    header = rulebook.header
    if header is None:
        return None, diagnostics
    checked = core.Rulebook(
        header.name,
        header.title.value if header.title else header.name,
        header.source.value if header.source else "",
        words,
        declarations.schema,
        declarations.parameters,
        rules,
        sources,
        datasets=declarations.datasets,
        views=checker.views.views,
        populations=populations,
        reports=reports,
        functions=declarations.functions,
        tests=tests,
    )
    return checked, diagnostics


@dataclass
class _RulebookChecker:
    declarations: Declarations

    def __post_init__(self) -> None:
        self.expressions = ExpressionChecker(self.declarations)
        self.views = ViewChecker(self.expressions)

    def complain(self, diagnostic: Diagnostic) -> None:
        self.expressions.complain(diagnostic)

    def begin(self, place: Span) -> None:
        """A new rule or definition, with a budget of its own."""
        self.expressions.place = place
        self.expressions.parts_of_rule = 0

    # ── definitions, severities, unused names ───────────────────────────────────────────────────

    def definitions(self) -> None:
        """Each definition on its own, so that a mistake in one that nothing uses is found too."""
        self.expressions.what = "this definition"
        for definition in self.declarations.definitions.values():
            if definition.name in self.expressions.broken:
                continue
            scope = Scope()
            tables = [each.table for each in definition.arguments or () if each.table is not None]
            views = [each for each in tables if each in self.declarations.views]
            if None in [self.expressions.view(each, definition.span) for each in views]:
                self.expressions.broken.add(definition.name)
                continue
            for argument in definition.arguments or ():
                if argument.table is not None:
                    row = core.RowVariable(scope.depth, argument.table, argument.name)
                    scope = scope.with_row(argument.name, row)
                elif argument.type is not None:
                    value = core.LetValue(argument.name, argument.type, definition.span)
                    scope.values[argument.name] = value
            self.begin(definition.span)
            before = len(self.expressions.diagnostics)
            checked = None
            try:
                checked = self.expressions.anything(definition.value, scope)
                if isinstance(checked, SetItems):
                    self.expressions.items(checked)
            except Oversize:
                pass
            # What has no mistake of its own but reads what has one is broken too.
            if checked is None or len(self.expressions.diagnostics) > before:
                self.expressions.broken.add(definition.name)
        self.expressions.what = "this rule"

    def severity_words(self, header: ast.Header | None) -> dict[Severity, str]:
        words: dict[Severity, str] = {}
        places: dict[Severity, Span] = {}
        for show in header.shows if header else ():
            severity = self.severity(show.severity)
            if severity is None:
                continue
            if severity in words:
                self.complain(say.word_twice(show.severity.span, severity, places[severity]))
            words.setdefault(severity, show.word.value)
            places.setdefault(severity, show.severity.span)
        return words

    def severity(self, name: ast.Name) -> Severity | None:
        if name.text in {each.value for each in Severity}:
            return Severity(name.text)
        self.complain(say.unknown_severity(name.span, name.text, list(Severity)))
        return None

    def unused(self, rulebook: ast.Rulebook) -> None:
        """Parameters, definitions, functions and views of this file that nothing reads, itself or
        through definitions.

        Nothing is said where a part of the file could not be read, which may be the part that uses
        them, or where a name is unknown, which may be theirs misspelt.
        """
        if self.has_unknown_names(0):
            return
        readers = [
            each
            for each in rulebook.declarations
            if isinstance(each, ast.Rule | ast.View | ast.Scope | ast.Population | ast.Report)
        ]
        if not readers or rulebook.broken:
            return
        used = set(_NEVER_UNUSED)
        pending = [name for each in readers for name in names_in(each)]
        while pending:
            name = pending.pop()
            if name not in used:
                used.add(name)
                definition = self.declarations.definitions.get(name)
                pending += names_in(definition.value) if definition else ()
        used |= self.views.used() | self.expressions.broken
        for declaration in rulebook.declarations:
            if isinstance(declaration, ast.View):
                # WHY: a rulebook of views alone is there to be used by others.
                if not any(isinstance(each, ast.Rule) for each in readers):
                    continue
                if not self.views.is_right(declaration.name.text):
                    continue
            elif not isinstance(declaration, ast.Parameter | ast.Define | ast.HostFunction):
                continue
            if declaration.name.text not in used:
                what = _NOUNS[type(declaration)]
                self.complain(say.unused(declaration.name.span, what, declaration.name.text))

    def has_unknown_names(self, before: int) -> bool:
        """Whether a name that means nothing is among the diagnostics that were added after the
        first `before`.
        """
        return any(
            each.code in ("RF202", "RF204") for each in self.expressions.diagnostics[before:]
        )

    # ── rules ───────────────────────────────────────────────────────────────────────────────────

    def rules(self, rulebook: ast.Rulebook) -> tuple[core.Rule, ...]:
        checked: list[core.Rule] = []
        places: dict[str, Span] = {}
        for declaration in rulebook.declarations:
            if not isinstance(declaration, ast.Rule):
                continue
            name = declaration.name
            if len(self.expressions.diagnostics) > MOST_MISTAKES:
                self.complain(messages.too_many_mistakes(name.span, MOST_MISTAKES))
                break
            if self.expressions.expanded_parts > MOST_EXPANDED_PARTS:
                most = MOST_EXPANDED_PARTS
                self.complain(say.too_large(name.span, "the rulebook before this rule", most))
                break
            if name.text in places:
                first = places[name.text]
                self.complain(say.declared_twice(name.span, "the rule", name.text, first))
            places.setdefault(name.text, name.span)
            self.begin(name.span)
            try:
                rule = self.rule(declaration)
            except Oversize:
                rule = None
            if rule is not None:
                checked.append(rule)
        self.afters(rulebook, checked)
        return tuple(checked)

    def afters(self, rulebook: ast.Rulebook, checked: Sequence[core.Rule]) -> None:
        """Says which rules are judged after one that is not there, after themselves, or after one
        whose rows cannot be found among theirs.
        """
        written = {
            each.name.text: each for each in rulebook.declarations if isinstance(each, ast.Rule)
        }
        by_id = {rule.id: rule for rule in checked}
        unread = {name.text for name in rulebook.broken}
        for rule in written.values():
            for name in (name for clause in rule.afters for name in clause.rules):
                if name.text not in written:
                    if name.text not in unread:
                        self.complain(say.rule_before(name.span, name.text, written))
                elif rule.name.text in by_id and name.text in by_id:
                    own = self.table_of(by_id[rule.name.text])
                    theirs = self.table_of(by_id[name.text])
                    if not same_rows(own, theirs):
                        self.complain(
                            say.no_common_row(
                                name.span,
                                rule.name.text,
                                own.shown,
                                name.text,
                                theirs.shown,
                                theirs.roles,
                            )
                        )
        self.circles(written)

    def circles(self, written: Mapping[str, ast.Rule]) -> None:
        """Rules that wait for each other, each circle told once."""
        done: set[str] = set()
        for start in written:
            path: list[str] = []
            stack: list[tuple[str, int]] = [(start, 0)]
            while stack:
                name, position = stack.pop()
                if position == 0:
                    if name in done:
                        continue
                    path.append(name)
                after = [each for clause in written[name].afters for each in clause.rules]
                if position < len(after):
                    stack.append((name, position + 1))
                    following = after[position].text
                    if following in path:
                        circle = [*path[path.index(following) :], following]
                        self.complain(say.after_itself(after[position].span, circle))
                    elif following in written and following not in done:
                        stack.append((following, 0))
                else:
                    done.add(name)
                    path.pop()

    def table_of(self, rule: core.Rule) -> Table:
        return self.declarations.schema.table(rule.variable.table)

    # ── populations and reports ─────────────────────────────────────────────────────────────────

    def populations(self, rulebook: ast.Rulebook) -> tuple[core.Population, ...]:
        found: list[core.Population] = []
        places: dict[str, Span] = {}
        for declared in rulebook.declarations:
            if isinstance(declared, ast.Population):
                self.new_name(declared.name, "the population", places)
                unless = [self.severity(name) for name in declared.unless]
                places_of_severities: dict[str, Span] = {}
                for name in declared.unless:
                    if name.text in places_of_severities:
                        first = places_of_severities[name.text]
                        self.complain(say.stands_twice(name.span, "severity", first))
                    places_of_severities.setdefault(name.text, name.span)
                known = tuple(dict.fromkeys(each for each in unless if each is not None))
                population = self.views.population(declared, known, self.declarations.main)
                found += [population] if population is not None else []
        return tuple(found)

    def reports(self, rulebook: ast.Rulebook) -> tuple[core.Report, ...]:
        found: list[core.Report] = []
        places: dict[str, Span] = {}
        for declared in rulebook.declarations:
            if isinstance(declared, ast.Report):
                self.new_name(declared.name, "the report", places)
                report = self.views.report(declared, self.declarations.main)
                found += [report] if report is not None else []
        return tuple(found)

    def new_name(self, name: ast.Name, what: str, places: dict[str, Span]) -> None:
        if name.text in places:
            self.complain(say.declared_twice(name.span, what, name.text, places[name.text]))
        places.setdefault(name.text, name.span)

    def clauses_are_right(self, rule: ast.Rule) -> bool:
        name = rule.name.text
        fine = True
        together = "join them with `and`"
        for word, clauses, fix in (
            ("title", rule.titles, "keep one"),
            ("source", rule.sources, "join them"),
            ("help", rule.helps, "join them"),
            ("message", rule.messages, "keep one, or give each `require` its own with `else`"),
            ("due", rule.dues, "keep one"),
            ("applies when", rule.applies, together),
            ("for", rule.fors, "write a rule for each table"),
            ("when", rule.whens, together),
            ("report when", rule.reports, "join them with `or`, or write two rules"),
            ("against", rule.againsts, "write two rules"),
        ):
            if len(clauses) > 1:
                span = clauses[1].span
                self.complain(say.clause_twice(span, name, word, fix))
                fine = False
        if not rule.fors:
            tables = self.declarations.schema.tables
            self.complain(say.rows_missing(rule.name.span, name, next(iter(tables), "table")))
            fine = False
        claims = [
            (word, clause.span)
            for word, clauses in (
                ("require", rule.requires),
                ("report when", rule.reports),
                ("against", rule.againsts),
            )
            for clause in clauses[:1]
        ]
        if not claims:
            self.complain(say.claim_missing(rule.name.span, name))
            fine = False
        if len(claims) > 1:
            self.complain(say.two_claims(claims[1][1], name, claims[0][0], claims[1][0]))
            fine = False
        conflict = next((s for s in rule.severities if s.severity.text == Severity.CONFLICT), None)
        if conflict is not None and claims and not rule.againsts:
            self.complain(say.no_counterpart(conflict.severity.span, name))
        return fine

    def rule(self, rule: ast.Rule) -> core.Rule | None:
        fine = self.clauses_are_right(rule)
        before = len(self.expressions.diagnostics)
        scope, variable = self.rows(rule)
        applies = [
            self.without_rows(each, scope, "`applies when`", "put it into `when`")
            for each in rule.applies
        ]
        severities = self.severities(rule, scope)
        if not rule.fors or variable is None:
            fine = False
            variable = core.RowVariable(0, "", "")
        clause = rule.fors[0] if rule.fors else None
        if clause is None:
            return None
        where = self.expressions.condition(clause.where, scope) if clause.where else None
        self.expressions.counterpart = rule.againsts[0].variable.text if rule.againsts else ""
        scope, lets = self.lets(rule, scope)
        when = self.expressions.condition(rule.whens[0], scope) if rule.whens else None
        self.expressions.counterpart = ""
        against, said_in = self.against(rule, scope, variable)
        default = core.Template((rule.titles[0].value if rule.titles else rule.name.text,))
        message = self.template(rule.messages[0], said_in) if rule.messages else default
        claims = self.claims(rule, scope, message)
        if against is not None and message is not None:
            place = rule.againsts[0].span
            found = core.Exists(against.variable, against.where, place)
            claims = [core.Claim(core.Not(found, place), message)]
        self.unused_lets(rule, before)
        errors = self.expressions.diagnostics[before:]
        if not fine or any(each.level == "error" for each in errors):
            return None
        return core.Rule(
            rule.name.text,
            severities,
            tuple(text.value for text in rule.also_known_as),
            rule.titles[0].value if rule.titles else "",
            rule.sources[0].value if rule.sources else "",
            rule.helps[0].value if rule.helps else "",
            tuple(name.text for name in rule.tags),
            applies[0] if applies else None,
            variable,
            where,
            tuple(lets),
            when,
            tuple(claims),
            self.due(rule),
            rule.name.span,
            against,
            tuple(dict.fromkeys(each.text for clause in rule.afters for each in clause.rules)),
        )

    def against(
        self, rule: ast.Rule, scope: Scope, variable: core.RowVariable
    ) -> tuple[core.Against | None, Scope]:
        """The counterparts of a rule's row, and the scope of its message, which may name them."""
        if not rule.againsts:
            return None, scope
        clause = rule.againsts[0]
        with self.expressions.over(clause.variable, clause.table, scope) as inside:
            pass
        if inside is None:
            return None, replace(scope, wrong=scope.wrong | {clause.variable.text})
        other, inner = inside
        parts: list[core.Expr] = []
        if clause.where is not None:
            where = self.expressions.condition(clause.where, inner)
            if where is None:
                return None, inner
            parts.append(where)
        place = clause.variable.span.to(clause.table.span)
        differ = core.OtherRow(other, variable, place)
        both = core.And((*parts, differ), place)
        if not self.expressions.is_linked(place, other, both):
            return None, inner
        if other.table == variable.table:
            parts.append(differ)
        condition = None
        if parts:
            condition = parts[0] if len(parts) == 1 else core.And(tuple(parts), clause.span)
        return core.Against(other, condition), inner

    def rows(self, rule: ast.Rule) -> tuple[Scope, core.RowVariable | None]:
        """The scope of the rule, and its row; None where its table is not known."""
        if not rule.fors:
            return Scope(), None
        name, table = rule.fors[0].variable, self.expressions.table(rule.fors[0].table)
        meaning = self.expressions.meaning(name.text, Scope())
        if meaning is not None:
            self.complain(say.name_taken(name.span, name.text, meaning))
        if table is None or meaning is not None:
            return Scope(wrong=frozenset({name.text}), depth=1), None
        variable = core.RowVariable(0, table.name, name.text)
        return Scope().with_row(name.text, variable), variable

    def severities(
        self, rule: ast.Rule, scope: Scope
    ) -> tuple[tuple[Severity, core.Expr | None], ...]:
        steps: list[tuple[Severity, core.Expr | None]] = []
        for step in rule.severities:
            severity = self.severity(step.severity)
            condition = None
            if step.condition is not None:
                fix = "write a rule for each severity, and put it into `when`"
                condition = self.without_rows(step.condition, scope, "a severity", fix)
            if severity is not None:
                steps.append((severity, condition))
        return tuple(steps)

    def without_rows(self, expr: ast.Expr, scope: Scope, where: str, fix: str) -> core.Expr | None:
        """A condition on parameters only."""
        checked = self.expressions.condition(expr, scope)
        if checked is None:
            return None
        parts = list(core.walk(checked))
        if depths_read(checked) or any(isinstance(each, _ROWS) for each in parts):
            self.complain(say.reads_rows(expr.span, where, fix))
            return None
        call = next((each for each in parts if isinstance(each, core.HostCall)), None)
        if call is not None:
            self.complain(say.calls_host(call.span, where, fix))
            return None
        return checked

    def lets(self, rule: ast.Rule, scope: Scope) -> tuple[Scope, list[tuple[str, core.Expr]]]:
        lets: list[tuple[str, core.Expr]] = []
        for let in rule.lets:
            name = let.name.text
            meaning = self.expressions.meaning(name, scope)
            if meaning is not None:
                self.complain(say.name_taken(let.name.span, name, meaning))
                scope = replace(scope, wrong=scope.wrong | {name})
                continue
            before = self.expressions.parts_of_rule
            checked = self.expressions.anything(let.value, scope)
            if checked is None:
                scope = replace(scope, wrong=scope.wrong | {name})
            elif isinstance(checked, SetItems):
                self.expressions.items(checked)
                scope = replace(scope, sets={**scope.sets, name: checked})
            elif isinstance(checked, _ROWS):
                # WHY: a row is written out wherever it is named; a value is worked out once.
                size = self.expressions.parts_of_rule - before
                sizes = {**scope.sizes, name: size}
                scope = replace(scope, rows={**scope.rows, name: checked}, sizes=sizes)
            else:
                value = core.LetValue(name, checked.type, let.value.span)
                scope = replace(scope, values={**scope.values, name: value})
                lets.append((name, checked))
        return scope, lets

    def unused_lets(self, rule: ast.Rule, before: int) -> None:
        if not rule.lets or self.has_unknown_names(before):
            return
        read = names_in(rule)
        for let in rule.lets:
            if let.name.text not in read | self.expressions.broken:
                self.complain(say.unused(let.name.span, "`let`", let.name.text))

    def claims(
        self, rule: ast.Rule, scope: Scope, message: core.Template | None
    ) -> list[core.Claim]:
        claims: list[core.Claim] = []
        for require in rule.requires:
            condition = self.expressions.condition(require.condition, scope)
            own = self.template(require.otherwise, scope) if require.otherwise else message
            if condition is not None and own is not None:
                claims.append(core.Claim(condition, own))
        for report in rule.reports:
            condition = self.expressions.condition(report, scope)
            if condition is not None and message is not None:
                claims.append(core.Claim(core.Not(condition, report.span), message))
        return claims

    def template(self, template: ast.Template, scope: Scope) -> core.Template | None:
        parts: list[str | core.Expr] = []
        fine = True
        for part in template.parts:
            if isinstance(part, str):
                parts.append(part)
                continue
            checked = self.expressions.value(part, scope)
            fine = fine and checked is not None
            if checked is not None:
                parts.append(checked)
        return core.Template(tuple(parts)) if fine else None

    @staticmethod
    def due(rule: ast.Rule) -> core.Due | None:
        if not rule.dues or not isinstance(rule.dues[0].number.value, int):
            return None
        return core.Due(rule.dues[0].number.value, rule.dues[0].business)
