"""A patient's own levels: what all lesions of one patient share, on the latent scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cohort.simulator.calibration import Array, Calibration, Index
from cohort.simulator.linear import cholesky, colour, weighted_products, whiten
from cohort.simulator.patients import Patients, ages

_PER_DIMENSION = 10


@dataclass(frozen=True)
class Levels:
    """Levels of patients on the latent scale, d coordinates.

    Attributes:
        known: (patients, d) what age, lighting and hospital say.
        own: (patients, d) the rest, of covariance `Calibration.between`.
    """

    known: Array
    own: Array

    @property
    def total(self) -> Array:
        """(patients, d) the level around which the patient's benign lesions lie."""
        return self.known + self.own


def draw_levels(patients: Patients, calibration: Calibration, rng: np.random.Generator) -> Levels:
    """Draw the patients' levels.

    In a cohort of many patients the part of their own is matched to its moments (weighted by lesions, given age and
    lighting), so that a few very large patients do not move the whole cohort's quantiles.
    """
    score = ages(calibration)[1][patients.age]
    lit = lighting(patients.white, calibration)
    known = np.outer(score, calibration.on_age) + np.outer(lit, calibration.on_white)
    known += calibration.on_hospital[patients.hospital]
    own = colour(cholesky(calibration.between), rng.standard_normal(known.shape))
    if len(patients) >= _PER_DIMENSION * own.shape[1]:
        design = np.stack([np.ones(len(patients)), score, lit], axis=1)
        own = _matched(own, design, patients.size.astype(np.float64), calibration.between)
    return Levels(known, own)


def lighting(white: Index, calibration: Calibration) -> Array:
    """The indicator of white lighting, standardised by its share in the published cohort."""
    share = calibration.facts["white_share"]
    return np.asarray((white - share) / np.sqrt(share * (1 - share)))


def _matched(own: Array, design: Array, weight: Array, covariance: Array) -> Array:
    """`own` made uncorrelated with `design` and of exactly this weighted covariance."""
    slopes = np.linalg.solve(weighted_products(design, design, weight), weighted_products(design, own, weight))
    for row in range(design.shape[1]):
        own = own - design[:, row : row + 1] * slopes[row]
    have = weighted_products(own, own, weight) / weight.sum()
    return colour(cholesky(covariance), whiten(cholesky(have), own))
