import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from ensemble.tuning.pruning import MedianOfFolds


def _trial(*means: float, state: TrialState = TrialState.RUNNING) -> FrozenTrial:
    value = means[-1] if state is TrialState.COMPLETE else None
    return create_trial(state=state, value=value, intermediate_values=dict(enumerate(means)))


@pytest.fixture
def study() -> optuna.Study:
    """After two folds four trials have means of 0.08, 0.10, 0.12 and 0.14 (median 0.11); one died before."""
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    for means in ((0.10, 0.10, 0.13), (0.10, 0.12, 0.12), (0.20, 0.14, 0.12)):
        study.add_trial(_trial(*means, state=TrialState.COMPLETE))
    study.add_trial(_trial(0.15, 0.08, state=TrialState.PRUNED))
    study.add_trial(_trial(0.30, state=TrialState.FAIL))
    return study


@pytest.mark.parametrize(
    ("means", "stopped"),
    [
        ((), False),
        ((0.01,), False),  # one fold is not enough
        ((0.01, 0.111), False),
        ((0.19, 0.109), True),  # a good first fold does not save it
        ((0.01, 0.11), False),  # at the median it goes on
        ((0.01, 0.11, 0.119), False),  # only three trials have a third fold
    ],
)
def test_a_trial_below_the_median_on_the_same_folds_is_stopped(
    study: optuna.Study, means: tuple[float, ...], stopped: bool
) -> None:
    assert MedianOfFolds(least_trials=4).prune(study, _trial(*means)) is stopped


def test_nothing_is_stopped_before_enough_trials(study: optuna.Study) -> None:
    assert not MedianOfFolds(least_trials=5).prune(study, _trial(0.01, 0.01))
