"""Latent normal scores of lesions: the patient's level, the place, and what is the lesion's own.

A lesion belongs to one of four strata, which the table shows: regular, small (below 2.5 mm), faint (contrast below the
detection floor), small and faint. In a stratum, its coordinate has its own score and curve, independent of the
others, which are displaced alike in both classes. Within a stratum the own scores are a mixture:

    benign     N(common + mean, W) for each benign kind
    malignant  N(common + shift, M) for each kind, melanocytic and keratinocytic; as benign where they look benign

with M and each kind's W the within-patient covariances. So everything the scores of a malignant lesion show is relative
to its patient's level.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cohort.simulator.calibration import Array, Index, Kind, Stratum, WorldCalibration
from cohort.simulator.linear import cholesky, colour

STRATA = range(4)


@dataclass(frozen=True)
class Law:
    """A normal component of the law of own scores for one class in one stratum.

    Attributes:
        share: Weight of the component in its class.
        mean: (d,) mean.
        factor: (d, d) Cholesky factor of the covariance.
        replaced: Coordinates whose score is the stratum's own, without level and place.
    """

    share: float
    mean: Array
    factor: Array
    replaced: tuple[int, ...]


@dataclass(frozen=True)
class SimulatedLesions:
    """One row per lesion.

    Attributes:
        score: (n, d) scores passed to the curves.
        stratum: 0 regular, 1 small, 2 faint, 3 both.
    """

    score: Array
    stratum: Index


def laws_within(code: int, calibration: WorldCalibration, *, malignant: bool) -> list[Law]:
    """The law of own scores around the patient's level, in a stratum."""
    return [_law(code, kind, calibration, malignant=malignant) for kind in calibration.kinds[malignant]]


def laws_overall(code: int, calibration: WorldCalibration, *, malignant: bool) -> list[Law]:
    """The law of scores in a stratum under a known lighting: patients, places and ages averaged out.

    What is averaged out is taken as normal, with its moments among the lesions of the class.
    """
    between = calibration.between + np.outer(calibration.on_age, calibration.on_age)
    between = between + np.outer(calibration.on_height, calibration.on_height)
    moved = calibration.tilt + calibration.on_height * calibration.facts["height"]["malignant"]
    spread = [
        Kind(kind.share, kind.mean + moved * malignant, kind.within + between) for kind in calibration.kinds[malignant]
    ]
    return [_law(code, kind, calibration, malignant=malignant) for kind in spread]


def draw_lesions(
    around: Array, calibration: WorldCalibration, rng: np.random.Generator, *, malignant: bool
) -> SimulatedLesions:
    """Draw lesions of one class.

    Args:
        around: (n, d) what a lesion's own score adds to: the effects of age, lighting, hospital, patient and place.
        calibration: The parameters.
        rng: Source of the draws.
        malignant: Which class to draw.
    """
    draws = rng.random((2, len(around)))
    stratum = np.searchsorted(np.cumsum(calibration.strata[int(malignant)])[:-1], draws[0], side="right")
    white: Array = np.asarray(rng.standard_normal(around.shape))
    score: Array = np.empty_like(around)
    for code in STRATA:
        laws = laws_within(code, calibration, malignant=malignant)
        edges = np.cumsum([law.share for law in laws])[:-1]
        which = np.where(stratum == code, np.searchsorted(edges, draws[1], side="right"), -1)
        for index, law in enumerate(laws):
            rows = np.flatnonzero(which == index)
            own = law.mean + colour(law.factor, white[rows])
            score[rows] = own + around[rows]
            for column in law.replaced:
                score[rows, column] = own[:, column]
    return SimulatedLesions(score, stratum)


def _law(code: int, kind: Kind, calibration: WorldCalibration, *, malignant: bool) -> Law:
    """The law of one kind of lesion of a class in a stratum."""
    parts: list[Stratum] = [part for bit, part in ((1, calibration.small), (2, calibration.faint)) if code & bit]
    mean, covariance = kind.mean.copy(), kind.within.copy()
    for part in parts:
        mean += part.common
    for part in parts:
        place = part.latent
        covariance[place], covariance[:, place] = 0.0, 0.0
        covariance[place, place] = part.scale**2 if malignant else 1.0
        mean[place] = part.shift if malignant else 0.0
    return Law(kind.share, mean, cholesky(covariance), tuple(part.latent for part in parts))
