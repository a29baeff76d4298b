"""What people read."""

import io
import re

import pytest
from rich.console import Console

from ruleforge.engine.revision import FileRecord, Refusal
from ruleforge.reporting.page import GAP, Column, Grid, Style, Words, line, plain
from ruleforge.reporting.summary import severity_counts, summary
from ruleforge.reporting.terminal import show

MANY = [(f"S{number:05}", "A", 41, None) for number in range(1234)]


def text(result, **options):
    return plain(summary(result, **options))


def on_screen(result, width, **options):
    console = Console(width=width, record=True, file=io.StringIO())
    show(summary(result, **options), console=console)
    return console.export_text()


def test_the_header_says_what_was_judged(evaluate) -> None:
    head = text(evaluate(("S1", "A", 20, None)), as_of_note="today").split("\n\n")[0]
    assert head.splitlines() == [
        "small  A small rulebook",
        "  revision    r1",
        "  as of       2023-12-05 (today)",
        "  parameters  day 2024-01-01",
        "  rows        stay 1, school 2",
    ]


def test_every_rule_has_its_counts(evaluate) -> None:
    out = text(evaluate(*MANY, ("T1", "A", None, None)))
    assert re.search(r"^Stay-1  +Fatal +1,234 +0 +1 +0  Too many hours$", out, re.MULTILINE)
    assert re.search(r"^Stay-2  +Query +0 +1,234 +1 +0  Few hours$", out, re.MULTILINE)


def test_the_counts_are_right_aligned(evaluate) -> None:
    lines = text(evaluate(*MANY)).splitlines()
    head = next(each for each in lines if each.startswith("Rule "))
    row = next(each for each in lines if each.startswith("Stay-1"))
    assert row.index("1,234") + 5 == head.index("Fails") + 5


def test_rules_that_do_not_apply_stand_apart(evaluate) -> None:
    out = text(evaluate(("S1", "A", 20, None)))
    assert re.search(r"Does not apply  1 rule\n  Stay-3  `applies when` is false\n", out)
    assert not re.search(r"^Stay-3 ", out, re.MULTILINE)


def test_rules_that_lack_a_parameter_say_how_to_give_it(evaluate) -> None:
    out = text(evaluate(("S1", "A", 20, None), day=None))
    assert "parameters  day not given" in out
    assert re.search(
        r"Not evaluated  2 rules\n  Stay-3, Stay-4  the parameter `day` is not given\n", out
    )
    assert out.endswith(
        "No findings; 2 rules not evaluated.\n"
        "`--set day=…` gives the parameter that is missing, a date.\n"
    )


def test_built_in_checks_are_listed_only_where_they_say_something(evaluate) -> None:
    out = text(evaluate(("S1", "C", 20, None), ("S1", "C", 20, None)))
    assert re.search(r"^stay\.school_id\.reference +Fatal +2 +0$", out, re.MULTILINE)
    assert re.search(r"^stay\.key +Fatal +2 +0$", out, re.MULTILINE)
    assert re.search(r"^\d+ other built-in checks found nothing\.$", out, re.MULTILINE)
    assert "stay.hours" not in out


def test_built_in_checks_without_data_are_told_apart_from_rules(evaluate) -> None:
    out = text(evaluate(("S1", "A", 20, None), schools=False))
    assert "Not evaluated  1 built-in check\n  stay.school_id.reference  " in out
    assert "No findings; 1 built-in check not evaluated." in out


@pytest.mark.parametrize(("shown", "left"), [(1, "1,233"), (5, "1,229"), (1233, "1"), (1234, None)])
def test_a_limit_says_exactly_what_it_leaves_out(evaluate, shown: int, left: str | None) -> None:
    out = text(evaluate(*MANY), show=shown)
    assert out.count(": 41 hours") == shown
    assert re.findall(r"… and ([\d,]+) more", out) == ([left] if left else [])


def test_nothing_is_shown_if_nothing_is_wanted(evaluate) -> None:
    out = text(evaluate(*MANY), show=0)
    assert "41 hours" not in out
    assert "1,234" in out
    assert "`--out findings.csv` writes all 1,234 findings.\n" in out


def test_a_finding_says_who_where_what_and_which_row(evaluate) -> None:
    out = text(evaluate(("S1", "A", 41, None)))
    assert "Stay-1  Fatal  1 finding\nToo many hours\n" in out
    assert "  student S1    S1: 41 hours  entry_date 2023-08-01, school_id A\n" in out
    assert "  help  Correct the hours.\n" in out


