"""Interchange XML: paths, references, mistakes at every byte."""

from pathlib import Path

import polars as pl
import pytest

from ruleforge.engine.revision import LINE
from ruleforge.intake import edfi
from ruleforge.intake.content import Content
from ruleforge.intake.edfi import Wanted, read_interchange
from ruleforge.intake.error import IntakeError
from ruleforge.language.schema import Column, FileClause, Table
from ruleforge.language.types import TEXT
from ruleforge.language.xml_path import PathError, Step, parse_path

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<Interchange xmlns="http://ed-fi.org/4.0.0-a">\n'
TAIL = "</Interchange>\n"


def wanted(element: str, table: str = "t", /, **paths: str | None) -> Wanted:
    columns = tuple(Column(name, TEXT, header=path) for name, path in paths.items())
    clause = FileClause("*.xml", element=element)
    return Wanted(Table(table, columns, (columns[0].name,), files=(clause,)), clause)


def read_bytes(folder: Path, data: bytes, *tables: Wanted) -> Content:
    file = folder / "x.xml"
    file.write_bytes(data)
    return read_interchange(file, tables)


def read(folder: Path, body: str, *tables: Wanted) -> Content:
    return read_bytes(folder, (HEAD + body + TAIL).encode(), *tables)


def frame(content: Content, table: str = "t") -> pl.DataFrame:
    return content.parts[table].frame.collect()


def rows(content: Content, table: str = "t") -> list[tuple[object, ...]]:
    return frame(content, table).drop(LINE).rows()


def only_row(folder: Path, body: str, **paths: str | None) -> dict[str, object]:
    content = read(folder, f"<Row>{body}</Row>", wanted("Row", **paths))
    assert content.complete
    (row,) = frame(content).drop(LINE).to_dicts()
    return row


def test_paths_below_the_element(tmp_path: Path) -> None:
    body = (
        "<A><B>1</B><C>2</C></A><B>007</B><D> x </D><E a='1'>a<![CDATA[<&]]>b&amp;<!-- c -->c</E>"
    )
    assert only_row(tmp_path, body, p="A/B", q="A/C", r="B", s="D", t="E") == {
        "p": "1",
        "q": "2",
        "r": "007",
        "s": " x ",
        "t": "a<&b&c",
    }


def test_own_name_is_accepted(tmp_path: Path) -> None:
    assert only_row(tmp_path, "<x>1</x><Y>2</Y>", x=None, y="Nothing/Here", z="Y") == {
        "x": "1",
        "z": "2",
    }


def test_descriptors_are_cut(tmp_path: Path) -> None:
    body = (
        "<A>uri://ed-fi.org/GradeLevelDescriptor#Fifth grade</A><B>uri://x.gov/D#a#b</B>"
        "<C>http://x#y</C><D>uri://plain</D><E>uri://x/Descriptor#</E>"
    )
    assert list(only_row(tmp_path, body, a="A", b="B", c="C", d="D", e="E").values()) == [
        "Fifth grade",
        "a#b",
        "http://x#y",
        "uri://plain",
        None,
    ]


@pytest.mark.parametrize(
    ("orders", "by_number"),
    [
        (["", "", ""], "abc"),
        (["2", "1", ""], "bac"),
        (["", "1", ""], "bac"),
        (["3", "", ""], "bca"),
        (["", "3", "1"], "cab"),
        (["1", "1", ""], "ac-"),
        (["x", "1", "2"], "bca"),
        (["", "9", ""], "ac-"),
    ],
)
def test_repeated_elements(tmp_path: Path, orders: list[str], by_number: str) -> None:
    body = "".join(
        f"<A><A>{name}</A>{order and f'<N> {order} </N>'}</A>"
        for name, order in zip("abc", orders, strict=True)
    )
    plain = {"p": "A/A", "q": "A[2]/A", "r": "A[3]/A", "s": "A[4]/A"}
    assert only_row(tmp_path, body, **plain) == {"p": "a", "q": "b", "r": "c"}
    ordered = {name: f"A[{number} by N]/A" for number, name in enumerate("pqr", 1)}
    found = only_row(tmp_path, body, **ordered)
    assert "".join(str(found.get(name, "-")) for name in "pqr") == by_number


