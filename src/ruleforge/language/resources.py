"""resources: where the grammar and the shipped rulebooks are, in a wheel and in a checkout

Both exist once, at the top of the repository, because people read them; the wheel carries them
inside the package under a name that no module has.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
_CHECKOUT = _PACKAGE.parent.parent


def grammar_text() -> str:
    """The text of `rulebook.lark`."""
    return _found("_grammars/rulebook.lark", "grammars/rulebook.lark").read_text(encoding="utf-8")


def shipped_rulebooks() -> Path:
    """The folder under which `indiana/model.rules` and its kin are."""
    return _found("_rulebooks", "rulebooks")


def _found(in_wheel: str, in_checkout: str) -> Path:
    installed = _PACKAGE / in_wheel
    return installed if installed.exists() else _CHECKOUT / in_checkout
