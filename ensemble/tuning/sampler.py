"""How the next trial's parameters are chosen: Optuna's TPE, seeded anew for each trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, TrialState

from ensemble.tuning.spaces import Range

RANDOM_TRIALS = 10
"""Trials drawn at random before the sampler starts to learn; none is pruned before this many have been scored."""
RETRY_OF = "retry_of"
"""User attribute of a trial that retries the parameters of a failed one: the number of that trial."""


class SeededByTrial(TPESampler):
    """A tree-structured Parzen estimator whose draws depend on the seed, the trial's turn and the trials before it.

    A sampler with a single seed would draw its first values again when a search is resumed, and parallel processes
    would draw the same ones.

    Args:
        seed: Seed of the search.
        space: The parameters searched.
    """

    def __init__(self, seed: int, space: Sequence[Range]) -> None:
        self._seed_of_search, self._ranges = seed, space
        self._begin(0)

    def _begin(self, seed: int) -> None:
        super().__init__(seed=seed, n_startup_trials=RANDOM_TRIALS, multivariate=True, constant_liar=True)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Reseed the sampler for this trial."""
        turn = trial.number - sum(
            RETRY_OF in other.user_attrs or (other.state is TrialState.FAIL and not drawn_whole(other, self._ranges))
            for other in study.get_trials(deepcopy=False)[: trial.number]
        )
        self._begin(int(np.random.SeedSequence((self._seed_of_search, turn)).generate_state(1)[0]))


def parameters_of(trial: FrozenTrial) -> Mapping[str, Any]:
    """The parameters a trial was to be scored with, as far as they were drawn."""
    return {**trial.system_attrs.get("fixed_params", {}), **trial.params}


def drawn_whole(trial: FrozenTrial, space: Sequence[Range]) -> bool:
    """Whether every parameter of the trial was drawn before its process died."""
    return {each.name for each in space} <= set(parameters_of(trial))