SCHOOL = "LocalEducationAgencyReference/LocalEducationAgencyIdentity/LocalEducationAgencyId"
AGENCY = (
    '<LocalEducationAgency id="L1"><LocalEducationAgencyId>255</LocalEducationAgencyId>'
    "</LocalEducationAgency>"
)
REFERRING = '<School><Id>1</Id><LocalEducationAgencyReference ref="L1"/></School>'


@pytest.mark.parametrize("body", [AGENCY + REFERRING, REFERRING + AGENCY])
def test_references_in_either_order(tmp_path: Path, body: str) -> None:
    content = read(tmp_path, body, wanted("School", school="Id", lea=SCHOOL))
    assert rows(content) == [("1", "255")]
    assert content.rows == 1


def test_references_within_the_same_table_and_spelled_out(tmp_path: Path) -> None:
    body = (
        '<School id="S"><Id>1</Id><UpReference ref="T"/></School>'
        '<School id="T"><Id>2</Id><UpReference><UpIdentity><Id>3</Id></UpIdentity></UpReference>'
        "</School>"
        '<School><Id>4</Id><UpReference ref="none"/></School>'
    )
    content = read(tmp_path, body, wanted("School", id="Id", up="UpReference/UpIdentity/Id"))
    assert rows(content) == [("1", "2"), ("2", "3"), ("4", None)]


def test_references_to_references(tmp_path: Path) -> None:
    body = (
        '<Row><K>1</K><PlanReference ref="P"/></Row><Plan id="P"><OrgReference ref="O"/></Plan>'
        '<Other><OrgReference id="O"><OrgIdentity><OrgId>7</OrgId></OrgIdentity></OrgReference>'
        "</Other>"
    )
    path = "PlanReference/PlanIdentity/OrgReference/OrgIdentity/OrgId"
    assert rows(read(tmp_path, body, wanted("Row", k="K", o=path))) == [("1", "7")]


def test_references_in_a_circle(tmp_path: Path) -> None:
    body = '<Row><K>1</K><AReference ref="P"/></Row><P id="P"><AReference ref="P"/></P>'
    path = "AReference/AIdentity/AReference/AIdentity/B"
    assert rows(read(tmp_path, body, wanted("Row", k="K", o=path, p="AReference/B"))) == [("1",)]


def test_columns_that_no_element_has_are_not_supplied(tmp_path: Path) -> None:
    body = "<Row><A>1</A></Row><Row><A>2</A><B/></Row><Row><A>3</A><B>  </B><C><D/></C></Row>"
    content = read(tmp_path, body, wanted("Row", a="A", b="B", c="C", d="C/D", e="E"))
    assert frame(content).columns == ["a", "b", "d", LINE]
    assert rows(content) == [("1", None, None), ("2", None, None), ("3", None, None)]


def test_lines(tmp_path: Path) -> None:
    body = "<Row>\n<A>1</A></Row>\n\n<Other>\n</Other><Row><A>2</A>\n</Row>\n"
    content = read(tmp_path, body, wanted("Row", a="A"))
    assert frame(content)[LINE].to_list() == [3, 7]
    assert frame(content).schema == {"a": pl.String, LINE: pl.UInt32}


def test_one_parse_feeds_many_tables(tmp_path: Path) -> None:
    body = (
        "<A><X>1</X></A><B><X>2</X></B><A><X>3</X></A><Row><A><X>not below the root</X></A></Row>"
    )
    content = read(
        tmp_path,
        body,
        wanted("A", "a", x="X"),
        wanted("A", "again", x="X"),
        wanted("B", "b", x="X"),
        wanted("C", "c", x="X"),
    )
    assert content.tables == ("a", "again", "b")
    assert [rows(content, table) for table in content.tables] == [
        [("1",), ("3",)],
        [("1",), ("3",)],
        [("2",)],
    ]
    assert content.rows == 3


