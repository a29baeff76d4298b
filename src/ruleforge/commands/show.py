"""show: a rulebook -> one of the trees that it becomes, or its plan"""

import argparse
from collections.abc import Iterable

from ruleforge.commands.check import as_of_day, chosen, given
from ruleforge.commands.host import Exit, Host, UsageError
from ruleforge.engine import outline as plan_outline
from ruleforge.engine.evaluate import plans_of, queries_of
from ruleforge.engine.parameters import bind
from ruleforge.intake.read import read
from ruleforge.language import ast
from ruleforge.language.build import build
from ruleforge.language.core import Rulebook
from ruleforge.language.load import load
from ruleforge.language.outline import outline
from ruleforge.language.parse import parse


def show(arguments: argparse.Namespace, host: Host) -> Exit:
    """Prints the tree as written, the checked tree with its types, or what will be done with the
    tables.
    """
    if arguments.polars and arguments.tree != "plan":
        raise UsageError("`--polars` goes with `ruleforge show plan`; leave it out")
    book = load(arguments.rulebook, arguments.root)
    rules = chosen(book, arguments.rule)
    match arguments.tree:
        case "ast":
            texts = _ast(book, rules)
        case "core":
            texts = _core(book, rules)
        case _:
            texts = _plan(book, rules, arguments)
    host.say("\n".join(texts))
    return Exit.CLEAN


def _ast(book: Rulebook, rules: tuple[str, ...] | None) -> Iterable[str]:
    # NOTE: the tree of the one file; what it uses are files of their own.
    tree, _ = build(parse(book.sources[0]))
    if rules is None:
        return [outline(tree)]
    wanted = [d for d in tree.declarations if isinstance(d, ast.Rule) and d.name.text in rules]
    return [outline(each) for each in wanted]


def _core(book: Rulebook, rules: tuple[str, ...] | None) -> Iterable[str]:
    if rules is None:
        return [outline(book)]
    return [outline(rule) for rule in book.rules if rule.id in rules]


def _plan(
    book: Rulebook, rules: tuple[str, ...] | None, arguments: argparse.Namespace
) -> Iterable[str]:
    if not arguments.polars:
        return [plan_outline.outline(plan) for plan in plans_of(book, rules)]
    as_of, _ = as_of_day(arguments.as_of)
    parameters = given(arguments.set)
    bind(book, parameters, as_of)
    revision = read(book.schema, arguments.polars, blank=arguments.blank)
    passes = queries_of(book, revision, as_of=as_of, parameters=parameters, rules=rules)
    texts = []
    for plan, queries in passes:
        texts += [plan_outline.outline(plan), plan_outline.polars_outline(plan, queries)]
    return texts
