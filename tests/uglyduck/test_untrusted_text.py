"""A hostile patient and a hostile hospital walk through every output; neither runs, hides or breaks anything there."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from cohort.reading import read_cohort
from cohort.simulator import write_folder
from engine.errors import InputError, plain
from tests.uglyduck.conftest import QUICK, Command

#: A formula, a bar, a tag, colours of the terminal's tables, LaTeX.
PATIENT = '=HYPERLINK("x")|<img src=x onerror=alert(1)>[red]$\\input{x}$&`x`'
#: And what moves a terminal's cursor or turns the direction of text.
HOSPITAL = PATIENT + "\x1b[2J\x9b31m\x07\u202egpj.\u2066"
SEEN = PATIENT + "\ufffd[2J\ufffd31m\ufffd\ufffdgpj.\ufffd"
SMALLEST = re.sub(r"n_trees = \d+", "n_trees = 4", QUICK)


class Tags(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, command: Command) -> Path:
    """A finished run whose first patient and one hospital have hostile names."""
    folder = tmp_path_factory.mktemp("hostile")
    write_folder(folder / "data", 600, seed=1, malignant=60, test_lesions=50)
    table = folder / "data/train-metadata.csv"
    frame = pl.read_csv(table, infer_schema=False)
    first, named = frame["patient_id"].min(), frame["attribution"].value_counts(sort=True)["attribution"][0]
    frame.with_columns(
        patient_id=pl.when(pl.col("patient_id") == first).then(pl.lit(PATIENT)).otherwise("patient_id"),
        attribution=pl.when(pl.col("attribution") == named).then(pl.lit(HOSPITAL)).otherwise("attribution"),
    ).write_csv(table)
    (folder / "run.toml").write_text(SMALLEST)
    harmless(command("run", folder / "run.toml", "--out", folder / "run"))
    return folder


def harmless(done: object) -> str:
    """What a command said, each line of it printable."""
    said: str = done.stdout + done.stderr  # type: ignore[attr-defined]
    assert [line for line in said.split("\n") if not line.isprintable()] == []
    return said


def test_pages_and_markdown_show_it_and_run_nothing(hostile: Path, command: Command) -> None:
    harmless(command("report", hostile / "run", "--out", hostile / "report.html"))
    page = Tags((hostile / "report.html").read_text("utf-8"))
    assert SEEN in page.text
    assert not [found for found in page.found if "onerror" in found[1] or found[1].get("src") == "x"]
    harmless(command("card", hostile / "run", "--out", hostile / "card.md"))
    card = (hostile / "card.md").read_text("utf-8")
    assert all(line.isprintable() for line in card.split("\n"))
    assert "<img" not in card.replace("\\<img", "")
    for table in re.findall(r"(?:^\|.*\n)+", card, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


def test_tables_for_spreadsheets_and_programs_hold_it_as_text(hostile: Path, command: Command) -> None:
    for name in ("ranking.csv", "ranking.json"):
        harmless(command("rank", hostile / "run", "--out", hostile / name))
    with (hostile / "ranking.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert "'" + PATIENT in {row["patient_id"] for row in rows}
    numbers = re.compile(r"[-+]?[\d.]+(e-?\d+)?")
    cells = [cell for row in rows for cell in row.values() if not numbers.fullmatch(cell)]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    lesions = json.loads((hostile / "ranking.json").read_text("utf-8"))["lesions"]
    assert PATIENT in {row["patient_id"] for row in lesions}


@pytest.mark.parametrize("call", [["hospitals"], ["explain"], ["check"], ["check", "--all", "--json"]], ids=" ".join)
def test_tables_on_a_terminal_show_it_letter_by_letter(hostile: Path, command: Command, call: list[str]) -> None:
    name, *more = call
    said = harmless(command(name, hostile / "run", *more, check=False))
    if name == "hospitals":
        assert "[red]" in said


def test_a_refusal_shows_what_it_quotes_and_nothing_more(tmp_path: Path, command: Command) -> None:
    header = "isic_id,target,score"
    rows = f"A,0,0.1\n{HOSPITAL.replace(',', '')!s},1,0.2\n".replace('"', "")
    (tmp_path / "labels.csv").write_text(f"{header}\n{rows}", "utf-8")
    (tmp_path / "scores.csv").write_text("isic_id,score\nA,0.1\n", "utf-8")
    call = ("score", tmp_path / "scores.csv", "--labels", tmp_path / "labels.csv")
    assert "\\x1b[2J\\x9b31m\\x07\\u202egpj." in harmless(command(*call, check=False))
    (tmp_path / "odd.csv").write_text("\x1b[31m,\u202e\n1,2\n", "utf-8")
    assert "\\x1b[31m, \\u202e" in harmless(command("check", tmp_path / "odd.csv", check=False))


def test_a_patient_with_control_characters_is_refused_and_a_category_cleaned(tmp_path: Path) -> None:
    rows = "isic_id,patient_id,target,age_approx,sex\nA,IP_1,0,40,ma\x1ble\nB,IP_2,1,50,female\n"
    (tmp_path / "t.csv").write_text(rows)
    assert read_cohort(tmp_path / "t.csv").frame["sex"].to_list() == ["ma\ufffdle", "female"]
    (tmp_path / "t.csv").write_text(rows.replace("IP_2", "IP\x1b[2J"))
    with pytest.raises(InputError, match="holds control characters"):
        read_cohort(tmp_path / "t.csv")
    assert read_cohort(tmp_path / "t.csv", odd="missing").frame["patient_id"].to_list() == ["IP_1", "IP\ufffd[2J"]


def test_plain_text_stays_as_it_is() -> None:
    assert plain("Zürich, 北京, نور – 3 mm²") == "Zürich, 北京, نور – 3 mm²"
    assert plain("a\x1b\u202e\n\udce9b") == "a\\x1b\\u202e\\n\\udce9b"


def test_a_path_whose_bytes_are_no_text_is_json() -> None:
    program = "from uglyduck.terminal.answers import answer; answer({'path': 'Zürich/\\udce9'}, print, as_json=True)"
    done = subprocess.run([sys.executable, "-X", "utf8", "-c", program], capture_output=True, check=True)
    assert json.loads(done.stdout.decode("utf-8")) == {"path": "Zürich/\udce9"}
