"""Light heads on frozen features as a backend: the backbone sees every crop once, whatever the number of folds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cohort.frames import ID
from engine.files import fingerprint, sha256_of
from engine.results import Arrays
from image_embeddings.arrays import load_model, save_model
from image_embeddings.backend import CHUNK, Resources, Scores, mean_of
from image_embeddings.changed_store import ChangedStore
from image_embeddings.clahe import equalise
from image_embeddings.descriptors.table import Described, describe
from image_embeddings.frozen.cache import CACHE, cached
from image_embeddings.frozen.features import look, save_pretrained
from image_embeddings.frozen.head import Head, HeadSettings
from image_embeddings.identity import code_from_crops_to, libraries
from image_embeddings.labels import Labels
from image_embeddings.measured_backend import MeasuredBackend
from image_embeddings.networks.recipe import Recipe
from image_embeddings.networks.scoring import CropScores
from image_embeddings.presets import SIGHT

BACKBONE = "backbone.safetensors"
_FEATURES = "features"


class FrozenBackend(MeasuredBackend):
    """A backbone that is not trained, and a head for each part.

    Attributes:
        recipe: What the heads have in common.
    """

    def __init__(self, resources: Resources, recipe: Recipe) -> None:
        super().__init__(resources)
        self.recipe, self._backbone = recipe, resources.folder / BACKBONE

    def files(self, part: str) -> list[Path]:
        """The part's head, and the backbone, which all parts share."""
        return [self.resources.folder / f"{part}.npz", self._backbone]

    def fit(self, parts: Mapping[str, NDArray[np.int64]], frame: pl.DataFrame, labels: Labels) -> dict[str, str]:
        """Run the backbone once on every crop, unless that was done before, then fit each part's head on its rows."""
        recipe, preset = self.recipe, self.recipe.preset
        if not self._backbone.exists():
            save_pretrained(preset, self._backbone, weights=recipe.weights, download=recipe.download, seed=recipe.seed)
        self._known = self._of_training(frame[ID].to_list())
        columns = _columns(self._known.frame)
        features = self._known.frame[_FEATURES].head(1).to_numpy().shape[1]
        settings = HeadSettings(features, preset.components, recipe.seed)
        for part, rows in parts.items():
            head = Head.fit(columns[rows], frame[rows.tolist()], labels.target[rows], settings)
            save_model(head, self.files(part)[0])
        return self._known.faults

    def prepare(self, ids: Sequence[str]) -> None:
        """Run the backbone on the crops, and describe them if heads see descriptors, once for all parts."""
        if self._known is None:
            found = _arrays(look(self._backbone, ids, self.recipe, self.resources))
            self._known = _seen(ids, found["values"], self._describe(ids), _faults(found))

    def score(self, parts: Sequence[str], ids: Sequence[str]) -> Iterator[Scores]:
        """Mean log-odds of the parts' heads; the embedding is the features themselves, the same for all parts."""
        heads = [load_model(self.files(part)[0], Head, "a head") for part in parts]
        for seen in self._chunks(ids):
            columns = _columns(seen.frame)
            log_odds = mean_of([head.log_odds(columns) for head in heads])
            kept = dict.fromkeys(parts, seen.frame[_FEATURES].to_numpy()) if self.resources.embeddings else {}
            yield Scores(log_odds, None, kept, seen.faults)

    def _measured(self, ids: Sequence[str]) -> Iterator[Described]:
        for start, said in enumerate(look(self._backbone, ids, self.recipe, self.resources)):
            own = ids[start * CHUNK : (start + 1) * CHUNK]
            yield _seen(own, said.embeddings[0], self._describe(own), said.faults)

    def _of_training(self, ids: Sequence[str]) -> Described:
        """What heads see of the training crops, from the cache if it was computed before."""
        resources, recipe, preset = self.resources, self.recipe, self.recipe.preset
        folder, crops = resources.folder.parent / CACHE, fingerprint([recipe.crops_sha256, list(ids)])
        sight = [
            *(preset.model_dump(include=set(SIGHT)), sha256_of(self._backbone), recipe.device.name),
            *(code_from_crops_to("image_embeddings.frozen.features"), libraries("frozen")),
        ]
        found = cached(
            *(folder, [crops, *sight], lambda: _arrays(look(self._backbone, ids, recipe, resources))),
            usable=lambda found: not (resources.on_bad == "stop" and len(found["unreadable"])),
        )
        faults = _faults(found)
        if not preset.descriptors:
            return _seen(ids, found["values"], self._describe(ids), faults)
        pixels = "equalised" if preset.clahe else "as they are"
        name = [crops, pixels, code_from_crops_to("image_embeddings.descriptors.table")]
        numbers = cached(folder, name, lambda: {"values": self._describe(ids)})["values"]
        return _seen(ids, found["values"], numbers, faults)

    def _describe(self, ids: Sequence[str]) -> NDArray[np.float32]:
        """(crops, numbers) descriptors; of width 0 if heads do not see them, or no crop can be read."""
        resources, preset = self.resources, self.recipe.preset
        if not preset.descriptors:
            return np.empty((len(ids), 0), np.float32)
        store = ChangedStore(resources.store, equalise) if preset.clahe else resources.store
        found = describe(store, ids, required=False, executor=resources.executor).frame.drop(ID)
        return found.to_numpy().astype(np.float32) if found.width else np.empty((len(ids), 0), np.float32)


def _arrays(chunks: Iterable[CropScores]) -> Arrays:
    """Features of crops, and which crops could not be read and why."""
    found = list(chunks)
    faults = {isic_id: reason for chunk in found for isic_id, reason in chunk.faults.items()}
    values = np.concatenate([chunk.embeddings[0] for chunk in found])
    return {
        "values": values,
        "unreadable": np.array(list(faults), str),
        "reasons": np.array(list(faults.values()), str),
    }


def _faults(found: Arrays) -> dict[str, str]:
    return dict(zip(found["unreadable"].tolist(), found["reasons"].tolist(), strict=True))


def _seen(
    ids: Sequence[str], features: NDArray[np.float16], numbers: NDArray[np.float32], faults: dict[str, str]
) -> Described:
    """What heads see: isic_id, the features in one column, then a column for each descriptor."""
    columns = {str(place): column for place, column in enumerate(numbers.T)}
    frame = pl.DataFrame({ID: pl.Series(ids, dtype=pl.String), _FEATURES: pl.Series(features), **columns})
    return Described(frame, faults)


def _columns(frame: pl.DataFrame) -> NDArray[np.float32]:
    """(crops, width) the features, then the descriptors; NaN if a crop cannot be read."""
    numbers = [frame[name].to_numpy() for name in frame.columns if name not in {ID, _FEATURES}]
    return np.column_stack([frame[_FEATURES].to_numpy().astype(np.float32), *numbers])
