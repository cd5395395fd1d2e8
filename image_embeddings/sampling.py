"""Which crops to fit a model on that compares each with every other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def sampled(usable: NDArray[np.bool_], target: NDArray[np.int8], *, ratio: int, seed: int) -> NDArray[np.intp]:
    """Usable rows, ascending: every malignant one, and at most `ratio` benign ones, drawn at random, for each."""
    malignant, benign = (np.flatnonzero(usable & (target == label)) for label in (1, 0))
    most = ratio * len(malignant)
    if len(benign) > most:
        benign = np.random.default_rng(seed).choice(benign, most, replace=False)
    return np.sort(np.concatenate([malignant, benign]))
