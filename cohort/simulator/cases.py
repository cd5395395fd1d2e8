"""How many of each patient's lesions are malignant: the patient part of the risk."""

from __future__ import annotations

import numpy as np

from cohort.simulator.calibration import Array, Index, WorldCalibration, published
from cohort.simulator.levels import Levels
from cohort.simulator.linear import combined
from cohort.simulator.patients import SimulatedPatients

_SWEEPS = 40
_SWAPS = 6000
_NEIGHBOURS = 40
_TRIES = 40
_FEWEST = 100
_PATIENTS_PER_CASE = 0.66


def expected_cases(
    patients: SimulatedPatients, levels: Levels, n_malignant: int, calibration: WorldCalibration
) -> Array:
    """Expected malignant lesions of each patient; they add up to `n_malignant`.

    A power of the patient's number of lesions (so that the rate per lesion falls with it), times the exponential of a
    linear score of the patient's own level, raked to the published margins of hospital, lighting, sex, age and size.
    """
    weight: Array = np.asarray(np.linalg.solve(calibration.between, calibration.tilt), dtype=np.float64)
    score = combined(weight, levels.own.T)
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


def draw_cases(
    patients: SimulatedPatients, expected: Array, calibration: WorldCalibration, rng: np.random.Generator
) -> Index:
    """Malignant lesions of each patient, `expected` on average, near the published margins in every draw.

    Each patient's expectation is multiplied by a gamma frailty that no patient or learner knows, cases are placed
    by systematic sampling (the best of some tries), and then pairs of similar patients swap their counts as long
    as that brings the margins closer.
    """
    total = round(float(expected.sum()))
    frailty = calibration.facts["patients"]["frailty"]
    tries = []
    for _ in range(_TRIES):
        risk = expected * rng.gamma(frailty, 1.0 / frailty, size=len(expected))
        tries.append(_within_size(_systematic(risk, total, rng), patients.size))
    third = _thirds(patients)
    count = min(tries, key=lambda each: _distance_to_published(each, third))
    if total < _FEWEST:
        count = _spread(count, expected, min(len(count), max(2, round(_PATIENTS_PER_CASE * total))))
    return _swapped(count, patients, expected, calibration, rng)


def _distance_to_published(count: Index, third: Index) -> float:
    """How far patients with malignant lesions, counted by these and by size, are from the published numbers."""
    facts = published()["patients"]
    wanted = np.array([*facts["cases"].values(), *facts["positive_by_size_third"]], dtype=np.float64)
    wanted *= count.sum() / published()["totals"]["malignant"]
    groups = [(count == 1).sum(), ((count > 1) & (count < 5)).sum(), (count >= 5).sum()]
    have = np.array([*groups, *np.bincount(third[count > 0], minlength=3)])
    return float(np.sum(np.square(have - wanted) / (wanted + 1.0)))


def _thirds(patients: SimulatedPatients) -> Index:
    """0, 1 or 2: the third with the fewest, middle or most lesions."""
    third = np.empty(len(patients), dtype=np.int64)
    third[np.argsort(patients.size, kind="stable")] = np.arange(len(patients)) * 3 // len(patients)
    return third


def _margins(patients: SimulatedPatients, calibration: WorldCalibration) -> list[tuple[Index, Array]]:
    """Level of each patient and published malignant lesions of each level, for each raked margin."""
    levels = {"hospitals": patients.hospital, "tiles": patients.white, "sex": patients.sex, "ages": patients.age}
    return [
        (_thirds(patients), np.array(calibration.facts["patients"]["cases_by_size_third"], dtype=np.float64)),
        *((level, calibration.counts(category, "malignant")) for category, level in levels.items()),
    ]


def _systematic(risk: Array, total: int, rng: np.random.Generator) -> Index:
    order = rng.permutation(len(risk))
    edges = np.cumsum(risk[order])
    points = (np.arange(total) + rng.random()) * (edges[-1] / total)
    return np.bincount(order[np.searchsorted(edges, points, side="right").clip(max=len(risk) - 1)], minlength=len(risk))


def _within_size(count: Index, size: Index) -> Index:
    """At most half of a patient's lesions (or one) are malignant; the surplus goes to those with most room."""
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
    """At least so many patients with a malignant lesion: those with most give to the likeliest with none."""
    count = count.copy()
    for patient in np.argsort(-expected, kind="stable"):
        if np.count_nonzero(count) >= min(patients, count.sum()):
            break
        if count[patient] == 0:
            count[np.argmax(count)] -= 1
            count[patient] = 1
    return count


def _swapped(
    count: Index, patients: SimulatedPatients, expected: Array, calibration: WorldCalibration, rng: np.random.Generator
) -> Index:
    """Swap counts between patients of similar expectation as long as the margins come closer.

    The margins are the expected malignant lesions of each level, and the published patients with any in each third by
    size.
    """
    margins = _margins(patients, calibration)
    expectations = [np.bincount(level, weights=expected, minlength=len(cases)) for level, cases in margins]
    facts = published()
    having = np.array(facts["patients"]["positive_by_size_third"]) * count.sum() / facts["totals"]["malignant"]
    target = np.concatenate([*expectations, having])
    starts = np.cumsum([0, *(len(part) for part in expectations)])
    code = np.stack([level for level, _ in margins] + [_thirds(patients)], axis=1) + starts
    have = np.bincount(code[:, :-1].ravel(), np.repeat(count, len(margins)), len(target)).astype(np.float64)
    have += np.bincount(code[count > 0, -1], minlength=len(target))
    order = np.argsort(expected, kind="stable")
    first = rng.integers(0, len(count), _SWAPS)
    second = (first + rng.integers(1, _NEIGHBOURS, _SWAPS)).clip(max=len(count) - 1)
    count, room = count.copy(), np.maximum(1, patients.size // 2)
    for left, right in zip(order[first], order[second], strict=True):
        move = count[left] - count[right]
        if move == 0 or count[left] > room[right] or count[right] > room[left]:
            continue
        moves = np.append(np.full(len(margins), move), int(count[left] > 0) - int(count[right] > 0))
        step = np.zeros(len(target))
        step[code[left]] -= moves
        step[code[right]] += moves
        if np.sum(step * (2.0 * (have - target) + step) / (target + 1.0)) < 0:
            have += step
            count[left], count[right] = count[right], count[left]
    return count
