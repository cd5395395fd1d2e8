"""One score from several learners: the mean of their quantile levels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ensemble.quantile_map import QuantileMap, Scores


@dataclass(frozen=True)
class Blend:
    """A weighted mean of quantile levels.

    Attributes:
        maps: A quantile map for each learner, fitted on its out-of-fold scores.
        weights: A weight for each learner, 0 or more, summing to 1.
    """

    maps: Mapping[str, QuantileMap]
    weights: Mapping[str, float]

    @classmethod
    def fit(cls, oof: Mapping[str, Scores]) -> Blend:
        """Fit the maps on out-of-fold scores and weigh the learners equally.

        Equal weights are learned from nothing, so the blend's out-of-fold figure is as honest as each learner's.

        Args:
            oof: Out-of-fold scores in [0, 1] by learner, each of shape (lesions,).
        """
        return cls({name: QuantileMap.fit(scores) for name, scores in oof.items()}, dict.fromkeys(oof, 1 / len(oof)))

    def __call__(self, scores: Mapping[str, Scores]) -> Scores:
        """Blend scores of the fitted learners; shape (lesions,), in [0, 1]."""
        total = np.zeros(len(next(iter(scores.values()))))
        for name, weight in self.weights.items():  # one after the other: the same bits for one lesion and for many
            total += weight * self.maps[name](scores[name])
        return total.clip(0.0, 1.0)

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {"weights": dict(self.weights), "maps": {name: fitted.as_dict() for name, fitted in self.maps.items()}}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Blend:
        """Read the JSON form back."""
        maps = {name: QuantileMap.from_dict(fitted) for name, fitted in value["maps"].items()}
        return cls(maps, dict(value["weights"]))
