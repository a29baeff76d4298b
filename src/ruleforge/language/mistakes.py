"""mistakes: where the parser stopped -> Diagnostic

The parser knows which tokens could have stood where it stopped. An author does not know tokens:
here they become "a condition", "a column name", "`then`". The slips that people make often are told
by name (`=` written twice, a comparison that chains, a keyword as a name), and for a word that is
nearly a keyword the keyword is named.
"""

import re
import unicodedata
from dataclasses import dataclass
from difflib import SequenceMatcher

from ruleforge.language import messages
from ruleforge.language.cut import DECLARATION_WORDS
from ruleforge.language.diagnostic import Diagnostic
from ruleforge.language.source import Span
from ruleforge.language.suggest import nearest

_AS_WORDS = {
    "TEXT": "a text in double quotes",
    "INTEGER": "a whole number",
    "DAY_OR_YEAR": "a school year such as `2023-24`",
    "RULE_ID": "a rule id",
    "MEMBER": "a name behind the dot",
    "ROW": "a line that begins with `|`",
    "COLON": "`:`",
    "COMMA": "`,`",
    "DOT": "`.`",
    "DOTS": "`..`",
    "EQUAL": "`=`",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "LBRACE": "`{`",
    "RBRACE": "`}`",
}

# What the name behind one of these words is the name of.
_NAME_OF = {
    "rulebook": "the name of the rulebook",
    "uses": "the name of a rulebook",
    "parameter": "the name of the parameter",
    "codes": "the name of the code set",
    "table": "the name of the table",
    "define": "the name of the definition",
    "view": "the name of the view",
    "population": "the name of the population",
    "report": "the name of the report",
    "dataset": "the name of the dataset",
    "function": "the name of the function",
    "scope": "a name for the row",
    "for": "a name for the row",
    "against": "a name for the row",
    "exists": "a name for the row",
    "every": "a name for the row",
    "in": "the name of a table",
    "given": "the name of a table",
    "link": "the name of a table",
    "references": "the name of a table",
    "identifies": "a role such as `student`",
    "named": "a name",
    "let": "a name for the value",
    "key": "a column name",
    "on": "a column name",
    "tags": "a tag",
    "show": "a severity such as `error`",
    "otherwise": "a severity such as `warning`",
    ":": "a type",
}

_CONDITION_AFTER = {"when", "require", "where", "satisfies", "and", "or", "not", "if"}
_COMPARISONS = {"=", "!=", "<", "<=", ">", ">="}
_OTHER_LANGUAGES = {
    "==": "write `=`",
    "=<": "write `<=`",
    "=>": "write `>=`",
    "<>": "write `!=`",
    "!": "write `not`, or `!=` for two values that differ",
    "&": "write `and`",
    "|": "write `or`",
    "&&": "write `and`",
    "||": "write `or`",
    "'": "write a text in double quotes",
    "[": "write a set in braces, such as `{1, 2}`",
    "]": "write a set in braces, such as `{1, 2}`",
    ";": "leave it out: a clause ends where the next keyword begins",
    "`": "write a name in backticks with small letters, digits and `_` only",
    "“": 'write a text in straight double quotes: `"`',
    "”": 'write a text in straight double quotes: `"`',
    "„": 'write a text in straight double quotes: `"`',
    "‘": 'write a text in straight double quotes: `"`',
    "’": 'write a text in straight double quotes: `"`',
    "–": "write a hyphen: `-`",
    "—": "write a hyphen: `-`",
    "−": "write a hyphen: `-`",
    "≤": "write `<=`",
    "≥": "write `>=`",
    "≠": "write `!=`",
}

_BLANK = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_WORD = re.compile(r"[a-z_][a-z0-9_]*")
_MORE_WORDS_THAN = 3  # a longer list of keywords helps nobody


@dataclass(frozen=True)
class Stop:
    """Where the parser stopped.

    `found` is what stands there, None at the end of the text; `accepted` are the names of the
    terminals that could stand there; `word` is the keyword with which the declaration begins, or
    empty; `known` says whether the character is one of the language at all.
    """

    found: Span | None
    previous: Span | None
    accepted: frozenset[str]
    keywords: frozenset[str]
    reserved: frozenset[str]
    word: str
    known: bool


