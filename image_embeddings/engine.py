"""What the image stage asks of a kind of model, whether descriptors or networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cohort.stores.protocol import ImageStore, OnBad
from image_embeddings.labels import Labels

ALL = "all"
"""The part that is fitted on every lesion."""


def fold_part(fold: int) -> str:
    """Name of the part that a fold is held out from."""
    return f"fold{fold}"


@dataclass(frozen=True)
class Scores:
    """What a model says of crops, in the order asked for.

    Attributes:
        log_odds: (crops,) float64 of malignant against benign; NaN where unreadable.
        probabilities: (crops, classes) float64, or None.
        embedding: (crops, width) float16, or None.
        faults: Why a crop could not be read, by id.
    """

    log_odds: NDArray[np.float64]
    probabilities: NDArray[np.float64] | None
    embedding: NDArray[np.float16] | None
    faults: dict[str, str]


@dataclass(frozen=True)
class Setting:
    """Where and how an engine works.

    Attributes:
        folder: The model's folder.
        store: Where the crops lie.
        on_bad: Whether a crop that can not be read stops the work or counts as missing.
        workers: Processes that read crops.
        threads: Of numeric libraries.
        embeddings: Keep them when scoring.
        tell: Called with a title, the crops done and the crops in all.
    """

    folder: Path
    store: ImageStore
    on_bad: OnBad = "missing"
    workers: int = 0
    threads: int = 1
    embeddings: bool = False
    tell: Callable[[str, int, int], None] = field(default=lambda _title, _done, _total: None)


class Engine(Protocol):
    """A kind of model: it fits parts, each to a file or more in the model's folder, and scores with them."""

    def files(self, part: str) -> list[Path]:
        """The files of one part, whether they are there or not."""
        ...

    def fit(self, part: str, frame: pl.DataFrame, labels: Labels, rows: NDArray[np.int64]) -> list[dict[str, float]]:
        """Fit one part on `rows` of the frame; returns an entry per epoch, if there are epochs."""
        ...

    def prepare(self, ids: Sequence[str]) -> None:
        """Compute once what scoring these crops by several parts shares."""
        ...

    def score(self, parts: Sequence[str], ids: Sequence[str]) -> Scores:
        """Score crops: the mean log-odds over the parts."""
        ...
