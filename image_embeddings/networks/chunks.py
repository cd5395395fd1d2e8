"""Crops scored chunk by chunk, wherever the executor has room."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from cohort.stores.protocol import CropReader, OnBad
from engine.progress import report
from image_embeddings.backend import CHUNK, Resources
from image_embeddings.networks.network import Network
from image_embeddings.networks.recipe import Recipe
from image_embeddings.networks.scoring import CropScores, ScoringOptions, loaders_for, score


@dataclass(frozen=True)
class _Shared:
    """What scoring a chunk needs; sent to where it is done."""

    title: str
    load: Callable[[], list[Network]]
    recipe: Recipe
    store: CropReader
    on_bad: OnBad
    embeddings: bool
    total: int


def score_chunks(
    title: str,
    load: Callable[[], list[Network]],
    ids: Sequence[str],
    recipe: Recipe,
    resources: Resources,
    *,
    embeddings: bool,
    at_once: int = 1,
) -> Iterator[CropScores]:
    """Networks' scores of crops, `CHUNK` crops at a time; see `score`.

    Args:
        title: Title in progress reports.
        load: Loads the networks from their files; must be picklable.
        ids: The crops.
        recipe: Preprocessing, views and device.
        resources: Store, executor, and what to do with a crop that cannot be read.
        embeddings: Whether to keep embeddings.
        at_once: Chunks at work at the same time.
    """
    shared = _Shared(title, load, recipe, resources.store, resources.on_bad, embeddings, len(ids))
    items = [(start, list(ids[start : start + CHUNK])) for start in range(0, len(ids), CHUNK)]
    gpus = float(recipe.device.is_cuda)
    return resources.executor.map(_score_chunk, shared, items, at_once=at_once, gpus=gpus)


def _score_chunk(shared: _Shared, item: tuple[int, list[str]], cores: int) -> CropScores:
    """Score a chunk; `item` is how many crops come before it, and its ids."""
    torch.set_num_threads(cores)
    done, ids = item

    def on_batch(crops: int) -> None:
        nonlocal done
        done += crops
        report(shared.title, done, shared.total)

    loaders = loaders_for(cores, len(ids))
    recipe = shared.recipe
    options = ScoringOptions(recipe.preset, recipe.device, shared.on_bad, loaders, shared.embeddings, on_batch)
    return score(shared.load(), shared.store, ids, np.arange(len(ids)), options)
