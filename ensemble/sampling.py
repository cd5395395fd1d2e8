"""What a model trains on: every malignant lesion, a random part of the benign ones, and noise on request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ensemble.learners.base import Scores, Target
from ensemble.matrix import FeatureSpace, Matrix


@dataclass(frozen=True)
class Sample:
    """The rows that a model is trained on.

    Attributes:
        matrix: Features, shape (rows, features).
        target: 0 benign, 1 malignant, shape (rows,).
        weight: Weight of each row, shape (rows,); None weights all alike.
    """

    matrix: Matrix
    target: Target
    weight: Scores | None

    def columns(self, space: FeatureSpace) -> Matrix:
        """The features of another space, as a copy."""
        return Matrix(space, self.matrix.for_model(space))


def sample_rows(
    target: npt.NDArray[np.int8], *, benign_per_malignant: float, seed: tuple[int, ...]
) -> npt.NDArray[np.intp]:
    """Choose the rows to train on.

    With 1,000 benign lesions for each malignant one, most benign rows teach a tree nothing new. A random part trains as
    well and faster, and a different part for every seed makes the mean over seeds better than one fit on all rows.

    Args:
        target: 0 benign, 1 malignant, shape (rows,).
        benign_per_malignant: Benign rows to keep for each malignant one; more than there are (say infinity) keeps all.
        seed: Integers that determine the choice (say seed, repeat and fold), each 0 or more.

    Returns:
        Row positions, ascending.
    """
    malignant = np.flatnonzero(target == 1)
    benign = np.flatnonzero(target == 0)
    wanted = benign_per_malignant * len(malignant)
    if wanted < len(benign):
        generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))
        benign = generator.choice(benign, size=round(wanted), replace=False)
    return np.sort(np.concatenate([malignant, benign]))


def with_noise(matrix: Matrix, noise: Mapping[str, float], *, seed: tuple[int, ...]) -> Matrix:
    """Add noise to features of training rows, so that trees do not trust them to the last digit.

    This is meant for image scores: those of training lesions come from one fold's network, those of new lesions from
    the mean of several, on a slightly different scale. Noise of 0.1 was the first-place ISIC 2024 solution's choice.

    Args:
        matrix: Training rows; not changed.
        noise: Standard deviation of the noise by feature, in standard deviations of that feature in these rows.
        seed: Integers that determine the noise, each 0 or more.

    Returns:
        A matrix of the same shape; missing values stay missing. Features that the matrix lacks are ignored.
    """
    values = matrix.values.copy()
    for name, amount in noise.items():
        if name in matrix.space.names:
            position = matrix.space.names.index(name)
            entropy = (*seed, *name.encode())  # a feature's noise does not depend on the others
            generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))
            spread = float(np.nanstd(values[:, position]))
            values[:, position] += (amount * spread * generator.standard_normal(len(values))).astype(np.float32)
    return Matrix(matrix.space, values)
