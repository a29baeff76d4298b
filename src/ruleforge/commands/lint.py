"""lint: rulebooks -> what is probably not meant in them"""

import argparse
import json
import sys
from collections.abc import Sequence

from ruleforge.authoring.lint import Lint
from ruleforge.authoring.lint import lint as linted
from ruleforge.authoring.lint_page import lint_page, lint_records
from ruleforge.authoring.satisfy import SolverMissing
from ruleforge.commands.host import Exit, Host, UsageError
from ruleforge.language.core import Rulebook
from ruleforge.language.diagnostic import Diagnostic, in_order
from ruleforge.language.load import RulebookError, load
from ruleforge.language.suggest import nearest

JSON = "json"


def lint(arguments: argparse.Namespace, host: Host) -> Exit:
    """Shows what is found in each rulebook. Every rulebook is loaded before any is looked at."""
    books = _loaded(arguments.rulebooks, arguments.root)
    wanted = _wanted(books, arguments.rule)
    try:
        results = [linted(book, wanted) for book in books]
    except SolverMissing as missing:
        raise UsageError(str(missing)) from None
    if arguments.format == JSON:
        _say_json(books, results, host)
    else:
        _say_text(results, host)
    return Exit.FINDINGS if any(result.findings for result in results) else Exit.CLEAN


def _say_json(books: Sequence[Rulebook], results: Sequence[Lint], host: Host) -> None:
    pairs = list(zip(books, results, strict=True))
    said = {
        "findings": [
            {"rulebook": book.name, **record}
            for book, result in pairs
            for record in lint_records(result)
        ],
        "limits": [
            {"rulebook": book.name, "limit": limit}
            for book, result in pairs
            for limit in result.limits
        ],
    }
    host.say(json.dumps(said, indent=2, ensure_ascii=False) + "\n")


def _say_text(results: Sequence[Lint], host: Host) -> None:
    colour = host.colour and sys.stdout.isatty()
    pages = [lint_page(result, colour=colour) for result in results if result.findings]
    limits = [f"{limit}\n" for result in results for limit in result.limits]
    found = sum(len(result.findings) for result in results)
    number = f"{found} finding{'' if found == 1 else 's'}" if found else "Nothing found"
    among = f"{len(results)} rulebook{'' if len(results) == 1 else 's'}"
    host.say("\n".join([*pages, "".join([*limits, f"{number} in {among}.\n"])]))


def _loaded(names: Sequence[str], roots: Sequence[str]) -> list[Rulebook]:
    books: list[Rulebook] = []
    diagnostics: list[Diagnostic] = []
    for name in dict.fromkeys(names):
        try:
            books.append(load(name, roots))
        except RulebookError as mistake:
            diagnostics += mistake.diagnostics
    if diagnostics:
        raise RulebookError(in_order(diagnostics))
    return books


def _wanted(books: Sequence[Rulebook], names: Sequence[str]) -> frozenset[str] | None:
    if not names:
        return None
    rules = [rule for book in books for rule in book.rules]
    ids = {printed: rule.id for rule in rules for printed in (*rule.printed_ids, rule.id)}
    for name in names:
        if name not in ids:
            near = nearest(name, ids)
            hint = f"did you mean `{near}`?" if near else "`ruleforge rules NAME` lists them"
            raise UsageError(f"no rulebook that is looked at has a rule `{name}`; {hint}")
    return frozenset(ids[name] for name in names)
