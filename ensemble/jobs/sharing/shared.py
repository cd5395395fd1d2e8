"""What is trained on parts of a sample's columns."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ensemble.learners import Learner, Model
from ensemble.learners.base import Parameters
from ensemble.matrix import FeatureSpace
from ensemble.sampling import Sample


class Shared(Protocol):
    """A sample prepared for one learner and one seed."""

    def fit(self, space: FeatureSpace) -> Model:
        """Train on these features alone: the model that the learner's own `fit` would give, bit for bit."""
        ...


class Plain:
    """Nothing reused: the learner's own `fit`."""

    def __init__(self, learner: Learner, sample: Sample, *, seed: int, threads: int) -> None:
        self._learner, self._sample, self._seed, self._threads = learner, sample, seed, threads

    def fit(self, space: FeatureSpace) -> Model:
        """See `Shared.fit`."""
        sample = self._sample
        return self._learner.fit(
            sample.columns(space), sample.target, seed=self._seed, threads=self._threads, weight=sample.weight
        )


def free_of(parameters: Parameters, *names: str) -> bool:
    """Whether none of these parameters is set: they speak of single features or draw them in a way not reused."""
    return not set(parameters) & set(names)


def positions(whole: FeatureSpace, part: FeatureSpace) -> list[int]:
    """Where the features of one space stand in another, ascending."""
    wanted = set(part.names)
    return [int(place) for place in np.flatnonzero([name in wanted for name in whole.names])]
