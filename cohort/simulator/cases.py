"""How many of each patient's lesions are malignant: the patient part of the risk."""

from __future__ import annotations

import numpy as np

from cohort.simulator.calibration import Array, Calibration, Index
from cohort.simulator.levels import Levels
from cohort.simulator.patients import SEXES, TILES, Patients

_SWEEPS = 40
_SWAPS = 6000
_NEIGHBOURS = 40
_FEWEST = 100
_PATIENTS_PER_CASE = 0.66


def expected_cases(patients: Patients, levels: Levels, n_malignant: int, calibration: Calibration) -> Array:
    """Expected malignant lesions of each patient; they add up to `n_malignant`.

    A power of the patient's number of lesions (so that the rate per lesion falls with it), times the exponential of a
    linear score of the patient's own level, raked to the published margins of hospital, lighting, sex and age.
    """
    weights = np.linalg.solve(calibration.between, calibration.tilt)
    score = np.zeros(len(patients))
    for column, weight in enumerate(weights):
        score += weight * levels.own[:, column]
    expected = patients.size.astype(np.float64) ** calibration.facts["patients"]["size_power"] * np.exp(score)
    expected *= n_malignant / expected.sum()
    for _ in range(_SWEEPS):
        for level, cases in _margins(patients, calibration):
            wanted = (cases + 0.02) / (cases + 0.02).sum() * n_malignant
            have = np.bincount(level, weights=expected, minlength=len(wanted))
            expected = expected * np.where(have > 0, wanted / np.where(have > 0, have, 1.0), 1.0)[level]
            expected *= n_malignant / expected.sum()
        expected = np.minimum(expected, 0.5 * patients.size)
    return np.asarray(expected, dtype=np.float64)


def draw_cases(patients: Patients, expected: Array, calibration: Calibration, rng: np.random.Generator) -> Index:
    """Malignant lesions of each patient, `expected` on average, near the published margins in every draw.

    Each patient's expectation is multiplied by a gamma frailty that patient and learner do not know, cases are placed
    by systematic sampling, and then pairs of similar patients swap their counts while that brings the margins closer.
    """
    total = round(float(expected.sum()))
    frailty = calibration.facts["patients"]["frailty"]
    count = _systematic(expected * rng.gamma(frailty, 1.0 / frailty, size=len(expected)), total, rng)
    count = _within_size(count, patients.size)
    if total < _FEWEST:
        count = _spread(count, expected, min(len(count), max(2, round(_PATIENTS_PER_CASE * total))))
    return _swapped(count, patients, expected, calibration, rng)


def _margins(patients: Patients, calibration: Calibration) -> list[tuple[Index, Array]]:
    """Level of each patient and published malignant lesions of each level, for each raked margin."""
    facts = calibration.facts
    return [
        (patients.hospital, np.array([float(place["malignant"]) for place in facts["hospitals"]])),
        (patients.white, np.array([float(facts["tiles"][name]["malignant"]) for name in TILES])),
        (patients.sex, np.array([float(facts["sex"][name]["malignant"]) for name in SEXES])),
        (patients.age, np.array([float(level["malignant"]) for level in facts["ages"].values()])),
    ]


def _systematic(risk: Array, total: int, rng: np.random.Generator) -> Index:
    order = rng.permutation(len(risk))
    edges = np.cumsum(risk[order])
    points = (np.arange(total) + rng.random()) * (edges[-1] / max(total, 1))
    return np.bincount(order[np.searchsorted(edges, points, side="right").clip(max=len(risk) - 1)], minlength=len(risk))


def _within_size(count: Index, size: Index) -> Index:
    """Nobody has more malignant lesions than half their lesions (or one); the surplus goes to the roomiest others."""
    limit = np.maximum(1, size // 2)
    surplus = int(np.maximum(count - limit, 0).sum())
    count = np.minimum(count, limit)
    while surplus > 0:
        roomy = np.argsort(count - limit, kind="stable")[:surplus]
        roomy = roomy[count[roomy] < limit[roomy]]
        count[roomy] += 1
        surplus -= len(roomy)
    return count


def _spread(count: Index, expected: Array, patients: int) -> Index:
    """At least so many patients with a malignant lesion: the surplus of the richest goes to the likeliest without."""
    count = count.copy()
    for patient in np.argsort(-expected, kind="stable"):
        if np.count_nonzero(count) >= min(patients, count.sum()):
            break
        if count[patient] == 0:
            count[np.argmax(count)] -= 1
            count[patient] = 1
    return count


def _swapped(
    count: Index, patients: Patients, expected: Array, calibration: Calibration, rng: np.random.Generator
) -> Index:
    """Swap counts between patients of similar expectation while the margins come closer to what is expected."""
    codes, wanted = [], []
    offset = 0
    for level, cases in _margins(patients, calibration):
        codes.append(level + offset)
        wanted.append(np.bincount(level, weights=expected, minlength=len(cases)))
        offset += len(cases)
    code, target = np.stack(codes, axis=1), np.concatenate(wanted)
    have = np.bincount(code.ravel(), weights=np.repeat(count, code.shape[1]), minlength=offset).astype(np.float64)
    weight = 1.0 / (target + 1.0)
    order = np.argsort(expected, kind="stable")
    first = rng.integers(0, len(count), _SWAPS)
    second = (first + rng.integers(1, _NEIGHBOURS, _SWAPS)).clip(max=len(count) - 1)
    count = count.copy()
    for left, right in zip(order[first], order[second], strict=True):
        move = count[left] - count[right]
        if move == 0 or max(count[left] - patients.size[right] // 2, count[right] - patients.size[left] // 2) > 0:
            continue
        step = np.zeros(offset)
        np.add.at(step, code[left], -move)
        np.add.at(step, code[right], move)
        error = have - target
        if np.sum(weight * step * (2.0 * error + step)) < 0:
            have += step
            count[left], count[right] = count[right], count[left]
    return count
