"""Latent normal scores of lesions: a patient's own level plus the lesion's, displaced where it is malignant.

Two strata are seen in the table and have their own curves: lesions below 2.5 mm ("small") and lesions of a contrast
that automatic detection misses ("faint"). Within a stratum its coordinate is a score of its own, independent of
the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cohort.simulator.calibration import Array, Calibration
from cohort.simulator.linear import cholesky, colour, whiten
from cohort.simulator.patients import Index

SIZE = "clin_size_long_diam_mm"
CONTRAST = "tbp_lv_deltaLBnorm"
_MISSED = -2.2  # the score below which automatic detection passes a lesion by


@dataclass(frozen=True)
class Latents:
    """Scores and strata of lesions.

    Attributes:
        score: (n, d) total latent scores, in the order of the calibration.
        own: (n, d) the lesion's part: score less the patient's level.
        stratum: 0 regular, 1 small, 2 faint, 3 small and faint.
        log_ratio: Log likelihood ratio of stratum and scores, malignant against benign, given the patient's level.
    """

    score: Array
    own: Array
    stratum: Index
    log_ratio: Array


def draw_latents(level: Array, malignant: Index, calibration: Calibration, rng: np.random.Generator) -> Latents:
    """Draw the scores of lesions whose patients' levels (with those of age, height, lighting) are `level` (n, d)."""
    raw = calibration.raw
    total = np.zeros(len(level))
    stratum = np.zeros(len(level), dtype=np.int64)
    for bit, key in ((1, "small"), (2, "faint")):
        share = np.array(raw[key]["share"])
        drawn = rng.random(len(level)) < share[malignant]
        stratum += bit * drawn
        odds = np.where(drawn, share[1] / share[0], (1 - share[1]) / (1 - share[0]))
        total += np.log(odds)
    white = np.asarray(rng.standard_normal(level.shape))
    own = np.empty_like(level)
    score = np.empty_like(level)
    for code in range(4):
        rows = np.flatnonzero(stratum == code)
        own[rows], score[rows], ratio = _stratum(code, level[rows], white[rows], malignant[rows], calibration)
        total[rows] += ratio
    return Latents(score, own, stratum, total)


def _stratum(
    code: int, level: Array, white: Array, malignant: Index, calibration: Calibration
) -> tuple[Array, Array, Array]:
    raw = calibration.raw
    covariance, common = calibration.within.copy(), np.zeros(len(calibration.latents))
    shift, scale = calibration.shift.copy(), calibration.scale.copy()
    replaced = [calibration.latents.index(name) for bit, name in ((1, SIZE), (2, CONTRAST)) if code & bit]
    for place in replaced:
        common += _MISSED * (calibration.within + calibration.between)[place]
    for bit, key, name in ((1, "small", SIZE), (2, "faint", CONTRAST)):
        if code & bit:
            place = calibration.latents.index(name)
            covariance[place], covariance[:, place] = 0.0, 0.0
            covariance[place, place], common[place] = 1.0, 0.0
            shift[place], scale[place] = raw[key]["shift"], raw[key]["scale"]
    benign = cholesky(covariance)
    cancer = cholesky(covariance * np.outer(scale, scale))
    own = common + colour(benign, white)
    where = np.flatnonzero(malignant)
    own[where] = common + shift + colour(cancer, white[where])
    score = own + level
    score[:, replaced] = own[:, replaced]
    return own, score, _log_density(own - common - shift, cancer) - _log_density(own - common, benign)


def _log_density(centred: Array, factor: Array) -> Array:
    """Log normal density of rows, less the constant that cancels in a ratio."""
    standard = whiten(factor, centred)
    return np.asarray(-0.5 * np.square(standard).sum(axis=1) - np.log(np.diag(factor)).sum(), dtype=np.float64)
