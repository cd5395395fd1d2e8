"""Tuning as a user starts it: a run's folds and features in, RUN/tuning/LEARNER/ and a short text out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import tomli_w
import typer

from engine.console import log
from engine.errors import InputError
from engine.files import write_json
from ensemble.learners import get_learner
from ensemble.tuning import Problem, StudyFolder, Tally, search, tune_by_fold, tuned
from ensemble.tuning.search import Progress
from submissions.run_folder import RunFolder
from uglyduck.run.run import Run


def tune_run(
    run: Run, learner: str, *, trials: int, workers: int, seed: int, model_seeds: int, nested: bool
) -> dict[str, Any]:
    """Search, sum up, and write RUN/tuning/LEARNER/tuning.json.

    Raises:
        InputError: The run has no features yet, the learner has no search space, or the folds are too few.
    """
    run.manifest.check(run.folder.folds, run.folder.features)
    problem = _problem(run, learner, model_seeds)
    if nested and len(problem.folds) < 3:
        raise InputError("2 folds leave one to tune on", where="--nested", remedy="use a run with 3 folds or more")
    folder = StudyFolder(run.folder.root / "tuning" / learner)
    limits = {"trials": trials, "seed": seed, "workers": workers, "threads": run.threads}

    def each_fold(fold: int) -> Progress:
        return _tell(f"{learner} without fold {fold}", trials)

    with RunFolder(folder.root).locked():
        search(problem, folder, **limits, progress=_tell(learner, trials))
        by_fold = tune_by_fold(problem, folder, **limits, progress=each_fold) if nested else None
        settings = run.config.metrics
        result = tuned(problem, folder, nested=by_fold, replicates=settings.replicates, seed=settings.seed)
        result["toml"] = as_toml(run, learner, result["best"]["parameters"])
        write_json(result, folder.root / "tuning.json")
    return result


def _problem(run: Run, learner: str, model_seeds: int) -> Problem:
    problem = Problem(
        plan=replace(run.plan, learners=run.learners, seeds=run.plan.seeds[:model_seeds]),
        learner=learner,
        matrix=run.matrix,
        keys=run.folds.frame.select("isic_id", "patient_id", "target"),
        fold=np.asarray(run.folds.assignments()[0], dtype=np.int8),
    )
    # Whatever the learner refuses together with the run's own parameters is refused now, rather than by every trial.
    get_learner(problem.current.name, {**problem.current.parameters, **{each.name: each.low for each in problem.space}})
    return problem


def as_toml(run: Run, learner: str, chosen: Mapping[str, Any]) -> str:
    """Parameters ready to paste into a configuration; every digit is kept, so that scores repeat."""
    merged = {**run.config.ensemble.parameters.get(learner, {}), **chosen}
    return tomli_w.dumps({"ensemble": {"parameters": {learner: merged}}})


def _tell(title: str, trials: int) -> Progress:
    def tell(tally: Tally) -> None:
        best = "" if tally.best is None else f"  best {tally.best:.4f}"
        log.info("tuning    %s %d/%d%s", title, tally.finished, trials, best)

    return tell


def show_tuning(result: dict[str, Any]) -> None:
    """Print the answer for a reader."""
    trials, honest, best = result["trials"], result["honest"], result["best"]
    typer.echo(f"{result['learner']}: {', '.join(f'{count} {name}' for name, count in trials.items())} trials")
    typer.echo(f"pAUC, mean over folds, with the run's parameters   {_interval(result['run']['pauc'])}")
    typer.echo(f"best ({best['name']}), optimistic: chosen by these folds   {_interval(best['pauc'])}")
    typer.echo(f"tuned, honest ({honest['estimate']})   {_interval(honest['pauc'])}")
    difference = honest["difference"]
    verdict = "" if difference["distinguishable"] else ": not distinguishable from the run's parameters"
    typer.echo(f"honest gain   {_interval(difference, sign='+')}{verdict}")
    for edge in result["edges"]:
        typer.echo(
            f"{edge['name']} = {edge['value']:g} lies at the {edge['end']} end of its range "
            f"({edge['low']:g} to {edge['high']:g}): the best may lie beyond"
        )
    typer.echo(f"\n{result['toml']}")


def _interval(figure: dict[str, Any], sign: str = "") -> str:
    if figure["low"] is None:
        return f"{figure['estimate']:{sign}.4f} (no interval: too few patients)"
    return f"{figure['estimate']:{sign}.4f} ({figure['low']:{sign}.4f} to {figure['high']:{sign}.4f})"
