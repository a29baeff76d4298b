"""resources: where the grammar, the shipped rulebooks and the pages of the messages are, in a wheel
and in a checkout

Each exists once, at the top of the repository, because people read them; the wheel carries them
inside the package under a name that no module has.
"""

import re
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
_CHECKOUT = _PACKAGE.parent.parent
_CODE = re.compile("[A-Z]{2}[0-9]{3}")


def grammar_text() -> str:
    """The text of `rulebook.lark`."""
    return _found("_grammars/rulebook.lark", "grammars/rulebook.lark").read_text(encoding="utf-8")


def shipped_rulebooks() -> Path:
    """The folder under which `indiana/model.rules` and its kin are."""
    return _found("_rulebooks", "rulebooks")


def message_pages() -> dict[str, Path]:
    """The page of every code, in the order of the codes: each file of the documentation that is
    called like one (`RF301.md`), in whatever folder.
    """
    pages = _found("_docs", "docs").glob("*/*.md")
    named = {page.stem: page for page in pages if _CODE.fullmatch(page.stem)}
    return dict(sorted(named.items()))


def _found(in_wheel: str, in_checkout: str) -> Path:
    installed = _PACKAGE / in_wheel
    return installed if installed.exists() else _CHECKOUT / in_checkout
