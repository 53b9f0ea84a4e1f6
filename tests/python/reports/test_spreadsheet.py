"""Text stays text in a spreadsheet."""

from __future__ import annotations

import tempfile
from pathlib import Path

import openpyxl
import pytest

from outcomes.spreadsheet import Sheet, spreadsheet_text, write_workbook


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_text_that_begins_like_a_formula_gets_an_apostrophe(begin: str) -> None:
    assert spreadsheet_text(f"{begin}1+1") == f"'{begin}1+1"
    assert spreadsheet_text(begin) == f"'{begin}"


def test_a_formula_may_begin_with_a_number() -> None:
    for text in ("-2+3+cmd|' /C calc'!A0", "+1-1", "-1 to +HYPERLINK(A1)", "+1 \n=1", "-1%"):
        assert spreadsheet_text(text) == f"'{text}"


@pytest.mark.parametrize("text", ["+26.2 points", "-0.52 grade points", "-7.2 to -3.8", "-1,200"])
def test_a_difference_is_no_formula(text: str) -> None:
    assert spreadsheet_text(text) == text


@pytest.mark.parametrize("text", ["", "Ada", "'=1", "1-2", "a=b", "Nuñez", " =1", "line\nline"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert spreadsheet_text(text) == text


@pytest.mark.parametrize("text", ["\x00=1", "\x0b", "a\x1fb"])
def test_characters_that_a_workbook_cannot_hold_are_replaced(text: str) -> None:
    replaced = spreadsheet_text(text)
    assert "�" in replaced
    assert len(replaced) == len(text)


def test_a_workbook_holds_text_numbers_and_a_frozen_header(tmp_path: Path) -> None:
    file = tmp_path / "new" / "book.xlsx"
    write_workbook(file, [Sheet("One", {"=head": 30, "n": 8}, [["=1+1", -5], [None, 2]])])
    sheet = openpyxl.load_workbook(file)["One"]
    assert list(sheet.values) == [("'=head", "n"), ("'=1+1", -5), (None, 2)]
    assert {cell.data_type for row in sheet for cell in row} == {"s", "n"}
    assert sheet.freeze_panes == "A2"
    assert sheet.column_dimensions["A"].width == 30
    assert sheet["A1"].font.bold
    assert sheet["A2"].fill.fill_type is None
    assert [path.name for path in file.parent.iterdir()] == ["book.xlsx"]
    assert file.stat().st_mode & 0o077 == 0, "others may not read it"


def test_a_state_has_a_word_and_a_color(tmp_path: Path) -> None:
    file = tmp_path / "book.xlsx"
    write_workbook(file, [Sheet("One", {"state": 8}, [["fine"], ["to fix"], ["urgent"]])])
    sheet = openpyxl.load_workbook(file)["One"]
    assert len({sheet[f"A{row}"].fill.start_color.rgb for row in (1, 2, 3, 4)}) == 4


def test_a_workbook_that_cannot_be_written_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    with pytest.raises(OSError, match="file"):
        write_workbook(tmp_path / "file" / "book.xlsx", [Sheet("One", {"n": 8}, [[1]])])
    assert list((tmp_path / "temporary").iterdir()) == []
