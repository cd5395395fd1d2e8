"""One Optuna study in a folder: its journal, what dead processes left in it, and how its next trial is drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from engine.errors import InputError
from engine.files import read_json, write_json
from ensemble.tuning.problem import Problem
from ensemble.tuning.pruning import MedianOfFolds
from ensemble.tuning.spaces import Range

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
RANDOM_TRIALS = 10
"""Trials drawn at random before the sampler learns from them; none is pruned before as many have been scored."""
MOST_ATTEMPTS = 3
WORKER, ATTEMPT, BY_FOLD = "worker", "attempt", "pauc_by_fold"


@dataclass(frozen=True)
class StudyFolder:
    """Paths of one study."""

    root: Path

    @property
    def journal(self) -> Path:
        """Optuna's journal: every trial, one JSON line an event."""
        return self.root / "journal.log"

    @property
    def problem(self) -> Path:
        """What the trials were made for."""
        return self.root / "problem.json"

    @property
    def baseline(self) -> Path:
        """Out-of-fold scores with the run's own parameters."""
        return self.root / "trials" / "run.parquet"

    def scores(self, number: int) -> Path:
        """Out-of-fold scores of a complete trial."""
        return self.root / "trials" / f"{number}.parquet"

    def claim(self, problem: Problem) -> None:
        """State what the study is for; on resuming, refuse a study that was made for something else.

        Raises:
            InputError: Features, folds, seeds, settings or the search space are not those of the study's trials.
        """
        if self.problem.exists() and read_json(self.problem)["fingerprint"] != problem.fingerprint:
            raise InputError(
                "the trials here were made with other features, folds, seeds or settings",
                where=str(self.root),
                remedy="delete this folder to tune anew",
            )
        write_json({"learner": problem.learner, "fingerprint": problem.fingerprint}, self.problem)


def open_study(folder: StudyFolder) -> optuna.Study:
    """Open a study, or begin it. Sampler and pruner are given in full: the library's defaults change."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.root.mkdir(parents=True, exist_ok=True)
    return optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(folder.journal))),
        study_name="tuning",
        direction="maximize",
        load_if_exists=True,
        sampler=_sampler(0),
        pruner=MedianOfFolds(least_trials=RANDOM_TRIALS),
    )


def draw_trial(
    study: optuna.Study, space: tuple[Range, ...], *, seed: int, worker: int
) -> tuple[optuna.Trial, dict[str, Any]]:
    """Begin the next trial.

    The sampler is seeded anew from how many trials are finished or under way: one that went on from a fixed seed would
    draw its first values again when a study is resumed.

    Returns:
        The trial and its parameters.
    """
    begun = sum(trial.state in (*FINISHED, TrialState.RUNNING) for trial in study.get_trials(deepcopy=False))
    study.sampler = _sampler(int(np.random.SeedSequence((seed, worker, begun)).generate_state(1)[0]))
    trial = study.ask()
    trial.set_user_attr(WORKER, worker)
    return trial, {each.name: each.suggest(trial) for each in space}


def mend(folder: StudyFolder) -> None:
    """Clear what a killed process left: the journal's lock and a last line that is not whole.

    Only while no other process works on the study.
    """
    for stale in folder.root.glob(f"{folder.journal.name}.lock*"):
        stale.unlink()
    if folder.journal.exists():
        with folder.journal.open("rb+") as stream:
            stream.truncate(stream.read().rfind(b"\n") + 1)


def fail_unfinished(study: optuna.Study, *, worker: int | None = None) -> None:
    """Mark trials whose process died as failed, and queue their parameters again, at most `MOST_ATTEMPTS` times.

    Args:
        study: The study.
        worker: Whose trials; None for everybody's, when nobody works. A trial that was asked for a moment ago and says
            no worker yet may be a living one's: it is left alone until then.
    """
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if worker is None or trial.user_attrs.get(WORKER) == worker:
            study.tell(trial.number, state=TrialState.FAIL)
            attempt = trial.user_attrs.get(ATTEMPT, 1)
            chosen: Mapping[str, Any] = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
            if chosen and attempt < MOST_ATTEMPTS:
                study.enqueue_trial(dict(chosen), user_attrs={ATTEMPT: attempt + 1})


def count_states(study: optuna.Study) -> dict[str, int]:
    """Trials complete, pruned and failed."""
    found = Counter(trial.state for trial in study.get_trials(deepcopy=False))
    states = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
    return dict(zip(("complete", "pruned", "failed"), (found[state] for state in states), strict=True))


def _sampler(seed: int) -> optuna.samplers.TPESampler:
    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=RANDOM_TRIALS, multivariate=True, constant_liar=True)
