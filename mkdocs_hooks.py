"""What the pages need before they become HTML."""

import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))  # `mkdocs` does not look beside its own file

from mkdocs_grammar import with_diagrams

_FENCE = re.compile(r"^```(\w+) [^\n]+$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Takes a second word behind a fence away (`rules failing`): it is for the tests alone, and the
    Markdown of the site would not see a fence. Draws the rules of the grammar.
    """
    return with_diagrams(_FENCE.sub(r"```\1", markdown))
