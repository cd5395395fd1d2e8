"""From descriptors to a score: extra-trees and a kernel machine, which err differently, added on the log-odds scale."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cohort.frames import ID
from engine.errors import InputError
from engine.files import atomic_path
from image_embeddings.descriptors.forest import Forest
from image_embeddings.descriptors.kernel import Kernel

# On real crops the forest's score spreads 1.85 times as widely (out of fold), and the kernel machine is the better one:
# it counts twice.
_KERNEL_WEIGHT = 3.7
TREES = 400
BENIGN_RATIO = 40


@dataclass(frozen=True)
class DescriptorModel:
    """A fitted descriptor score.

    Attributes:
        names: The descriptors, in the order of the columns it was fitted on.
        typical: (descriptors,) training medians, which stand in for a value that is not finite.
        forest: Extra-trees.
        kernel: Support vector machine.
    """

    names: tuple[str, ...]
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
            seed: Of the benign sample and the trees.
            threads: The model does not depend on it.
            trees: How many.
        """
        names = tuple(name for name in frame.columns if name != ID)
        values = frame.select(names).to_numpy().astype(np.float32)
        chosen = _sampled(np.isfinite(values).all(1), target, seed)
        values, target = np.ascontiguousarray(values[chosen]), target[chosen]
        forest = Forest.fit(values, target, trees=trees, seed=seed, threads=threads)
        return cls(names, np.median(values, axis=0), forest, Kernel.fit(values, target))

    def log_odds(self, frame: pl.DataFrame) -> NDArray[np.float64]:
        """(rows,) score; higher is more suspicious; NaN where the descriptors are null.

        Raises:
            InputError: A descriptor that the model was fitted on is absent.
        """
        absent = [name for name in self.names if name not in frame.columns]
        if absent:
            raise InputError(
                f"descriptor {absent[0]} is absent", where="descriptors", remedy="describe the crops with this version"
            )
        values = frame.select(self.names).to_numpy().astype(np.float32)
        readable = ~np.isnan(values).all(1)
        score = np.full(len(values), np.nan)
        values = np.where(np.isfinite(values), values, self.typical)[readable]
        if len(values):
            score[readable] = self.forest.log_odds(values) + _KERNEL_WEIGHT * self.kernel.decision(values)
        return score

    def save(self, path: Path) -> None:
        """Write the arrays to an `.npz` file, atomically; it holds no Python objects."""
        arrays: dict[str, NDArray[np.generic]] = {"names": np.array(self.names), "typical": self.typical}
        for part in ("forest", "kernel"):
            state = getattr(self, part)
            arrays |= {f"{part}/{field.name}": getattr(state, field.name) for field in fields(state)}
        with atomic_path(path) as temporary, temporary.open("wb") as stream:
            np.savez_compressed(stream, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> DescriptorModel:
        """Read what `save` wrote.

        Raises:
            InputError: Not such a file.
        """
        try:
            # numpy leaves a damaged file open; the outer `with` does not.
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
                forest = Forest(**{field.name: arrays[f"forest/{field.name}"] for field in fields(Forest)})
                kernel = Kernel(**{field.name: arrays[f"kernel/{field.name}"] for field in fields(Kernel)})
                return cls(tuple(map(str, arrays["names"])), arrays["typical"], forest, kernel)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise InputError("not a descriptor model", where=str(path), remedy="train it again") from error


def _sampled(usable: NDArray[np.bool_], target: NDArray[np.int8], seed: int) -> NDArray[np.intp]:
    """Rows to fit on, ascending: all malignant, and at most `BENIGN_RATIO` benign for each."""
    malignant, benign = (np.flatnonzero(usable & (target == label)) for label in (1, 0))
    most = BENIGN_RATIO * len(malignant)
    if len(benign) > most:
        benign = np.random.default_rng(seed).choice(benign, most, replace=False)
    return np.sort(np.concatenate([malignant, benign]))
