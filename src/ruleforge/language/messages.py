"""messages: one function a mistake -> Diagnostic

Everything that RuleForge says to an author about a rulebook is worded here, so that it speaks with
one voice. A fact, a reason and a fix are one sentence each, in the present tense and without a full
stop, and blame nobody. A code is never used again for another mistake.
"""

from ruleforge.language.diagnostic import Diagnostic
from ruleforge.language.source import Span

# Every code of every stage, with its title: RF1xx syntax, RF2xx names, RF3xx types and codes, RF4xx
# size, RF5xx parameters. Those of RF2xx to RF4xx are worded in `check_messages`, those of RF5xx
# where the engine takes parameters.
CODES: dict[str, str] = {
    "RF101": "Text that is not expected here",
    "RF102": "A text that is not closed",
    "RF103": "A character that means nothing here",
    "RF104": "Too large or too deep",
    "RF105": "A date, school year or number that is none",
    "RF107": "Not a text",
    "RF108": "The header of the rulebook",
    "RF109": "An escape or a brace that means nothing",
    "RF201": "A column that the table does not have",
    "RF202": "A name that means nothing here",
    "RF203": "A table that is not declared",
    "RF204": "A function that does not exist",
    "RF205": "A name that is declared twice",
    "RF206": "A rulebook that cannot be found",
    "RF207": "Rulebooks that use each other in a circle",
    "RF208": "Definitions or views that use each other in a circle",
    "RF209": "A declaration that nothing uses",
    "RF210": "A type that does not exist",
    "RF211": "A clause that is missing or stands twice",
    "RF212": "A rulebook whose name is not that of its file",
    "RF213": "A severity that does not exist",
    "RF214": "A rule that the rulebook does not have",
    "RF215": "A verdict that does not exist",
    "RF216": "Rules that are judged after each other in a circle",
    "RF217": "A key or role that is not there to find a row by",
    "RF218": "A conflict that names no counterpart",
    "RF301": "A code that is not in its set",
    "RF302": "Values of different types compared",
    "RF303": "Arguments that do not fit the function",
    "RF304": "A condition that is no condition",
    "RF305": "A comparison that can never hold",
    "RF306": "A set or range that is none",
    "RF307": "A pattern that is not understood",
    "RF308": "A key, reference, link or file clause that does not fit",
    "RF309": "Rows read where only parameters may be",
    "RF310": "A row where a value is expected, or a value where a row is",
    "RF311": "A default, a choice or a setting that does not fit its parameter",
    "RF312": "A value of the wrong type",
    "RF313": "A product with more places than a decimal can hold",
    "RF314": "A cell that does not read as its column's type",
    "RF315": "A row of a test that does not fit its header",
    "RF316": "An expectation that contradicts itself or says too little",
    "RF317": "A column of a view that has no name of its own",
    "RF318": "A value that a group does not have",
    "RF401": "A quantifier that compares every row with every row",
    "RF402": "A rule that grows too large",
    "RF501": "A parameter that the rulebook does not have",
    "RF502": "A value that does not fit its parameter",
}

_SHOWN = 40


def quoted(text: str) -> str:
    """The text between backticks, cut where it is long, so that a message stays one line."""
    # WHY: one who writes a name in backticks means the name; two pairs of backticks would say
    # nothing more.
    bare = text.strip("`").split("\n")[0]
    return f"`{bare if len(bare) <= _SHOWN else bare[:_SHOWN] + '…'}`"


# ── RF1xx syntax ───────────────────────────────────────────────────────────────────────────────


def unexpected_text(span: Span, expected: str, found: str, why: str, fix: str) -> Diagnostic:
    return Diagnostic("RF101", f"expected {expected}, but found {found}", span, why, fix)


def text_ends(span: Span, expected: str, what: str, why: str, fix: str) -> Diagnostic:
    return Diagnostic("RF101", f"expected {expected}, but {what} ends here", span, why, fix)


