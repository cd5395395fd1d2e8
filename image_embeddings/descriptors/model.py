"""From descriptors to a score: extra-trees and a kernel machine, which err differently, added on the log-odds scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cohort.frames import ID
from engine.errors import InputError
from image_embeddings.descriptors.forest import Forest
from image_embeddings.descriptors.kernel import Kernel
from image_embeddings.sampling import sampled

# On real crops the forest's score spreads 1.85 times as widely (out of fold), and the kernel machine is the better one:
# it counts twice.
_KERNEL_WEIGHT = 3.7
TREES = 400
BENIGN_RATIO = 40


@dataclass(frozen=True)
class DescriptorModel:
    """A fitted descriptor score.

    Attributes:
        names: (descriptors,) name of each, in the order of the columns it was fitted on.
        typical: (descriptors,) training medians, which stand in for a value that is not finite.
        forest: Extra-trees.
        kernel: Support vector machine.
    """

    names: NDArray[np.str_]
    typical: NDArray[np.float32]
    forest: Forest
    kernel: Kernel

    @classmethod
    def fit(
        cls, frame: pl.DataFrame, target: NDArray[np.int8], *, seed: int = 0, threads: int = 1, trees: int = TREES
    ) -> DescriptorModel:
        """Fit on every malignant lesion and at most 40 benign ones for each.

        Args:
            frame: isic_id and descriptors; rows with nulls are left out.
            target: (rows,) 1 malignant, 0 benign.
            seed: Seed of the benign sample and the trees.
            threads: Threads to use; the model does not depend on it.
            trees: Number of trees.
        """
        names = [name for name in frame.columns if name != ID]
        values = frame.select(names).to_numpy().astype(np.float32)
        chosen = sampled(np.isfinite(values).all(1), target, ratio=BENIGN_RATIO, seed=seed)
        values, target = np.ascontiguousarray(values[chosen]), target[chosen]
        forest = Forest.fit(values, target, trees=trees, seed=seed, threads=threads)
        return cls(np.array(names), np.median(values, axis=0), forest, Kernel.fit(values, target))

    def log_odds(self, frame: pl.DataFrame) -> NDArray[np.float64]:
        """(rows,) score; higher is more suspicious; NaN if the descriptors are null.

        Raises:
            InputError: A descriptor that the model was fitted on is absent.
        """
        names = self.names.tolist()
        absent = [name for name in names if name not in frame.columns]
        if absent:
            raise InputError(
                f"descriptor {absent[0]} is absent", where="descriptors", remedy="describe the crops with this version"
            )
        values = frame.select(names).to_numpy().astype(np.float32)
        readable = ~np.isnan(values).all(1)
        score = np.full(len(values), np.nan)
        values = np.where(np.isfinite(values), values, self.typical)[readable]
        if len(values):
            score[readable] = self.forest.log_odds(values) + _KERNEL_WEIGHT * self.kernel.decision(values)
        return score
