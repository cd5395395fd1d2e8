"""`uglyduck patients`: pages of new lesions and of the run's own, and the report that links to them."""

from __future__ import annotations

from contextlib import chdir
from io import StringIO
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from engine.files import read_json
from tests.uglyduck.conftest import Command
from uglyduck.terminal.metrics import metrics_table, remarks


def test_new_lesions_with_crops_get_pages(command: Command, pictured: Path, tmp_path: Path) -> None:
    data, pages = pictured / "data", tmp_path / "pages"
    options = ["--metadata", data / "test-metadata.csv", "--images", data / "test-image.hdf5", "--first", "2"]
    done = command("patients", pictured / "run", *options, "--out", pages)
    written = read_json(pages / "patients.json")["pages"]
    assert len(written) == 2
    first = (pages / next(iter(written.values()))).read_text("utf-8")
    assert first.count('<img class="crop"') > 5
    assert "the mean of the fold models" in first
    assert "2 pages" in done.stderr
    index = (pages / "index.html").read_text("utf-8")
    patients = pl.read_csv(data / "test-metadata.csv", columns=["patient_id"])["patient_id"].n_unique()
    assert index.count("data-patient=") == patients


def test_the_report_links_to_pages_of_the_run_as_it_is(command: Command, copied: Path, tmp_path: Path) -> None:
    command("report", copied)
    assert "uglyduck patients RUN" in (copied / "report.html").read_text("utf-8")
    command("patients", copied, "--first", "3", "--sensitivity", "0.6")
    command("report", copied, "--out", tmp_path / "sub" / "report.html")
    text = (tmp_path / "sub" / "report.html").read_text("utf-8")
    assert 'href="../copied/patients/index.html"' in text
    assert text.count('class="views small"') >= 3
    page = (
        copied / "patients" / next(iter(read_json(copied / "patients" / "patients.json")["pages"].values()))
    ).read_text()
    assert "at least 60 % of a patient&#39;s malignant lesions" in page


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--image-scores", "s.parquet"], "--image-scores: there is no table to read so"),
        (["--out", "file"], "a folder is to be filled"),
    ],
)
def test_what_can_not_be_done_is_said_in_one_line(
    command: Command, finished: Path, tmp_path: Path, options: list[str], said: str
) -> None:
    (tmp_path / "file").write_text("")
    with chdir(tmp_path):
        done = command("patients", finished.resolve(), *options, check=False)
    assert done.returncode == 2
    assert said in done.stderr


def test_figures_fit_a_hundred_columns(finished: Path) -> None:
    stored = read_json(finished / "metrics.json")
    console = Console(width=100, record=True, file=StringIO())
    console.print(metrics_table(stored))
    lines = [line.strip(" │") for line in console.export_text().splitlines()]
    rows = [line for line in lines if line.startswith(tuple(stored["scores"]))]
    assert len(rows) == len(stored["scores"])
    assert all(row.count(" to ") == 3 for row in rows)
    assert remarks(stored)[0].startswith("blend, pAUC, mean over folds: 0.")
