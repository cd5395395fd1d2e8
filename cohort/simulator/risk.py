"""The known probabilities: posteriors of the model that the cohort is drawn from.

    log odds = log prior odds + log LR(place | patient) + log LR(stratum) + log LR(own scores | level) + log LR(sign)

    patient part           the prior: expected malignant lesions of the patient over the patient's lesions
    lesion part            place and stratum (size below 2.5 mm, faint contrast)
    patient-relative part  own scores: how far the lesion lies from its patient's level (the laws in `lesions`)
    crop part              a sign that no column shows: N(0, 1) in benign and N(sign_shift, 1) in malignant lesions

A colour spread of exactly 0 tells only that its score lies below a threshold: the probability of that takes the place
of the density. The table's probability knows the patient's level, which a learner has to estimate from the patient's
other lesions: it is the best that anybody can do with the table, nearly reached for patients with many lesions.
The crop's probability knows the measurements that a crop shows and its lighting, but not patient, place or age.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import log_ndtr

from cohort.simulator.calibration import Array, Index, WorldCalibration
from cohort.simulator.lesions import STRATA, Law, SimulatedLesions, laws_overall, laws_within
from cohort.simulator.levels import lighting
from cohort.simulator.linear import chunks, combined

_HALF_LOG_2PI = 0.5 * np.log(2.0 * np.pi)


def score_log_ratio(lesions: SimulatedLesions, around: Array, calibration: WorldCalibration) -> Array:
    """Log likelihood ratio (n,), malignant against benign, of stratum and scores given the patient's level.

    Args:
        lesions: The lesions.
        around: (n, d) effects of age, lighting, hospital, patient and place.
        calibration: The parameters.
    """
    return _log_ratio(lesions, around, calibration, laws_within)


def crop_log_ratio(lesions: SimulatedLesions, white: Index, calibration: WorldCalibration) -> Array:
    """Log likelihood ratio (n,) of lighting, stratum and scores, with patient, place and age averaged out."""
    rows, cases = calibration.counts("tiles", "lesions"), calibration.counts("tiles", "malignant")
    lit = np.outer(lighting(white, calibration), calibration.on_white)
    ratio = _log_ratio(lesions, lit, calibration, laws_overall)
    return np.asarray(ratio + np.log(cases / cases.sum() / (rows / rows.sum()))[white], dtype=np.float64)


def sign_log_ratio(sign: Array, calibration: WorldCalibration) -> Array:
    """Log likelihood ratio of the crop's sign."""
    return calibration.sign_shift * sign - 0.5 * calibration.sign_shift**2


def _log_ratio(
    lesions: SimulatedLesions, around: Array, calibration: WorldCalibration, laws_of: Callable[..., list[Law]]
) -> Array:
    ratio = np.empty(len(around))
    for code in STRATA:
        rows = np.flatnonzero(lesions.stratum == code)
        score, base = lesions.score[rows], around[rows]
        malignant, benign = (
            _log_mixture(score, base, laws_of(code, calibration, malignant=malignant), calibration)
            for malignant in (True, False)
        )
        ratio[rows] = malignant - benign + np.log(calibration.strata[1, code] / calibration.strata[0, code])
    return ratio


def _log_mixture(score: Array, around: Array, laws: list[Law], calibration: WorldCalibration) -> Array:
    total = np.empty(len(score))
    for chunk in chunks(len(score)):
        own, base = (np.ascontiguousarray(part[chunk].T) for part in (score, around))
        terms = [np.log(law.share) + _log_density(own, base, law, calibration) for law in laws if law.share > 0.0]
        total[chunk] = np.logaddexp.reduce(terms, axis=0)
    return total


def _log_density(score: Array, around: Array, law: Law, calibration: WorldCalibration) -> Array:
    """Log density (n,) of scores (d, n), with colour spreads of 0 censored.

    The two colour spreads are the last coordinates, so that their means given all others are known.
    """
    zero = {calibration.at(name): score for name, score in calibration.zero.items()}
    standard = np.empty_like(score)
    total = np.zeros(score.shape[1])
    colourless = np.zeros(score.shape[1], dtype=bool)
    for row in range(len(score)):
        mean = law.mean[row] + combined(law.factor[row, :row], standard)
        if row not in law.replaced:
            mean += around[row]
        sd = law.factor[row, row]
        standard[row] = (score[row] - mean) / sd
        term = -0.5 * np.square(standard[row]) - (np.log(sd) + _HALF_LOG_2PI)
        if row in zero:
            below = score[row] <= zero[row]
            term[below] = log_ndtr((zero[row] - mean[below]) / sd)
            term[colourless] = 0.0
            colourless = below
        total += term
    return total
