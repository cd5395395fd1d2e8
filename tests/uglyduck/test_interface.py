"""`import uglyduck`: the notebook runs, and modules of the user's take no package's place."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import uglyduck

NOTEBOOK = Path(__file__).parents[2] / "docs" / "first-steps.ipynb"
PACKAGES = ("cohort", "cv_folds", "engine", "ensemble", "features", "image_embeddings", "submissions")


def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cells = [cell for cell in json.loads(NOTEBOOK.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] for cell in cells)
    names: dict[str, Any] = {}
    for cell in cells:
        exec("".join(cell["source"]), names)  # noqa: S102 - the code is ours
    run, found = names["run"], names["found"]
    assert run.metrics.columns == ["score", "view", "metric", "estimate", "low", "high"]
    assert set(run.metrics["score"]) == {"lightgbm", "blend"}
    assert set(run.metrics["view"]) == {"pooled", "mean over folds"}
    assert run.scores["isic_id"].equals(run.features["isic_id"])
    both = uglyduck.score(names["both"], "blend", other="area", replicates=200)
    assert set(both["score"]) == {"blend", "area", "blend minus area"}
    same = both.join(run.metrics, on=["score", "view", "metric"]).filter(pl.col("score") == "blend")
    assert same.height == 6
    assert same["estimate"].equals(same["estimate_right"])
    assert "without own" in found.table["name"].to_list()
    assert found._repr_svg_().startswith("<svg")


def test_every_name_that_is_offered_is_there_and_documented() -> None:
    for name in uglyduck.__all__:
        assert getattr(uglyduck, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        uglyduck.nothing  # noqa: B018


def _python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)


def test_importing_it_loads_nothing_heavy(tmp_path: Path) -> None:
    heavy = "('numpy', 'polars', 'pydantic', 'lightgbm', 'torch', 'rich')"
    done = _python(f"import sys, uglyduck; print([name for name in {heavy} if name in sys.modules])", tmp_path)
    assert done.stdout == "[]\n"


def test_modules_of_the_users_take_no_packages_place(tmp_path: Path) -> None:
    for name in PACKAGES:
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('this is the user\\'s own')")
    code = """
import uglyduck.run.run
import uglyduck
print(uglyduck.load_run.__name__)
from image_embeddings.process import call
from image_embeddings.requests import ApplyRequest
from engine.errors import InputError
try:
    call(ApplyRequest(models=["none"], images="none", out="scores.parquet"))
except InputError as error:
    print(error)
"""
    done = _python(code, tmp_path)
    assert done.stderr == ""
    first, second = done.stdout.splitlines()
    assert first == "load_run"
    assert second.startswith("none: ")


def test_a_module_of_the_users_that_was_imported_first_is_named(tmp_path: Path) -> None:
    (tmp_path / "features.py").write_text("mine = 1")
    done = _python("import features\nimport uglyduck", tmp_path)
    assert "ImportError: another module 'features' is imported already" in done.stderr
    assert "import uglyduck before it, or rename it" in done.stderr
    assert _python("import features\nprint(features.mine)", tmp_path).stdout == "1\n"
