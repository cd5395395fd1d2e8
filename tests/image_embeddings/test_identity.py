"""A model is what it was really trained on: crops, labels and code."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import polars as pl
import pytest

from cohort.stores.hdf5 import Hdf5Store
from engine.errors import InputError
from engine.executors import LocalExecutor
from image_embeddings.descriptors import model
from image_embeddings.identity import CropsIdentity
from image_embeddings.requests import TrainRequest, answer
from image_embeddings.spec import Spec


@pytest.fixture(autouse=True)
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model.DescriptorModel.fit.__func__, "__kwdefaults__", {"seed": 0, "threads": 1, "trees": 10})


def request(crops: SimpleNamespace, out: Path, **changes: object) -> TrainRequest:
    fixed = {"metadata": crops.metadata, "images": crops.images, "out": out, "n_folds": 2, "cores": 1}
    return TrainRequest.model_validate(fixed | {"replicates": 100} | changes)


def shuffled(crops: SimpleNamespace, path: Path) -> Path:
    """Each lesion has another's crop."""
    ids = list(crops.store.ids)
    with h5py.File(path, "w") as file:
        for isic_id, other in zip(ids, ids[::-1], strict=True):
            file[isic_id] = np.bytes_(crops.store.encoded(other))
    return path


def relabelled(crops: SimpleNamespace, draw: SimpleNamespace, path: Path) -> Path:
    """The first benign lesion is malignant, and the first malignant one is benign."""
    target = crops.frame["target"].to_list()
    target[0], target[target.index(1, 1)] = 1, 0
    table: Path = draw.write_table(crops.frame.with_columns(target=pl.Series(target)), path)
    return table


def test_a_used_folder_of_other_crops_or_labels_is_refused(
    crops: SimpleNamespace, draw: SimpleNamespace, tmp_path: Path
) -> None:
    out = tmp_path / "m"
    first = answer(request(crops, out))
    with pytest.raises(InputError, match=r"this folder holds another model \(its crops differ\)") as raised:
        answer(request(crops, out, images=shuffled(crops, tmp_path / "s.hdf5")))
    assert raised.value.remedy == "choose another --out"
    with pytest.raises(InputError, match=r"its labels differ"):
        answer(request(crops, out, metadata=relabelled(crops, draw, tmp_path / "t.csv")))
    assert answer(request(crops, out)) == first


def test_shuffled_in_place_the_crops_differ_too(crops: SimpleNamespace, tmp_path: Path) -> None:
    shutil.copy(crops.images, tmp_path / "x.hdf5")
    answer(request(crops, tmp_path / "m", images=tmp_path / "x.hdf5"))
    shuffled(crops, tmp_path / "x.hdf5")
    with pytest.raises(InputError, match="its crops differ"):
        answer(request(crops, tmp_path / "m", images=tmp_path / "x.hdf5"))


def test_crops_of_lesions_that_are_not_trained_on_do_not_count(crops: SimpleNamespace, tmp_path: Path) -> None:
    shutil.copy(crops.images, tmp_path / "more.hdf5")
    with h5py.File(tmp_path / "more.hdf5", "a") as file:
        file["ISIC_9999999"] = np.bytes_(b"another")
    ids = list(crops.store.ids)
    found = [
        CropsIdentity.of(store, ids, tmp_path, LocalExecutor(1)).sha256
        for store in (crops.store, Hdf5Store(tmp_path / "more.hdf5"))
    ]
    assert found[0] == found[1]


def test_with_a_place_to_keep_them_models_change_places_and_nothing_is_fitted_twice(
    crops: SimpleNamespace, tmp_path: Path
) -> None:
    out, kept = tmp_path / "images", tmp_path / "images.kept"
    answer(request(crops, out, kept=kept))
    first, made = Spec.read(out).identity, (out / "fold0.npz").stat().st_mtime_ns
    answer(request(crops, out, kept=kept, images=shuffled(crops, tmp_path / "s.hdf5")))
    second = Spec.read(out).identity
    assert [path.name for path in kept.iterdir()] == [first[:8]]
    answer(request(crops, out, kept=kept))
    assert Spec.read(out).identity == first
    assert (out / "fold0.npz").stat().st_mtime_ns == made
    assert [path.name for path in kept.iterdir()] == [second[:8]]


def test_a_changed_file_of_a_model_is_made_again(crops: SimpleNamespace, tmp_path: Path) -> None:
    out = tmp_path / "m"
    answer(request(crops, out))
    whole, files = (out / "oof.parquet").read_bytes(), Spec.read(out).files
    (out / "fold1.npz").write_bytes(b"damaged")
    answer(request(crops, out))
    assert (out / "oof.parquet").read_bytes() == whole
    assert Spec.read(out).files == files


def test_comments_in_the_code_do_not_count_and_code_does(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    for package in ("engine", "cohort", "cv_folds", "image_embeddings"):
        shutil.copytree(root / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))

    def identities() -> list[str]:
        code = (
            "from image_embeddings.identity import code_sha256;"
            "print(code_sha256('descriptors'), code_sha256('network'))"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.split()

    before = identities()
    for name in ("cohort/reading.py", "cohort/checking/codes.py", "image_embeddings/descriptors/forest.py"):
        path = tmp_path / name
        path.write_text(path.read_text() + "\n# a comment\n")
    assert identities() == before
    reader = tmp_path / "cohort/reading.py"
    reader.write_text(reader.read_text() + "\nCHANGED = True\n")
    assert identities() == before
    forest = tmp_path / "image_embeddings/descriptors/forest.py"
    forest.write_text(forest.read_text().replace("_CLIP = 1e-3", "_CLIP = 1e-2"))
    after = identities()
    assert after[0] != before[0]
    assert after[1] == before[1]
