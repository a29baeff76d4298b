"""What the pages need before they become HTML."""

import re
from typing import Any

_FENCE = re.compile(r"^```(\w+) [^\n]+$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Takes a second word behind a fence away (`rules failing`): it is for the tests alone, and the
    Markdown of the site would not see a fence.
    """
    return _FENCE.sub(r"```\1", markdown)
