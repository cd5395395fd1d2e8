"""Runs side by side: whose recipe ranks the same lesions better?"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from cv_folds.metrics import Metric, metric_named
from engine.errors import InputError
from ensemble.ablation import Variant, compare
from ensemble.out_of_fold import Scores, score_out_of_fold
from uglyduck.run.run import Run
from uglyduck.stages.scores import BLEND
from uglyduck.studies.comparison_files import facts_of, metric_settings, notes_on_intervals
from uglyduck.studies.repetitions import Repetition, blend_as_the_run, repetitions


def compare_runs(runs: Sequence[Run], *, repeats: int, metric: str) -> dict[str, Any]:
    """Compare runs of the same lesions with the first of them, whatever their folds.

    Args:
        runs: Two or more finished runs.
        repeats: How often each is trained in all: once as it is, then with other folds and seeds, as jobs of its own.
        metric: Name of the metric.

    Returns:
        Like the report of `uglyduck ablate`, with a row for each run but the first.

    Raises:
        InputError: A run is not finished, has other lesions, or its folds cannot be drawn anew; or the metric is
            unknown.
    """
    measured = metric_named(metric)
    names = _names(runs)
    for run in runs:
        run.manifest.check(run.folder.oof, run.folder.dictionary)
        _refuse_other_lesions(runs[0], run)
    with ExitStack() as locks:
        for run in runs if repeats > 1 else ():
            locks.enter_context(run.folder.locked())
        scores = [_scores(run, repeats) for run in runs]
    first, *others = [
        Variant(name, "run", tuple(spec["name"] for spec in run.specs), names[0])
        for name, run in zip(names, runs, strict=True)
    ]
    settings = runs[0].config.metrics
    found = compare(
        [first, *others],
        [dict(zip(names, one, strict=True)) for one in zip(*scores, strict=True)],
        target=runs[0].target,
        patient=runs[0].folds.frame["patient_id"],
        replicates=settings.replicates,
        seed=settings.seed,
        metric=measured,
    )
    return {
        "name": "comparison",
        "title": "Comparison of runs",
        "made_from": [run.state for run in runs],
        **facts_of(runs[0], repeats),
        "settings": {"repeats": repeats, **metric_settings(runs[0], measured)},
        **found,
        "not_applicable": [],
        "notes": _notes(runs, measured, repeats),
    }


def _scores(run: Run, repeats: int) -> list[Scores]:
    """The run's own blend, then that of each further repetition."""
    own = run.read_rows(run.folder.oof, columns=["isic_id", BLEND])[BLEND].to_numpy()
    if repeats == 1:
        return [own]
    return [own, *(blend_again(run, again) for again in repetitions(run, run.plan, repeats)[1:])]


def blend_again(run: Run, again: Repetition) -> Scores:
    """The blend of a repetition; as in a run, a lesion without a crop is scored by learners of the table alone."""
    scores = score_out_of_fold(again.plan, run.table, run.runner, title="compare")
    whole = blend_as_the_run(run, {name: scores[name] for name in run.learners}, again.fold)
    if not run.table_models:
        return whole
    table = {name: scores[model] for name, model in run.table_models.items()}
    return np.where(run.has_crop, whole, blend_as_the_run(run, table, again.fold))


def _refuse_other_lesions(first: Run, other: Run) -> None:
    columns = ["isic_id", "patient_id", "target"]
    known, found = (run.folds.frame.select(columns) for run in (first, other))
    if not known.equals(found):
        raise InputError(
            f"its {found.height:,} lesions, with patients and targets, are not the {known.height:,} of the first run",
            where=str(other.folder.root),
            remedy="compare runs of the same lesions",
        )


def _names(runs: Sequence[Run]) -> list[str]:
    """The folders' names, or their paths if names are shared."""
    short = [run.folder.root.resolve().name for run in runs]
    names = short if len(set(short)) == len(short) else [str(run.folder.root) for run in runs]
    if len(runs) < 2 or len(set(names)) < len(names):
        raise InputError("there is nothing to compare", where="RUN", remedy="name two runs or more, each once")
    return names


def _notes(runs: Sequence[Run], metric: Metric, repeats: int) -> list[str]:
    return [
        f"{metric.label} of all out-of-fold blends together; a difference is a run minus the first",
        *(["the runs were scored in other folds"] if len({run.folds.sha256 for run in runs}) > 1 else []),
        *(
            ["image scores are those of each run: networks are not trained again"]
            if repeats > 1 and any(run.image_features for run in runs)
            else []
        ),
        *notes_on_intervals(repeats),
        "not distinguishable: the interval covers 0; that is no proof that the recipes are equally good",
        "a research tool, not a diagnosis",
    ]
