"""The recipes of the README run as they stand."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import polars as pl

from tests.uglyduck.conftest import PROGRAM

README = Path(__file__).parents[2] / "README.md"


def test_every_recipe_runs_one_after_the_other(tmp_path: Path) -> None:
    recipes = re.findall(r"^```sh\n(.*?)^```", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert len(recipes) >= 4
    script = "set -euo pipefail\n" + "\n".join(recipes)
    environment = {**os.environ, "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    test = pl.read_csv(tmp_path / "cohort/test-metadata.csv", infer_schema=False)
    assert pl.read_csv(tmp_path / "submission.csv", infer_schema=False)["isic_id"].equals(test["isic_id"])
    assert pl.read_csv(tmp_path / "ranking.csv").height == test.height
    assert "0 errors" in done.stdout
    assert "not distinguishable" in done.stdout
    assert "pAUC" in done.stdout
    assert (tmp_path / "bundle/kernel/submit.ipynb").is_file()
    assert "Simulated data" in (tmp_path / "report.html").read_text("utf-8")
    assert (tmp_path / "model-card.md").read_text("utf-8").startswith("# Model card")


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README.read_text("utf-8"))
    assert [link for link in links if "://" not in link and not (README.parent / link).exists()] == []


def test_every_page_is_linked() -> None:
    text = README.read_text("utf-8")
    pages = [path.relative_to(README.parent).as_posix() for path in (README.parent / "docs").glob("*.md")]
    assert [page for page in pages if f"]({page})" not in text] == []


def test_the_picture_says_that_it_is_simulated() -> None:
    pictures = [*(README.parent / "docs/pictures").glob("*.svg")]
    assert [path.name for path in pictures] == ["overview.svg"]
    assert "Simulated cohort" in pictures[0].read_text("utf-8")
