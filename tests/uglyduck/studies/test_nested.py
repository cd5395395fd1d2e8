"""The nested estimate of an outer fold is what a run on the other folds' patients would say of its patients."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.uglyduck.conftest import QUICK, Command
from uglyduck.run.run import open_run
from uglyduck.studies.nested import outer_table


def _config(small: Path) -> str:
    """With image scores, whose constants are fitted as well."""
    truth = pl.read_parquet(small / "data/truth.parquet")
    truth.select("isic_id", score="p_crop").write_parquet(small / "nested-scores.parquet")
    text = QUICK.replace('csv"', f'csv"\nimage_scores = "{small}/nested-scores.parquet"')
    return text.replace('"context"]', '"context", "image"]').replace(
        "[ensemble]\n", '[ensemble]\nlearners = ["lightgbm"]\n'
    )


def quick(config: str) -> str:
    return config.replace("xgboost = { n_trees = 10 }\n", "").replace("catboost = { n_trees = 10, depth = 3 }\n", "")


@pytest.fixture(scope="module")
def run(small: Path, command: Command) -> Path:
    (small / "nested.toml").write_text(quick(_config(small)))
    command("run", small / "nested.toml", "--out", small / "nested", "--until", "features")
    return small / "nested"


@pytest.mark.parametrize("outer", [0, 2])
def test_its_features_are_those_of_a_run_on_the_other_patients(
    run: Path, outer: int, tmp_path: Path, command: Command
) -> None:
    opened = open_run(run)
    table = outer_table(opened, outer)
    others = opened.lesions.frame.filter(pl.Series(opened.fold != outer))["isic_id"]
    train = pl.read_csv(run.parent / "data/train-metadata.csv", infer_schema=False)
    train.filter(pl.col("isic_id").is_in(others.implode())).write_csv(tmp_path / "others.csv")
    own = (run.parent / "nested.toml").read_text().replace('"data/train-metadata.csv"', '"others.csv"')
    (tmp_path / "others.toml").write_text(own)
    command("run", tmp_path / "others.toml", "--out", tmp_path / "run")
    theirs = open_run(tmp_path / "run")
    assert theirs.matrix.space == table.matrix.space
    np.testing.assert_array_equal(theirs.matrix.values, table.matrix.values[opened.fold != outer])
    held_out = opened.lesions.frame.filter(pl.Series(opened.fold == outer))
    fitted = open_run(tmp_path / "run").fitted()
    new = fitted.space.encode(pl.concat(fitted.features(held_out, opened.image_scores)))
    np.testing.assert_array_equal(new.values, table.matrix.values[opened.fold == outer])
