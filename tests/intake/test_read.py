"""Files find their tables; what is left over is recorded."""

import hashlib
from pathlib import Path

import polars as pl
import pytest

from ruleforge.engine.revision import LINE, Part, Revision
from ruleforge.intake.error import IntakeError
from ruleforge.intake.read import read
from ruleforge.language.schema import Column, FileClause, Schema, Table
from ruleforge.language.types import TEXT


def table(name: str, *files: FileClause, columns: str = "a b") -> Table:
    return Table(name, tuple(Column(each, TEXT) for each in columns.split()), ("a",), files=files)


def schema(*tables: Table) -> Schema:
    return Schema({each.name: each for each in tables})


def write(folder: Path, **texts: str) -> None:
    """`a__b_csv` is the file `a/b.csv`."""
    for name, text in texts.items():
        file = folder / (name.replace("__", "/").rpartition("_")[0] + "." + name.rpartition("_")[2])
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def parts(revision: Revision, name: str) -> tuple[Part, ...]:
    found = revision.tables[name]
    assert isinstance(found, tuple)
    return found


def rows(revision: Revision, name: str) -> list[tuple[object, ...]]:
    frames = [part.frame for part in parts(revision, name)]
    return [row for each in frames for row in each.drop(LINE, strict=False).collect().rows()]


def test_a_folder(tmp_path: Path) -> None:
    write(tmp_path, x__Student_csv="a,b\n1,2\n", school_CSV="a,b\n3,4\n", notes_txt="hello")
    pl.DataFrame({"a": ["5"]}).write_parquet(tmp_path / "student.parquet")
    revision = read(schema(table("student"), table("school"), table("staff")), tmp_path)
    assert list(revision.tables) == ["student", "school"]
    assert rows(revision, "school") == [("3", "4")]
    assert [part.file for part in parts(revision, "student")] == [
        str(tmp_path / "student.parquet"),
        str(tmp_path / "x" / "Student.csv"),
    ]
    by_name = {Path(record.path).name: record for record in revision.files}
    assert {name: record.tables for name, record in by_name.items()} == {
        "notes.txt": (),
        "school.CSV": ("school",),
        "student.parquet": ("student",),
        "Student.csv": ("student",),
    }
    assert by_name["notes.txt"].sha256 == hashlib.sha256(b"hello").hexdigest()
    assert (by_name["notes.txt"].size, by_name["notes.txt"].rows) == (5, 0)
    assert (revision.name, revision.refusals) == (tmp_path.name, ())


def test_hidden_files_are_passed_over_and_the_order_is_sorted(tmp_path: Path) -> None:
    write(tmp_path, b__t_csv="a\n2\n", a__t_csv="a\n1\n", t_csv="a\n3\n")
    (tmp_path / ".t.csv").write_text("a\n4\n")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "t.csv").write_text("a\n5\n")
    revision = read(schema(table("t", columns="a")), tmp_path)
    assert rows(revision, "t") == [("1",), ("2",), ("3",)]


def test_several_paths_each_file_once(tmp_path: Path) -> None:
    write(tmp_path, x__t_csv="a\n1\n", y__t_csv="a\n2\n")
    paths: list[str | Path] = [tmp_path / "y" / "t.csv", str(tmp_path), tmp_path / "x"]
    revision = read(schema(table("t", columns="a")), paths, name="r7")
    assert rows(revision, "t") == [("2",), ("1",)]
    assert revision.name == "r7"


def test_file_clauses(tmp_path: Path) -> None:
    write(tmp_path, d_SENR_2023_txt="1^2\n", x_csv="a,b\n3,4\n")
    clauses = (
        FileClause("*senr*.txt", delimiter="^", header=False, date_format="%Y%m%d"),
        FileClause("X.csv"),
    )
    revision = read(schema(table("t", *clauses)), tmp_path)
    assert rows(revision, "t") == [("1", "2"), ("3", "4")]
    assert [part.date_format for part in parts(revision, "t")] == ["%Y%m%d", None]


def test_a_declared_clause_replaces_the_usual_names(tmp_path: Path) -> None:
    write(tmp_path, t_csv="a,b\n1,2\n")
    revision = read(schema(table("t", FileClause("other*"))), tmp_path)
    assert (revision.tables, revision.files[0].tables) == ({}, ())


