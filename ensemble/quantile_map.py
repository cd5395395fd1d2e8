"""Rank scores against the out-of-fold scores of training, not against the batch they come in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class QuantileMap:
    """A monotone, piecewise linear map from a learner's score to its quantile level among the training cohort's.

    Averaging ranks needs a common scale for learners whose probabilities differ. Ranking within the batch would make
    each score depend on the others; this map is fitted once on out-of-fold scores, so a lesion scored alone gets the
    level it gets in a batch, bit for bit. Within one learner the map is strictly increasing, so it changes no ranking.

    Attributes:
        scores: Knots, strictly increasing, from 0 to 1.
        levels: Quantile level at each knot, strictly increasing, from 0 to 1.
    """

    scores: tuple[float, ...]
    levels: tuple[float, ...]

    @classmethod
    def fit(cls, scores: Scores, *, n_knots: int = 2001) -> QuantileMap:
        """Fit on out-of-fold scores.

        The level of a score is its mid-rank share, (below + tied / 2) / n. Knots are spaced evenly in the logit of the
        level, since the malignant lesions, and pAUC with them, live in the top per mille.

        Args:
            scores: Scores in [0, 1], shape (lesions,), finite.
            n_knots: Most knots to keep; cohorts with fewer distinct scores keep each.
        """
        values, counts = np.unique(np.clip(scores, 0.0, 1.0), return_counts=True)
        levels = (np.cumsum(counts) - counts / 2) / len(scores)
        if len(values) > n_knots:
            edge = np.log(levels[-1] / (1 - levels[-1])), np.log(levels[0] / (1 - levels[0]))
            wanted = 1 / (1 + np.exp(-np.linspace(edge[1], edge[0], n_knots)))
            keep = np.unique(np.searchsorted(levels, wanted).clip(0, len(levels) - 1))
            values, levels = values[keep], levels[keep]
        inner = (values > 0) & (values < 1)
        return cls((0.0, *values[inner].tolist(), 1.0), (0.0, *levels[inner].tolist(), 1.0))

    def __call__(self, scores: Scores) -> Scores:
        """Quantile levels in [0, 1] of scores in [0, 1], shape (lesions,)."""
        return np.interp(scores, self.scores, self.levels)

    def as_dict(self) -> dict[str, Any]:
        """JSON form; floats are written so that they read back bit for bit."""
        return {"scores": list(self.scores), "levels": list(self.levels)}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> QuantileMap:
        """Read the JSON form back."""
        return cls(tuple(value["scores"]), tuple(value["levels"]))
