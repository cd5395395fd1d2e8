"""`[images.NAME.extra.TABLE]`: an image model of a run learns from lesions of another archive."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tests.uglyduck.conftest import PICTURED, Command, some_wheel

EXTRA = """
[images.descriptors]
[images.descriptors.extra.older]
metadata = "there.csv"
images = "data/train-image.hdf5"
columns = { target = { column = "histology", malignant = ["melanoma"] } }
"""


@pytest.fixture(scope="module")
def here(pictured: Path, tmp_path_factory: pytest.TempPathFactory, command: Command) -> Path:
    """A run on a half of the patients, whose image model learns from the other half too."""
    folder = tmp_path_factory.mktemp("here")
    lesions = pl.read_csv(pictured / "data/train-metadata.csv", infer_schema=False)
    is_here = pl.col("patient_id").is_in(lesions["patient_id"].unique().sort()[::2].implode())
    lesions.filter(is_here).write_csv(folder / "here.csv")
    # One patient in both tables.
    shared = pl.col("patient_id") == lesions.filter(is_here)["patient_id"][0]
    histology = pl.when(target="1").then(pl.lit("melanoma")).otherwise(pl.lit("nevus"))
    there = lesions.filter(~is_here | shared).with_columns(histology=histology).drop("target")
    there.write_csv(folder / "there.csv")
    text = PICTURED.replace("data/train-metadata.csv", "here.csv") + EXTRA
    (folder / "run.toml").write_text(text.replace('"data/', f'"{pictured}/data/'))
    command("run", folder / "run.toml", "--out", folder / "run")
    return folder


def test_it_learns_from_them_and_scores_the_runs_own(here: Path) -> None:
    own, other = (pl.read_csv(here / f"{name}.csv", infer_schema=False) for name in ("here", "there"))
    folder = here / "run/images/descriptors"
    assert sorted(pl.read_parquet(folder / "oof.parquet")["isic_id"]) == sorted(own["isic_id"])
    learnt = pl.read_parquet(folder / "extra.parquet")
    malignant = other.filter(pl.col("isic_id").is_in(learnt["isic_id"].implode()), histology="melanoma").height
    assert f"{len(learnt):,} lesions to learn from, {malignant} malignant" in (here / "run/run.log").read_text()
    assert set(learnt["isic_id"]) == set(other["isic_id"]) - set(own["isic_id"])
    assert not set(learnt["patient_id"]) & set(own["patient_id"])


def test_it_is_made_again_only_where_they_change(here: Path, command: Command) -> None:
    def state() -> str:
        return str(json.loads((here / "run/manifest.json").read_text())["stages"]["images"])

    spec, before = here / "run/images/descriptors/spec.json", state()
    first, fitted = spec.read_text(), (spec.parent / "fold0.npz").stat().st_ino
    command("run", here / "run.toml", "--out", here / "run")
    assert (state(), spec.read_text()) == (before, first)
    table, whole = here / "there.csv", (here / "there.csv").read_text()
    table.write_text("\n".join(whole.splitlines()[:-4]) + "\n")
    command("run", here / "run.toml", "--out", here / "run")
    assert spec.read_text() != first
    table.write_text(whole)
    command("run", here / "run.toml", "--out", here / "run")
    assert spec.read_text() == first
    assert (spec.parent / "fold0.npz").stat().st_ino == fitted  # the model of before was kept, and is taken back


def test_it_is_applied_and_bundled_without_them(here: Path, pictured: Path, tmp_path: Path, command: Command) -> None:
    test = ["--metadata", pictured / "data/test-metadata.csv", "--images", pictured / "data/test-image.hdf5"]
    command("predict", here / "run", *test, "--out", tmp_path / "submission.csv")
    assert len(pl.read_csv(tmp_path / "submission.csv")) > 0
    command("bundle", here / "run", "--out", tmp_path / "bundle", "--wheel", some_wheel(tmp_path))
    assert not list((tmp_path / "bundle").rglob("extra.parquet"))


def test_a_column_that_no_image_model_reads_is_refused(here: Path, tmp_path: Path, command: Command) -> None:
    text = (here / "run.toml").read_text()
    (tmp_path / "run.toml").write_text(
        text.replace("columns = { ", 'columns = { itch = { column = "x", kind = "number" }, ')
    )
    done = command("run", tmp_path / "run.toml", "--out", tmp_path / "run", check=False)
    assert done.returncode == 2
    assert "[images.descriptors.extra.older.columns]: itch would become a feature" in done.stderr


def test_a_table_that_cannot_be_read_is_named(here: Path, tmp_path: Path, command: Command) -> None:
    text = (here / "run.toml").read_text().replace('"here.csv"', f'"{here}/here.csv"')
    (tmp_path / "run.toml").write_text(text.replace('"there.csv"', '"nowhere.csv"'))
    done = command("run", tmp_path / "run.toml", "--out", tmp_path / "run", check=False)
    assert done.returncode == 2
    assert "[images.descriptors.extra.older] metadata" in done.stderr
    unlabelled = pl.read_csv(here / "there.csv", infer_schema=False).drop("histology")
    unlabelled.write_csv(tmp_path / "nowhere.csv")
    done = command("run", tmp_path / "run.toml", "--out", tmp_path / "run", check=False)
    assert done.returncode == 2
    assert "[images.descriptors.extra.older]" in done.stderr
    assert "there is no column histology, which the mapping names for target" in done.stderr
    assert not (tmp_path / "run/lesions.parquet").exists()
