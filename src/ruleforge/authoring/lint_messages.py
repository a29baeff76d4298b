"""lint_messages: one function for each thing that lint finds -> Diagnostic

As `language.messages` for what the checker finds, and in the same voice. Every code has a page
under `docs/lints/`.
"""

from collections.abc import Sequence

from ruleforge.language.diagnostic import Diagnostic, Level
from ruleforge.language.source import Span

LINTS: dict[str, str] = {
    "RL101": "A declaration that nothing uses",
    "RL102": "A condition that can never be true",
    "RL103": "A claim that can never fail",
    "RL104": "Two rules that report the same rows",
    "RL105": "A rule that reports nothing that another does not",
    "RL106": "Two rules that no row can satisfy together",
    "RL107": "A message that names a sensitive column",
    "RL108": "A code outside its years",
}
_SHOWN = 90


def _warning(code: str, fact: str, span: Span | None, why: str, fix: str) -> Diagnostic:
    return Diagnostic(code, fact, span, why, fix, Level.WARNING)


def _quoted(text: str) -> str:
    bare = " ".join(text.split())
    return f"`{bare if len(bare) <= _SHOWN else bare[:_SHOWN] + '…'}`"


def _joined(texts: Sequence[str]) -> str:
    shown = [_quoted(text) for text in texts]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


# ── RL101 ──────────────────────────────────────────────────────────────────────────────────────


def unused_codes(span: Span, name: str) -> Diagnostic:
    why = "no column and no parameter has it as its type"
    fix = "give a column this type, or take it out"
    return _warning("RL101", f"nothing uses the codes `{name}`", span, why, fix)


def unused_link(span: Span, name: str, table: str) -> Diagnostic:
    why = "no rule follows it, and a link by itself checks nothing"
    fix = "use it, take it out, or say `references` where a row must be found"
    return _warning("RL101", f"nothing uses the link `{name}` of `{table}`", span, why, fix)


def unused_rulebook(span: Span, name: str) -> Diagnostic:
    why = "no rule and no declaration of this file names anything that it declares"
    return _warning("RL101", f"nothing uses the rulebook `{name}`", span, why, "take it out")


# ── RL102 ──────────────────────────────────────────────────────────────────────────────────────


def never_true(span: Span, text: str, together: Sequence[str]) -> Diagnostic:
    why = f"{_joined(together)} are never true of one row" if together else _NO_VALUE
    fix = "say `or` where one of several is meant, or correct the values"
    return _warning("RL102", f"{_quoted(text)} can never be true", span, why, fix)


_NO_VALUE = "no value that its columns can have makes it true"


def never_about(span: Span, rule: str, clause: str, together: Sequence[str]) -> Diagnostic:
    why = "what stands before it leaves no row for which it is true"
    if len(together) > 1:
        why = f"{_joined(together)} are never true of one row"
    return _warning(
        "RL102",
        f"the `{clause}` of `{rule}` can never be true",
        span,
        why,
        "correct it, or take the rule out: it is never about a row",
    )


def never_in_force(span: Span, rule: str, what: str) -> Diagnostic:
    why = "no values that the parameters can have make it true"
    return _warning("RL102", f"{what} of `{rule}` can never be true", span, why, "correct it")


# ── RL103 ──────────────────────────────────────────────────────────────────────────────────────


def never_fails(span: Span, rule: str, because: Sequence[str]) -> Diagnostic:
    why = "it is true, or unknown, of every row"
    if because:
        what = _joined(because)
        why = f"{what} {'leaves' if len(because) == 1 else 'leave'} no row for which it is false"
    fix = "correct it, or take it out: it never reports a row"
    return _warning("RL103", f"this claim of `{rule}` can never fail", span, why, fix)


def never_first(span: Span, rule: str) -> Diagnostic:
    return _warning(
        "RL103",
        f"this claim of `{rule}` is never the one that fails",
        span,
        "where it is false a claim before it is false too, and the first that fails speaks",
        "put it first, or take it out",
    )


# ── RL104 to RL106 ─────────────────────────────────────────────────────────────────────────────


def same(span: Span, rule: str, other: str, *, alike: bool) -> Diagnostic:
    why = "apart from names and the order of what is said they are one rule"
    if not alike:
        why = "they are written differently, but what one reports the other reports too"
    fix = "keep one, and give it the other's id with `also known as`"
    return _warning("RL104", f"`{rule}` and `{other}` report the same rows", span, why, fix)


def implied(span: Span, rule: str, other: str) -> Diagnostic:
    return _warning(
        "RL105",
        f"what `{rule}` reports, `{other}` reports already",
        span,
        f"wherever both are evaluated, a row that breaks `{rule}` breaks `{other}`",
        "take it out, or narrow the other one, if a row should be reported once",
    )


def contradictory(span: Span, rule: str, other: str) -> Diagnostic:
    return _warning(
        "RL106",
        f"no row that `{rule}` and `{other}` are about satisfies both",
        span,
        f"of the rows that both are about, none that satisfies `{other}` satisfies `{rule}`",
        "leave out of one of them, in its `when`, what the other one is about",
    )


# ── RL107, RL108 ───────────────────────────────────────────────────────────────────────────────


def sensitive(span: Span, rule: str, column: str) -> Diagnostic:
    return _warning(
        "RL107",
        f"a message of `{rule}` names the sensitive column `{column}`",
        span,
        "its value is shown as `(withheld)`, unless the host asks for sensitive values",
        "name a key or a role of the row",
    )


def out_of_years(span: Span, rule: str, code: str, years: str) -> Diagnostic:
    return _warning(
        "RL108",
        f"`{rule}` names the code `{code}` in years in which it is not in force",
        span,
        f"the code is in force {years}, and the rule applies in none of these years",
        "take the code out, or correct its years or those of the rule",
    )
