"""A fitted run scores each lesion by itself: who else is in the batch, and whose crop is there, changes no bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import ensemble.learners
from cohort.reading import read_cohort
from submissions.crops import Compute
from submissions.fitted_run import FittedRun
from tests.uglyduck.conftest import Command


@pytest.fixture(scope="module")
def lesions(pictured: Path) -> pl.DataFrame:
    return read_cohort(pictured / "data/test-metadata.csv").frame


@pytest.fixture(scope="module")
def images(pictured: Path, command: Command, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    out = tmp_path_factory.mktemp("applied") / "scores.parquet"
    store = pictured / "data/test-image.hdf5"
    command("images", "apply", pictured / "run/images/descriptors", "--images", store, "--out", out, "--cores", "1")
    return pl.read_parquet(out)


@pytest.fixture(scope="module")
def fitted(pictured: Path) -> FittedRun:
    return FittedRun.load(pictured / "run", Compute(2))


@pytest.fixture(scope="module")
def whole(fitted: FittedRun, lesions: pl.DataFrame, images: pl.DataFrame) -> pl.DataFrame:
    return fitted.score(lesions, images)


def of(frame: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    return frame.filter(pl.col("isic_id").is_in(ids.implode()))


def largest_patient(lesions: pl.DataFrame) -> pl.DataFrame:
    patient = lesions["patient_id"].value_counts(sort=True)["patient_id"][0]
    return lesions.filter(pl.col("patient_id") == patient)


def test_a_patient_without_crops_has_the_same_scores_alone_and_among_those_with_crops(
    fitted: FittedRun, lesions: pl.DataFrame, images: pl.DataFrame, whole: pl.DataFrame
) -> None:
    mine = largest_patient(lesions)
    others = images.filter(~pl.col("isic_id").is_in(mine["isic_id"].implode()))
    batch = fitted.score(lesions, others)
    assert of(batch, mine["isic_id"]).equals(fitted.score(mine, None))
    assert not of(batch, mine["isic_id"]).equals(of(whole, mine["isic_id"]))
    rest = lesions.filter(~pl.col("isic_id").is_in(mine["isic_id"].implode()))["isic_id"]
    assert of(batch, rest).equals(of(whole, rest))


def test_a_lesion_without_a_crop_is_scored_from_the_table_alone_whoever_else_has_one(
    fitted: FittedRun, lesions: pl.DataFrame, images: pl.DataFrame
) -> None:
    mine = largest_patient(lesions)["isic_id"]
    hidden = mine.head(2)
    without = images.filter(~pl.col("isic_id").is_in(hidden.implode()))
    unreadable = images.with_columns(
        score=pl.when(pl.col("isic_id").is_in(hidden.implode())).then(None).otherwise("score")
    )
    alone = of(fitted.score(lesions, None), hidden)
    for given in (without, unreadable, without.head(1), without.filter(pl.col("isic_id").is_in(mine.implode()))):
        assert of(fitted.score(lesions, given), hidden).equals(alone)


def test_a_learner_of_crops_alone_says_nothing_of_a_lesion_without_one(
    fitted: FittedRun, lesions: pl.DataFrame, images: pl.DataFrame
) -> None:
    table = fitted.table
    name = next(iter(table.models))
    blend = replace(table.blend, weights={name: 1.0})
    alone = replace(table, models={name: table.models[name]}, blend=blend)
    hidden = lesions["isic_id"].head(2)
    given = images.filter(~pl.col("isic_id").is_in(hidden.implode()))
    scores = replace(fitted, table=alone).score(lesions, given)
    without = scores["isic_id"].is_in(hidden.implode())
    for other in set(fitted.whole.models) - {name}:
        assert scores[other].is_nan().equals(without.alias(other))
    assert scores["blend"].is_finite().all()


def test_any_part_of_the_patients_gives_the_same_bits(
    fitted: FittedRun, lesions: pl.DataFrame, images: pl.DataFrame, whole: pl.DataFrame
) -> None:
    some = images.filter(pl.int_range(pl.len()) % 3 > 0)
    batch = fitted.score(lesions, some)
    for patient in lesions["patient_id"].unique(maintain_order=True)[::7]:
        rows = lesions.filter(pl.col("patient_id") == patient)
        assert fitted.score(rows, some).equals(of(batch, rows["isic_id"]))


def test_out_of_fold_a_lesion_without_a_crop_is_scored_likewise(
    pictured: Path,
    tmp_path: Path,
    command: Command,
) -> None:
    """The figures are of what new lesions get."""
    scores = pl.read_parquet(pictured / "run/images/descriptors/oof.parquet").select("isic_id", "score")
    hidden = scores["isic_id"].gather_every(4)
    scores.filter(~pl.col("isic_id").is_in(hidden.implode())).write_parquet(tmp_path / "some.parquet")
    config = (pictured / "pictured.toml").read_text()
    config = config.replace('images = "data/train-image.hdf5"', 'image_scores = "some.parquet"')
    config = config.replace('["basic", "tbp"]', '["basic", "tbp", "image"]').replace('"data/', f'"{pictured}/data/')
    (tmp_path / "some.toml").write_text(config)
    command("run", tmp_path / "some.toml", "--out", tmp_path / "run")
    oof = pl.read_parquet(tmp_path / "run/oof.parquet")
    without = oof["isic_id"].is_in(hidden.implode())
    assert oof.filter(without)["blend"].equals(oof.filter(without)["table"], check_names=False)
    assert (oof.filter(~without)["blend"] != oof.filter(~without)["table"]).mean() > 0.9


def test_opening_a_run_fits_nothing(pictured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a learner was tried out")

    monkeypatch.setattr(ensemble.learners, "_try_out", refuse)
    for learner in ensemble.learners.LEARNERS.values():
        monkeypatch.setattr(learner, "fit", refuse)
    assert FittedRun.load(pictured / "run", Compute(1)).models
