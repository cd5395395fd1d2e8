"""Networks as an engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import safetensors.torch
import torch
from numpy.typing import NDArray

from cohort.frames import ID
from cv_folds.folds import make_folds
from engine.errors import InputError
from engine.files import atomic_path, fingerprint, sha256_of
from image_embeddings.engine import Scores, Setting
from image_embeddings.labels import Classes, Labels
from image_embeddings.networks.device import Device
from image_embeddings.networks.network import Network, build
from image_embeddings.networks.reduction import Reduction, reduce_embeddings
from image_embeddings.networks.scoring import Look, score
from image_embeddings.networks.training import Training, train
from image_embeddings.networks.weights import load_into, read_weights
from image_embeddings.presets import Preset

_INNER_FOLDS = 5


class NetworkEngine:
    """One network for each part and repeat.

    Attributes:
        setting: Where and how it works.
        preset: The recipe.
        classes: Of the main head.
        n_sites: Of the body-site head.
        seed: Of every draw; a repeat adds to it.
        repeats: Networks of each part, which differ by their seed; their scores are averaged.
        weights: First weights from a local file.
        download: Let timm fetch first weights.
        reduce_to: Length that embeddings are reduced to by components fitted on the part's training rows; None keeps
            them.
        device: Where it runs.
    """

    def __init__(
        self,
        setting: Setting,
        preset: Preset,
        classes: Classes,
        *,
        n_sites: int = 0,
        seed: int = 0,
        repeats: int = 1,
        weights: Path | None = None,
        download: bool = False,
        reduce_to: int | None = None,
        device: Device | None = None,
    ) -> None:
        self.setting, self.preset, self.classes = setting, preset, classes
        self.n_sites, self.seed, self.repeats = n_sites, seed, repeats
        self.weights, self.download, self.reduce_to = weights, download, reduce_to
        self.device = device or Device.choose()
        torch.set_num_threads(setting.threads)

    def files(self, part: str) -> list[Path]:
        """A file for each repeat: fold0.safetensors, fold0-seed1.safetensors and so on."""
        names = [part, *(f"{part}-seed{repeat}" for repeat in range(1, self.repeats))]
        return [self.setting.folder / f"{name}.safetensors" for name in names]

    def fit(self, part: str, frame: pl.DataFrame, labels: Labels, rows: NDArray[np.int64]) -> list[dict[str, float]]:
        """Train the part's networks, continuing where a killed training stood."""
        history: list[dict[str, float]] = []
        for repeat, path in enumerate(self.files(part)):
            if not path.exists():
                history += self._fit_one(path, frame, labels, rows, repeat)
        return history

    def prepare(self, ids: Sequence[str]) -> None:
        """Nothing: each part's networks look at the pixels themselves."""

    def score(self, parts: Sequence[str], ids: Sequence[str]) -> Scores:
        """Mean log-odds over the networks of the parts, all of which see each crop once it is decoded."""
        networks = [self._load(path) for part in parts for path in self.files(part)]
        done = 0

        def tell(crops: int) -> None:
            nonlocal done
            done += crops
            self.setting.tell("score", done, len(ids))

        scored = score(networks, self.setting.store, ids, np.arange(len(ids)), self._look(tell))
        embedding = scored.embedding if self.setting.embeddings else None
        return Scores(scored.log_odds.mean(1), scored.probabilities, embedding, scored.faults)

    def _look(self, tell: Callable[[int], None]) -> Look:
        setting = self.setting
        return Look(self.preset, self.device, setting.on_bad, setting.workers, setting.embeddings, tell)

    def _fit_one(
        self, path: Path, frame: pl.DataFrame, labels: Labels, rows: NDArray[np.int64], repeat: int
    ) -> list[dict[str, float]]:
        seed = self.seed + 1000 * repeat
        # The first weights of the heads, and of everything if there is no weights file.
        torch.manual_seed(seed)
        network = build(self.preset, labels.classes, len(labels.sites), weights=self.weights, download=self.download)
        rows, inner = self._inner(frame, rows, seed)
        checkpoint = path.with_suffix(".checkpoint.safetensors")
        training = Training(
            preset=self.preset,
            store=self.setting.store,
            ids=frame[ID].to_list(),
            labels=labels,
            rows=rows,
            inner=inner,
            seed=seed,
            device=self.device,
            checkpoint=checkpoint,
            identity=self._identity(frame, labels, rows, seed),
            on_bad=self.setting.on_bad,
            workers=self.setting.workers,
            tell=lambda done, total: self.setting.tell(path.stem, done, total),
        )
        trained, history = train(network, training)
        if self.reduce_to is not None:
            trained.reduction = self._reduction(trained, training)
        with atomic_path(path) as temporary:
            safetensors.torch.save_file(
                {name: value.detach().cpu().contiguous() for name, value in trained.state_dict().items()}, temporary
            )
        for leftover in (checkpoint, checkpoint.with_suffix(".best.safetensors")):
            leftover.unlink(missing_ok=True)
        return [{**entry, "repeat": float(repeat)} for entry in history]

    def _identity(self, frame: pl.DataFrame, labels: Labels, rows: NDArray[np.int64], seed: int) -> str:
        return fingerprint(
            {
                "preset": self.preset.model_dump(),
                "classes": labels.classes.names,
                "ids": fingerprint(frame[ID].to_list()),
                "labels": fingerprint(labels.index.tolist()),
                "rows": fingerprint(rows.tolist()),
                "seed": seed,
                "weights": sha256_of(self.weights) if self.weights else None,
                "download": self.download,
            }
        )

    def _inner(
        self, frame: pl.DataFrame, rows: NDArray[np.int64], seed: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Training rows without a fifth of the patients, and that fifth, where early stopping needs a judge."""
        if self.preset.patience is None:
            return rows, rows[:0]
        own = frame[rows.tolist()].select(ID, "patient_id", "target")
        folds = make_folds(own, n_folds=_INNER_FOLDS, seed=seed).frame
        held_out = set(folds.filter(folds["fold"] == 0)[ID])
        inside = np.array([isic_id in held_out for isic_id in own[ID]])
        return rows[~inside], rows[inside]

    def _reduction(self, network: Network, training: Training) -> Reduction:
        look = Look(self.preset, self.device, "missing", self.setting.workers, embeddings=True)
        return reduce_embeddings(network, training, look, self.reduce_to or 0)

    def _load(self, path: Path) -> Network:
        if not path.exists():
            raise InputError("the weights are missing", where=str(path), remedy="train the model again")
        network = Network(self.preset, self.classes, self.n_sites)
        if self.reduce_to is not None:
            network.reduction = Reduction(network.width, self.reduce_to)
        state = read_weights(path, self.preset)
        if load_into(network, state, where=path) != len(network.state_dict()):
            raise InputError("weights of another network", where=str(path), remedy="train the model again")
        return network