def mistake(stop: Stop) -> Diagnostic:
    """The one diagnostic for the place where the parser stopped."""
    found = stop.found
    if found is None:
        return _at_the_end(stop)
    text = found.text
    if not stop.known:
        return _meaningless(found)
    if _ends_within_braces(stop) and stop.previous is not None:
        end = stop.previous.end
        return messages.quote_within_braces(Span(found.source, end - 1, end))
    previous = stop.previous.text if stop.previous else ""
    sign = _foreign_sign(stop)
    if sign is not None:
        return messages.foreign_sign(sign, _OTHER_LANGUAGES[sign.text])
    if _lacks_brackets(stop) and stop.previous is not None:
        return messages.keyword_as_name(stop.previous, previous)
    if text in _COMPARISONS and "PLUS" in stop.accepted and "COMPARISON" not in stop.accepted:
        return messages.comparisons_chain(found)
    if _is_misused_keyword(stop):
        return messages.keyword_as_name(found, text)
    misspelt = _misspelt_before(stop)
    if misspelt is not None:
        span, keyword = misspelt
        what = quoted_keyword(keyword)
        return messages.unexpected_text(
            span, what, messages.quoted(span.text), _why(stop), f"did you mean {what}?"
        )
    fix = _fix(stop, text, previous)
    return messages.unexpected_text(
        found, expectation(stop), messages.quoted(text), _why(stop), fix
    )


def quoted_keyword(keyword: str) -> str:
    return f"`{keyword}`"


def expectation(stop: Stop) -> str:
    """What could stand where the parser stopped, in the author's words."""
    accepted = stop.accepted
    previous = stop.previous.text if stop.previous else ""
    if accepted == {"TEXT"} and stop.word == "codes" and stop.previous is not None:
        return _part_of_a_code(stop.previous)
    if "EXISTS" in accepted:
        return "a condition" if previous in _CONDITION_AFTER else "a value"
    if "NAME" in accepted and "KEY" not in accepted:
        return _name_expected(stop, previous)
    if "PLUS" in accepted:
        return _after_a_value(stop)
    words = sorted(each.lower() for each in accepted if each.lower() in stop.keywords)
    others = [_AS_WORDS[each] for each in sorted(accepted) if each in _AS_WORDS]
    if "NAME" in accepted:
        return "a column (`name: type`), `file`, `link` or `key`"
    if len(words) > _MORE_WORDS_THAN:
        return _some_clause(stop)
    return _listed(others + [quoted_keyword(each) for each in words]) or _end_of(stop)


def _part_of_a_code(previous: Span) -> str:
    source = previous.source
    line = source.line_text(source.line_and_column(previous.start)[0])
    if line.split(None, 1)[0] == "codes":
        return "a code and its label, each in double quotes"
    return "the label of the code, in double quotes"


def _name_expected(stop: Stop, previous: str) -> str:
    if stop.word in {"table", "lookup"} and previous == ",":
        return "a column name"
    if stop.word == "rule" and previous not in _NAME_OF:
        return "a severity such as `error`" if previous != "," else "a name"
    return _NAME_OF.get(previous, "a name")


def _after_a_value(stop: Stop) -> str:
    closers = {"RPAR": "`)`", "RBRACE": "`}`", "THEN": "`then`", "ELSE": "`else`"}
    found = [name for terminal, name in closers.items() if terminal in stop.accepted]
    if "REQUIRE" in stop.accepted:
        return "an operator or the next clause of the rule"
    if "SATISFIES" in stop.accepted:
        found = ["`satisfies`"]
    if "FOR" in stop.accepted and stop.word != "rule":
        found.append("`for`")
    return f"an operator or {_listed(found)}" if found else f"an operator or {_end_of(stop)}"


def _some_clause(stop: Stop) -> str:
    match stop.word:
        case "rule":
            return "a clause of the rule"
        case "rulebook":
            return "a clause of the header or a declaration"
        case "table" | "lookup":
            return "a property of the column, or the next column"
        case _:
            return "a keyword"


def _end_of(stop: Stop) -> str:
    return "the next declaration" if stop.word else "the end of the expression"


