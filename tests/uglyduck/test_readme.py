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
    assert "difference" in done.stdout
    assert "pAUC" in done.stdout


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README.read_text("utf-8"))
    assert [link for link in links if "://" not in link and not (README.parent / link).exists()] == []
