import json
import sys
from pathlib import Path

import pytest

from uglyduck.cli import main

HAM = "lesion_id,image_id,dx,dx_type,age,sex,localization\n"
SOUND = f"{HAM}HAM_1,ISIC_1,mel,histo,80,male,scalp\nHAM_1,ISIC_2,nv,histo,80,male,scalp\n"
REPEATED = f"{HAM}HAM_1,ISIC_1,mel,histo,80,male,scalp\nHAM_1,ISIC_1,nv,histo,80,male,scalp\n"


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["uglyduck", "check", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(SOUND, "utf-8")
    return path


def test_a_sound_table_ends_with_0_and_a_summary(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, table) == 0
    out, err = capsys.readouterr()
    assert "UD125" in out
    assert "UD105" not in out
    assert f"{table}: 0 errors, 0 warnings, " in out
    assert err == ""


def test_all_lists_what_is_clear(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, table, "--all") == 0
    assert "UD105" in capsys.readouterr().out


def test_an_error_prints_the_table_then_one_line_and_ends_with_2(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table.write_text(REPEATED, "utf-8")
    assert _run(monkeypatch, table) == 2
    out, err = capsys.readouterr()
    assert "UD105" in out
    assert err.startswith(f"uglyduck: {table}: 1 error found. UD105: ")
    assert err.count("\n") == 1
    assert err.endswith("keep one row of each image.\n")


@pytest.mark.parametrize(("content", "status"), [(SOUND, 0), (REPEATED, 2), ("{}", 2)])
def test_json_is_one_object_whatever_was_found(
    content: str, status: int, table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table.write_text(content, "utf-8")
    assert _run(monkeypatch, table, "--json") == status
    report = json.loads(capsys.readouterr().out)
    assert (report["subject"], report["ok"]) == (str(table), status == 0)
    assert report["counts"]["error"] == (1 if status else 0)


def test_markup_in_data_is_printed_as_it_is(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table.write_text(SOUND.replace("localization\n", "localization,[bold]x[/bold]\n", 1), "utf-8")
    table.write_text(table.read_text("utf-8").replace("scalp\n", "scalp,1\n"), "utf-8")
    assert _run(monkeypatch, table) == 0
    assert "1 left out: [bold]x[/bold]" in capsys.readouterr().out


def test_a_missing_path_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, tmp_path / "absent") == 2
    assert "no such file" in capsys.readouterr().err
