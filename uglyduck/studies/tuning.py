"""Tuning as a user runs it: a run's folds and features in, RUN/tuning/LEARNER/ and a short text out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import tomli_w
import typer

from cv_folds.formats import difference, with_interval
from engine.console import log
from engine.errors import InputError
from engine.files import write_json
from engine.locks import locked
from ensemble.learners import get_learner
from ensemble.tuning import Effort, Problem, Tally, search, tune_by_fold, tuned
from ensemble.tuning.search import Progress
from uglyduck.run.run import Run


def tune_run(run: Run, learner: str, effort: Effort, *, model_seeds: int, nested: bool) -> dict[str, Any]:
    """Search, sum up, and write RUN/tuning/LEARNER/tuning.json.

    Args:
        run: A run with folds and features.
        learner: One of its learners.
        effort: How much to search; with `nested` as much again for each fold.
        model_seeds: How many of the run's seeds each trial trains.
        nested: Whether to tune anew for each outer fold.

    Raises:
        InputError: The run has no features yet, the learner has no search space, or the folds are too few.
    """
    run.manifest.check(run.folder.folds, run.folder.features)
    problem = _problem(run, learner, model_seeds)
    if nested and len(problem.folds) < 3:
        raise InputError("2 folds leave one to tune on", where="--nested", remedy="use a run with 3 folds or more")
    folder, runner = run.folder.root / "tuning" / learner, run.runner

    def each_fold(fold: int) -> Progress:
        return _log_trials(f"{learner} without fold {fold}", effort.trials)

    with locked(folder):
        search(problem, folder, runner, effort, progress=_log_trials(learner, effort.trials))
        by_fold = tune_by_fold(problem, folder, runner, effort, progress=each_fold) if nested else None
        settings = run.config.metrics
        result = tuned(problem, folder, runner, nested=by_fold, replicates=settings.replicates, seed=settings.seed)
        result["toml"] = as_toml(run, learner, result["best"]["parameters"])
        write_json(result, folder / "tuning.json")
    return result


def _problem(run: Run, learner: str, model_seeds: int) -> Problem:
    problem = Problem(
        plan=replace(run.plan, learners=run.learners, seeds=run.plan.seeds[:model_seeds]),
        learner=learner,
        table=run.table,
        patient=run.lesions.frame["patient_id"],
        fold=run.fold,
    )
    # Refuse now, not in every trial, what the learner refuses together with the run's own parameters.
    get_learner(problem.current.name, {**problem.current.parameters, **{each.name: each.low for each in problem.space}})
    return problem


def as_toml(run: Run, learner: str, chosen: Mapping[str, Any]) -> str:
    """Parameters ready to paste into a configuration; every digit is kept, so that scores repeat."""
    merged = {**run.config.ensemble.parameters.get(learner, {}), **chosen}
    return tomli_w.dumps({"ensemble": {"parameters": {learner: merged}}})


def _log_trials(title: str, trials: int) -> Progress:
    def log_trial(tally: Tally) -> None:
        best = "" if tally.best is None else f"  best {tally.best:.4f}"
        log.info("tuning    %s %d/%d%s", title, tally.finished, trials, best)

    return log_trial


def show_tuning(result: dict[str, Any]) -> None:
    """Print the answer for a reader."""
    trials, honest, best = result["trials"], result["honest"], result["best"]
    typer.echo(f"{result['learner']}: {', '.join(f'{count} {name}' for name, count in trials.items())} trials")
    typer.echo(f"pAUC, mean over folds, with the run's parameters   {with_interval(result['run']['pauc'])}")
    typer.echo(f"best ({best['name']}), optimistic: chosen by these folds   {with_interval(best['pauc'])}")
    typer.echo(f"tuned, honest ({honest['estimate']})   {with_interval(honest['pauc'])}")
    typer.echo(f"honest gain over the run's parameters   {difference(honest['difference'])}")
    for edge in result["edges"]:
        typer.echo(
            f"{edge['name']} = {edge['value']:g} lies at the {edge['end']} end of its range "
            f"({edge['low']:g} to {edge['high']:g}): the best may lie beyond"
        )
    typer.echo(f"\n{result['toml']}")
