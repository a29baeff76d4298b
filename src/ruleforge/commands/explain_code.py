"""explain_code: codes of messages -> what they mean, each with a rulebook that brings it about and
one that is right
"""

import argparse
from pathlib import Path

from ruleforge.authoring.message_page import message_page, title_of
from ruleforge.commands.host import Exit, Host, UsageError
from ruleforge.language.resources import message_pages
from ruleforge.language.suggest import nearest
from ruleforge.reporting.page import GAP, Column, Grid, Line, Style, Words


def explain_code(arguments: argparse.Namespace, host: Host) -> Exit:
    """Prints the pages of some codes, or a line for every code that there is."""
    pages = message_pages()
    if not arguments.codes:
        host.show(_list(pages))
        return Exit.CLEAN
    shown: list[Line] = []
    for code in dict.fromkeys(each.upper() for each in arguments.codes):
        if code not in pages:
            near = nearest(code, pages)
            hint = f"did you mean `{near}`?" if near else "`ruleforge explain-code` lists them"
            raise UsageError(f"there is no code `{code}`; {hint}")
        shown += [*([GAP, GAP] if shown else []), *message_page(_text(pages[code]))]
    host.show(shown)
    return Exit.CLEAN


def _list(pages: dict[str, Path]) -> list[Line | Grid]:
    rows = tuple(
        (Words(code, Style.STRONG), Words(title_of(_text(page)))) for code, page in pages.items()
    )
    return [Grid((Column("Code", fixed=True), Column("Meaning")), rows)]


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")
