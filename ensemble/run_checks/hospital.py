"""Can the hospital be told from the features? Then a model may have learned the hospital in place of the lesion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt
import polars as pl

from cohort.findings import Check, Finding
from cohort.frames import collect
from ensemble.matrix import Matrix
from ensemble.run_checks.measures import thinned

TELLTALE = Check("UD212", "a hospital that can be told from the features", "warning")
#: Of the way from chance to certainty.
LIMIT = 0.25
#: Standard errors above chance.
SURE = 3.0
_LESIONS = 20_000
#: With fewer, any feature that tells two patients apart seems to tell their hospitals apart.
_FEWEST_PATIENTS = 10
_TREES = 40
_OPTIONS: dict[str, Any] = {
    "objective": "multiclass",
    "num_leaves": 15,
    "feature_fraction": 0.5,
    "deterministic": True,
    "force_col_wise": True,
    "verbosity": -1,
    "seed": 0,
}


def telltale_hospital(
    matrix: Matrix,
    features: Sequence[str],
    hospital: pl.Series,
    patient: pl.Series,
    fold: npt.NDArray[np.int8],
    *,
    threads: int,
) -> Finding:
    """Train a small model to name the hospital of patients it has not seen, fold by fold.

    Args:
        matrix: Features, shape (lesions, features).
        features: Those that are not made from the hospital's name.
        hospital: Name for each lesion; null where unknown.
        patient: Patient ids.
        fold: Patient fold of each lesion.
        threads: CPU threads.
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
    guess, gain = _guess(part, code, fold[rows], len(names), threads)
    if guess is None:
        return TELLTALE.not_applicable("a hospital's patients all lie in one fold, so it can not be learned and tested")
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
    matrix: Matrix, code: npt.NDArray[np.intp], fold: npt.NDArray[np.int8], classes: int, threads: int
) -> tuple[npt.NDArray[np.intp] | None, npt.NDArray[np.float64]]:
    """The class guessed for each row by a model of the other folds, and the gain of each feature."""
    guess, gain = np.zeros(len(code), dtype=np.intp), np.zeros(len(matrix.space.names))
    for held_out in np.unique(fold):
        here = fold == held_out
        counts = np.bincount(code[~here], minlength=classes)
        if not counts.all():
            return None, gain
        data = lightgbm.Dataset(
            matrix.values[~here],
            label=code[~here],
            weight=(1 / counts)[code[~here]] * len(code) / classes,  # each hospital weighs the same
            categorical_feature=list(matrix.space.categorical),
            params={"verbosity": -1, "num_threads": threads},
        )
        options = {**_OPTIONS, "num_class": classes, "num_threads": threads}
        booster = lightgbm.train(options, data, num_boost_round=_TREES)
        guess[here] = np.argmax(booster.predict(matrix.values[here], num_threads=threads), axis=1)
        gain += booster.feature_importance("gain")
    return guess, gain
