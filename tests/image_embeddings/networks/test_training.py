"""Batches, the loop, resuming and scoring, on simulated crops."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import polars as pl
import pytest
import torch

from cohort.stores.hdf5 import Hdf5Store
from cohort.stores.protocol import CropError
from engine.errors import InputError
from image_embeddings.labels import make_labels
from image_embeddings.networks import checkpoint
from image_embeddings.networks.backend import inner_split
from image_embeddings.networks.batches import Crops, Sampling, loader
from image_embeddings.networks.device import Device
from image_embeddings.networks.network import Network, build
from image_embeddings.networks.reduction import reduce_embeddings
from image_embeddings.networks.scoring import ScoringOptions, score
from image_embeddings.networks.training import Training, follow, rate_at, train
from image_embeddings.presets import PRESETS, Preset

CPU = Device("cpu")
QUICK = PRESETS["tiny"].model_copy(
    update={"drop_rate": 0.2, "mixup": 0.2, "benign_ratio": 2.0, "label_smoothing": 0.02}
)
Make = Callable[..., tuple[Network, Training]]


@pytest.fixture
def make(crops: SimpleNamespace, tmp_path: Path) -> Make:
    """A network and a training of it, both new."""

    def new(preset: Preset = QUICK, **changes: object) -> tuple[Network, Training]:
        torch.manual_seed(0)
        torch.set_num_threads(1)
        labels = make_labels(crops.frame, preset.labels)
        rows = np.arange(len(crops.frame))
        fixed = {
            "preset": preset,
            "store": crops.store,
            "ids": crops.frame["isic_id"].to_list(),
            "labels": labels,
            "rows": rows,
            "inner": rows[:0],
            "seed": 3,
            "device": CPU,
            "checkpoint": tmp_path / "checkpoint.safetensors",
            "identity": "same",
        }
        return build(preset, labels.classes, len(labels.sites)), Training(**(fixed | changes))

    return new


def weights_of(network: Network) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


# Batches.


def test_an_epoch_holds_every_malignant_lesion_and_the_stated_ratio_of_benign() -> None:
    target = np.array([1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0], np.int8)
    preset = QUICK.model_copy(update={"benign_ratio": 2.0, "malignant_copies": 2, "batch_size": 4})
    sampling = Sampling.of(np.arange(12), target, preset, seed=1)
    # Two malignant, twice each, and four benign: two batches of four.
    assert sampling.steps == 2
    rows = [row for batch in sampling.epoch(0) for row, _ in batch]
    assert sorted(row for row in rows if target[row]) == [0, 0, 8, 8]
    benign = [row for row in rows if not target[row]]
    assert len(benign) == len(set(benign)) == 4


def test_an_epoch_is_the_same_whenever_asked_and_another_is_another() -> None:
    sampling = Sampling.of(np.arange(100), (np.arange(100) < 10).astype(np.int8), QUICK, seed=1)
    assert sampling.epoch(2) == sampling.epoch(2)
    assert sampling.epoch(2) != sampling.epoch(3)


def test_more_benign_than_there_are_can_not_be_drawn() -> None:
    sampling = Sampling.of(np.arange(40), (np.arange(40) < 20).astype(np.int8), QUICK, seed=1)
    assert sampling.n_benign == 20


def test_workers_change_no_pixel(crops: SimpleNamespace) -> None:
    dataset = Crops(crops.store, crops.frame["isic_id"].to_list(), QUICK, "stop")
    batches = [[(0, 11), (1, 12)], [(2, 13), (3, 14)]]
    alone = [batch.pixels for batch in loader(dataset, batches, workers=0, pin=False)]
    helped = [batch.pixels for batch in loader(dataset, batches, workers=1, pin=False)]
    assert all(torch.equal(first, second) for first, second in zip(alone, helped, strict=True))


# The loop.


def test_it_learns(make: Make, crops: SimpleNamespace) -> None:
    network, training = make(PRESETS["tiny"].model_copy(update={"epochs": 5}))
    trained, history = train(network, training)
    assert [entry["epoch"] for entry in history] == [1, 2, 3, 4, 5]
    assert history[-1]["loss"] < history[0]["loss"]
    scored = score([trained], crops.store, training.ids, training.rows, ScoringOptions(training.preset, CPU)).log_odds[
        :, 0
    ]
    target = training.labels.target
    assert (scored[target == 1][:, None] > scored[target == 0][None]).mean() > 0.9


class KilledError(Exception):
    """Stands for a process that is killed."""


@pytest.mark.parametrize("kill_at", [1, 4, 5])
def test_killed_at_any_step_it_ends_with_the_same_weights(make: Make, kill_at: int) -> None:
    network, training = make(checkpoint_seconds=0)
    whole, history = train(network, training)
    training.checkpoint.unlink()

    def kill(done: int, _total: int) -> None:
        if done == kill_at * training.preset.batch_size:
            raise KilledError

    network, interrupted = make(checkpoint_seconds=0, on_step=kill)
    with pytest.raises(KilledError):
        train(network, interrupted)
    network, resumed = make(checkpoint_seconds=0)
    again, continued = train(network, resumed)
    assert same(weights_of(whole), weights_of(again))
    assert [entry["epoch"] for entry in continued] == [entry["epoch"] for entry in history]


def test_a_finished_training_is_not_run_again(make: Make) -> None:
    network, training = make()
    first, _ = train(network, training)
    steps: list[int] = []
    network, training = make(on_step=lambda done, _total: steps.append(done))
    second, history = train(network, training)
    assert steps == []
    assert len(history) == training.preset.epochs
    assert same(weights_of(first), weights_of(second))


def test_workers_change_no_weight(make: Make) -> None:
    network, training = make()
    alone, _ = train(network, training)
    training.checkpoint.unlink()
    network, training = make(loaders=1)
    helped, _ = train(network, training)
    assert same(weights_of(alone), weights_of(helped))


def test_another_seed_is_another_network(make: Make) -> None:
    network, training = make()
    first, _ = train(network, training)
    training.checkpoint.unlink()
    network, training = make(seed=4)
    second, _ = train(network, training)
    assert not same(weights_of(first), weights_of(second))


def test_auxiliary_heads_and_class_labels_learn(make: Make) -> None:
    preset = QUICK.model_copy(update={"labels": "diagnosis", "size_weight": 0.5, "site_weight": 0.5})
    network, training = make(preset)
    before = weights_of(network)
    trained, _ = train(network, training)
    after = weights_of(trained)
    for name in ("head.weight", "size_head.weight", "site_head.weight"):
        assert not torch.equal(before[name], after[name])
    assert training.labels.classes.names == ("benign", "tagged benign", "basal cell", "melanocytic")


def test_early_stopping_is_judged_on_the_inner_rows_alone(make: Make) -> None:
    preset = QUICK.model_copy(update={"patience": 1, "epochs": 6, "learning_rate": 1e-9})
    rows = np.arange(80)
    heard: list[tuple[int, int]] = []
    network, training = make(
        preset, rows=rows[::2], inner=rows[1::2], on_step=lambda done, total: heard.append((done, total))
    )
    _, history = train(network, training)
    # Nothing is learned, so after an epoch or two the inner score does not rise and the training ends.
    assert len(history) < 6
    assert heard[-1][0] == heard[-1][1]  # no bar is left at the steps that were saved
    assert all("inner_pauc" in entry for entry in history)


def test_an_unreadable_crop_stops_the_training_or_counts_nothing(
    make: Make, draw: SimpleNamespace, tmp_path: Path
) -> None:
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        for place in range(80):
            data = draw.jpeg(draw.disc(0.3, (90, 50, 40), size=64))
            file[f"ISIC_{place:07}"] = np.bytes_(data[:100] if place == 70 else data)
    network, training = make(store=Hdf5Store(tmp_path / "x.hdf5"))
    with pytest.raises(CropError, match="ISIC_0000070"):
        train(network, training)
    training.checkpoint.unlink(missing_ok=True)
    network, training = make(store=Hdf5Store(tmp_path / "x.hdf5"), on_bad="missing")
    trained, _ = train(network, training)
    assert all(bool(value.isfinite().all()) for value in trained.state_dict().values())


def test_the_rate_rises_then_falls_to_nothing() -> None:
    preset = QUICK.model_copy(update={"warmup": 0.1})
    # 100 steps: a tenth of the rise after the first, the cosine's half way at 50.
    assert rate_at(0, 100, preset) == pytest.approx(0.1)
    assert rate_at(50, 100, preset) == pytest.approx(0.5)
    assert rate_at(99, 100, preset) < 0.001
    assert rate_at(70, 100, preset.model_copy(update={"schedule": "constant"})) == 1


def test_the_rates_of_backbone_and_head_are_logged(make: Make) -> None:
    preset = QUICK.model_copy(update={"head_rate": 3.0, "epochs": 1})
    _, (entry,) = train(*make(preset))
    assert entry["backbone_rate"] > 0
    assert entry["head_rate"] == pytest.approx(3 * entry["backbone_rate"])


def test_duplicates_of_two_patients_are_on_one_side_of_the_inner_split() -> None:
    # 20 patients of two lesions; a group links patient 2k to patient 2k + 1.
    frame = pl.DataFrame(
        {
            "isic_id": [f"ISIC_{row}" for row in range(40)],
            "patient_id": [f"IP_{row // 2:02}" for row in range(40)],
            "target": [row % 2 for row in range(40)],
            "group": [f"G{row // 4}" if row % 2 else None for row in range(40)],
        }
    )
    preset = QUICK.model_copy(update={"patience": 1})
    for seed in range(5):
        rows, inner = inner_split(frame, np.arange(40), preset, seed)
        assert sorted([*rows, *inner]) == list(range(40))
        assert len(inner) > 0
        assert not {row // 4 for row in rows} & {row // 4 for row in inner}


def test_the_average_follows() -> None:
    average, network = torch.nn.Linear(1, 1, bias=False), torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        average.weight.fill_(1.0)
        network.weight.fill_(3.0)
    follow(average, network, 0.75)
    # 0.75 of 1 and 0.25 of 3.
    assert float(average.weight.detach()) == pytest.approx(1.5)


# Checkpoints.


def test_a_checkpoint_of_another_training_and_a_damaged_one_are_refused(make: Make) -> None:
    network, training = make()
    train(network, training)
    network, other = make(identity="other")
    with pytest.raises(InputError, match="another training"):
        train(network, other)
    training.checkpoint.write_bytes(training.checkpoint.read_bytes()[:500])
    network, training = make()
    with pytest.raises(InputError, match="damaged checkpoint"):
        train(network, training)


def test_no_checkpoint_is_no_progress(make: Make, tmp_path: Path) -> None:
    network, _ = make()
    assert (
        checkpoint.restore(tmp_path / "absent", {"network": network}, torch.optim.Adam(network.parameters()), "x")
        is None
    )


# Scoring.


def test_a_crop_that_can_not_be_read_scores_nan_and_is_named(make: Make, crops: SimpleNamespace) -> None:
    network, _ = make()
    ids = [crops.frame["isic_id"][0], "ISIC_absent", crops.frame["isic_id"][1]]
    scored = score([network], crops.store, ids, np.arange(3), ScoringOptions(QUICK, CPU))
    assert np.isnan(scored.log_odds[:, 0]).tolist() == [False, True, False]
    assert np.isnan(scored.probabilities).any(1).tolist() == [False, True, False]
    assert scored.faults == {"ISIC_absent": "no crop of this id"}
    with pytest.raises(CropError, match="ISIC_absent"):
        score([network], crops.store, ids, np.arange(3), ScoringOptions(QUICK, CPU, on_bad="stop"))


def test_with_eight_views_a_turned_crop_scores_the_same(make: Make, tmp_path: Path, draw: SimpleNamespace) -> None:
    from PIL import Image

    network, _ = make()
    picture = draw.disc(0.4, (90, 50, 40), size=64, centre=(0.3, 0.1), stretch=1.4)
    (tmp_path / "f").mkdir()
    for name, turned in (("ISIC_1", picture), ("ISIC_2", np.rot90(picture)), ("ISIC_3", picture[:, ::-1])):
        buffer = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(turned)).save(buffer, "PNG")
        (tmp_path / "f" / f"{name}.png").write_bytes(buffer.getvalue())
    from cohort.stores.folder import FolderStore

    store = FolderStore(tmp_path / "f")
    options = ScoringOptions(QUICK.model_copy(update={"flips": 8}), CPU)
    values = score([network], store, list(store.ids), np.arange(3), options).log_odds[:, 0]
    np.testing.assert_allclose(values, values[0], rtol=1e-4)
    one = score([network], store, list(store.ids), np.arange(3), ScoringOptions(QUICK, CPU)).log_odds[:, 0]
    assert abs(one[0] - one[1]) > 1e-5


def test_several_networks_and_embeddings(make: Make, crops: SimpleNamespace) -> None:
    first, training = make()
    torch.manual_seed(9)
    second = build(QUICK, training.labels.classes)
    rows = np.arange(5)
    options = ScoringOptions(QUICK, CPU, embeddings=True)
    both = score([first, second], crops.store, training.ids, rows, options)
    alone = [score([network], crops.store, training.ids, rows, options) for network in (first, second)]
    np.testing.assert_allclose(both.log_odds, np.hstack([each.log_odds for each in alone]), rtol=1e-6)
    assert both.embeddings.shape == (2, 5, first.width)
    assert both.embeddings.dtype == np.float16
    assert score([first], crops.store, training.ids, rows, replace(options, embeddings=False)).embeddings.shape == (
        1,
        5,
        0,
    )
    np.testing.assert_allclose(both.probabilities.sum(1), 1)


def test_reduced_embeddings_keep_the_distances_that_matter(make: Make) -> None:
    network, training = make()
    options = ScoringOptions(QUICK, CPU, embeddings=True)
    plain = score([network], training.store, training.ids, training.rows, options).embeddings[0].astype(float)
    network.reduction = reduce_embeddings(network, training, options, 6)
    short = score([network], training.store, training.ids, training.rows, options).embeddings[0].astype(float)
    assert short.shape == (len(training.rows), 6)
    singular = np.linalg.svd(plain - plain.mean(0), compute_uv=False)
    np.testing.assert_allclose(np.linalg.norm(short - short.mean(0), axis=0), singular[:6], rtol=0.02)


def test_labels_in_the_frame_reach_neither_pixels_nor_scores(make: Make, crops: SimpleNamespace) -> None:
    network, training = make()
    flipped = crops.frame.with_columns(target=1 - pl.col("target"))
    assert make_labels(flipped, "binary").target.tolist() != training.labels.target.tolist()
    ids = flipped["isic_id"].to_list()
    first = score([network], crops.store, ids, np.arange(4), ScoringOptions(QUICK, CPU)).log_odds
    second = score([network], crops.store, training.ids, np.arange(4), ScoringOptions(QUICK, CPU)).log_odds
    np.testing.assert_array_equal(first, second)
