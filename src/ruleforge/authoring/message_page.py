"""message_page: the Markdown of a code's page -> a page for a screen

The pages of `docs/diagnostics` and their kin are prose and fenced blocks. A paragraph becomes one
line, which a terminal wraps to its width; what stands in a block keeps its lines and is set further
in, with the name of its file above it where the block has one.
"""

import re
from collections.abc import Iterator

from ruleforge.reporting.page import GAP, Line, Style, Words, line

_LINK = re.compile(r"\[([^\]]+)\]\([^)\s]+\)")
_BOLD = re.compile(r"\*\*(.+?)\*\*")
_OWN_LINE = re.compile(r"[-*|>] ?|\d+\. ")
_SAID = re.compile(r"(error|warning|lint)\[")
_INDENT = 4
_STYLES = {"error": Style.ERROR, "warning": Style.WARNING, "lint": Style.WARNING}


def title_of(markdown: str) -> str:
    """The title without the code: `# RF301: A code …` is `A code …`."""
    first = markdown.partition("\n")[0].removeprefix("# ")
    return first.partition(": ")[2] or first


def message_page(markdown: str) -> list[Line]:
    """The lines of a page, its title first."""
    page: list[Line] = []
    for block in _blocks(markdown.splitlines()):
        page += [*([GAP] if page else []), *block]
    return page


def _blocks(lines: list[str]) -> Iterator[list[Line]]:
    """Paragraphs, titles and fenced blocks."""
    paragraph: list[str] = []
    position = 0
    while position < len(lines):
        text = lines[position]
        position += 1
        if text.startswith("```"):
            yield from _prose(paragraph)
            paragraph = []
            end = position
            while end < len(lines) and lines[end] != "```":
                end += 1
            yield [_shown(each) for each in lines[position:end]]
            position = end + 1
        elif text.strip():
            paragraph.append(text)
        else:
            yield from _prose(paragraph)
            paragraph = []
    yield from _prose(paragraph)


def _prose(paragraph: list[str]) -> Iterator[list[Line]]:
    if not paragraph:
        return
    if paragraph[0].startswith("#"):
        yield [line(Words(paragraph[0].lstrip("#").strip(), Style.STRONG))]
        paragraph = paragraph[1:]
    lines: list[str] = []
    for text in paragraph:
        if lines and not _OWN_LINE.match(text):
            lines[-1] += f" {text.strip()}"
        else:
            lines.append(text)
    if lines:
        yield [_line(each) for each in lines]


def _line(text: str) -> Line:
    """A line without the signs of Markdown; names keep their backticks, as messages have them."""
    parts = _BOLD.split(_LINK.sub(r"\1", text))
    words = [
        Words(part, Style.STRONG if number % 2 else Style.PLAIN)
        for number, part in enumerate(parts)
    ]
    return line(*(each for each in words if each.text))


def _shown(text: str) -> Line:
    said = _SAID.match(text)
    if said is None:
        return line(text, indent=_INDENT) if text else GAP
    head, rest = text[: text.index("]") + 1], text[text.index("]") + 1 :]
    return line(Words(head, _STYLES[said[1]]), rest, indent=_INDENT)