def test_two_elements_feed_one_table(tmp_path: Path) -> None:
    first = wanted("A", x="X")
    second = Wanted(first.table, FileClause("*", element="B"))
    content = read(tmp_path, "<A><X>1</X></A><B><X>2</X></B>", first, second)
    assert rows(content) == [("1",), ("2",)]


def test_namespaces_do_not_count(tmp_path: Path) -> None:
    data = b'<e:I xmlns:e="u"><e:Row><e:A>1</e:A><x:B>2</x:B></e:Row></e:I>'
    assert rows(read_bytes(tmp_path, data, wanted("Row", a="A", b="B"))) == [("1", "2")]


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "iso-8859-1", "windows-1252", "us-ascii"])
def test_encodings(tmp_path: Path, codec: str) -> None:
    name = "Zoe" if codec == "us-ascii" else "Zoé"
    declared = "utf-8" if codec == "utf-8-sig" else codec
    text = f'<?xml version="1.0" encoding="{declared}"?><I><Row><A>{name}</A></Row></I>'
    assert rows(read_bytes(tmp_path, text.encode(codec), wanted("Row", a="A"))) == [(name,)]


@pytest.mark.parametrize("name", ["no-such-thing", "big5", "hex", "utf-7", "idna"])
def test_unknown_encodings(tmp_path: Path, name: str) -> None:
    data = f'<?xml version="1.0" encoding="{name}"?><I/>'.encode()
    content = read_bytes(tmp_path, data, wanted("Row", a="A"))
    assert "encoding" in content.refusals[0].reason
    assert not content.complete


def test_more_rows_than_a_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edfi, "BATCH", 3)
    body = "".join(f'<Row><A>{n}</A><BReference ref="{n % 4}"/></Row>' for n in range(10))
    targets = "".join(f'<B id="{n}"><C>c{n}</C></B>' for n in range(3))
    content = read(tmp_path, body + targets, wanted("Row", a="A", c="BReference/BIdentity/C"))
    assert rows(content) == [(str(n), f"c{n % 4}" if n % 4 < 3 else None) for n in range(10)]


@pytest.mark.parametrize(
    "data",
    [
        b'<!DOCTYPE I [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><I><Row><A>&b;</A></Row></I>',
        b'<!DOCTYPE I [<!ENTITY a SYSTEM "file:///etc/passwd">]><I><Row><A>&a;</A></Row></I>',
        b'<!DOCTYPE I SYSTEM "http://example.org/x.dtd"><I><Row><A>1</A></Row></I>',
    ],
)
def test_document_types_are_refused(tmp_path: Path, data: bytes) -> None:
    content = read_bytes(tmp_path, data, wanted("Row", a="A"))
    assert (content.parts, content.complete) == ({}, False)
    (refusal,) = content.refusals
    assert refusal.reason.startswith("the file declares a document type or entities")
    assert refusal.byte is not None


