"""Crops as another camera might have taken them."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from cohort.stores.protocol import Crop
from engine.errors import InputError
from image_embeddings.applying import make_backend
from image_embeddings.backend import Resources, fold_part
from image_embeddings.changed_store import ChangedStore
from image_embeddings.clahe import equalise
from image_embeddings.labels import make_labels
from image_embeddings.perturbations import ALL, PERTURBATIONS, STRENGTHS, Perturbation
from image_embeddings.robust_scoring import score_perturbed
from image_embeddings.spec import Spec, checksums
from image_embeddings.training_run import FOLDS, out_of_fold
from tests.image_embeddings.conftest import some_spec


def one_pixel(*colour: int) -> np.ndarray:
    return np.array([[colour]], np.uint8)


def test_lighting_by_one_stop_and_a_fifth_of_gamma() -> None:
    # (128 / 255) ** 2.2 = 0.2195; twice that, to the power of 1 / 1.2 / 2.2, is 0.7321; times 255 is 186.7.
    brighter = PERTURBATIONS["lighting"](one_pixel(128, 0, 255), 1, 3)
    assert brighter.tolist() == [[[187, 0, 255]]]
    # 0.2195 / 2 = 0.1098, to the power of 1.2 / 2.2, is 0.2997; times 255 is 76.4.
    assert PERTURBATIONS["lighting"](one_pixel(128, 0, 0), -1, 3).tolist() == [[[76, 0, 0]]]


def test_white_balance_moves_red_and_blue_apart() -> None:
    assert PERTURBATIONS["white balance"](one_pixel(100, 100, 100), 1, 2).tolist() == [[[110, 100, 91]]]
    assert PERTURBATIONS["white balance"](one_pixel(100, 100, 100), -1, 2).tolist() == [[[91, 100, 110]]]


@pytest.mark.parametrize("kind", ["blur", "resolution", "rotation"])
@pytest.mark.parametrize("strength", STRENGTHS)
def test_an_even_crop_stays_as_it_is(kind: str, strength: int) -> None:
    even = np.full((60, 60, 3), (200, 150, 120), np.uint8)
    np.testing.assert_array_equal(PERTURBATIONS[kind](even, 1, strength), even)


def test_turning_the_mirror_image_is_turning_the_other_way(draw: SimpleNamespace) -> None:
    pixels = draw.disc(0.4, (90, 50, 40), centre=(0.3, -0.2), stretch=1.5)
    turned, mirrored = (PERTURBATIONS["rotation"](view, sign, 2) for view, sign in ((pixels, 1), (pixels[:, ::-1], -1)))
    assert np.abs(turned.astype(int) - mirrored[:, ::-1].astype(int)).mean() < 0.5
    assert np.abs(turned.astype(int) - pixels.astype(int)).mean() > 2


@pytest.mark.parametrize("kind", PERTURBATIONS)
def test_stronger_changes_more_and_the_shape_stays(kind: str, draw: SimpleNamespace) -> None:
    pixels = draw.disc(0.4, (90, 50, 40), centre=(0.2, 0.1), stretch=1.4, noise=8)[:, :100]
    changed = [PERTURBATIONS[kind](pixels, 1, strength) for strength in STRENGTHS]
    assert all(each.shape == pixels.shape and each.dtype == np.uint8 for each in changed)
    change = [float(np.abs(each.astype(int) - pixels.astype(int)).mean()) for each in changed]
    assert 0 < change[0] < change[1] < change[2]


def test_the_direction_is_the_ids_and_both_occur(draw: SimpleNamespace) -> None:
    pixels = draw.disc(0.3, (90, 50, 40))
    means = {
        isic_id: float(Perturbation("lighting", 2)(draw.crop_of(pixels, isic_id)).pixels.mean())
        for isic_id in (f"ISIC_{place}" for place in range(40))
    }
    assert len(set(means.values())) == 2
    brighter = sum(mean > pixels.mean() for mean in means.values())
    assert 10 <= brighter <= 30


def test_the_encoded_size_shrinks_with_the_detail(draw: SimpleNamespace) -> None:
    crop = draw.crop_of(draw.disc(0.3, (90, 50, 40), noise=10), n_bytes=4000)
    sizes = [Perturbation("blur", strength)(crop).n_bytes for strength in STRENGTHS]
    assert 4000 > sizes[0] > sizes[1] > sizes[2] > 0
    double = Crop(crop.isic_id, crop.pixels, 8000)
    assert Perturbation("blur", 1)(double).n_bytes == pytest.approx(2 * sizes[0], abs=1)


@pytest.mark.parametrize("change", [ALL[0], equalise])
def test_a_changed_store_is_a_store_that_travels(crops: SimpleNamespace, change: Callable[[Crop], Crop]) -> None:
    store = ChangedStore(crops.store, change)
    first = crops.store.ids[0]
    there = pickle.loads(pickle.dumps(store)).read(first)  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(there.pixels, change(crops.store.read(first)).pixels)


@pytest.fixture(scope="module")
def trained(crops: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder of two folds with few trees."""
    from cv_folds.folds import make_folds

    folder = tmp_path_factory.mktemp("perturbed") / "model"
    folds = make_folds(crops.frame, n_folds=2, seed=0)
    spec = some_spec(folds_sha256=folds.sha256)
    spec.write(folder)
    folds.write(folder / FOLDS)
    backend = make_backend(spec, Resources(folder, crops.store))
    frame = folds.frame
    parts = {fold_part(place): np.flatnonzero(frame["fold"].to_numpy() != place) for place in (0, 1)}
    backend.fit(parts, frame, make_labels(frame, "binary"))
    assert backend.history(list(parts)) == {"fold0": [], "fold1": []}
    files = [folder / f"{fold_part(place)}.npz" for place in (0, 1)]
    spec.model_copy(update={"files": checksums(folder, files)}).write(folder)
    return folder


def test_each_crop_is_scored_by_the_part_that_never_saw_it(trained: Path, crops: SimpleNamespace) -> None:
    ids = list(crops.store.ids)[::2]
    resources = Resources(trained, crops.store)
    found = score_perturbed(trained, resources, ids)
    assert found.columns == ["isic_id", "unchanged", *(each.name for each in ALL)]
    assert found["isic_id"].to_list() == ids
    folds = pl.read_parquet(trained / FOLDS, columns=["isic_id", "fold"])
    fold = pl.DataFrame({"isic_id": ids}).join(folds, on="isic_id", how="left", maintain_order="left")["fold"]
    plain = out_of_fold(make_backend(Spec.read(trained), resources), ids, fold.to_numpy())
    np.testing.assert_array_equal(found["unchanged"], expit(plain.log_odds))
    blurred = Resources(trained, ChangedStore(crops.store, Perturbation("blur", 3)))
    other = out_of_fold(make_backend(Spec.read(trained), blurred), ids, fold.to_numpy())
    np.testing.assert_array_equal(found["blur 3"], expit(other.log_odds))
    assert not np.allclose(found["blur 3"], found["unchanged"])


def test_a_lesion_of_other_folds_is_refused(trained: Path, crops: SimpleNamespace) -> None:
    with pytest.raises(InputError, match="not trained on"):
        score_perturbed(trained, Resources(trained, crops.store), ["ISIC_other"])
