"""Patients: how many lesions each has, in which hospital, of which sex and age, under which lighting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from cohort.simulator.calibration import Array, Index, WorldCalibration

MISSING = "missing"
SEXES = ("male", "female", MISSING)
TILES = ("3D: XP", "3D: white")
_FEWEST_PATIENTS = 30
_SMALLEST_MEAN_SIZE = 8


@dataclass(frozen=True)
class SimulatedPatients:
    """One entry per patient in every array.

    Attributes:
        size: Lesions, at least 1.
        hospital: Index into the calibration's hospitals.
        sex: Index into `SEXES`.
        age: Index into the calibration's ages, the last of which is "missing".
        white: Index into `TILES`: 1 where the lighting is white.
    """

    size: Index
    hospital: Index
    sex: Index
    age: Index
    white: Index

    def __len__(self) -> int:
        return len(self.size)


def draw_patients(n_lesions: int, calibration: WorldCalibration, rng: np.random.Generator) -> SimulatedPatients:
    """Draw patients who together have `n_lesions` lesions.

    Their number and sizes follow the published ones; a small cohort has more and smaller patients than its share
    (up to 30, of at least 8 lesions on average), so that folds by patient can be made of it.
    """
    size = _sizes(n_lesions, calibration, rng)
    hospital = _balanced(size, calibration.counts("hospitals", "lesions"), rng)
    white = np.zeros(len(size), dtype=np.int64)
    for index, place in enumerate(calibration.facts["hospitals"]):
        here = np.flatnonzero(hospital == index)
        white[here] = _balanced(size[here], np.array([1 - place["white_share"], place["white_share"]]), rng)
    sex = _balanced(size, calibration.counts("sex", "lesions"), rng)
    age = _balanced(size, calibration.counts("ages", "lesions"), rng)
    return SimulatedPatients(size, hospital, sex, age, white)


def ages(calibration: WorldCalibration) -> tuple[Array, Array]:
    """Years and normal score of each age level: NaN and 0 for the last, "missing"."""
    rows = calibration.counts("ages", "lesions")[:-1]
    middle = (np.cumsum(rows) - rows / 2) / rows.sum()
    years = [float(name) for name in calibration.facts["ages"] if name != MISSING]
    return np.array([*years, np.nan]), np.array([*ndtri(middle), 0.0])


def _sizes(n_lesions: int, calibration: WorldCalibration, rng: np.random.Generator) -> Index:
    """Stratified draws from the published distribution of sizes, scaled to `n_lesions` and shuffled."""
    totals = calibration.facts["totals"]
    natural = round(n_lesions * totals["patients"] / totals["lesions"])
    count = max(natural, min(_FEWEST_PATIENTS, n_lesions // _SMALLEST_MEAN_SIZE), 1)
    knots = np.array(calibration.facts["patients"]["size_quantiles"], dtype=np.float64)
    place = (np.arange(count) + 0.25 + 0.5 * rng.random(count)) / count
    wanted = np.exp(np.interp(place, knots[:, 0], np.log(knots[:, 1])))
    spare = n_lesions - count
    edges = np.floor(np.cumsum(wanted) * (spare / wanted.sum()) + 0.5).astype(np.int64)
    edges[-1] = spare
    return rng.permutation(1 + np.diff(edges, prepend=0))


def _balanced(size: Index, shares: Array, rng: np.random.Generator) -> Index:
    """Give each patient a level so that the lesions per level come close to `shares`.

    Patients are taken from the largest down; a level is drawn with the lesions it still lacks as its weight.
    """
    lacking = shares / shares.sum() * size.sum()
    level = np.zeros(len(size), dtype=np.int64)
    for patient, draw in zip(np.argsort(-size, kind="stable"), rng.random(len(size)), strict=True):
        weight = np.where(lacking >= size[patient], lacking, 0.0)
        cumulative = np.cumsum(weight)
        if cumulative[-1] > 0:
            level[patient] = int(np.searchsorted(cumulative, draw * cumulative[-1], side="right"))
        else:
            level[patient] = int(np.argmax(lacking))
        lacking[level[patient]] -= size[patient]
    return level
