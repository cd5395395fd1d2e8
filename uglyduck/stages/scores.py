"""The scores stage: out-of-fold scores of each learner, the blends, risks; and what scores new lesions alike."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from cohort.frames import ID, join_by_id
from cohort.lesions import write_rows
from engine.files import write_json
from ensemble.out_of_fold import score_out_of_fold
from ensemble.panel import FittedPanel
from features.patients.image_tables import has_image
from uglyduck.run.run import Run
from uglyduck.stages.stage import Stage

Scores = npt.NDArray[np.float64]
BLEND, RISK, TABLE, IMAGE = "blend", "risk", "table", "image"
"""Columns of oof.parquet: the blend, its risk, the blend of the learners that see the table alone, the image score."""


def blend_column(method: str) -> str:
    """Name of a blend method's column in oof.parquet."""
    return f"{BLEND}_{method}"


def _score(run: Run) -> list[Path]:
    """Write oof.parquet, and what brings new lesions to the same scale.

    oof.parquet holds isic_id, patient_id, target, fold; each learner's score; `blend_mean`, `blend_greedy`,
    `blend_stack`, each learned without the fold it scores; `blend`, the configured one of them; `risk`, calibrated
    likewise; and in runs with images `table`, the blend of learners that never saw one, and `image`, the image score.
    A lesion without an image score is scored by the learners that see the table alone, as a new one would be.
    """
    scores = score_out_of_fold(run.plan, run.table, run.runner)
    whole = _fitted(run, {name: name for name in run.learners}, scores)
    write_json(whole.panel.blend.as_dict(), run.folder.blend)
    write_json(whole.panel.calibration.as_dict(), run.folder.calibration)
    written = [run.folder.oof, run.folder.blend, run.folder.calibration]
    columns = {name: scores[name] for name in run.learners} | _columns(whole)
    if run.table_models:
        table = _fitted(run, run.table_models, scores)
        seen = has_image(run.lesions.frame[ID], run.image_scores)
        blended = {name: np.where(seen, values, _columns(table)[name]) for name, values in _columns(whole).items()}
        columns = {**scores, **columns, **blended, TABLE: table.blended}
        write_json(table.panel.as_dict(), run.folder.table_alone)
        written.append(run.folder.table_alone)
    keys = run.folds.frame.select(ID, "patient_id", "target", "fold")
    frame = keys.with_columns(**{name: pl.Series(values) for name, values in columns.items()})
    write_rows(_with_image_score(frame, run), run.folder.oof)
    return written


def _fitted(run: Run, models: Mapping[str, str], scores: Mapping[str, Scores]) -> FittedPanel:
    settings = run.config.calibration
    return FittedPanel.fit(
        models,
        {name: scores[model] for name, model in models.items()},
        run.target,
        run.fold,
        blend=run.config.ensemble.blend,
        calibration=settings.method,
        prevalence=settings.prevalence,
        images=run.image_learners,
    )


def _columns(fitted: FittedPanel) -> dict[str, Scores]:
    blends = {blend_column(method): values for method, values in fitted.blends.items()}
    return {**blends, BLEND: fitted.blended, RISK: fitted.risk}


def _with_image_score(oof: pl.DataFrame, run: Run) -> pl.DataFrame:
    """Add the out-of-fold image score as a column `image`, where the run has an image model.

    A crop without a score gets the median: an image model alone can say nothing of it.
    """
    if run.config.data.images is None or run.image_scores is None:
        return oof
    return join_by_id(
        oof, run.image_scores.select(ID, pl.col("score").fill_null(pl.col("score").median()).alias(IMAGE))
    )


SCORES = Stage(
    "scores",
    __name__,
    _score,
    inputs=("image_scores",),
    artifacts=lambda run: [
        *(run.folder.lesions, run.folder.folds, run.folder.features, run.folder.dictionary),
        run.folder.models / "manifest.json",  # so that a blend is not taken for that of models made since
        *run.image_artifacts,
    ],
    settings=lambda run: {
        "ensemble": run.config.ensemble.model_dump(),
        "calibration": run.config.calibration.model_dump(),
    },
)
