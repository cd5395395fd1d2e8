"""Lesions of other archives: in training, in no fold, in no figure."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import polars as pl
import pytest

from cohort.stores.opening import open_store
from cv_folds.folds import make_folds
from engine.errors import InputError
from image_embeddings.joined_store import JoinedStore
from image_embeddings.labels import make_labels
from image_embeddings.overlap import refuse_own_lesions
from image_embeddings.requests.extra import read_extra
from image_embeddings.requests.models import ExtraTable
from image_embeddings.training_run import EXTRA, FOLDS, Material

KEYS = ["isic_id", "patient_id", "target"]


@pytest.fixture(scope="module")
def older(crops: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The lesions of half of the patients as this table; the other archive has all of them, and one without a crop."""
    folder = tmp_path_factory.mktemp("older")
    frame = crops.frame.select(KEYS)
    patients = frame["patient_id"].unique().sort()
    own = frame.filter(pl.col("patient_id").is_in(patients[::2].implode()))
    left = frame.filter(~pl.col("patient_id").is_in(patients[::2].implode()))
    bare = pl.DataFrame({"isic_id": ["ISIC_9999999"], "patient_id": ["IP_9999999"], "target": [0]}).cast(frame.schema)
    pl.concat([frame, bare]).write_csv(folder / "older.csv")
    with h5py.File(crops.images) as every, h5py.File(folder / "older.hdf5", "w") as file:
        for name in frame["isic_id"]:
            file[name] = every[name][()]
    table = ExtraTable(metadata=folder / "older.csv", images=folder / "older.hdf5")
    return SimpleNamespace(own=own, left=left, table=table, store=open_store(crops.images))


def test_lesions_and_patients_of_the_table_itself_are_left_out(
    older: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="uglyduck"):
        extra, store = read_extra((older.table,), older.own, older.store, ())
    assert extra is not None
    assert sorted(extra["isic_id"]) == sorted(older.left["isic_id"])
    assert f"left out: {len(older.own):,} of lesions or patients known already, 1 without a crop" in caplog.text
    assert isinstance(store, JoinedStore)
    name = older.left["isic_id"][0]
    assert store.encoded(name) == open_store(older.table.images).encoded(name)
    assert store.read(older.own["isic_id"][0]).isic_id == older.own["isic_id"][0]


def test_a_table_of_which_nothing_is_left_is_refused(older: SimpleNamespace, crops: SimpleNamespace) -> None:
    with pytest.raises(InputError, match="has a crop and is not among those of another table"):
        read_extra((older.table,), crops.frame, older.store, ())
    with pytest.raises(InputError, match="has a crop and is not among those of another table"):
        read_extra((older.table, older.table), older.own, older.store, ())


def test_they_are_in_the_training_of_every_fold_and_in_no_fold(older: SimpleNamespace) -> None:
    folds = make_folds(older.own, n_folds=3)
    own = folds.frame.select(KEYS)
    frame = pl.concat([own, older.left.select(KEYS).cast(own.schema)])
    material = Material(frame, make_labels(frame, "binary"), folds)
    assert material.scored.equals(own)
    for place, rows in enumerate(material.parts.values()):
        trained = set(frame[rows.tolist()]["isic_id"])
        assert trained >= set(older.left["isic_id"])
        assert trained - set(older.left["isic_id"]) == set(own.filter(material.fold != place)["isic_id"])


def test_a_model_says_what_else_it_was_trained_on(older: SimpleNamespace, tmp_path: Path) -> None:
    make_folds(older.own, n_folds=3).write(tmp_path / FOLDS)
    older.left.select("isic_id", "patient_id").write_parquet(tmp_path / EXTRA)
    with pytest.raises(InputError, match=f"it was trained on {len(older.left):,} lesions of this run"):
        refuse_own_lesions(tmp_path, older.left, table="run", where="model", remedy="train it here")


def test_a_model_is_trained_with_them_and_scores_its_own_lesions(
    older: SimpleNamespace, crops: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from image_embeddings.descriptors import model
    from image_embeddings.requests import TrainRequest, answer

    monkeypatch.setattr(model.DescriptorModel.fit.__func__, "__kwdefaults__", {"seed": 0, "threads": 1, "trees": 5})
    older.own.write_csv(tmp_path / "own.csv")
    asked = {"metadata": tmp_path / "own.csv", "images": crops.images, "n_folds": 2, "cores": 1, "replicates": 100}
    answer(TrainRequest(**asked, out=tmp_path / "alone"))
    found = answer(TrainRequest(**asked, out=tmp_path / "more", extra=(older.table,)))
    assert found["lesions"] == len(older.own)
    scores = {name: pl.read_parquet(tmp_path / name / "oof.parquet") for name in ("alone", "more")}
    assert scores["more"]["isic_id"].equals(scores["alone"]["isic_id"])
    assert not np.allclose(scores["more"]["score"], scores["alone"]["score"])
    assert pl.read_parquet(tmp_path / "more" / EXTRA).height == len(older.left)