def test_one_file_for_two_tables(tmp_path: Path) -> None:
    write(tmp_path, all_csv="a,b\n1,2\n3\n")
    tables = [table("t", FileClause("all*")), table("u", FileClause("*.csv"), columns="b a")]
    revision = read(schema(*tables), tmp_path)
    assert (rows(revision, "t"), rows(revision, "u")) == ([("1", "2")], [("2", "1")])
    (record,) = revision.files
    assert (record.tables, record.rows, record.refused) == (("t", "u"), 1, 1)
    assert [(refusal.table, refusal.line) for refusal in revision.refusals] == [("t", 3), ("u", 3)]


def test_xml_feeds_many_tables(tmp_path: Path) -> None:
    write(
        tmp_path,
        good_xml="<I><A><a>1</a></A><B><a>2</a><b>3</b></B></I>",
        other_xml="<html/>",
        cut_xml="<I><A><a>4</a></A><A>",
    )
    tables = [
        table("t", FileClause("*.xml", element="A")),
        table("u", FileClause("*", element="B")),
    ]
    revision = read(schema(*tables), tmp_path)
    assert (rows(revision, "t"), rows(revision, "u")) == ([("4",), ("1",)], [("2", "3")])
    assert [
        (Path(record.path).name, record.tables, record.rows, record.refused, record.complete)
        for record in revision.files
    ] == [
        ("cut.xml", ("t",), 1, 1, False),
        ("good.xml", ("t", "u"), 2, 0, True),
        ("other.xml", (), 0, 0, True),
    ]


def test_xml_without_an_element_clause(tmp_path: Path) -> None:
    write(tmp_path, t_xml="<I/>")
    (refusal,) = read(schema(table("t", FileClause("*"))), tmp_path).refusals
    assert refusal.reason == (
        'the file clause `*` does not say which element is a row; add `element "…"`'
    )


def test_a_broken_file_leaves_the_others_alone(tmp_path: Path) -> None:
    write(tmp_path, t_csv="a,b\n1,2\n")
    (tmp_path / "t.parquet").write_bytes(b"PAR1 no")
    revision = read(schema(table("t")), tmp_path)
    assert rows(revision, "t") == [("1", "2")]
    assert [record.complete for record in revision.files] == [True, False]
    assert len(revision.refusals) == 1


def test_files_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, t_csv="a,b\n1,2\n")

    def refuse(*_arguments: object, **_named: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    revision = read(schema(table("t")), tmp_path)
    assert [refusal.reason for refusal in revision.refusals] == [
        "the file cannot be read: Permission denied"
    ]
    assert (revision.files[0].sha256, revision.files[0].complete) == ("", False)


def test_names_with_wildcards(tmp_path: Path) -> None:
    folder = tmp_path / "a[1]*"
    folder.mkdir()
    (folder / "t.csv").write_text("a,b\n1,2\n")
    assert rows(read(schema(table("t")), folder / "t.csv"), "t") == [("1", "2")]


def test_blank_is_carried_through(tmp_path: Path) -> None:
    revision = read(schema(table("t")), tmp_path, blank=["t.b"])
    assert (revision.blank, revision.tables, revision.files) == (frozenset({"t.b"}), {}, ())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("t.c", r"`t\.c` in `blank` is no column of the rulebook; did you mean `t\.[ab]`\?"),
        ("zzzzzz", "write table and column"),
    ],
)
def test_unknown_blanks(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(IntakeError, match=message):
        read(schema(table("t")), tmp_path, blank=[name])


def test_wrong_calls(tmp_path: Path) -> None:
    with pytest.raises(
        IntakeError, match=r"there is no file or folder `.*nowhere`; check the path"
    ):
        read(schema(table("t")), tmp_path / "nowhere")
    with pytest.raises(IntakeError, match="no path is given"):
        read(schema(table("t")), [])
    for delimiter in ("", "ab", '"', "\n"):
        with pytest.raises(IntakeError, match="one character is needed"):
            read(schema(table("t", FileClause("*", delimiter=delimiter))), tmp_path)
    wrong = Table(
        "t", (Column("a", TEXT, header="A[0]"),), ("a",), files=(FileClause("*", element="A"),)
    )
    with pytest.raises(IntakeError, match=r"table `t`: `A\[0\]` is no path"):
        read(schema(wrong), tmp_path)