def foreign_sign(span: Span, fix: str) -> Diagnostic:
    fact = f"{quoted(span.text)} is no sign of this language"
    return Diagnostic("RF101", fact, span, "other languages write it so, this one does not", fix)


def keyword_as_name(span: Span, word: str) -> Diagnostic:
    return Diagnostic(
        "RF101",
        f"{quoted(word)} is a keyword and stands here as a name",
        span,
        "a name that is spelt like a keyword is written in backticks",
        f"write it between two backticks (`{word}`), or choose another name",
    )


def comparisons_chain(span: Span) -> Diagnostic:
    return Diagnostic(
        "RF101",
        "comparisons do not chain",
        span,
        "the answer of the first comparison is true or false, and no value for the second",
        "write `a < b and b < c`, or `b between a and c`",
    )


def quote_within_braces(span: Span) -> Diagnostic:
    return Diagnostic(
        "RF101",
        "the text ends at this quote, within its braces",
        span,
        "a text ends with the next double quote, wherever that stands",
        'write `\\"` for each quote within the braces',
    )


def repeated_flag(span: Span, flag: str) -> Diagnostic:
    return Diagnostic(
        "RF101",
        f"{quoted(flag)} stands twice",
        span,
        "each of these words says one thing, once",
        "leave one of them out",
    )


def label_on_other_line(span: Span) -> Diagnostic:
    return Diagnostic(
        "RF101",
        "expected the label of this code on its line",
        span,
        "each line of `codes` is a code and its label, both in double quotes",
        'write `"01" "What the code means"`',
    )


def unclosed_text(span: Span) -> Diagnostic:
    return Diagnostic(
        "RF102",
        "the text that begins here is not closed on its line",
        span,
        "a text stands between two double quotes on one line",
        'add the closing `"`; within a text a quote is written `\\"` and a new line `\\n`',
    )


def text_in_cell(span: Span) -> Diagnostic:
    return Diagnostic(
        "RF102",
        "the text that begins in this cell is not closed, or more stands behind it",
        span,
        "a cell that begins with a double quote ends with one",
        'close the text and then the cell (`"a | b" |`); within it a quote is written `\\"`',
    )


def row_not_closed(span: Span) -> Diagnostic:
    return Diagnostic(
        "RF101",
        "expected `|` at the end of this row",
        span,
        "each cell of a row stands between two bars",
        "close the row with a bar",
    )


def meaningless_character(span: Span, shown: str, why: str, fix: str) -> Diagnostic:
    return Diagnostic("RF103", f"{shown} means nothing here", span, why, fix)


def file_too_large(span: Span, limit: int) -> Diagnostic:
    return Diagnostic(
        "RF104",
        f"this file has more than {limit:,} characters",
        span,
        "a file of rules is read as a whole, and this is the most that is read",
        "divide it into several rulebooks and bring them together with `uses`",
    )


def too_many_tokens(span: Span, limit: int) -> Diagnostic:
    return Diagnostic(
        "RF104",
        f"this file has more than {limit:,} words and signs",
        span,
        "a file of rules is read as a whole, and the text from here on is not read",
        "divide it into several rulebooks and bring them together with `uses`",
    )


def too_deep(span: Span, limit: int) -> Diagnostic:
    return Diagnostic(
        "RF104",
        f"this expression is nested more than {limit} levels deep",
        span,
        "each bracket, dot, `not`, `if`, sign and term of a sum is a level",
        "give parts of it a name with `let` or `define`",
    )


def too_many_mistakes(span: Span, limit: int) -> Diagnostic:
    return Diagnostic(
        "RF104",
        f"this file has more than {limit:,} mistakes",
        span,
        "the text from here on is not read",
        "put the mistakes before this place right first",
    )


def too_many_holes(span: Span, limit: int) -> Diagnostic:
    return Diagnostic(
        "RF104",
        f"this message shows more than {limit} values",
        span,
        "a message is a sentence for a person",
        "show fewer values",
    )


