"""`uglyduck report` and `uglyduck card` as a user runs them."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import polars as pl
import pytest

from engine.files import read_json
from tests.uglyduck.conftest import Command


def test_report_beside_the_run(finished: Path, command: Command, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    command("report", finished, "--out", page)
    text, stored = page.read_text("utf-8"), read_json(tmp_path / "report.json")
    metrics = read_json(finished / "metrics.json")
    assert stored["overview"]["rows"][0]["pooled"] == metrics["scores"]["blend"]["pooled"]
    assert stored["origin"]["kind"] == "simulated"
    for name, label in metrics["scores"]["blend"]["metrics"].items():
        cell = metrics["scores"]["blend"]["pooled"][name]
        assert f"{cell['estimate']:.4f}" in text
        assert label in text
    assert "Simulated data" in text
    assert str(finished.parent) not in text, "folders of the machine stay on the machine"


def test_the_same_page_again(finished: Path, command: Command, tmp_path: Path) -> None:
    pages = [tmp_path / "first.html", tmp_path / "second.html"]
    for page in pages:
        command("report", finished, "--out", page)
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_card(finished: Path, command: Command, tmp_path: Path) -> None:
    page = tmp_path / "model-card.md"
    command("card", finished, "--out", page)
    pauc = read_json(finished / "metrics.json")["scores"]["blend"]["pooled"]["pauc"]
    assert f"pAUC {pauc['estimate']:.4f}" in page.read_text("utf-8")
    assert read_json(tmp_path / "model-card.json")["title"].startswith("Model card")


@pytest.mark.parametrize("name", ["report", "card"])
def test_no_run(name: str, command: Command, tmp_path: Path) -> None:
    done = command(name, tmp_path, check=False)
    assert done.returncode == 2
    assert "holds no run" in done.stderr


def test_damaged_scores_are_refused_and_nothing_is_written(copied: Path, command: Command, tmp_path: Path) -> None:
    pl.read_parquet(copied / "oof.parquet").with_columns(pl.col("blend") / 2).write_parquet(copied / "oof.parquet")
    done = command("report", copied, check=False)
    assert done.returncode == 2
    assert "SHA-256" in done.stderr
    assert not (copied / "report.html").exists()


ABLATE = ("ablate", "--groups", "basic", "--leave-out")
LATER = (("report",), ("rank",), ("hospitals",), ABLATE, ("explain",), ("card",))


@pytest.mark.parametrize("later", LATER, ids=lambda later: later[0])
def test_no_later_command_opens_the_users_table(
    finished: Path, copied: Path, command: Command, tmp_path: Path, later: tuple[str, ...]
) -> None:
    """A run folder is whole by itself: it may lie on another machine, and the table may be gone or changed."""
    config = copied / "config.toml"
    config.write_text(config.read_text().replace(str(finished.parent / "data"), str(tmp_path / "nowhere")))
    out = ("--out", tmp_path / "out.csv") if later[0] == "rank" else ()
    command(later[0], copied, *later[1:], *out)


def test_a_changed_table_of_the_run_is_refused(copied: Path, command: Command) -> None:
    lesions = copied / "lesions.parquet"
    lesions.write_bytes(lesions.read_bytes()[:-1] + b"x")
    done = command("report", copied, check=False)
    assert done.returncode == 2
    assert "lesions.parquet" in done.stderr


def test_what_was_made_before_the_run_was_trained_anew_is_not_shown(
    small: Path, copied: Path, command: Command, tmp_path: Path
) -> None:
    command("rank", copied, "--out", tmp_path / "ranking.csv")
    command("check", copied)
    command("report", copied)
    current = read_json(copied / "report.json")
    assert current["stale"] == []
    assert current["curves"]
    assert current["findings"]

    config = small / "anew.toml"
    config.write_text(
        (small / "quick.toml").read_text().replace("xgboost = { n_trees = 10 }", "xgboost = { n_trees = 5 }")
    )
    command("run", config, "--out", copied)
    command("report", copied)
    stale = read_json(copied / "report.json")
    assert stale["stale"] == ["curves", "findings"]
    assert stale["curves"] is None
    assert stale["not_run"]["curves"] == "uglyduck rank RUN"
    assert "run it again: <code>uglyduck rank RUN</code>" in (copied / "report.html").read_text("utf-8")
    command("rank", copied, "--out", tmp_path / "ranking.csv")
    command("report", copied)
    assert read_json(copied / "report.json")["stale"] == ["findings"]


def test_the_picture_says_what_the_report_says(finished: Path, command: Command, tmp_path: Path) -> None:
    command("report", finished, "--out", tmp_path / "report.html", "--picture", tmp_path / "run.svg")
    drawn = ET.fromstring((tmp_path / "run.svg").read_text("utf-8"))  # noqa: S314 - our own file
    words = " ".join(drawn.itertext())
    pauc = read_json(tmp_path / "report.json")["roc"]["pauc"]
    assert f"pAUC {pauc['estimate']:.4f} ({pauc['low']:.4f} to {pauc['high']:.4f})" in words
    assert words.startswith("Simulated cohort: 3,000 lesions")
    assert "http" not in (tmp_path / "run.svg").read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    command("report", finished, "--out", tmp_path / "again.html", "--picture", tmp_path / "again.svg")
    assert (tmp_path / "again.svg").read_bytes() == (tmp_path / "run.svg").read_bytes()