def test_a_row_without_roles_is_known_by_its_table(evaluate) -> None:
    out = text(evaluate((None, "A", 41, None)))
    assert "  school A  " in out
    assert "(missing): 41 hours" in out


def test_the_end_has_the_totals_and_the_next_step(evaluate) -> None:
    assert text(evaluate(("S1", "A", 41, None), ("S2", "C", 5, None))).endswith(
        "2 Fatal, 1 Query.\n`--out findings.csv` writes all 3 findings.\n"
    )
    assert text(evaluate(("S1", "A", 41, None)), written=["f.csv"]).endswith("Written: f.csv.\n")
    assert text(evaluate(*MANY)).endswith("`--show 20` shows more here.\n")


def test_files_that_were_not_read_whole(evaluate) -> None:
    files = (
        FileRecord("/data/a/stay.csv", ("stay",), 10, "", rows=8, refused=2),
        FileRecord("/data/a/b/more.xml", ("stay",), 10, "", rows=3, refused=0, complete=False),
        FileRecord("/data/a/good.csv", ("stay",), 10, "", rows=3, refused=0),
        *(FileRecord(f"/data/a/{n}.txt", (), 10, "", rows=0, refused=0) for n in range(7)),
    )
    refusals = (
        Refusal("it has 3 fields, not 4", "/data/a/stay.csv", "stay", 4, text="=a,b,c"),
        Refusal("it has 5 fields, not 4", "/data/a/stay.csv", "stay", 9, text="a,b,c,d,e"),
        Refusal("the file ends inside an element", "/data/a/b/more.xml", byte=99),
    )
    out = text(evaluate(("S1", "A", 20, None), files=files, refusals=refusals))
    assert re.search(r"^  stay\.csv +10 +8 +2$", out, re.MULTILINE)
    assert re.search(r"^  b/more\.xml +3 +3 +0  not read to its end$", out, re.MULTILINE)
    assert "good.csv" not in out
    assert "No table wants 0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 2 more.\n" in out
    assert "stay.csv, line 4: it has 3 fields, not 4." in out
    assert "/data/a" not in out
    assert "3 Fatal; 1 file not read to the end.\n" in out


def test_plain_text_is_never_wrapped(evaluate) -> None:
    name = "x" * 200
    out = text(evaluate(("S1", "A", 5, name)))
    assert name in out
    assert not re.search(r"[ \t]$", out, re.MULTILINE)


@pytest.mark.parametrize("width", [40, 80, 140])
def test_a_screen_is_kept_to(evaluate, width: int) -> None:
    out = on_screen(evaluate(*MANY, ("T1", "C", 3, "words " * 60)), width)
    assert max(len(each.rstrip()) for each in out.splitlines()) <= width
    assert "1,234" in out


def test_a_wide_screen_has_the_titles(evaluate) -> None:
    table = on_screen(evaluate(*MANY), 140).split("\n\n")[1]
    assert "Too many hours" in table
    assert "Too many hours" not in on_screen(evaluate(*MANY), 80).split("\n\n")[1]


def test_brackets_are_no_markup(evaluate) -> None:
    assert "[bold]x[/bold]" in on_screen(evaluate(("S1", "A", 5, "[bold]x[/bold]")), 80)


def test_columns_that_stand_below_on_a_screen() -> None:
    grid = Grid(
        (Column(), Column(below=True), Column(), Column(below=True)),
        (
            (Words("a"), Words("b"), Words("c"), Words("d")),
            (Words("e"), Words(""), Words("f"), Words("")),
        ),
    )
    assert plain([line("x", Words("y", Style.FAINT)), GAP, grid]) == "xy\n\na  b  c  d\ne     f\n"
    console = Console(width=80, record=True, quiet=False)
    with console.capture() as captured:
        show([grid], console=console)
    assert [each.rstrip() for each in captured.get().splitlines()] == ["a  c", "   b  d", "e  f"]


def test_totals_by_severity(evaluate) -> None:
    counts = severity_counts(evaluate(("S1", "A", 41, None), ("S2", "C", 5, None)))
    assert [(str(severity), number) for severity, number in counts.items()] == [
        ("error", 2),
        ("warning", 1),
    ]