def no_such_date(span: Span, text: str) -> Diagnostic:
    return Diagnostic(
        "RF105",
        f"{quoted(text)} is no day of the calendar",
        span,
        "a date is a year, a month and a day, such as `2023-10-01`",
        "write a day that exists",
    )


def no_such_school_year(span: Span, text: str, right: str | None) -> Diagnostic:
    return Diagnostic(
        "RF105",
        f"{quoted(text)} is no school year",
        span,
        "a school year is the year in which it starts and the last two digits of the next one",
        f"write `{right}`" if right else "write it like `2023-24`",
    )


def neither_date_nor_year(span: Span, text: str) -> Diagnostic:
    return Diagnostic(
        "RF105",
        f"{quoted(text)} is neither a date nor a school year",
        span,
        "numbers with hyphens are a date (`2023-10-01`) or a school year (`2023-24`)",
        "put spaces around the hyphen if you want to subtract",
    )


def date_for_school_year(span: Span, text: str) -> Diagnostic:
    return Diagnostic(
        "RF105",
        f"{quoted(text)} is a date, and a school year is expected here",
        span,
        "codes come and go with school years",
        "write it like `2023-24`",
    )


def number_too_long(span: Span, digits: int) -> Diagnostic:
    return Diagnostic(
        "RF105",
        f"this number has more than {digits} digits before the point",
        span,
        "no number of the language is as great as that",
        "write a code or an id as a text, in double quotes",
    )


def too_many_places(span: Span, places: int) -> Diagnostic:
    return Diagnostic(
        "RF105",
        f"this number has more than {places} places behind the point",
        span,
        f"decimals are exact, and {places} places are the most that a value is given with",
        "round it",
    )


def not_text(span: Span, what: str) -> Diagnostic:
    return Diagnostic(
        "RF107",
        f"this file is not a text: it holds {what}",
        span,
        "a rulebook is a text in UTF-8",
        "save it as UTF-8",
    )


def header_missing(span: Span) -> Diagnostic:
    return Diagnostic(
        "RF108",
        "the file does not begin with `rulebook NAME edition 1`",
        span,
        "the header says what the rulebook is called and which edition of the language it is in",
        "make it the first line",
    )


def header_not_first(span: Span) -> Diagnostic:
    return Diagnostic(
        "RF108",
        "the file does not begin with its header",
        span,
        "nothing but comments stands before `rulebook NAME edition 1`",
        "move the header to the top of the file, or take this away",
    )


def header_twice(span: Span) -> Diagnostic:
    return Diagnostic(
        "RF108",
        "a second header begins here",
        span,
        "one file is one rulebook",
        "put the second rulebook into a file of its own",
    )


def edition_unknown(span: Span, edition: str) -> Diagnostic:
    return Diagnostic(
        "RF108",
        f"edition {quoted(edition)} of the language is not known",
        span,
        "this version of RuleForge reads edition 1",
        "write `edition 1`, or run this rulebook with a later version",
    )


def bad_escape(span: Span, escape: str) -> Diagnostic:
    return Diagnostic(
        "RF109",
        f"{quoted(escape)} means nothing in a text",
        span,
        'behind `\\` stands `"`, `\\` or `n`',
        "write a backslash as `\\\\`",
    )


def brace_not_closed(span: Span) -> Diagnostic:
    return Diagnostic(
        "RF109",
        "the `{` that begins here is not closed",
        span,
        "between `{` and `}` in a message stands an expression whose value is shown",
        'add the closing `}`; a quote within braces is written `\\"`, and `{{` shows a brace',
    )


def brace_not_opened(span: Span) -> Diagnostic:
    return Diagnostic(
        "RF109",
        "this `}` closes nothing",
        span,
        "between `{` and `}` in a message stands an expression whose value is shown",
        "write `}}` to show a brace",
    )


def brace_empty(span: Span) -> Diagnostic:
    return Diagnostic(
        "RF109",
        "there is nothing between these braces",
        span,
        "between `{` and `}` in a message stands an expression whose value is shown",
        "name what is to be shown, or write `{{}}` to show the braces",
    )
