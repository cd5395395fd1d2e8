"""Light heads on frozen features as a backend: every crop is looked at once, whatever the number of folds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cohort.frames import ID
from cohort.stores.protocol import ImageStore
from engine.files import fingerprint, sha256_of
from image_embeddings.backend import CHUNK, Resources, Scores, mean_of
from image_embeddings.changed_store import ChangedStore
from image_embeddings.clahe import equalise
from image_embeddings.descriptors.table import describe
from image_embeddings.frozen.features import Features, Looking, look, save_pretrained
from image_embeddings.frozen.head import Head, HeadSettings
from image_embeddings.frozen.seen import CACHE, CropCache, Seen, joined
from image_embeddings.identity import code_from_crops_to, libraries
from image_embeddings.labels import Labels
from image_embeddings.networks.device import Device
from image_embeddings.presets import SIGHT, Preset

BACKBONE = "backbone.safetensors"
_FEATURES, _DESCRIPTORS = "image_embeddings.frozen.features", "image_embeddings.descriptors.table"


@dataclass(frozen=True)
class FrozenRecipe:
    """What the heads of a model have in common.

    Attributes:
        preset: Backbone, size, views, components, and whether descriptors are seen too.
        crops_sha256: Of the training crops.
        seed: Of the heads, and of the backbone where it has no first weights.
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


class FrozenBackend:
    """A backbone that is not trained, and a head for each part.

    Attributes:
        resources: What it works with.
        recipe: What its heads have in common.
    """

    def __init__(self, resources: Resources, recipe: FrozenRecipe) -> None:
        self.resources, self.recipe = resources, recipe
        self._known: tuple[dict[str, int], Seen] | None = None

    def files(self, part: str) -> list[Path]:
        """The part's head, and the backbone, which all parts share."""
        return [self.resources.folder / f"{part}.npz", self._backbone]

    def fit(self, parts: Mapping[str, NDArray[np.int64]], frame: pl.DataFrame, labels: Labels) -> dict[str, str]:
        """Look at every crop once, unless that was done before, then fit each part's head on its rows."""
        recipe = self.recipe
        if not self._backbone.exists():
            save_pretrained(
                self._preset, self._backbone, weights=recipe.weights, download=recipe.download, seed=recipe.seed
            )
        ids = frame[ID].to_list()
        seen = self._of_training(ids)
        self._remember(ids, seen)
        columns = seen.columns
        settings = HeadSettings(seen.features.values.shape[1], self._preset.components, recipe.seed)
        for part, rows in parts.items():
            Head.fit(columns[rows], frame[rows.tolist()], labels.target[rows], settings).save(self.files(part)[0])
        return seen.features.faults

    def history(self, parts: Sequence[str]) -> dict[str, list[dict[str, float]]]:
        """Nothing for each part: there are no epochs."""
        return {part: [] for part in parts}

    def prepare(self, ids: Sequence[str]) -> None:
        """Look at the crops, once for all parts."""
        if self._known is None:
            features = joined(self._look(ids))
            self._remember(ids, Seen(features, self._describe(ids)))

    def score(self, parts: Sequence[str], ids: Sequence[str]) -> Iterator[Scores]:
        """Mean log-odds of the parts' heads; the embedding is the features themselves, the same for all parts."""
        heads = [Head.load(self.files(part)[0]) for part in parts]
        for seen in self._seen(ids):
            columns, features = seen.columns, seen.features
            log_odds = mean_of([head.log_odds(columns) for head in heads])
            kept = dict.fromkeys(parts, features.values) if self.resources.embeddings else {}
            yield Scores(log_odds, None, kept, features.faults)

    @property
    def _preset(self) -> Preset:
        return self.recipe.preset

    @property
    def _backbone(self) -> Path:
        return self.resources.folder / BACKBONE

    def _seen(self, ids: Sequence[str]) -> Iterator[Seen]:
        """What heads see of `ids`, in order, a chunk at a time; what was computed before serves again."""
        if self._known is not None:
            rows, seen = self._known
            yield from seen.chunks([rows[isic_id] for isic_id in ids], ids, CHUNK)
            return
        for start, features in enumerate(self._look(ids)):
            yield Seen(features, self._describe(ids[start * CHUNK : (start + 1) * CHUNK]))

    def _remember(self, ids: Sequence[str], seen: Seen) -> None:
        self._known = {isic_id: row for row, isic_id in enumerate(ids)}, seen

    def _of_training(self, ids: Sequence[str]) -> Seen:
        """What heads see of the training crops, from the cache where the same was computed before."""
        resources, recipe = self.resources, self.recipe
        cache = CropCache(resources.folder.parent / CACHE, fingerprint([recipe.crops_sha256, list(ids)]))
        maker = [
            *(self._preset.model_dump(include=set(SIGHT)), sha256_of(self._backbone), recipe.device.name),
            *(code_from_crops_to(_FEATURES), libraries("frozen")),
        ]
        features = cache.features(maker, lambda: self._look(ids), stop=resources.on_bad == "stop")
        if not self._preset.descriptors:
            return Seen(features, self._describe(ids))
        maker = ["equalised" if self._preset.clahe else "as they are", code_from_crops_to(_DESCRIPTORS)]
        return Seen(features, cache.descriptors(maker, lambda: self._describe(ids)))

    def _look(self, ids: Sequence[str]) -> Iterator[Features]:
        """Features of `ids`, `CHUNK` crops at a time."""
        resources, device = self.resources, self.recipe.device
        shared = Looking(self._backbone, self._preset, resources.store, device, resources.on_bad, len(ids))
        items = [(start, list(ids[start : start + CHUNK])) for start in range(0, len(ids), CHUNK)]
        return resources.executor.map(look, shared, items, at_once=1, gpus=float(device.is_cuda))

    def _describe(self, ids: Sequence[str]) -> NDArray[np.float32]:
        """(crops, numbers) descriptors; of width 0 where heads do not see them, or no crop can be read."""
        if not self._preset.descriptors:
            return np.empty((len(ids), 0), np.float32)
        store: ImageStore = self.resources.store
        store = ChangedStore(store, equalise) if self._preset.clahe else store
        found = describe(store, ids, required=False, executor=self.resources.executor).frame.drop(ID)
        return found.to_numpy().astype(np.float32) if found.width else np.empty((len(ids), 0), np.float32)
