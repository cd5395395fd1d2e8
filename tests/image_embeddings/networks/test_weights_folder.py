"""First weights from another model's folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from engine.errors import InputError
from engine.files import read_json, sha256_of, write_json
from image_embeddings.networks.weights import read_weights
from image_embeddings.presets import PRESETS
from uglyduck.commands.images import images

TINY = ["--preset", "tiny", "--epochs", 1]


def train(crops: SimpleNamespace, out: Path, *more: object) -> dict[str, object]:
    paths = ["train", "--metadata", crops.metadata, "--images", crops.images, "--out", out]
    arguments = [*paths, "--n-folds", 2, "--replicates", 100, "--json", "--cores", 1, *more]
    result = CliRunner().invoke(images, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    spec: dict[str, object] = read_json(out / "spec.json")
    return spec


@pytest.fixture(scope="module")
def ours(draw: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The crops of other patients under other names."""
    folder = tmp_path_factory.mktemp("ours")
    ours: SimpleNamespace = draw.simulate(folder, n_benign=24, n_malignant=8, size=32)
    frame = ours.frame.with_columns(("X" + ours.frame[name]).alias(name) for name in ("isic_id", "patient_id"))
    with h5py.File(folder / "other.hdf5", "w") as file:
        for isic_id in ours.store.ids:
            file[f"X{isic_id}"] = np.bytes_(ours.store.encoded(isic_id))
    metadata = draw.write_table(frame, folder / "other.csv")
    return SimpleNamespace(metadata=metadata, images=folder / "other.hdf5")


@pytest.fixture(scope="module")
def made(crops: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folder of a network by its policy."""
    folder = tmp_path_factory.mktemp("made")
    for policy in ("mean", "refit"):
        train(crops, folder / policy, *TINY, "--policy", policy)
    return {policy: folder / policy for policy in ("mean", "refit")}


@pytest.mark.parametrize(("policy", "file"), [("mean", "fold0.safetensors"), ("refit", "all.safetensors")])
def test_a_network_starts_from_another_one(
    made: dict[str, Path], ours: SimpleNamespace, tmp_path: Path, policy: str, file: str
) -> None:
    slow = ["--set", "learning_rate=1e-12", "--set", "head_rate=1e-12", "--set", "ema=0", "--set", "weight_decay=0"]
    spec = train(ours, tmp_path / "m", *TINY, "--weights", made[policy], *slow)
    assert spec["weights_sha256"] == sha256_of(made[policy] / file)
    mine, theirs = (
        read_weights(path, PRESETS["tiny"]) for path in (tmp_path / "m" / "fold1.safetensors", made[policy] / file)
    )
    torch.testing.assert_close(mine["backbone.conv_stem.weight"], theirs["backbone.conv_stem.weight"])


def test_a_head_sees_the_features_of_a_trained_network(
    made: dict[str, Path], ours: SimpleNamespace, tmp_path: Path
) -> None:
    frozen = ["--preset", "frozen", "--backbone", "test_efficientnet", "--size", 32, "--set", "flips=1"]
    train(ours, tmp_path / "m", *frozen, "--weights", made["refit"])
    mine = read_weights(tmp_path / "m" / "backbone.safetensors", PRESETS["frozen"])
    theirs = read_weights(made["refit"] / "all.safetensors", PRESETS["tiny"])
    trained = [name for name in mine if name.startswith("backbone.")]
    assert len(trained) > 50
    assert all(torch.equal(mine[name], theirs[name]) for name in trained)


def of_other_kind(folder: Path) -> None:
    write_json(read_json(folder / "spec.json") | {"kind": "descriptors", "preset": None}, folder / "spec.json")


def changed(folder: Path) -> None:
    with (folder / "fold1.safetensors").open("ab") as file:
        file.write(b"0")


def unfinished(folder: Path) -> None:
    write_json(read_json(folder / "spec.json") | {"files": {}}, folder / "spec.json")


def none(folder: Path) -> None:
    (folder / "spec.json").unlink()


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (of_other_kind, r"no network was trained here \(descriptors\)"),
        (changed, "changed since training"),
        (unfinished, "training has not ended"),
        (none, "not a model folder"),
    ],
)
def test_a_folder_without_a_whole_network_is_refused(
    made: dict[str, Path], ours: SimpleNamespace, tmp_path: Path, harm: Callable[[Path], None], message: str
) -> None:
    shutil.copytree(made["mean"], tmp_path / "harmed")
    harm(tmp_path / "harmed")
    with pytest.raises(InputError, match=message):
        train(ours, tmp_path / "m", *TINY, "--weights", tmp_path / "harmed")
    assert not (tmp_path / "m").exists()


def test_a_network_that_was_trained_on_these_lesions_is_refused(
    made: dict[str, Path], crops: SimpleNamespace, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="trained on 80 lesions of this table, whose scores would be flattered"):
        train(crops, tmp_path / "m", *TINY, "--weights", made["mean"])


def test_a_network_of_another_backbone_is_refused(made: dict[str, Path], ours: SimpleNamespace, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give weights of this backbone"):
        train(ours, tmp_path / "m", *TINY, "--set", "backbone=test_resnet", "--weights", made["mean"])
