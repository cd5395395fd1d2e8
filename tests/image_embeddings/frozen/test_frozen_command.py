"""`uglyduck images` with heads on frozen features, from end to end on simulated crops and random backbones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import polars as pl
import pytest
import torch

from cohort.stores.protocol import CropError
from cv_folds.metrics import roc_auc
from engine.errors import InputError
from image_embeddings.frozen import backend
from image_embeddings.frozen.features import Tokens, normalised, save_pretrained
from image_embeddings.labels import Classes
from image_embeddings.networks.network import Network
from image_embeddings.networks.weights import read_weights
from image_embeddings.presets import for_backbone
from tests.image_embeddings.conftest import run

FAST = ["--cores", "1"]
VIT = ["--preset", "frozen", "--backbone", "test_vit", "--size", 32, "--set", "flips=2", "--set", "components=16"]
CNN = ["--preset", "frozen", "--set", "backbone=test_efficientnet", "--set", "size=32", "--set", "flips=1"]
UNREADABLE = "ISIC_0000007"


def train(crops: SimpleNamespace, out: Path, *more: object) -> dict[str, object]:
    arguments = ["--metadata", crops.metadata, "--images", crops.images, "--out", out, "--n-folds", 2]
    arguments += ["--replicates", 100]
    answer: dict[str, object] = json.loads(run("train", *arguments, "--json", *more, *FAST))
    return answer


def apply(folder: Path, crops: SimpleNamespace, out: Path, *more: object) -> pl.DataFrame:
    run("apply", folder, "--images", crops.images, "--out", out, *more, *FAST)
    return pl.read_parquet(out)


def only(ids: list[str], path: Path) -> Path:
    pl.DataFrame({"isic_id": ids}).write_parquet(path)
    return path


def blind(patch: pytest.MonkeyPatch) -> None:
    """Nothing may look at a crop from here on."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("looked at the crops")

    patch.setattr(backend, "look", never)
    patch.setattr(backend, "describe", never)