def _listed(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _why(stop: Stop) -> str:
    what = _what(stop)
    if stop.previous is None:
        return f"{what} begins with a name, a value or a bracket"
    if "$END" in stop.accepted:
        return f"{what} is complete before it"
    return f"{what} is not complete after {messages.quoted(stop.previous.text)}"


def _what(stop: Stop) -> str:
    if stop.word == "rulebook":
        return "the header"
    return f"the {messages.quoted(stop.word)}" if stop.word else "the expression between the braces"


def _fix(stop: Stop, text: str, previous: str) -> str:
    if text in _OTHER_LANGUAGES:
        return _OTHER_LANGUAGES[text]
    if text == "}" and previous == "{":
        return "write a value: a set holds one at least"
    if previous == "is" and text == "not":
        return "write `is present` for what is not missing"
    keyword = _nearest_keyword(stop, text)
    if keyword is not None:
        return f"did you mean {quoted_keyword(keyword)}?"
    if text != text.lower() and _WORD.fullmatch(text.lower()) and "NAME" in stop.accepted:
        return f"names are written in small letters: {messages.quoted(text.lower())}"
    if text.startswith("|"):
        return _OTHER_LANGUAGES["|"]
    return _write(stop)


def _write(stop: Stop) -> str:
    """The fix where nothing better is known: to write what is expected."""
    if "$END" in stop.accepted or stop.previous is None:
        return "take it away, or put it where it belongs"
    return f"write {expectation(stop)} behind {messages.quoted(stop.previous.text)}"


def _nearest_keyword(stop: Stop, text: str) -> str | None:
    words = [each.lower() for each in stop.accepted if each.lower() in stop.keywords]
    if "$END" in stop.accepted and stop.word:
        words += DECLARATION_WORDS
    if len(text) < 3 or not _WORD.fullmatch(text.lower()) or text in stop.reserved:
        return None
    return nearest(text, words)


def _is_misused_keyword(stop: Stop) -> bool:
    """Whether a keyword stands where a name could, rather than a clause that comes too early."""
    found = stop.found
    if found is None or found.text not in stop.reserved or "NAME" not in stop.accepted:
        return False
    if "EXISTS" not in stop.accepted and "KEY" not in stop.accepted:
        on_line_of_previous = stop.previous is None or "\n" not in _between(stop.previous, found)
        return on_line_of_previous or _next_character(found) in ":=,)"
    return _next_character(found) in ":=.,)<>+*/}"


def _between(first: Span, second: Span) -> str:
    return first.source.text[first.end : second.start]


def _next_character(span: Span) -> str:
    text = span.source.text
    blank = _BLANK.match(text, span.end)
    after = blank.end() if blank else span.end
    return text[after : after + 1] or "\n"


def _misspelt_before(stop: Stop) -> tuple[Span, str] | None:
    """A name before the place that is a slip of a keyword: `text requird` reads as a new column
    without its `:`.
    """
    previous = stop.previous
    if previous is None or stop.accepted != {"COLON"} or stop.word not in {"table", "lookup"}:
        return None
    flags = ("required", "max", "identifies", "references", "named", "sensitive", "from", "by")
    word = previous.text
    keyword = nearest(word, (*flags, "key", "link", "file"))
    if keyword is None or SequenceMatcher(None, word, keyword).ratio() < 0.8:
        return None
    return previous, keyword


def _at_the_end(stop: Stop) -> Diagnostic:
    previous = stop.previous
    assert previous is not None, "something stands before every end"
    if _lacks_brackets(stop):
        return messages.keyword_as_name(previous, previous.text)
    what = _what(stop)
    return messages.text_ends(previous, expectation(stop), what, _why(stop), _write(stop))


def _lacks_brackets(stop: Stop) -> bool:
    """Whether a word such as `count` stands where only its brackets make it more than a name."""
    previous = stop.previous
    return previous is not None and stop.accepted == {"LPAR"} and previous.text in stop.reserved


def _foreign_sign(stop: Stop) -> Span | None:
    """A sign of two characters that other languages have, such as `==`: the parser stops at its
    second.
    """
    found, previous = stop.found, stop.previous
    if found is None or previous is None or previous.end != found.start:
        return None
    sign = previous.to(found)
    return sign if sign.text in _OTHER_LANGUAGES else None


def _ends_within_braces(stop: Stop) -> bool:
    """Whether something touches the end of a text in which a brace is open: `"{coalesce(x, "` of
    `"{coalesce(x, "none")}"`.
    """
    found, previous = stop.found, stop.previous
    if found is None or previous is None or previous.end != found.start:
        return False
    text = previous.text.replace("{{", "").replace("}}", "")
    return text[:1] == '"' == text[-1:] and text.count("{") > text.count("}")


def _meaningless(span: Span) -> Diagnostic:
    character = span.text[:1]
    place = Span(span.source, span.start, span.start + 1)
    if character.isprintable() and not character.isspace():
        shown = "a backtick" if character == "`" else f"`{character}`"
    else:
        shown = f"the character {unicodedata.name(character, f'U+{ord(character):04X}').lower()}"
    fix = _OTHER_LANGUAGES.get(span.text) or _OTHER_LANGUAGES.get(character) or ""
    if not fix:
        fix = (
            "write a blank"
            if character.isspace()
            else "take it out, or put it between double quotes"
        )
    why = "outside of texts and comments only names, numbers and the signs of the language stand"
    return messages.meaningless_character(place, shown, why, fix)
