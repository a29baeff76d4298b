"""What other systems load."""

import csv
import json
import os
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ruleforge.engine.metadata import FindingRecord
from ruleforge.engine.revision import Refusal
from ruleforge.reporting import tables
from ruleforge.reporting.tables import Output, OutputError, Staging, harmless, write

NASTY = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "'", '"q"', "a,b", "a\r\nb", "é", "a=1", ""]
REFUSALS = (
    Refusal("it has 3 fields, not 4", "stay.csv", "stay", 4, text="=a,b,c"),
    Refusal("it is cut off", "more.xml"),
)


@pytest.fixture
def result(evaluate):
    stays = [(f"{text}S{n}", "A", 5, text) for n, text in enumerate(NASTY)]
    return evaluate(*stays, ("T", "C", 41, None), refusals=REFUSALS)


def written(result, folder: Path, name: str) -> Path:
    write(result, [Output.of(str(folder / name))])
    return folder / name


def test_parquet_has_the_findings_as_they_are(result, tmp_path: Path) -> None:
    assert_frame_equal(pl.read_parquet(written(result, tmp_path, "f.parquet")), result.findings)


def test_json_is_an_array_of_finding_records(result, tmp_path: Path) -> None:
    rows = json.loads(written(result, tmp_path, "f.json").read_text(encoding="utf-8"))
    records = [FindingRecord.model_validate(each) for each in rows]
    expected = result.findings
    for name in ("rule", "severity", "message", "fingerprint", "file", "line", "table", "cause"):
        assert [getattr(each, name) for each in records] == expected[name].to_list()
    first = next(each for each in records if each.rule == "Stay-1")
    assert first.key == {"student_id": "T", "school_id": "C", "entry_date": "2023-08-01"}
    assert first.roles == {"student": "T", "school": "C"}
    assert records[-1].key == records[-1].roles == {}
    assert [value.value for value in records[-2].values] == ["=a,b,c"]


def test_csv_has_the_same_with_harmless_cells(result, tmp_path: Path) -> None:
    with written(result, tmp_path, "f.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    findings = result.findings
    assert list(rows[0]) == findings.columns
    assert [each["rule"] for each in rows] == findings["rule"].to_list()
    for row, student in zip(rows, findings["student"], strict=True):
        bare = student or ""
        assert row["student"] == (f"'{bare}" if bare[:1] in tuple("=+-@\t\r\n") else bare)
        assert not any(cell[:1] in tuple("=+-@\t\r\n") for cell in row.values() if cell)
    found = [each for each in rows if each["rule"] == "Stay-2"]
    assert [json.loads(each["key"])["student_id"] for each in found] == [
        f"{text}S{n}" for n, text in enumerate(NASTY)
    ]
    assert json.loads(found[0]["values"]) == [{"column": "hours", "value": "5"}]
    assert {each["counterparts"] for each in rows} == {"[]"}


@pytest.mark.parametrize("name", ["f.csv", "f.json", "f.parquet"])
def test_no_findings_is_an_empty_file_of_its_kind(evaluate, tmp_path: Path, name: str) -> None:
    path = written(evaluate(("S1", "A", 20, None)), tmp_path, name)
    match path.suffix:
        case ".csv":
            assert path.read_text().startswith("revision,rulebook,rule,")
            assert len(path.read_text().splitlines()) == 1
        case ".json":
            assert json.loads(path.read_text()) == []
        case _:
            assert pl.read_parquet(path).height == 0


def test_findings_come_in_batches(result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = written(result, tmp_path, "whole.json").read_text()
    monkeypatch.setattr(tables, "_AT_ONCE", 3)
    assert written(result, tmp_path, "parts.json").read_text() == whole
    assert_frame_equal(pl.concat(list(result.batches(2))), result.findings)
    assert max(each.height for each in result.batches(2)) == 2


def test_a_folder_gets_everything(result, tmp_path: Path) -> None:
    folder = written(result, tmp_path, "new/deep")
    assert sorted(each.name for each in folder.iterdir()) == [
        "findings.parquet",
        "manifest.json",
        "rules.csv",
    ]
    rules = pl.read_csv(folder / "rules.csv")
    assert rules["rule"].to_list() == result.rules["rule"].to_list()
    assert rules["fails"].to_list() == result.rules["fails"].to_list()
    assert rules.row(0, named=True)["title"] == "Too many hours"
    assert json.loads((folder / "manifest.json").read_text())["as_of"] == "2023-12-05"


def test_all_places_or_none(result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tables, "_write_parquet", full)
    with pytest.raises(OSError, match="No space"):
        write(result, [Output.of(str(tmp_path / name)) for name in ("a.csv", "b.parquet")])
    assert [each.name for each in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_text() == "before"


def test_a_file_is_only_there_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "f.csv"
    with Staging() as staging:
        staging.file(target).write_text("half")
        assert not target.exists()
    assert target.read_text() == "half"
    assert [each.name for each in tmp_path.iterdir()] == ["f.csv"]


@pytest.mark.skipif(os.name == "nt", reason="symbolic links need a privilege there")
def test_a_symbolic_link_stays_one(result, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "f.csv").symlink_to(tmp_path / "real" / "there.csv")
    assert written(result, tmp_path, "f.csv").is_symlink()
    assert (tmp_path / "real" / "there.csv").exists()


def test_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plain").write_text("")
    Path("folder.v2").mkdir()
    assert Output.of("f.CSV").files == (Path("f.CSV"),)
    assert Output.of("new").is_folder
    assert Output.of("folder.v2").is_folder
    assert Output.of("new.v3/").is_folder
    for wrong in ("f.xlsx", "f.csv.gz", "no/f.csv", "plain"):
        with pytest.raises(OutputError):
            Output.of(wrong)


def test_harmless_touches_texts_only() -> None:
    table = pl.DataFrame({"text": ["=a", "a", None, "-"], "number": [-1, 1, None, 0]})
    assert harmless(table).to_dict(as_series=False) == {
        "text": ["'=a", "a", None, "'-"],
        "number": [-1, 1, None, 0],
    }