@pytest.fixture(scope="module")
def few(draw: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """60 crops, one of which cannot be read."""
    few: SimpleNamespace = draw.simulate(tmp_path_factory.mktemp("few"), n_benign=44, n_malignant=16, size=40)
    with h5py.File(few.images, "a") as file:
        del file[UNREADABLE]
        file[UNREADABLE] = np.bytes_(b"no JPEG")
    return few


@pytest.fixture(scope="module")
def trained(few: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    folder = tmp_path_factory.mktemp("frozen") / "m"
    figures = train(few, folder, *VIT, "--set", "descriptors=true", "--on-bad", "missing")
    return SimpleNamespace(folder=folder, figures=figures)


def test_training_leaves_a_head_a_fold_and_one_backbone(trained: SimpleNamespace) -> None:
    spec = json.loads((trained.folder / "spec.json").read_text())
    assert set(spec["files"]) == {"fold0.npz", "fold1.npz", "backbone.safetensors"}
    assert (spec["kind"], spec["preset"]["backbone"]) == ("frozen", "test_vit")
    assert spec["preset"]["mean"] == [0.5, 0.5, 0.5]  # as timm pretrained it
    assert set(spec["libraries"]) == {"torch", "timm", "scikit-learn"}


def test_an_unreadable_crop_counts_as_missing(trained: SimpleNamespace, few: SimpleNamespace, tmp_path: Path) -> None:
    for table in (pl.read_parquet(trained.folder / "oof.parquet"), apply(trained.folder, few, tmp_path / "s.parquet")):
        assert table.filter(pl.col("score").is_null())["isic_id"].to_list() == [UNREADABLE]
        told = table.join(few.frame, on="isic_id").drop_nulls("score")
        assert roc_auc(told["target"].to_numpy(), told["score"].to_numpy()) > 0.9
    with pytest.raises(CropError, match=UNREADABLE):  # though its features are known
        train(few, trained.folder.parent / "stop", *VIT)


def test_a_crop_has_the_same_bits_alone_and_in_a_batch(
    trained: SimpleNamespace, few: SimpleNamespace, tmp_path: Path
) -> None:
    whole = apply(trained.folder, few, tmp_path / "whole.parquet", "--embeddings")
    ids = whole["isic_id"].to_list()
    assert whole.columns == ["isic_id", "score", "embedding_fold0", "embedding_fold1"]
    for chosen in ([ids[3]], [ids[50], UNREADABLE, ids[3]]):
        own = apply(
            trained.folder, few, tmp_path / "own.parquet", "--embeddings", "--ids", only(chosen, tmp_path / "ids")
        )
        expected = pl.DataFrame({"isic_id": chosen}).join(whole, on="isic_id", how="left", maintain_order="left")
        assert own["isic_id"].to_list() == chosen
        for name in whole.columns[1:]:
            np.testing.assert_array_equal(own[name].to_numpy(), expected[name].to_numpy())


def test_a_lesion_is_scored_by_the_head_that_never_saw_it(
    trained: SimpleNamespace, few: SimpleNamespace, tmp_path: Path
) -> None:
    # Applying the two heads averages their log-odds; held out, a lesion has those of one, so the scores differ.
    new = apply(trained.folder, few, tmp_path / "s.parquet").drop_nulls()
    both = pl.read_parquet(trained.folder / "oof.parquet").join(new, on="isic_id", suffix="_new")
    assert (both["score"] != both["score_new"]).all()


@pytest.mark.parametrize("more", [["--set", "components=4"], ["--policy", "refit"]])
def test_the_next_training_takes_the_features_from_the_cache(
    trained: SimpleNamespace, few: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, more: list[object]
) -> None:
    out = trained.folder.parent / ("again" + "".join(map(str, more)))
    with monkeypatch.context() as patch:
        blind(patch)
        train(few, out, *VIT, "--set", "descriptors=true", "--on-bad", "missing", *more)
    mine, theirs = (pl.read_parquet(folder / "oof.parquet") for folder in (out, trained.folder))
    assert mine.filter(pl.col("score").is_null())["isic_id"].to_list() == [UNREADABLE]
    assert mine.equals(theirs) == ("refit" in more)


@pytest.mark.parametrize(
    "more", [["--set", "view=0.8"], ["--seed", 1], ["--clahe"], ["--size", 48], ["--backbone", "test_vit2"]]
)
def test_what_changes_the_features_is_looked_at_anew(
    trained: SimpleNamespace, few: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, more: list[object]
) -> None:
    with monkeypatch.context() as patch:
        blind(patch)
        with pytest.raises(AssertionError, match="looked at the crops"):
            train(few, trained.folder.parent / "-".join(map(str, more)), *VIT, "--on-bad", "missing", *more)


def test_a_damaged_cache_is_computed_again(few: SimpleNamespace, tmp_path: Path) -> None:
    train(few, tmp_path / "m", *CNN, "--on-bad", "missing")
    (kept,) = (tmp_path / "features.kept").glob("*/*.result")
    kept.write_bytes(kept.read_bytes()[:-1])
    train(few, tmp_path / "n", *CNN, "--on-bad", "missing")
    first, second = (pl.read_parquet(tmp_path / name / "oof.parquet") for name in "mn")
    assert first.equals(second)
    assert first["score"].null_count() == 1


def test_a_changed_backbone_is_refused(trained: SimpleNamespace, few: SimpleNamespace, tmp_path: Path) -> None:
    shutil.copytree(trained.folder, tmp_path / "m")
    preset = for_backbone("test_vit", size=32, head_alone=True)
    save_pretrained(preset, tmp_path / "m" / "backbone.safetensors", weights=None, download=False, seed=7)
    with pytest.raises(InputError, match="changed since training"):
        apply(tmp_path / "m", few, tmp_path / "s.parquet")


def test_a_backbone_of_patches_gives_its_class_token_and_the_mean_of_the_others(tmp_path: Path) -> None:
    preset = normalised(for_backbone("test_vit", size=32, head_alone=True))
    save_pretrained(preset, tmp_path / "b.safetensors", weights=None, download=False, seed=0)
    state = read_weights(tmp_path / "b.safetensors", preset)
    assert state["backbone.backbone.pos_embed"].shape[1] == 1 + 2 * 2  # built for 32 pixels, not the usual 160
    network = Network(preset, Classes(("benign", "malignant"), (False, True))).eval()
    tokens = Tokens(network.backbone)
    with torch.inference_mode():
        pixels = torch.randn(3, 3, 32, 32)
        said, every = tokens(pixels), network.backbone.forward_features(pixels)
    assert tokens.num_features == said.shape[1] == 2 * every.shape[2]
    torch.testing.assert_close(said, torch.cat([every[:, 0], every[:, 1:].mean(1)], 1))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--preset", "frozen", "--epochs", "3"], "a head on frozen features has no epochs"),
        (["--preset", "frozen", "--repeats", "2"], "has no repeats"),
        (["--preset", "frozen", "--reduce", "5"], "has no reduce"),
        (["--preset", "tiny", "--set", "descriptors=true"], "a network that is trained has no descriptors"),
        (["--preset", "tiny", "--backbone", "test_vit"], "both a preset and a backbone"),
        (["--preset", "frozen", "--backbone", "test_vitt"], "timm has no backbone 'test_vitt'"),
    ],
)
def test_settings_that_change_nothing_are_refused(
    few: SimpleNamespace, tmp_path: Path, more: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        train(few, tmp_path / "m", *more)
