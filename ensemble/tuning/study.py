"""One Optuna study in a folder: its journal, and what dead processes left in it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from engine.errors import InputError
from engine.files import fingerprint
from ensemble.tuning.problem import Problem
from ensemble.tuning.pruning import MedianOfFolds
from ensemble.tuning.sampler import RANDOM_TRIALS, RETRY_OF, SeededByTrial, drawn_whole, parameters_of

MOST_ATTEMPTS = 3
"""How often the same parameters are tried if the process of their trial dies."""
BY_FOLD, ATTEMPT = "pauc_by_fold", "attempt"
_JOURNAL, _FINGERPRINT, _SHA256 = "journal.log", "fingerprint", "sha256"


class CheckedJournal(JournalFileBackend):
    """A journal whose entries each have a checksum, so that a changed entry is refused."""

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Add entries."""
        super().append_logs([{**log, _SHA256: fingerprint(log)} for log in logs])

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """The entries from a given number on.

        Raises:
            InputError: An entry is damaged, or was written before entries had checksums.
        """
        damaged = InputError(
            "the journal of the search is damaged, or was written by an earlier version",
            where=self._file_path,
            remedy="delete it to search anew",
        )
        try:
            for log in super().read_logs(log_number_from):
                if log.pop(_SHA256, None) != fingerprint(log):
                    raise damaged
                yield log
        except (ValueError, AttributeError) as error:
            raise damaged from error


@dataclass(frozen=True)
class Tally:
    """How far a study has come.

    Attributes:
        complete: Trials scored on every fold.
        pruned: Trials stopped early.
        failed: Trials whose process died; their parameters were tried again.
        best: Largest mean pAUC over folds so far; None before the first complete trial.
    """

    complete: int
    pruned: int
    failed: int
    best: float | None

    @classmethod
    def of(cls, study: optuna.Study) -> Tally:
        """Count a study's trials."""
        states = [trial.state for trial in study.get_trials(deepcopy=False)]
        complete = states.count(TrialState.COMPLETE)
        return cls(
            complete,
            states.count(TrialState.PRUNED),
            states.count(TrialState.FAIL),
            study.best_value if complete else None,
        )

    @property
    def finished(self) -> int:
        """Trials that need not be run again."""
        return self.complete + self.pruned


def open_study(folder: Path, problem: Problem, *, seed: int = 0) -> optuna.Study:
    """Open a study, or begin it. Sampler and pruner are stated in full, since the library's defaults change.

    Args:
        folder: Where its journal is kept.
        problem: What is tuned on what.
        seed: Seed of the sampler.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    return optuna.create_study(
        storage=JournalStorage(CheckedJournal(str(folder / _JOURNAL))),
        study_name="tuning",
        direction="maximize",
        load_if_exists=True,
        sampler=SeededByTrial(seed, problem.space),
        pruner=MedianOfFolds(least_trials=RANDOM_TRIALS),
    )


def resume_study(folder: Path, problem: Problem, *, seed: int) -> optuna.Study:
    """Open a study that no process is using; clear what a killed process left, and queue its trials again.

    Raises:
        InputError: Features, folds, seeds, settings or the search space are not those of the study's trials.
    """
    _repair(folder / _JOURNAL)
    study, wanted = open_study(folder, problem, seed=seed), problem.fingerprint
    if not study.get_trials(deepcopy=False):
        study.set_user_attr(_FINGERPRINT, wanted)
    elif study.user_attrs.get(_FINGERPRINT) != wanted:
        raise InputError(
            "the trials here were made with other features, folds, seeds or settings",
            where=str(folder),
            remedy="delete this folder to tune anew",
        )
    _retry(study, problem)
    return study


def _repair(journal: Path) -> None:
    """Clear the journal's locks and an incomplete last line."""
    for stale in journal.parent.glob(f"{journal.name}.lock*"):
        stale.unlink()
    if journal.exists():
        with journal.open("rb+") as stream:
            stream.truncate(stream.read().rfind(b"\n") + 1)


def _retry(study: optuna.Study, problem: Problem) -> None:
    """Mark trials whose process died as failed, and queue the parameters of failed trials again.

    A trial that died before all of its parameters were drawn is not queued: the next trial draws them.
    """
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
    trials = study.get_trials(deepcopy=False)
    retried = {trial.user_attrs.get(RETRY_OF) for trial in trials}
    for trial in trials:
        attempt = trial.user_attrs.get(ATTEMPT, 1)
        if trial.state is not TrialState.FAIL or trial.number in retried or attempt >= MOST_ATTEMPTS:
            continue
        if drawn_whole(trial, problem.space):
            marks = {RETRY_OF: trial.number, ATTEMPT: attempt + 1}
            study.enqueue_trial(dict(parameters_of(trial)), user_attrs=marks)
