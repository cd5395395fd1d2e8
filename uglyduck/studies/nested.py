"""`uglyduck run --nested`: the fully nested estimate next to the usual one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import features
from cohort.frames import ID
from cohort.lesions import write_rows
from cv_folds.scoring import summarise
from engine.files import write_json
from ensemble.jobs import Table
from ensemble.matrix import FeatureSpace
from ensemble.nested import nested_scores, score_outer_fold
from uglyduck.run.run import Run
from uglyduck.stages.scores import BLEND, RISK, blend_column
from uglyduck.stages.stage import Stage


def outer_table(run: Run, outer: int) -> Table:
    """The table of an outer fold: features as a run on the other folds' patients would build them for everyone.

    Constants and category levels are those of the other folds. Image scores are taken as they are, out of fold once:
    training networks for every pair of folds would take too long.
    """
    others = run.fold != outer
    frame, images = run.lesions.frame, run.image_scores
    learned_from = frame.filter(pl.Series(others))
    known = None if images is None else images.filter(pl.col(ID).is_in(learned_from[ID].implode()))
    state = features.fit(learned_from, images=known, executor=run.executor)
    built = features.build(frame, run.feature_groups, state=state, images=images, executor=run.executor)
    return Table(FeatureSpace.fit(built, learned_from=others).encode(built), run.target, run.weight)


def _estimate(run: Run) -> list[Path]:
    settings, blend = run.config.calibration, run.config.ensemble.blend
    scored = {
        int(outer): score_outer_fold(
            run.plan, list(run.learners), outer_table(run, int(outer)), int(outer), runner=run.runner
        )
        for outer in np.unique(run.fold)
    }
    nested = nested_scores(
        scored,
        run.target,
        run.fold,
        blend=blend,
        calibration=settings.method,
        prevalence=run.prevalence or float(run.target.mean()),
        images=run.image_learners,
    )
    nested[BLEND] = nested[blend_column(blend)]
    keys = run.folds.frame.select(ID, "patient_id", "target", "fold")
    frame = keys.with_columns(**{name: pl.Series(values) for name, values in nested.items()})
    write_rows(frame, run.folder.nested)
    write_json({**_figures(run, frame), "made_from": run.state}, run.folder.nested_metrics)
    return [run.folder.nested, run.folder.nested_metrics]


def _figures(run: Run, nested: pl.DataFrame) -> dict[str, Any]:
    settings = run.config.metrics
    usual = run.read_rows(run.folder.oof, columns=[BLEND, RISK]).rename({BLEND: "usual", RISK: "usual_risk"})
    both = pl.concat([nested, usual], how="horizontal")
    names = [*run.learners, *(name for name in nested.columns if name.startswith("blend_"))]
    scores = {name: summarise(both, name, replicates=settings.replicates, seed=settings.seed) for name in names}
    compared = summarise(both, BLEND, other="usual", replicates=settings.replicates, seed=settings.seed)
    return {
        "estimate": "nested",
        "scores": {**scores, BLEND: {key: compared[key] for key in scores[names[0]]}},
        "usual": compared["other"],
        "nested_minus_usual": compared["difference"],
    }


NESTED = Stage(
    "nested",
    __name__,
    _estimate,
    inputs=("image_scores",),
    artifacts=lambda run: [
        *(run.folder.lesions, run.folder.folds, run.folder.features, run.folder.dictionary, run.folder.oof),
        *run.image_artifacts,
    ],
    settings=lambda run: {
        "groups": run.feature_groups,
        "ensemble": run.config.ensemble.model_dump(),
        "calibration": run.config.calibration.model_dump(),
        "metrics": run.config.metrics.model_dump(),
    },
)
