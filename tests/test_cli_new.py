"""`ruleforge new`: whatever the files look like, the rulebook loads, its test passes and the files
pass its checks; or a message says why there is none.
"""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from ruleforge.authoring.names import named_apart, snake
from ruleforge.cli import main
from ruleforge.language.core import Rulebook
from ruleforge.language.load import load
from ruleforge.language.types import type_name

N = 60


def rows(text: str, number: int = N) -> str:
    """Lines of a file, each with its number."""
    return "".join(text.format(n=n, even=n % 2 == 0, day=n % 28 + 1) + "\n" for n in range(number))


FILES: dict[str, dict[str, str]] = {
    "headers that are no names": {
        "Student Data 2023.csv": "Student ID,GradeLevel,2023 Total,Größe,#,  padded \n"
        + rows("{n:03d},0{even:d},{n},x,y,z")
    },
    "headers that are keywords": {
        "rule.csv": "rule,for,when,verdict,exists\n" + rows("r{n},A{even:d},{n},x,B{even:d}")
    },
    "headers that become one name": {"a.csv": "Student ID,student_id,STUDENT_ID\n1,2,3\n5,6,7\n"},
    "headers that stand twice": {"a.csv": "id,x,x,\n1,2,3,4\n2,3,4,5\n"},
    "headers alone": {"pupil.csv": "pupil_id,birth date,grade\n"},
    "a byte order mark": {"pupil.csv": "\ufeffpupil_id,born\nP1,2010-01-01\nP2,2010-01-02\n"},
    "one row": {"pupil.csv": "pupil_id,born\nP1,2010-01-01\n"},
    "blank everywhere": {"pupil.csv": "a,b\n,\n,\n , \n"},
    "one column": {"a.csv": "name\nx\ny\n"},
    "one column without a key": {"a.csv": "name\nx\nx\n"},
    "semicolons": {"x.csv": "id;von;bis\n" + rows("{n};{day:02d}.01.2023;{day:02d}.12.2023")},
    "tabs": {"x.tsv": "id\tvalue\n" + rows("{n}\t{n}.5")},
    "quotes": {"x.csv": '"he said ""hi""","back\\slash",type\n' + rows('{n},a,"a|{even:d}"')},
    "names of the language": {
        "text.csv": "id,as_of,date,grade\n" + rows("{n},{n},X{even:d},0{even:d}"),
        "grade.csv": "grade_id,x\nA,1\nB,2\n",
    },
    "a pattern for a name": {"a [1] *.csv": "id,n\n1,2\n2,3\n"},
    "one file in two folders": {"a/x.csv": "id,b\n1,2\n2,3\n", "b/x.csv": "id,b\n3,2\n4,3\n"},
    "large numbers": {"x.csv": "id,n\n" + rows("{n},1000000000000000000{n}")},
    "what comes late": {
        "x.csv": "id,n,d,status\n"
        + rows("{n},{n},2023-01-01,S{even:d}", 30_000)
        + "7,x,01/02/2023,S0\n"
    },
}


def draft(folder: Path, files: dict[str, str]) -> Rulebook:
    """Drafts a rulebook of the files, which must be in order."""
    for name, text in files.items():
        path = folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert main(["new", "drafted", "data"]) == 0
    assert main(["check", "drafted.rules", "data"]) == 0
    assert main(["test", "drafted.rules"]) == 0
    assert main(["fmt", "--check", "drafted.rules"]) == 0
    book = load("drafted.rules")
    assert not book.warnings
    assert len(book.rules) == len(book.tests) == 1
    return book


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", FILES)
def test_files_of_any_kind(folder: Path, name: str) -> None:
    book = draft(folder, FILES[name])
    assert book.schema.tables


def types(book: Rulebook, table: str) -> dict[str, str]:
    return {c.name: type_name(c.type) for c in book.schema.tables[table].columns}


def test_names(folder: Path) -> None:
    book = draft(folder, FILES["headers that are no names"])
    columns = book.schema.tables["student_data_2023"].columns
    assert [(each.name, each.header) for each in columns] == [
        ("student_id", "Student ID"),
        ("grade_level", "GradeLevel"),
        ("n_2023_total", "2023 Total"),
        ("grosse", "Größe"),
        ("column_5", "#"),
        ("padded", None),
    ]
    assert columns[0].identifies == "student"


