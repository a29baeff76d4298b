"""unused: core.Rulebook -> declarations of its own file that change nothing

Beside what the checker says of parameters, definitions and `let`s: codes that no column holds, links
that no rule follows, and used rulebooks that give nothing. A table is never unused, since its own
declaration checks its rows; nor is anything of a rulebook without rules, which is there for others.
"""

import re
from collections.abc import Iterator

from ruleforge.authoring import lint_messages as say
from ruleforge.language import ast
from ruleforge.language.build import build
from ruleforge.language.core import Rulebook
from ruleforge.language.diagnostic import Diagnostic
from ruleforge.language.parse import parse
from ruleforge.language.source import Source
from ruleforge.language.types import CodeType

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FOLLOWED = re.compile(r"\.\s*`?([A-Za-z_][A-Za-z0-9_]*)")


def unused(book: Rulebook) -> Iterator[Diagnostic]:
    """What nothing uses, in the order of the file."""
    if not book.rules:
        return
    source = book.sources[0]
    main = _built(source)
    # WHY: a word that stands anywhere is taken for a use, so that nothing in use is ever named.
    followed = set(_FOLLOWED.findall(source.text))
    typed = _types(book, main)
    for declaration in main.declarations:
        match declaration:
            case ast.Codes(name) if name.text not in typed:
                yield say.unused_codes(name.span, name.text)
            case ast.Table(name):
                for link in declaration.links:
                    named = link.link_name or link.table
                    if named.text not in followed:
                        yield say.unused_link(named.span, named.text, name.text)
            case _:
                continue
    yield from _rulebooks(book, main)


def _built(source: Source) -> ast.Rulebook:
    return build(parse(source))[0]


def _types(book: Rulebook, main: ast.Rulebook) -> set[str]:
    """The code sets that something has as its type."""
    types = [column.type for table in book.schema.tables.values() for column in table.columns]
    types += [parameter.type for parameter in book.parameters.values()]
    named = {each.name for each in types if isinstance(each, CodeType)}
    for declaration in main.declarations:
        if isinstance(declaration, ast.Define | ast.HostFunction):
            named |= {argument.type.text for argument in declaration.arguments or ()}
        if isinstance(declaration, ast.HostFunction):
            named.add(declaration.result.text)
    return named


def _rulebooks(book: Rulebook, main: ast.Rulebook) -> Iterator[Diagnostic]:
    if main.header is None:
        return
    declared: dict[str, set[str]] = {}
    uses: dict[str, list[str]] = {}
    for source in book.sources[1:]:
        other = _built(source)
        if other.header is None:
            return
        names = [getattr(each, "name", None) for each in other.declarations]
        declared[other.header.name] = {each.text for each in names if isinstance(each, ast.Name)}
        if any(isinstance(each, ast.Table) for each in other.declarations):
            declared[other.header.name].add(_TABLES)
        uses[other.header.name] = [each.text for each in other.header.uses]
    words = set(_WORD.findall(book.sources[0].text)) | {_TABLES}
    for used in main.header.uses:
        pending, found = [used.text], set[str]()
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                pending += uses.get(name, [])
        if all(name in declared for name in found) and not any(
            declared[name] & words for name in found
        ):
            yield say.unused_rulebook(used.span, used.text)


_TABLES = "a table, whose rows are checked"