@pytest.mark.parametrize(
    ("body", "reason", "kept", "refused"),
    [
        ("<Row><A>2", "the XML ends in the middle of <A>", 1, 1),
        ("<Row><A>2</A></Row><Other><B", "the XML ends in the middle of <Other>", 2, 0),
        (
            "<Row><A>2</B></Row>",
            "an end tag does not belong to the element that is open, <A>",
            1,
            1,
        ),
        ("<Row>&nbsp;</Row>", "an entity that is not declared, in <Row>", 1, 1),
        ("<Row>\x01</Row>", "a character that XML does not allow here, in <Row>", 1, 1),
        ("<Row a='' a=''/>", "an element has the same attribute twice, in <Interchange>", 1, 0),
        ("</Interchange>more", "there is text behind the end of the root element", 1, 0),
    ],
)
def test_mistakes(tmp_path: Path, body: str, reason: str, kept: int, refused: int) -> None:
    data = (HEAD + "<Row><A>1</A></Row>\n" + body).encode()
    content = read_bytes(tmp_path, data, wanted("Row", a="A"))
    (refusal,) = content.refusals
    assert (refusal.reason, refusal.line, refusal.table) == (reason, 4, None)
    assert refusal.byte is not None
    assert len(HEAD) < refusal.byte <= len(data)
    assert (content.rows, content.refused, content.complete) == (kept, refused, False)
    assert frame(content).height == kept


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (
            b"student_id,name\n1,2\n",
            "the file is not XML, or there is text outside its root element",
        ),
        (b"PK\x03\x04", "the file is not XML, or there is text outside its root element"),
        (b'<?xml version="1.0"?>\n', "the XML ends before its root element is complete"),
    ],
)
def test_what_is_no_interchange(tmp_path: Path, data: bytes, reason: str) -> None:
    content = read_bytes(tmp_path, data, wanted("Row", a="A"))
    assert [refusal.reason for refusal in content.refusals] == [reason]
    assert (content.tables, content.rows, content.complete) == ((), 0, False)


def test_another_root_and_no_wanted_element(tmp_path: Path) -> None:
    for data in (b"<Row><A>1</A></Row>", b"<html><p>x</p></html>"):
        content = read_bytes(tmp_path, data, wanted("Row", a="A"))
        assert content == Content()


def test_cut_off_at_every_byte(tmp_path: Path) -> None:
    body = "".join(
        f'<Row id="r{n}"><A>é{n}</A><!-- c --><BReference ref="r0"/><C><![CDATA[x]]></C></Row>\n'
        for n in range(3)
    )
    data = (HEAD + body + TAIL).encode()
    want = wanted("Row", a="A", b="BReference/BIdentity/A", c="C")
    for end in range(len(data) - 1):  # without its last line end the file is whole
        content = read_bytes(tmp_path, data[:end], want)
        complete_rows = data[:end].count(b"</Row>")
        assert content.rows == complete_rows
        assert not content.complete
        (refusal,) = content.refusals
        assert refusal.byte is not None
        assert 0 <= refusal.byte <= end
        if complete_rows:
            assert rows(content) == [(f"é{n}", "é0", "x") for n in range(complete_rows)]


def test_deep_nesting(tmp_path: Path) -> None:
    deep = "<a>" * 100_000
    content = read(
        tmp_path, f"<Row>{deep}{deep.replace('<', '</')}<A>1</A></Row>", wanted("Row", a="A")
    )
    assert rows(content) == [("1",)]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("A", (Step("A"),)),
        ("A/B", (Step("A"), Step("B"))),
        ("A[1]/B", (Step("A", 1), Step("B"))),
        ("A[12 by C-d.e]/B", (Step("A", 12, "C-d.e"), Step("B"))),
        (" A [ 2  by C ] / B ", (Step("A", 2, "C"), Step("B"))),
        ("Élève/_x", (Step("Élève"), Step("_x"))),
    ],
)
def test_paths(text: str, path: tuple[Step, ...]) -> None:
    assert parse_path(text) == path


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/A",
        "A/",
        "A//B",
        "A[0]",
        "A[-1]",
        "A[x]",
        "A[1",
        "A[1 by]",
        "A[by C]",
        "A B",
        "1A",
        "n:A",
        "@id",
        "A[1][2]",
    ],
)
def test_wrong_paths_name_the_forms(text: str) -> None:
    with pytest.raises(PathError, match=r"`A/B`, `A\[2\]/B` or `A\[2 by C\]/B`"):
        parse_path(text)


def test_wrong_paths_name_the_table(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="table `t`: `Last Name` is no path"):
        read(tmp_path, "", wanted("Row", a="Last Name"))