def test_types(folder: Path) -> None:
    text = "id,zip,n,rate,born,flag,yes,year,zero,note\n" + rows(
        "A{n},0{n:04d},{n},{n}.25,{day:02d}/01/2010,{even},Y,2023-24,0{n},word {n}"
    )
    book = draft(folder, {"x.csv": text.replace(",Y,", ",yes,")})
    assert types(book, "x") == {
        "id": "text",
        "zip": "text",
        "n": "integer",
        "rate": "decimal",
        "born": "date",
        "flag": "boolean",
        "yes": "boolean",
        "year": "school_year",
        "zero": "text",
        "note": "text",
    }
    (clause,) = book.schema.tables["x"].files
    assert clause.date_format == "%d/%m/%Y"


def test_parquet_keeps_its_types(folder: Path) -> None:
    pl.DataFrame(
        {
            "pupil_id": [f"{n:04d}" for n in range(N)],
            "born": [dt.date(2010, 1, n % 28 + 1) for n in range(N)],
            "seen": [dt.datetime(2023, 1, n % 28 + 1) for n in range(N)],
            "n": list(range(N)),
            "rate": [n / 4 for n in range(N)],
            "flag": [n % 2 == 0 for n in range(N)],
            "nested": [[n] for n in range(N)],
            "nothing": [None] * N,
        }
    ).write_parquet("pupil.parquet")
    assert main(["new", "drafted", "pupil.parquet"]) == 0
    assert main(["check", "drafted.rules", "pupil.parquet"]) == 0
    assert types(load("drafted.rules"), "pupil") == {
        "pupil_id": "text",
        "born": "date",
        "seen": "date",
        "n": "integer",
        "rate": "decimal",
        "flag": "boolean",
        "nothing": "text",
    }


def test_keys_references_and_codes(folder: Path) -> None:
    book = draft(
        folder,
        {
            "student.csv": "student_id,last_name\n" + rows("{n:04d},Smith"),
            "school.csv": "school_id,name\nS0,North\nS1,South\n",
            "stay.csv": "student_id,school_id,entry_date,exit_date,exit_type,other_id\n"
            + rows("{n:04d},S{even:d},2023-08-{day:02d},2023-12-{day:02d},0{even:d},{n:04d}")
            + rows("{n:04d},S{even:d},2024-01-{day:02d},2024-05-{day:02d},0{even:d},{n:04d}"),
        },
    )
    stay, student = book.schema.tables["stay"], book.schema.tables["student"]
    assert student.key == ("student_id",)
    assert stay.key == ("student_id", "entry_date")
    assert {link.name: link.table for link in stay.links} == {
        "student": "student",
        "school": "school",
    }
    assert [each.code for each in book.schema.code_sets["exit_type"].codes] == ["00", "01"]
    assert student.columns_by_name["last_name"].sensitive
    assert stay.columns_by_name["exit_date"].required
    assert not book.schema.tables["school"].columns_by_name["name"].required
    assert book.rules[0].title == "exit_date is before entry_date"


def test_a_reference_that_not_every_row_keeps_is_a_comment(folder: Path) -> None:
    book = draft(
        folder,
        {
            "student.csv": "student_id\n" + rows("{n:04d}"),
            "stay.csv": "student_id,n\n" + rows("{n:04d},1") + "9999,1\n",
        },
    )
    assert book.schema.tables["stay"].links == ()
    assert "1 row has none of `student`, so it is no reference" in Path("drafted.rules").read_text()


