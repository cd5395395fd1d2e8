"""The scores stage: out-of-fold scores of each learner, the blends, risks; and what scores new lesions alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from cohort.frames import join_by_id
from engine.files import write_json, write_parquet
from ensemble.blend import METHODS, Blend, blended_out_of_fold
from ensemble.calibration import Calibration, calibrated_out_of_fold
from ensemble.model_store import ModelStore
from ensemble.out_of_fold import score_out_of_fold
from uglyduck.run.run import Run
from uglyduck.stages import images as image_stage

Scores = npt.NDArray[np.float64]
BLEND, RISK, TABLE = "blend", "risk", "table"
"""Columns of oof.parquet: the blend, its risk, and the blend of the learners that see the table alone."""


def blend_column(method: str) -> str:
    """Name of a blend method's column in oof.parquet."""
    return f"{BLEND}_{method}"


def score(run: Run) -> list[Path]:
    """Write oof.parquet, and what brings new lesions to the same scale.

    oof.parquet holds isic_id, patient_id, target, fold; each learner's score; `blend_mean`, `blend_greedy`,
    `blend_stack`, each learned without the fold it scores; `blend`, the configured one of them; `risk`, calibrated
    likewise; and in runs with images `table`, the blend of learners that never saw one, and `image`, the image score.
    """
    scores = score_out_of_fold(run.plan, run.matrix, ModelStore(run.folder.models), threads=run.threads)
    fold = np.asarray(run.folds.frame["fold"])
    learners = {name: scores[name] for name in run.learners}
    whole = _Fusion.fit(run, learners, fold)
    columns = {**learners, **whole.columns}
    write_json(whole.blend.as_dict(), run.folder.blend)
    write_json(whole.calibration.as_dict(), run.folder.calibration)
    written = [run.folder.oof, run.folder.blend, run.folder.calibration]
    if run.table_models:
        table = _Fusion.fit(run, {name: scores[key] for name, key in run.table_models.items()}, fold)
        columns = {**scores, **columns, TABLE: table.columns[BLEND]}
        write_json({"blend": table.blend.as_dict(), "calibration": table.calibration.as_dict()}, run.folder.table_alone)
        written.append(run.folder.table_alone)
    keys = run.folds.frame.select("isic_id", "patient_id", "target", "fold")
    oof = join_by_id(keys, pl.DataFrame({"isic_id": run.features["isic_id"], **columns}))
    write_parquet(image_stage.with_image_score(oof, run), run.folder.oof)
    return written


@dataclass(frozen=True)
class _Fusion:
    """Out-of-fold columns of some learners joined, and the maps for new lesions, fitted on all folds."""

    columns: dict[str, Scores]
    blend: Blend
    calibration: Calibration

    @classmethod
    def fit(cls, run: Run, learners: Mapping[str, Scores], fold: npt.NDArray[np.int8]) -> _Fusion:
        settings, chosen, target = run.config.calibration, run.config.ensemble.blend, run.target
        blends = {
            blend_column(method): blended_out_of_fold(learners, target, fold, method=method) for method in METHODS
        }
        blended = blends[blend_column(chosen)]
        risk = calibrated_out_of_fold(blended, target, fold, method=settings.method, prevalence=settings.prevalence)
        blend = Blend.fit(learners, target, method=chosen)
        calibration = Calibration.fit(blended, target, method=settings.method, prevalence=settings.prevalence)
        return cls({**blends, BLEND: blended, RISK: risk}, blend, calibration)
