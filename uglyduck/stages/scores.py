"""The scores stage: out-of-fold scores of each learner, the blends, risks; and what scores new lesions the same way."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from cohort.frames import ID, join_by_id
from cohort.lesions import write_rows
from engine.console import log
from engine.files import write_json
from ensemble.out_of_fold import score_out_of_fold
from ensemble.panel import FittedPanel
from ensemble.run_checks.crops import telling_presence
from submissions.image_score import blended_images
from uglyduck.run.run import Run
from uglyduck.stages.stage import Stage

Scores = npt.NDArray[np.float64]
BLEND, RISK, TABLE, IMAGE = "blend", "risk", "table", "image"
"""Columns of oof.parquet: the blend, its risk, the blend of the learners that see the table alone, the image score."""


def blend_column(method: str) -> str:
    """Name of a blend method's column in oof.parquet."""
    return f"{BLEND}_{method}"


def image_column(name: str) -> str:
    """Name of an image model's column in oof.parquet, if there are several."""
    return f"{IMAGE}_{name}"


def _score(run: Run) -> list[Path]:
    """Write oof.parquet, and what puts new lesions on the same scale.

    oof.parquet holds isic_id, patient_id, target, fold; each learner's score; `blend_mean`, `blend_greedy`,
    `blend_stack`, each learned without the fold it scores; `blend`, the configured one of them; `risk`, calibrated the
    same way; and in runs with images `table`, the blend of learners that never saw one, and `image`, the image score
    (see `_with_image_score`). A lesion without an image score is scored by the learners that see the table alone, as a
    new one would be.
    """
    _warn_of_telling_presence(run)
    scores = score_out_of_fold(run.plan, run.table, run.runner)
    whole = _fitted(run, {name: name for name in run.learners}, scores)
    write_json(whole.panel.blend.as_dict(), run.folder.blend)
    write_json(whole.panel.calibration.as_dict(), run.folder.calibration)
    written = [run.folder.oof, run.folder.blend, run.folder.calibration]
    columns = {name: scores[name] for name in run.learners} | _columns(whole)
    if run.table_models:
        table = _fitted(run, run.table_models, scores)
        blended = {
            name: np.where(run.has_crop, values, _columns(table)[name]) for name, values in _columns(whole).items()
        }
        columns = {**scores, **columns, **blended, TABLE: table.blended}
        write_json(table.panel.as_dict(), run.folder.table_alone)
        written.append(run.folder.table_alone)
    keys = run.folds.frame.select(ID, "patient_id", "target", "fold")
    frame = keys.with_columns(**{name: pl.Series(values) for name, values in columns.items()})
    frame, blends = _with_image_score(frame, run)
    write_rows(frame, run.folder.oof)
    return [*written, *blends]


def _warn_of_telling_presence(run: Run) -> None:
    """Warn at once of what `uglyduck check` would find (UD216)."""
    if run.image_table is None:
        return
    found = telling_presence(run.has_crop, run.target)
    if found.status == "found":
        log.warning(
            '%s (%s): %s. A model learns it; [data] crops = "required" leaves lesions without a crop out',
            *(found.title, found.code, found.measured),
        )


def _fitted(run: Run, models: Mapping[str, str], scores: Mapping[str, Scores]) -> FittedPanel:
    settings = run.config.calibration
    return FittedPanel.fit(
        models,
        {name: scores[model] for name, model in models.items()},
        run.target,
        run.fold,
        blend=run.config.ensemble.blend,
        calibration=settings.method,
        prevalence=run.prevalence,
        images=run.image_learners,
    )


def _columns(fitted: FittedPanel) -> dict[str, Scores]:
    blends = {blend_column(method): values for method, values in fitted.blends.items()}
    return {**blends, BLEND: fitted.blended, RISK: fitted.risk}


def _with_image_score(oof: pl.DataFrame, run: Run) -> tuple[pl.DataFrame, list[Path]]:
    """Add the out-of-fold image score as a column `image`, if the run has image models.

    If there are several, each also has a column of its own (`image_NAME`), and `image` is their blend. A crop without a
    score gets the median: an image model alone knows nothing about it.
    """
    models, table = run.image_models, run.image_scores
    if not models or table is None:
        return oof, []
    aligned = join_by_id(oof.select(ID), table.select(ID, *(model.column for model in models)))
    scores = {model.name: aligned[model.column].cast(pl.Float64).fill_null(np.nan).to_numpy() for model in models}
    if len(models) == 1:
        return oof.with_columns(_filled(IMAGE, scores[models[0].name])), []
    blended, blend = blended_images(scores, run.target, run.fold)
    write_json(blend.as_dict(), run.folder.image_blend)
    each = [_filled(image_column(name), values) for name, values in scores.items()]
    return oof.with_columns(_filled(IMAGE, blended), *each), [run.folder.image_blend]


def _filled(name: str, values: Scores) -> pl.Series:
    return pl.Series(name, np.where(np.isfinite(values), values, np.nanmedian(values)))


SCORES = Stage(
    "scores",
    __name__,
    _score,
    inputs=("image_scores",),
    artifacts=lambda run: [
        *(run.folder.lesions, run.folder.folds, run.folder.features, run.folder.dictionary),
        run.folder.models / "manifest.json",  # so that an old blend is not taken for that of newer models
        *run.image_artifacts,
    ],
    settings=lambda run: {
        "ensemble": run.config.ensemble.model_dump(),
        "calibration": run.config.calibration.model_dump(),
    },
)
