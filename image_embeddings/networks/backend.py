"""Networks as a backend: one for each part and repeat, trained and applied through the executor."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from cohort.frames import ID
from cohort.stores.protocol import CropReader, OnBad
from cv_folds.folds import make_folds
from engine.errors import InputError
from engine.executors import LocalExecutor
from engine.files import fingerprint, sha256_of
from engine.progress import report
from image_embeddings.backend import CHECKPOINT, Resources, Scores, mean_of
from image_embeddings.joined_store import scored
from image_embeddings.labels import Labels
from image_embeddings.networks.batches import Sampling
from image_embeddings.networks.chunks import score_chunks
from image_embeddings.networks.network import Network, build
from image_embeddings.networks.recipe import Recipe
from image_embeddings.networks.reduction import Reduction, reduce_embeddings
from image_embeddings.networks.scoring import ScoringOptions, loaders_for
from image_embeddings.networks.training import Training, train
from image_embeddings.networks.weights import load_into, read_history, read_weights, save_weights
from image_embeddings.presets import Preset

_INNER_FOLDS = 5


class NetworkBackend:
    """One network for each part and repeat.

    Attributes:
        resources: Resources of the backend.
        recipe: What the networks have in common.
    """

    def __init__(self, resources: Resources, recipe: Recipe) -> None:
        self.resources, self.recipe = resources, recipe

    def files(self, part: str) -> list[Path]:
        """A file for each repeat: fold0.safetensors, fold0-seed1.safetensors and so on."""
        names = [part, *(f"{part}-seed{repeat}" for repeat in range(1, self.recipe.repeats))]
        return [self.resources.folder / f"{name}.safetensors" for name in names]

    def fit(self, parts: Mapping[str, NDArray[np.int64]], frame: pl.DataFrame, labels: Labels) -> dict[str, str]:
        """Train each part's missing networks, resuming where a killed training stopped."""
        items = [
            (path, repeat, rows)
            for part, rows in parts.items()
            for repeat, path in enumerate(self.files(part))
            if not path.exists()
        ]
        shared = _TrainingShared(self.recipe, self.resources.store, self.resources.on_bad, frame, labels)
        executor, gpus = self.resources.executor, float(self.recipe.device.is_cuda)
        found = executor.map(_train_network, shared, items, at_once=self._at_once, gpus=gpus)
        return {isic_id: reason for faults in found for isic_id, reason in faults.items()}

    def history(self, parts: Sequence[str]) -> dict[str, list[dict[str, float]]]:
        """An entry per epoch of each network, from its file."""
        return {path.stem: read_history(path) for part in parts for path in self.files(part)}

    def prepare(self, ids: Sequence[str]) -> None:
        """Do nothing: each part's networks read the pixels themselves."""

    def score(self, parts: Sequence[str], ids: Sequence[str]) -> Iterator[Scores]:
        """Mean log-odds over the networks of the parts; each crop is decoded once for all of them."""
        paths = [path for part in parts for path in self.files(part)]
        names, wanted = [path.stem for path in paths], self.resources.embeddings
        load = partial(_loaded_now, paths, self.recipe)
        for said in score_chunks(
            "score", load, ids, self.recipe, self.resources, embeddings=wanted, at_once=self._at_once
        ):
            embeddings = dict(zip(names, said.embeddings, strict=True)) if wanted else {}
            yield Scores(mean_of(list(said.log_odds.T)), said.probabilities, embeddings, said.faults)

    @property
    def _at_once(self) -> int:
        """Networks at work at the same time: one on this machine; in a cluster, one per GPU or one per machine."""
        executor = self.resources.executor
        if isinstance(executor, LocalExecutor):
            return 1
        machines = max(1, executor.cores // (os.cpu_count() or 1))
        return machines * (torch.cuda.device_count() if self.recipe.device.is_cuda else 1)


@dataclass(frozen=True)
class _TrainingShared:
    recipe: Recipe
    store: CropReader
    on_bad: OnBad
    frame: pl.DataFrame
    labels: Labels


def _train_network(shared: _TrainingShared, item: tuple[Path, int, NDArray[np.int64]], cores: int) -> dict[str, str]:
    """Train one network and write its file; the last bits of its weights depend on the cores.

    Returns:
        Why crops could not be read, by id.
    """
    torch.set_num_threads(cores)
    (path, repeat, rows), recipe, labels = item, shared.recipe, shared.labels
    seed = recipe.seed + 1000 * repeat
    # The first weights of the heads, and of everything if there is no weights file.
    torch.manual_seed(seed)
    network = build(recipe.preset, labels.classes, len(labels.sites), weights=recipe.weights, download=recipe.download)
    rows, inner = inner_split(shared.frame, rows, recipe.preset, seed)
    checkpoint = path.with_suffix(f"{CHECKPOINT}.safetensors")
    training = Training(
        preset=recipe.preset,
        store=shared.store,
        ids=shared.frame[ID].to_list(),
        labels=labels,
        rows=rows,
        inner=inner,
        seed=seed,
        device=recipe.device,
        checkpoint=checkpoint,
        identity=_identity(shared, rows, seed),
        on_bad=shared.on_bad,
        loaders=loaders_for(cores, Sampling.of(rows, labels.target, recipe.preset, seed).crops * recipe.preset.epochs),
        on_step=lambda done, total: report(path.stem, done, total),
    )
    trained, history = train(network, training)
    if recipe.reduce_to is not None:
        options = ScoringOptions(recipe.preset, recipe.device, loaders=training.loaders, embeddings=True)
        trained.reduction = reduce_embeddings(trained, training, options, recipe.reduce_to)
    save_weights(trained, path, history)
    return training.faults


def _loaded_now(paths: Sequence[Path], recipe: Recipe) -> list[Network]:
    for path in paths:
        if not path.exists():
            raise InputError("the weights are missing", where=str(path), remedy="train the model again")
    return _loaded(tuple((path, path.stat().st_mtime_ns) for path in paths), recipe)


@lru_cache(maxsize=1)
def _loaded(files: tuple[tuple[Path, int], ...], recipe: Recipe) -> list[Network]:
    """Trained networks from files with these modification times; kept for the next chunk of crops."""
    return [_load(path, recipe) for path, _ in files]


def _load(path: Path, recipe: Recipe) -> Network:
    network = Network(recipe.preset, recipe.classes, recipe.n_sites)
    if recipe.reduce_to is not None:
        network.reduction = Reduction(network.width, recipe.reduce_to)
    state = read_weights(path, recipe.preset)
    if load_into(network, state, where=path) != len(network.state_dict()):
        raise InputError("weights of another network", where=str(path), remedy="train the model again")
    return network


def _identity(shared: _TrainingShared, rows: NDArray[np.int64], seed: int) -> str:
    recipe, labels = shared.recipe, shared.labels
    return fingerprint(
        {
            "preset": recipe.preset.model_dump(),
            "classes": labels.classes.names,
            "ids": fingerprint(shared.frame[ID].to_list()),
            "labels": fingerprint(labels.index.tolist()),
            "rows": fingerprint(rows.tolist()),
            "seed": seed,
            "weights": sha256_of(recipe.weights) if recipe.weights else None,
            "download": recipe.download,
        }
    )


def inner_split(
    frame: pl.DataFrame, rows: NDArray[np.int64], preset: Preset, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Training rows without a fifth of the patients, and that fifth, if early stopping needs rows to judge by.

    Patients whose images are duplicates of each other (column `group`) stay on one side. Lesions of extra tables, which
    do not show how well others are scored, are trained on.
    """
    if preset.patience is None:
        return rows, rows[:0]
    keys = [ID, "patient_id", "target", *(["group"] if "group" in frame.columns else [])]
    wanted = frame[rows.tolist()]
    folds = make_folds(scored(wanted).select(keys), n_folds=_INNER_FOLDS, seed=seed).frame
    held_out = set(folds.filter(folds["fold"] == 0)[ID])
    inside = np.array([isic_id in held_out for isic_id in wanted[ID]])
    return rows[~inside], rows[inside]
