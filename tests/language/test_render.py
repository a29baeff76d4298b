"""A diagnostic as a person reads it."""

import re

from ruleforge.language.diagnostic import Diagnostic, Level
from ruleforge.language.render import render
from ruleforge.language.source import Source, Span


def at(text: str, part: str, path: str = "a.rules") -> Span:
    start = text.index(part)
    return Span(Source(path, text), start, start + len(part))


def lines(span: Span) -> list[str]:
    """The source line and the line of carets."""
    return render([Diagnostic("RF101", "fact", span)]).splitlines()[2:4]


def test_the_layout() -> None:
    text = "\n" * 13 + "  require e.exit_dat >= e.entry_date\n"
    diagnostic = Diagnostic(
        "RF201",
        "`enrollment` has no column `exit_dat`",
        at(text, "e.exit_dat", "rulebooks/indiana/membership.rules"),
        "`e` is a row of `enrollment`, which has 9 columns",
        "did you mean `exit_date`?",
    )
    assert render([diagnostic]) == (
        "error[RF201]: `enrollment` has no column `exit_dat`\n"
        "  at rulebooks/indiana/membership.rules:14:11\n"
        "   14 |   require e.exit_dat >= e.entry_date\n"
        "      |           ^^^^^^^^^^\n"
        "  why: `e` is a row of `enrollment`, which has 9 columns\n"
        "  fix: did you mean `exit_date`?\n"
    )


def test_nothing_is_shown_of_nothing() -> None:
    assert render([]) == ""


def test_several_have_an_empty_line_between() -> None:
    one = Diagnostic("RF108", "one", None)
    two = Diagnostic("RF409", "two", None, level=Level.WARNING)
    assert render([one, two]) == "error[RF108]: one\n\nwarning[RF409]: two\n"


def test_colour_adds_nothing_but_colour() -> None:
    found = [Diagnostic("RF101", "fact", at("a b", "b"), "why", "fix")]
    coloured = render(found, colour=True)
    assert "\x1b[1;31merror[RF101]\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render(found)


def test_tabs_and_wide_characters_keep_the_carets_below_the_text() -> None:
    assert lines(at("\ta = bad", "bad")) == ["    1 |     a = bad", "      |         ^^^"]
    assert lines(at('"学校" bad', "bad")) == ['    1 | "学校" bad', "      |        ^^^"]
    assert lines(at('"学校" bad', "校")) == ['    1 | "学校" bad', "      |    ^^"]
    assert lines(at("e\u0301 bad", "bad")) == ["    1 | e\u0301 bad", "      |   ^^^"]


def test_of_several_lines_the_first_is_underlined() -> None:
    assert lines(at("a (1 +\n 2) b", "(1 +\n 2)")) == ["    1 | a (1 +", "      |   ^^^^"]


def test_an_empty_span_and_the_end_of_the_file_have_one_caret() -> None:
    source = Source("a.rules", "abc\n")
    assert lines(Span(source, 1, 1)) == ["    1 | abc", "      |  ^"]
    assert lines(Span(source, 3, 4)) == ["    1 | abc", "      |    ^"]
    assert lines(Span(source, 4, 4)) == ["    2 |", "      | ^"]
    assert lines(Span(Source("a.rules", ""), 0, 0)) == ["    1 |", "      | ^"]


def test_a_long_line_is_cut_around_the_place() -> None:
    for before, after in ((5_000, 5_000), (0, 5_000), (5_000, 0), (100, 100)):
        text = "x" * before + "BAD" + "y" * after
        shown, carets = lines(at(text, "BAD"))
        assert len(shown) <= 130
        assert shown[carets.index("^") :].startswith("BAD")
        assert carets.count("^") == 3
        assert ("…x" in shown) == (before >= 100)
        assert shown.endswith("…") == (after >= 100)


def test_a_long_place_is_cut_too() -> None:
    shown, carets = lines(at("a " + "b" * 9_999_999, "b" * 9_999_999))
    assert max(len(shown), len(carets)) <= 130


def test_nothing_that_steers_a_terminal_is_printed() -> None:
    text = 'define a = "\x1b[31m\u202e\x07" bad\r\n'
    shown = render([Diagnostic("RF101", "found `\x1b[2J`\n", at(text, "bad", "\x1b.rules"))])
    assert not set(shown) & {"\x1b", "\u202e", "\x07", "\r"}
    shown, carets = lines(at(text, "bad"))
    assert shown[carets.index("^") :].startswith("bad")
