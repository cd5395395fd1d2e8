"""Patients: how many lesions each has, hospital, sex, age, lighting, and how many of the lesions are malignant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from cohort.simulator.calibration import Array, Calibration

Index = np.ndarray[tuple[int], np.dtype[np.int64]]
MISSING = "missing"
_SWEEPS = 30
_SMALLEST_MEAN_SIZE = 8.0


@dataclass(frozen=True)
class Patients:
    """One entry a patient in every array.

    Attributes:
        size: Lesions, at least 1.
        hospital: Index into the calibration's hospitals.
        sex: Index into male, female, missing.
        age: Years, a multiple of 5; NaN where missing.
        age_score: Normal score of the age (0 where missing).
        white: 1 where the lighting is "3D: white", 0 for "3D: XP".
        expected: Expected number of malignant lesions.
        malignant: Number of malignant lesions.
    """

    size: Index
    hospital: Index
    sex: Index
    age: Array
    age_score: Array
    white: Index
    expected: Array
    malignant: Index

    def __len__(self) -> int:
        return len(self.size)


def draw_patients(n_lesions: int, n_malignant: int, calibration: Calibration, rng: np.random.Generator) -> Patients:
    """Draw patients who together have `n_lesions` lesions, `n_malignant` of them malignant."""
    raw = calibration.raw
    size = _sizes(n_lesions, calibration, rng)
    hospitals = raw["hospitals"]
    hospital = _balanced(size, np.array([h["lesions"] for h in hospitals], dtype=np.float64), rng)
    white = np.zeros(len(size), dtype=np.int64)
    for index, facts in enumerate(hospitals):
        here = np.flatnonzero(hospital == index)
        white[here] = _balanced(size[here], np.array([1 - facts["white_share"], facts["white_share"]]), rng)
    sex = _balanced(size, np.array([rows for rows, _ in raw["sex"].values()], dtype=np.float64), rng)
    level = _balanced(size, np.array([rows for rows, _ in raw["age"].values()], dtype=np.float64), rng)
    expected = _expected(size, {"hospital": hospital, "white": white, "sex": sex, "age": level}, calibration)
    expected *= n_malignant / expected.sum()
    years, scores = _ages(calibration)
    malignant = _counts(expected, size, raw["patients"]["frailty"], n_malignant, rng)
    return Patients(size, hospital, sex, years[level], scores[level], white, expected, malignant)


def _sizes(n_lesions: int, calibration: Calibration, rng: np.random.Generator) -> Index:
    totals = calibration.raw["totals"]
    n_patients = round(n_lesions * totals["patients"] / totals["lesions"])
    n_patients = max(n_patients, min(30, int(n_lesions / _SMALLEST_MEAN_SIZE)), 1)
    knots = np.array(calibration.raw["patients"]["size_knots"], dtype=np.float64)
    place = (np.arange(n_patients) + 0.25 + 0.5 * rng.random(n_patients)) / n_patients
    wanted = np.exp(np.interp(place, knots[:, 0], np.log(knots[:, 1])))
    wanted *= n_lesions / wanted.sum()
    size = np.maximum(1, np.floor(np.cumsum(wanted) + 0.5).astype(np.int64))
    size = np.maximum(1, np.diff(size, prepend=0))
    size[-1] += n_lesions - size.sum()
    return rng.permutation(size)


def _balanced(size: Index, shares: Array, rng: np.random.Generator) -> Index:
    """Give each patient a level so that the lesions per level come close to `shares`.

    Patients are taken from the largest down; a level is drawn with the lesions it still lacks as its weight.
    """
    lacking = shares / shares.sum() * size.sum()
    level = np.zeros(len(size), dtype=np.int64)
    for patient, draw in zip(np.argsort(-size, kind="stable"), rng.random(len(size)), strict=True):
        weight = np.where(lacking >= 0.5 * size[patient], lacking, 0.0)
        cumulative = np.cumsum(weight)
        chosen = int(np.searchsorted(cumulative, draw * cumulative[-1], side="right"))
        level[patient] = min(chosen, len(shares) - 1) if cumulative[-1] > 0 else int(np.argmax(lacking))
        lacking[level[patient]] -= size[patient]
    return level


def _ages(calibration: Calibration) -> tuple[Array, Array]:
    """Years and normal score of each age level; the last level is "missing"."""
    levels = calibration.raw["age"]
    rows = np.array([rows for name, (rows, _) in levels.items() if name != MISSING], dtype=np.float64)
    middle = (np.cumsum(rows) - rows / 2) / rows.sum()
    years = [float(name) for name in levels if name != MISSING]
    return np.array([*years, np.nan]), np.array([*ndtri(middle), 0.0])


def _expected(size: Index, levels: dict[str, Index], calibration: Calibration) -> Array:
    """Expected malignant lesions per patient, up to a factor: a power of the size, raked to the published margins."""
    raw = calibration.raw
    published = {
        "hospital": [h["malignant"] for h in raw["hospitals"]],
        "white": [malignant for _, malignant in raw["tile"].values()],
        "sex": [malignant for _, malignant in raw["sex"].values()],
        "age": [malignant for _, malignant in raw["age"].values()],
    }
    expected = size.astype(np.float64) ** raw["patients"]["size_power"]
    for _ in range(_SWEEPS):
        for name, level in levels.items():
            wanted = np.array(published[name], dtype=np.float64) + 0.02
            have = np.bincount(level, weights=expected, minlength=len(wanted))
            factor = np.where(have > 0, wanted / np.where(have > 0, have, 1.0), 1.0)
            expected = expected * factor[level]
        expected /= expected.sum()
    return np.asarray(expected, dtype=np.float64)


def _counts(expected: Array, size: Index, frailty: float, n_malignant: int, rng: np.random.Generator) -> Index:
    """Malignant lesions per patient: systematic sampling in proportion to `expected` times a gamma frailty.

    Nobody gets more than their lesions; a surplus goes to the patients with the most room, one each.
    """
    risk = expected * rng.gamma(frailty, size=len(expected))
    order = rng.permutation(len(expected))
    edges = np.concatenate([[0.0], np.cumsum(risk[order])])
    points = (np.arange(n_malignant) + rng.random()) * (edges[-1] / max(n_malignant, 1))
    count = np.zeros(len(expected), dtype=np.int64)
    count[order] = np.diff(np.searchsorted(points, edges))
    count[order[-1]] += n_malignant - count.sum()
    surplus = int(np.maximum(count - size, 0).sum())
    count = np.minimum(count, size)
    roomy = np.argsort(-(size - count) * (count == 0), kind="stable")[:surplus]
    count[roomy] += 1
    return count
