"""Which lesions are explained when explaining all would take too long."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.errors import InputError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

LEAST_REFERENCE = 5
"""Fewest lesions that a patient's median is taken over, if the patient has that many."""


@dataclass(frozen=True)
class Selection:
    """Chosen rows of a cohort.

    Attributes:
        rows: Positions, ascending; shape (chosen,).
        patient: Patient of each, as a code from 0; shape (chosen,).
        shown: Whether the lesion is among its patient's highest scores, to be explained one by one; shape (chosen,).
        weight: How many lesions of its patient it stands for in shares and medians; 0 if it was chosen only for its
            score; shape (chosen,).
    """

    rows: Ints
    patient: Ints
    shown: Flags
    weight: Floats


def select(patient: Ints, score: Floats, *, top: int, sample: int, seed: int) -> Selection:
    """Choose each patient's highest scores and, for comparison, a random part of the patient's lesions.

    The highest scores take at most half of `sample`, patients with the most suspicious lesion first; the rest goes to
    the random part, with as many lesions of each patient as fit. A cohort of at most `sample` lesions is chosen whole.

    Args:
        patient: Patient of each lesion, as a code from 0; shape (lesions,).
        score: Higher is more suspicious; shape (lesions,).
        top: Lesions of a patient to explain one by one.
        sample: Most lesions to explain.
        seed: Seed of the random part.

    Raises:
        InputError: `sample` is too small to compare each patient's lesions with one another.
    """
    place = _place_by_score(patient, score)
    if len(patient) <= sample:
        rows = np.arange(len(patient))
        return Selection(rows, patient, place < top, np.ones(len(patient)))
    shown = _within_budget(patient, score, place < top, sample // 2)
    weight = _random_part(patient, sample - int(shown.sum()), seed)
    rows = np.flatnonzero(shown | (weight > 0))
    return Selection(rows, patient[rows], shown[rows], weight[rows])


def _place_by_score(patient: Ints, score: Floats) -> Ints:
    """Rank of each lesion among its patient's, 0 for the highest score; equal scores in row order."""
    order = np.lexsort((np.arange(len(score)), -score, patient))
    return _place_in_group(patient, order)


def _place_in_group(patient: Ints, order: Ints) -> Ints:
    """Rank of each row within its patient when rows are taken in an `order` that keeps patients together."""
    sizes = np.bincount(patient)
    starts = np.cumsum(sizes) - sizes
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.arange(len(order)) - starts[patient[order]]
    return place


def _random_part(patient: Ints, budget: int, seed: int) -> Floats:
    sizes = np.bincount(patient)
    quota = _quota(sizes, budget)
    if quota < LEAST_REFERENCE:
        needed = 2 * int(np.minimum(sizes, LEAST_REFERENCE).sum())  # the highest scores take at most half
        raise InputError(
            f"too few to compare each of {np.count_nonzero(sizes):,} patients' lesions with one another",
            where="--sample",
            remedy=f"use at least {needed}",
        )
    draw = np.random.Generator(np.random.PCG64(seed)).random(len(patient))
    place = _place_in_group(patient, np.lexsort((draw, patient)))
    taken = np.minimum(sizes, quota)
    return np.where(place < quota, sizes[patient] / taken[patient], 0.0)


def _quota(sizes: Ints, budget: int) -> int:
    """The most lesions per patient that stay within the budget in total."""
    low, high = 0, int(sizes.max())
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if np.minimum(sizes, middle).sum() <= budget else (low, middle - 1)
    return low


def _within_budget(patient: Ints, score: Floats, wanted: Flags, budget: int) -> Flags:
    """Keep the wanted lesions of whole patients, the patient with the highest score first, up to the budget."""
    highest = np.full(int(patient.max()) + 1, -np.inf)
    np.maximum.at(highest, patient, score)
    order = np.argsort(-highest, kind="stable")
    kept = np.empty(len(order), dtype=np.bool_)
    kept[order] = np.cumsum(np.bincount(patient, wanted)[order]) <= budget
    return wanted & kept[patient]
