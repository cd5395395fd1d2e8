"""The metrics stage: every figure of a run, with its interval."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from cohort.frames import join_by_id
from cv_folds.bootstrap import reliabilities
from cv_folds.hospital_share import HOSPITAL, hospital_share
from cv_folds.scoring import summarise
from engine.console import log
from engine.errors import InputError
from engine.files import write_json
from ensemble.blend import METHODS
from ensemble.calibration import METHODS as CALIBRATIONS
from ensemble.calibration import calibrated_out_of_fold
from ensemble.run_checks.image_hospital import knows_hospital
from uglyduck.run.run import Run
from uglyduck.stages.scores import BLEND, IMAGE, TABLE, blend_column, image_column
from uglyduck.stages.stage import Stage

OPTIMUM = {"both": "p_both", "table": "p_table", "crop": "p_crop"}
"""The best possible scores of a simulated cohort: from table and crop, from either alone."""


def _measure(run: Run) -> list[Path]:
    """Write metrics.json.

    `scores`: each learner, the blend, and with images `table` (learners without images) and `image` alone, and with
    several image models `image_NAME` for each. `comparisons`: paired differences, each `first` minus `second`.
    `blends`: the three ways to blend. `calibration`: how far risks can be trusted. `optimum`: for simulated cohorts,
    the best possible score and how far the blend falls short of it. `hospital`: how much of each image score is the
    hospital, if that is known. All of it is out of fold.
    """
    oof = run.read_rows(run.folder.oof)
    alone = [name for name in (TABLE, IMAGE) if name in oof.columns]
    each = [column for model in run.image_models if (column := image_column(model.name)) in oof.columns]
    pairs = [(BLEND, name) for name in alone]
    hospital = _hospital(run, oof, [IMAGE, *each] if IMAGE in oof.columns else sorted(run.image_learners))
    write_json(
        {
            "estimate": "out-of-fold",
            "data": run.origin,
            "scores": {name: _summary(run, oof, name) for name in [*run.learners, BLEND, *alone, *each]},
            "comparisons": [_comparison(run, oof, first, second) for first, second in pairs],
            "blends": _blends(run, oof),
            "calibration": _calibration(run, oof),
            "optimum": _optimum(run, oof),
            "hospital": hospital,
        },
        run.folder.metrics,
    )
    return [run.folder.metrics]


def _hospital(run: Run, oof: pl.DataFrame, images: list[str]) -> dict[str, Any]:
    """See `hospital_share`; warns at once if `uglyduck check` would (UD217)."""
    if not images or HOSPITAL not in run.lesions.frame.columns:
        return {}
    hospital, settings = run.lesions.frame[HOSPITAL], run.config.metrics
    found = {
        name: hospital_share(
            oof,
            np.where(run.has_crop, oof[name].to_numpy(), np.nan),
            hospital,
            replicates=settings.replicates,
            seed=settings.seed,
        )
        for name in images
    }
    finding = knows_hospital(found)
    if finding.status == "found":
        log.warning("%s (%s): %s", finding.title, finding.code, finding.measured)
    return found


def _summary(run: Run, oof: pl.DataFrame, column: str, other: str | None = None) -> dict[str, Any]:
    settings = run.config.metrics
    return summarise(oof, column, other=other, replicates=settings.replicates, seed=settings.seed)


def _comparison(run: Run, oof: pl.DataFrame, first: str, second: str) -> dict[str, Any]:
    found = _summary(run, oof, first, second)
    return {"first": first, "second": second, "difference": found["difference"]["pooled"]}


def _blends(run: Run, oof: pl.DataFrame) -> dict[str, Any]:
    """Each blend's pooled figures, and its paired difference from the mean, which learns nothing from labels."""
    mean = blend_column("mean")
    found = {method: _summary(run, oof, blend_column(method), mean) for method in METHODS}
    methods = {
        method: {"pooled": summary["pooled"], "minus_mean": summary["difference"]["pooled"]}
        for method, summary in found.items()
    }
    return {"chosen": run.config.ensemble.blend, "methods": methods}


def _calibration(run: Run, oof: pl.DataFrame) -> dict[str, Any]:
    settings, target, fold = run.config.calibration, oof["target"].to_numpy(), oof["fold"].to_numpy()
    # In a table without patients every lesion is a group of its own.
    patient = None if run.config.data.ungrouped else oof["patient_id"]
    risks: dict[str, npt.NDArray[np.float64]] = {
        method: calibrated_out_of_fold(oof[BLEND].to_numpy(), target, fold, method=method) for method in CALIBRATIONS
    }
    found = reliabilities(target, risks, patient=patient, seed=run.config.metrics.seed)
    methods = {method: each.as_dict() for method, each in found.items()}
    share = float(np.mean(target))
    return {
        "method": settings.method,
        "prevalence": run.prevalence or share,
        "measured_at_prevalence": share,
        **methods[settings.method],
        "methods": methods,
    }


def _optimum(run: Run, oof: pl.DataFrame) -> dict[str, Any] | None:
    """How far the blend is from the score that knows the simulated risk."""
    path = run.config.data.truth
    if path is None:
        return None
    try:
        known = pl.read_parquet(path, columns=["isic_id", *OPTIMUM.values()])
        joined = join_by_id(oof, known)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(
            "not the truth of this cohort", where=f"[data] truth = {path}", remedy="name the truth.parquet next to it"
        ) from error
    found = {name: _summary(run, joined, BLEND, column) for name, column in OPTIMUM.items()}
    return {
        name: {"pooled": summary["other"]["pooled"], "blend_minus": summary["difference"]["pooled"]}
        for name, summary in found.items()
    }


METRICS = Stage(
    "metrics",
    __name__,
    _measure,
    inputs=("truth",),
    artifacts=lambda run: [run.folder.lesions, run.folder.oof],
    settings=lambda run: {
        "metrics": run.config.metrics.model_dump(),
        "calibration": run.config.calibration.model_dump(),
        "ensemble": {"learners": run.config.ensemble.learners, "blend": run.config.ensemble.blend},
        "ungrouped": run.config.data.ungrouped,
    },
)
