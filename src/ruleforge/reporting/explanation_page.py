"""explanation_page: Explanation -> a page, with the weight of each word as a style"""

from ruleforge.engine.explanation import Explanation
from ruleforge.engine.explanation_text import Tone, explanation_lines
from ruleforge.reporting.page import Line, Page, Style, Words

_STYLES = {
    Tone.PLAIN: Style.PLAIN,
    Tone.STRONG: Style.STRONG,
    Tone.FAINT: Style.FAINT,
    Tone.BAD: Style.ERROR,
    Tone.GOOD: Style.GOOD,
    Tone.DOUBT: Style.WARNING,
}


def explanation_page(explanation: Explanation) -> Page:
    """The page for a terminal; in plain text it reads as `str(explanation)`."""
    return [
        Line(tuple(Words(text, _STYLES[tone]) for text, tone in each.words), each.indent)
        for each in explanation_lines(explanation)
    ]
