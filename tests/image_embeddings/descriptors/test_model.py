"""The descriptor model: arrays that score as scikit-learn does, kept without Python objects."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.svm import SVC

from cohort.stores.hdf5 import Hdf5Store
from cohort.stores.protocol import CropError
from engine.errors import InputError
from engine.executors import LocalExecutor
from engine.progress import listening
from image_embeddings.arrays import load_model, save_model
from image_embeddings.descriptors.forest import Forest
from image_embeddings.descriptors.kernel import Kernel
from image_embeddings.descriptors.model import DescriptorModel
from image_embeddings.descriptors.table import CHUNK, describe


@pytest.fixture(scope="module")
def sample() -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(0)
    target = (chance.random(240) < 0.2).astype(np.int8)
    values = chance.normal(size=(240, 9)) + 0.9 * target[:, None] * np.array([1, 1, 1, 0, 0, 0, 0, 0, 0])
    return values.astype(np.float32), target


@pytest.fixture(scope="module")
def table(sample: tuple[np.ndarray, np.ndarray]) -> pl.DataFrame:
    values, _ = sample
    columns = {f"d{place}": column for place, column in enumerate(values.T)}
    return pl.DataFrame({"isic_id": [f"ISIC_{row}" for row in range(len(values))], **columns})


def test_the_forest_agrees_with_scikit_learn(sample: tuple[np.ndarray, np.ndarray]) -> None:
    values, target = sample
    grown = ExtraTreesClassifier(
        20, min_samples_leaf=3, max_features=0.15, class_weight="balanced_subsample", random_state=4
    ).fit(values, target)
    share = np.clip(grown.predict_proba(values)[:, 1], 1e-3, 1 - 1e-3)
    ours = Forest.fit(values, target, trees=20, seed=4, threads=1).log_odds(values)
    np.testing.assert_allclose(ours, np.log(share / (1 - share)), rtol=1e-10)


def test_the_kernel_agrees_with_scikit_learn(sample: tuple[np.ndarray, np.ndarray]) -> None:
    values, target = sample
    standard = (values - values.mean(0, dtype=float)) / values.std(0, dtype=float)
    fitted = SVC(C=1.0, gamma=0.3 / 9, class_weight="balanced").fit(standard, target)
    np.testing.assert_allclose(
        Kernel.fit(values, target).decision(values), fitted.decision_function(standard), rtol=1e-8, atol=1e-10
    )


def test_a_constant_descriptor_does_no_harm(sample: tuple[np.ndarray, np.ndarray]) -> None:
    values, target = sample
    assert np.isfinite(
        Kernel.fit(np.c_[values, np.ones(240, np.float32)], target).decision(np.c_[values, np.ones(240)])
    ).all()


def test_saved_and_loaded_it_scores_the_same_bits(
    sample: tuple[np.ndarray, np.ndarray], table: pl.DataFrame, tmp_path: Path
) -> None:
    model = DescriptorModel.fit(table, sample[1], trees=10)
    save_model(model, tmp_path / "m.npz")
    again = load_model(tmp_path / "m.npz", DescriptorModel, "a descriptor model")
    np.testing.assert_array_equal(again.log_odds(table), model.log_odds(table))


def test_columns_are_taken_by_name(sample: tuple[np.ndarray, np.ndarray], table: pl.DataFrame) -> None:
    model = DescriptorModel.fit(table, sample[1], trees=10)
    shuffled = table.select("d5", "isic_id", *[f"d{place}" for place in (8, 7, 6, 4, 3, 2, 1, 0)])
    np.testing.assert_array_equal(model.log_odds(shuffled), model.log_odds(table))
    with pytest.raises(InputError, match="descriptor d3 is absent"):
        model.log_odds(table.drop("d3"))


def test_the_number_of_threads_changes_nothing(sample: tuple[np.ndarray, np.ndarray], table: pl.DataFrame) -> None:
    scores = [DescriptorModel.fit(table, sample[1], trees=10, threads=threads).log_odds(table) for threads in (1, 2)]
    np.testing.assert_array_equal(*scores)


def test_it_learns_and_an_unreadable_crop_scores_nan(
    sample: tuple[np.ndarray, np.ndarray], table: pl.DataFrame
) -> None:
    _, target = sample
    blank = table.with_columns(
        pl.when(pl.col("isic_id") == "ISIC_200").then(None).otherwise(pl.col(f"d{place}")).alias(f"d{place}")
        for place in range(9)
    )
    score = DescriptorModel.fit(blank[:160], target[:160], trees=30).log_odds(blank)
    assert np.flatnonzero(np.isnan(score)).tolist() == [200]
    held = np.delete(np.arange(160, 240), 40)
    assert score[held][target[held] == 1].mean() > score[held][target[held] == 0].mean() + 0.5


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04broken"])
def test_a_damaged_model_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.npz").write_bytes(content)
    with pytest.raises(InputError, match="not a descriptor model"):
        load_model(tmp_path / "m.npz", DescriptorModel, "a descriptor model")


def test_pickled_arrays_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", names=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InputError, match="not a descriptor model"):
        load_model(tmp_path / "m.npz", DescriptorModel, "a descriptor model")


# The table of descriptors.


def test_workers_change_nothing_and_the_order_is_as_asked(crops: SimpleNamespace) -> None:
    ids = list(crops.store.ids)[::-1]
    assert len(ids) > CHUNK
    alone, together = describe(crops.store, ids), describe(crops.store, ids, executor=LocalExecutor(2))
    assert alone.frame["isic_id"].to_list() == ids
    assert alone.frame.equals(together.frame)
    assert alone.faults == {}


def test_progress_counts_every_crop(crops: SimpleNamespace) -> None:
    heard: list[tuple[str, int, int]] = []
    with listening(lambda *report: heard.append(report)):
        describe(crops.store, list(crops.store.ids))
    assert heard == [("describe", 64, 80), ("describe", 80, 80)]


def test_an_unreadable_crop_is_null_and_named_or_stops(draw: SimpleNamespace, tmp_path: Path) -> None:
    import h5py

    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        file["ISIC_1"] = np.bytes_(draw.jpeg(draw.disc(0.3, (90, 50, 40))))
        file["ISIC_2"] = np.bytes_(draw.jpeg(draw.disc(0.3, (90, 50, 40)))[:200])
    store = Hdf5Store(tmp_path / "x.hdf5")
    found = describe(store, ["ISIC_2", "ISIC_1", "ISIC_3"])
    assert found.frame["shape_area_mm2"].is_null().to_list() == [True, False, True]
    assert set(found.faults) == {"ISIC_2", "ISIC_3"}
    with pytest.raises(CropError, match="ISIC_2"):
        describe(store, ["ISIC_1", "ISIC_2"], on_bad="stop")
    with pytest.raises(CropError, match="ISIC_2"):
        describe(store, ["ISIC_2"])


def test_real_crops_are_told_apart(real_data: Path) -> None:
    labels = pl.read_csv(real_data / "slice3d" / "crops.csv", infer_schema_length=None).select("isic_id", "target")
    chosen = pl.concat([labels.filter(pl.col("target") == 1)[::2], labels.filter(pl.col("target") == 0)[::40]])
    frame = describe(Hdf5Store(real_data / "slice3d" / "train-image.hdf5"), chosen["isic_id"].to_list()).frame
    target = chosen["target"].to_numpy().astype(np.int8)
    fitted = np.arange(len(chosen)) % 2 == 0
    model = DescriptorModel.fit(frame.filter(fitted), target[fitted], trees=100)
    score = model.log_odds(frame.filter(~fitted))
    held = target[~fitted]
    concordance = (score[held == 1][:, None] > score[held == 0][None, :]).mean()
    assert concordance > 0.8


def test_a_crop_has_the_same_bits_alone_and_in_any_batch(crops: SimpleNamespace) -> None:
    ids = list(crops.store.ids)
    whole = describe(crops.store, ids).frame
    model = DescriptorModel.fit(whole, crops.frame["target"].to_numpy().astype(np.int8), trees=5)
    score = model.log_odds(whole)
    chance = np.random.default_rng(0)
    for size in (1, 2, 3, 31, 64, 79):
        chosen = chance.permutation(len(ids))[:size]
        some = describe(crops.store, [ids[place] for place in chosen]).frame
        assert some.equals(whole[chosen.tolist()])
        np.testing.assert_array_equal(model.log_odds(some), score[chosen])
