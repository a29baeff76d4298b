"""Where a rulebook is looked for, and what is said where it is not there."""

from pathlib import Path

import pytest

from ruleforge.language.load import RulebookError, load


def test_a_name_that_is_a_file_of_this_folder_is_told_how_to_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stays.rules").write_text("rulebook stays edition 1", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RulebookError) as raised:
        load("stays")
    (diagnostic,) = raised.value.diagnostics
    assert (diagnostic.code, diagnostic.fact) == ("RF206", "there is no rulebook `stays`")
    assert diagnostic.fix == "write `stays.rules` for the file of this folder"
    assert load("stays.rules").name == "stays"
