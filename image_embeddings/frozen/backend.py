"""Light heads on frozen features as a backend: every crop is looked at once, whatever the number of folds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import timm
import torch
from numpy.typing import NDArray

from cohort.frames import ID
from engine.files import fingerprint, sha256_of
from engine.results import ResultStore
from image_embeddings.backend import CHUNK, Resources, Scores, mean_of
from image_embeddings.descriptors.table import describe
from image_embeddings.frozen.features import Features, Looking, look, normalised, pretrained, save
from image_embeddings.frozen.head import Head, HeadSettings
from image_embeddings.labels import Labels
from image_embeddings.networks.device import Device
from image_embeddings.presets import Preset

BACKBONE = "backbone.safetensors"
CACHE = "crop-features"
"""Folder beside the model folders: features of crops, by what they were computed from."""


@dataclass(frozen=True)
class FrozenRecipe:
    """What the heads of a model have in common.

    Attributes:
        preset: Backbone, size, views, components, and whether descriptors are seen too.
        crops_sha256: Of the training crops.
        seed: Of the heads.
        weights: First weights of the backbone, from a local file.
        download: Let timm fetch them.
        device: Where the backbone runs.
    """

    preset: Preset
    crops_sha256: str
    seed: int
    weights: Path | None
    download: bool
    device: Device


@dataclass(frozen=True)
class KnownFeatures:
    """Features of crops that were looked at before.

    Attributes:
        ids: Of the crops.
        values: (crops, width) float16.
        faults: Why a crop could not be read, by id.
    """

    ids: tuple[str, ...]
    values: NDArray[np.float16]
    faults: dict[str, str]

    def chunks(self, ids: Sequence[str]) -> Iterator[Features]:
        """Features of some of the crops, in their order."""
        rows = {isic_id: row for row, isic_id in enumerate(self.ids)}
        for start in range(0, len(ids), CHUNK):
            own = ids[start : start + CHUNK]
            faults = {each: self.faults[each] for each in own if each in self.faults}
            yield Features(self.values[[rows[each] for each in own]], faults)


class FrozenBackend:
    """A pretrained backbone that is not trained, and a head for each part.

    Attributes:
        resources: What it works with.
        recipe: What its heads have in common.
    """

    def __init__(self, resources: Resources, recipe: FrozenRecipe) -> None:
        self.resources, self.recipe = resources, recipe
        self.preset = normalised(recipe.preset)
        self._known: KnownFeatures | None = None

    def files(self, part: str) -> list[Path]:
        """The part's head, and the backbone, which all parts share."""
        return [self.resources.folder / f"{part}.npz", self.resources.folder / BACKBONE]

    def fit(
        self, parts: Mapping[str, NDArray[np.int64]], frame: pl.DataFrame, labels: Labels
    ) -> Iterator[tuple[str, list[dict[str, float]]]]:
        """Look at every crop once, then fit each part's head on its rows."""
        backbone = self.resources.folder / BACKBONE
        if not backbone.exists():
            save(pretrained(self.preset, weights=self.recipe.weights, download=self.recipe.download), backbone)
        ids = frame[ID].to_list()
        self._known = self._kept_or_looked_at(ids)
        values = self._values(ids, self._known.values)
        width = self._known.values.shape[1]
        settings = HeadSettings(width, self.preset.components, self.recipe.seed)
        for part, rows in parts.items():
            Head.fit(values[rows], frame[rows.tolist()], labels.target[rows], settings).save(self.files(part)[0])
            yield part, []

    def prepare(self, ids: Sequence[str]) -> None:
        """Look at the crops, once for all parts."""
        if self._known is None:
            self._known = self._looked_at(ids)

    def score(self, parts: Sequence[str], ids: Sequence[str]) -> Iterator[Scores]:
        """Mean log-odds of the parts' heads; the embedding is the features themselves, the same for all parts."""
        heads = [Head.load(self.files(part)[0]) for part in parts]
        begin = 0
        for features in self._look(ids) if self._known is None else self._known.chunks(ids):
            own = ids[begin : begin + len(features.values)]
            begin += len(own)
            values = self._values(own, features.values)
            log_odds = mean_of([head.log_odds(values) for head in heads])
            kept = dict.fromkeys(parts, features.values) if self.resources.embeddings else {}
            yield Scores(log_odds, None, kept, features.faults)

    def _looked_at(self, ids: Sequence[str]) -> KnownFeatures:
        chunks = list(self._look(ids))
        faults = {isic_id: reason for chunk in chunks for isic_id, reason in chunk.faults.items()}
        return KnownFeatures(tuple(ids), np.concatenate([chunk.values for chunk in chunks]), faults)

    def _look(self, ids: Sequence[str]) -> Iterator[Features]:
        resources, device = self.resources, self.recipe.device
        backbone = resources.folder / BACKBONE
        shared = Looking(backbone, self.preset, resources.store, device, resources.on_bad, len(ids))
        items = [(start, list(ids[start : start + CHUNK])) for start in range(0, len(ids), CHUNK)]
        return resources.executor.map(look, shared, items, at_once=1, gpus=float(device.is_cuda))

    def _kept_or_looked_at(self, ids: Sequence[str]) -> KnownFeatures:
        """Features of the training crops, taken from the cache where the same were computed before."""
        cache, name = ResultStore(self.resources.folder.parent / CACHE), self._name(ids)
        if found := cache.get(name):
            return KnownFeatures(tuple(ids), found["values"], {})
        known = self._looked_at(ids)
        if not known.faults:
            cache.put(name, {"values": known.values})
        return known

    def _name(self, ids: Sequence[str]) -> str:
        preset = self.preset.model_dump(include={"size", "view", "mean", "std", "clahe", "flips", "backbone"})
        backbone = sha256_of(self.resources.folder / BACKBONE)
        versions = [torch.__version__, timm.__version__]
        return fingerprint([preset, backbone, versions, self.recipe.crops_sha256, list(ids)])

    def _values(self, ids: Sequence[str], features: NDArray[np.float16]) -> NDArray[np.float64]:
        """The features, and the descriptors where the head sees them too."""
        values = features.astype(np.float64)
        if not self.preset.descriptors:
            return values
        resources = self.resources
        frame = describe(resources.store, ids, required=False, executor=resources.executor).frame.drop(ID)
        return np.hstack([values, frame.to_numpy().astype(np.float64)]) if frame.width else np.full_like(values, np.nan)
