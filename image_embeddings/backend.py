"""What the image stage requires of a kind of model, whether descriptors or networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cohort.stores.protocol import CropReader, OnBad
from engine.executors import Executor, LocalExecutor
from image_embeddings.labels import Labels

ALL = "all"
"""The part that is fitted on every lesion."""
CHECKPOINT = ".checkpoint"
"""In names of files that hold the state of a training; a finished model has none."""
CHUNK = 8192
"""Crops scored before their results are handed on."""


def fold_part(fold: int) -> str:
    """Name of the part that a fold is held out from."""
    return f"fold{fold}"


@dataclass(frozen=True)
class Scores:
    """A model's scores of crops, in the order asked for.

    Attributes:
        log_odds: (crops,) float64 of malignant against benign; NaN where unreadable.
        probabilities: (crops, classes) float64, or None.
        embeddings: (crops, width) float16 of each network, by the name of its file without suffix: embeddings of
            different networks are not comparable. Empty if there are none.
        faults: Why a crop could not be read, by id.
    """

    log_odds: NDArray[np.float64]
    probabilities: NDArray[np.float64] | None
    embeddings: dict[str, NDArray[np.float16]]
    faults: dict[str, str]


@dataclass(frozen=True)
class Resources:
    """What a backend works with.

    Attributes:
        folder: The model's folder.
        store: Where the crops are.
        executor: Distributes the work.
        on_bad: Whether a crop that cannot be read stops the work or counts as missing.
        embeddings: Keep them when scoring.
    """

    folder: Path
    store: CropReader
    executor: Executor = field(default_factory=lambda: LocalExecutor(1))
    on_bad: OnBad = "missing"
    embeddings: bool = False


class Backend(Protocol):
    """A kind of model: it fits parts, each to a file or more in the model's folder, and scores with them."""

    def files(self, part: str) -> list[Path]:
        """The files of one part, whether or not they exist."""
        ...

    def fit(self, parts: Mapping[str, NDArray[np.int64]], frame: pl.DataFrame, labels: Labels) -> dict[str, str]:
        """Fit the parts whose files do not exist; returns why crops could not be read, by id.

        Args:
            parts: Rows of the frame to train on, by part.
            frame: isic_id, patient_id, target and, if duplicates are kept together, group; is_extra if some lesions
                come from a table that is never scored.
            labels: What the rows are to teach.
        """
        ...

    def history(self, parts: Sequence[str]) -> dict[str, list[dict[str, float]]]:
        """An entry per epoch of each fitted model of the parts, by its name; none if there are no epochs."""
        ...

    def prepare(self, ids: Sequence[str]) -> None:
        """Compute once what several parts share when scoring these crops."""
        ...

    def score(self, parts: Sequence[str], ids: Sequence[str]) -> Iterator[Scores]:
        """Score crops by the mean log-odds over the parts, `CHUNK` crops at a time.

        A crop's scores are the same to the last bit, alone or with any other crops.
        """
        ...


def mean_of(columns: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Mean of several columns, row by row: numpy's own adds in another order if there is one row."""
    total = np.zeros(len(columns[0]))
    for column in columns:
        total = total + column
    return total / len(columns)