@pytest.mark.parametrize(
    "text",
    [
        "id,teacher\n" + rows("{n},Secretname"),
        "id,homeroom\n" + rows("{n},Secretname{even}"),
        "id,homeroom\n" + rows("{n},SECRETNAME"),
        "id,status\n" + rows("{n},S{even:d}") + "61,Secretname\n",
        "id,email_type\n" + rows("{n},Secretname@x.org"),
        "id,status\nA,Secretname\nB,Secretname2\n",
        "id,first_name\n" + rows("{n},Secretname{even}"),
        "id,born\n" + rows("{n},2023-01-{day:02d}") + "62,Secretname\n",
        "id,grade_comment\n" + rows("{n},Secretname{even}"),
        "id,n\n" + rows("{n},{n}") + '"Secretname\n',
    ],
)
def test_no_value_of_a_person_is_written(
    folder: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("x.csv").write_text(text)
    assert main(["new", "drafted", "x.csv"]) == 0
    said = capsys.readouterr()
    assert "secretname" not in (Path("drafted.rules").read_text() + said.out + said.err).lower()


def test_what_is_claimed_holds_of_all_rows(folder: Path) -> None:
    book = draft(folder, FILES["what comes late"])
    assert types(book, "x") == {"id": "text", "n": "text", "d": "text", "status": "status"}
    assert book.schema.tables["x"].key == ("n",)


def test_nothing_is_written_over(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("x.csv").write_text("id\nA\nB\n")
    assert main(["new", "a.b", "x.csv"]) == 0
    assert load("a/b.rules").name == "a.b"
    before = Path("a/b.rules").read_text()
    Path("x.csv").write_text("id,n\nA,1\nB,2\n")
    assert main(["new", "a.b", "x.csv"]) == 64
    assert "is there already" in capsys.readouterr().err
    assert Path("a/b.rules").read_text() == before
    assert main(["new", "a.b", "x.csv", "--force"]) == 0
    assert Path("a/b.rules").read_text() != before
    assert main(["new", "b", "x.csv", "--out", "elsewhere.rules"]) == 0
    assert load("elsewhere.rules").name == "b"
    assert [each.name for each in Path("a").iterdir()] == ["b.rules"]


@pytest.mark.parametrize(
    ("words", "content", "code", "complaint"),
    [
        (["x", "x.csv"], b"", 3, "x.csv: the file is empty, where a header is expected"),
        (["x", "x.csv"], b"\n\n", 3, "the file is empty"),
        (["x", "x.csv"], "a,b\n".encode("utf-16"), 3, "the file is UTF-16"),
        (["x", "x.csv"], bytes(range(256)), 3, "the header cannot be read"),
        (["x", "x.csv"], b"a,a\n1,2\n", 3, "has no header that could be the name of a column"),
        (["x", "nowhere.csv"], b"", 3, "there is no file or folder `nowhere.csv`"),
        (["x", "x.xml"], b"<a/>", 3, "is XML"),
        (["x", "x.parquet"], b"no", 3, "cannot be read as Parquet"),
        (["Not A Name", "x.csv"], b"a\n1\n", 64, "is no name of a rulebook"),
        (["table", "x.csv"], b"a\n1\n", 64, "is no name of a rulebook"),
        (["x", "x.csv", "--out", "x.txt"], b"a\n1\n", 64, "does not end in .rules"),
    ],
)
def test_what_goes_wrong(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    content: bytes,
    code: int,
    complaint: str,
) -> None:
    if words[1] != "nowhere.csv":
        Path(words[1]).write_bytes(content)
    assert main(["new", *words]) == code
    assert complaint in capsys.readouterr().err
    assert not list(folder.glob("*.rules"))


def test_one_name_and_other_columns(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place, text in (("a", "id,b\n1,2\n"), ("b", "id,c\n1,2\n")):
        Path(place).mkdir()
        Path(place, "x.csv").write_text(text)
    assert main(["new", "x", "a", "b"]) == 3
    assert "have one name and not the same columns" in capsys.readouterr().err


def test_lines_that_cannot_be_read_are_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("x.csv").write_text("id,n\nA,1\nB\nC,2\n")
    assert main(["new", "x", "x.csv"]) == 0
    assert "1 line could not be read; `check` lists them." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("StudentUniqueId", "student_unique_id"),
        ("LEACode", "lea_code"),
        ("  Birth-Date (ISO) ", "birth_date_iso"),
        ("Größe", "grosse"),
        ("№ 7", "no_7"),
        ("学校", ""),
        ("_x_", "x"),
    ],
)
def test_snake(header: str, name: str) -> None:
    assert snake(header) == name


def test_named_apart() -> None:
    assert named_apart(["b", "B", "B ", "学校", "", "A", "a"]) == {
        "b": "b",
        "学校": "column_4",
        "A": "a_2",
        "a": "a",
    }
