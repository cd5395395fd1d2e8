"""A patient's own levels: what all lesions of one patient share, on the latent scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from cohort.simulator.balance import choose
from cohort.simulator.calibration import Array, Index, WorldCalibration
from cohort.simulator.linear import cholesky, colour, combined, weighted_products, whiten
from cohort.simulator.patients import SimulatedPatients, ages

_PER_DIMENSION = 10
_BUDGET, _MOST = 20_000, 20
_CUTS = np.array([0.1, 0.3, 0.5, 0.7, 0.9])


@dataclass(frozen=True)
class Levels:
    """Levels of patients on the latent scale, d coordinates.

    Attributes:
        known: (patients, d) what age, lighting and hospital explain.
        own: (patients, d) the rest, with covariance `WorldCalibration.between`.
    """

    known: Array
    own: Array

    @property
    def total(self) -> Array:
        """(patients, d) the level around which the patient's benign lesions lie."""
        return self.known + self.own


def draw_levels(patients: SimulatedPatients, calibration: WorldCalibration, rng: np.random.Generator) -> Levels:
    """Draw the patients' levels.

    Their own part is chosen among candidates so that its distribution, weighted by lesions, is close to the normal
    one, and in a cohort of many patients it is matched to the moments (given age and lighting). Otherwise a few
    very large patients would move the quantiles of all lesions.
    """
    score = ages(calibration)[1][patients.age]
    lit = lighting(patients.white, calibration)
    known = np.outer(score, calibration.on_age) + np.outer(lit, calibration.on_white)
    known += calibration.on_hospital[patients.hospital]
    weight = patients.size / patients.size.sum()
    own = _balanced(weight, calibration, rng)
    if len(patients) >= _PER_DIMENSION * own.shape[1]:
        design = np.stack([np.ones(len(patients)), score, lit], axis=1)
        own = _matched(own, design, weight, calibration.between)
    return Levels(known, own)


def lighting(white: Index, calibration: WorldCalibration) -> Array:
    """The indicator of white lighting, standardised by its share in the published cohort."""
    share = calibration.facts["white_share"]
    return np.asarray((white - share) / np.sqrt(share * (1 - share)))


def _balanced(weight: Array, calibration: WorldCalibration, rng: np.random.Generator) -> Array:
    """Levels (patients, d) whose coordinates, and the hue that several of them make, fall evenly around the cuts."""
    count, size = len(weight), len(calibration.latents)
    each = int(np.clip(_BUDGET // count, 2, _MOST))
    pool = colour(cholesky(calibration.between), rng.standard_normal((count * each, size)))
    hue = np.array([calibration.facts["hue"].get(name, 0.0) for name in calibration.latents])
    scores = np.concatenate([pool, combined(hue, np.ascontiguousarray(pool.T))[:, None]], axis=1)
    spread = np.sqrt(np.append(np.diag(calibration.between), hue @ calibration.between @ hue))
    below = (scores[:, :, None] / spread[:, None] <= ndtri(_CUTS)).reshape(count, each, -1)
    share = weight[:, None, None] * count
    chosen = choose(below * share, *([np.tile(_CUTS, size + 1)] * 2))
    return pool.reshape(count, each, size)[np.arange(count), chosen]


def _matched(own: Array, design: Array, weight: Array, covariance: Array) -> Array:
    """`own` made uncorrelated with `design` and given exactly this covariance, with weights that add up to 1."""
    slopes = np.linalg.solve(weighted_products(design, design, weight), weighted_products(design, own, weight))
    for row in range(design.shape[1]):
        own = own - design[:, row : row + 1] * slopes[row]
    have = weighted_products(own, own, weight)
    return colour(cholesky(covariance), whiten(cholesky(have), own))
