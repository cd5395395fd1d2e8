"""Negative sampling: every malignant lesion, and a random part of the benign ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def sample_rows(
    target: npt.NDArray[np.int8], *, benign_per_malignant: float, seed: tuple[int, ...]
) -> npt.NDArray[np.intp]:
    """Choose the rows to train on.

    With 1,000 benign lesions to a malignant one most benign rows teach a tree nothing new; a random part trains as
    well and faster, and another part for every seed makes the blend of seeds better than one fit on all rows.

    Args:
        target: 0 benign, 1 malignant, shape (rows,).
        benign_per_malignant: Benign rows to keep for each malignant one; more than there are (say infinity) keeps all.
        seed: What the choice depends on (say seed, repeat and fold), each 0 or more.

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
