"""Can the hospital be told from the features? If so, a model may have learned the hospital instead of the lesion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from cohort.findings import Check, Finding
from cohort.frames import collect
from ensemble.jobs import Job, JobRunner, Table
from ensemble.learners import LightGBM
from ensemble.matrix import Matrix
from ensemble.run_checks.measures import thinned

TELLTALE = Check("UD212", "a hospital that can be told from the features", "warning")
#: Share of the way from chance to certainty.
LIMIT = 0.25
#: Standard errors above chance.
SURE = 3.0
_LESIONS = 20_000
#: With fewer, any feature that tells two patients apart seems to tell their hospitals apart.
_FEWEST_PATIENTS = 10
#: Parameters of a small model that tells one hospital from the others.
_PARAMETERS: dict[str, Any] = {
    "n_trees": 40,
    "learning_rate": 0.1,
    "max_depth": -1,
    "num_leaves": 15,
    "min_data_in_leaf": 20,
    "lambda_l1": 0.0,
    "lambda_l2": 0.0,
    "feature_fraction": 0.5,
    "feature_fraction_bynode": 1.0,
    "bagging_fraction": 1.0,
    "bagging_freq": 0,
    "scale_pos_weight": 1.0,
}


def telltale_hospital(
    matrix: Matrix,
    features: Sequence[str],
    hospital: pl.Series,
    patient: pl.Series,
    fold: npt.NDArray[np.int8],
    *,
    runner: JobRunner,
) -> Finding:
    """Train small models, one for each hospital, to name the hospital of patients they have not seen.

    Args:
        matrix: Features, shape (lesions, features).
        features: Names of those not derived from the hospital's name.
        hospital: Hospital of each lesion; null where unknown.
        patient: Patient ids.
        fold: Patient fold of each lesion.
        runner: Runs the jobs.
    """
    known = pl.DataFrame({"hospital": hospital, "patient": patient}).drop_nulls()
    patients = known.group_by("hospital").agg(pl.col("patient").n_unique()).sort("hospital")
    names = patients.filter(pl.col("patient") >= _FEWEST_PATIENTS)["hospital"].to_list()
    if len(names) < 2:
        return TELLTALE.not_applicable(f"{len(names)} hospitals have {_FEWEST_PATIENTS} patients or more")
    rows = thinned(np.flatnonzero(hospital.is_in(names).to_numpy()), _LESIONS)
    truth = hospital.gather(rows).to_list()
    code = np.array([names.index(name) for name in truth])
    part = matrix.part(rows, features)
    if any(not np.bincount(code[fold[rows] != each], minlength=len(names)).all() for each in np.unique(fold[rows])):
        return TELLTALE.not_applicable("a hospital's patients all lie in one fold, so it cannot be learned and tested")
    guess, gain = _guess(part, code, fold[rows], names, runner)
    accuracy, error = _accuracy(code, guess == code, patient.gather(rows))
    chance = 1 / len(names)
    helpful = [part.space.names[place] for place in np.argsort(-gain, kind="stable")[:3]]
    measured = f"{accuracy:.2f} ± {error:.2f} of a patient's lesions over {len(names)} hospitals, chance {chance:.2f}"
    ask = TELLTALE.found if accuracy - chance > max(LIMIT * (1 - chance), SURE * error) else TELLTALE.clear
    return ask(
        f"{measured}; most telling: {', '.join(helpful)}",
        balanced_accuracy=accuracy,
        standard_error=error,
        chance=chance,
        hospitals=names,
        telling=helpful,
    )


def _accuracy(code: npt.NDArray[np.intp], right: npt.NDArray[np.bool_], patient: pl.Series) -> tuple[float, float]:
    """Mean over hospitals of the mean over patients of the share of lesions recognised, and its standard error."""
    each = pl.DataFrame({"hospital": code, "patient": patient, "right": right.astype(np.float64)})
    patients = collect(each.lazy().group_by("hospital", "patient").agg(pl.col("right").mean()).sort("patient"))
    hospitals = patients.group_by("hospital").agg(pl.col("right").mean(), error=pl.col("right").var() / pl.len())
    hospitals = hospitals.sort("hospital")
    return float(hospitals["right"].mean()), float(np.sqrt(hospitals["error"].sum()) / hospitals.height)  # type: ignore[arg-type]


def _guess(
    matrix: Matrix,
    code: npt.NDArray[np.intp],
    fold: npt.NDArray[np.int8],
    names: Sequence[str],
    runner: JobRunner,
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """The hospital guessed for each row by models of the other folds, and the total gain of each feature in them."""
    likely, gain = np.zeros((len(names), len(code))), np.zeros(len(matrix.space.names))
    learner, folds = LightGBM.configured(_PARAMETERS), np.unique(fold)
    sides = [(np.flatnonzero(fold != each), np.flatnonzero(fold == each)) for each in folds]
    for place in range(len(names)):
        target = (code == place).astype(np.int8)
        # Both sides have the same total weight, whatever the number of hospitals.
        table = Table(matrix, target, np.where(target == 1, 0.5 / target.mean(), 0.5 / (1 - target.mean())))
        jobs = [
            Job(f"fold{each}", learner, matrix.space.names, train, score, seed=0)
            for each, (train, score) in zip(folds, sides, strict=True)
        ]
        for job, outcome in zip(jobs, runner.run(jobs, table, title=None), strict=True):
            likely[place, job.score] = outcome.scores
            gain += outcome.gain
    return np.argmax(likely, axis=0), gain
