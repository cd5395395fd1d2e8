"""Dealing patients into folds: stratified randomisation, then swaps until the folds are level.

1. Patients with a malignant lesion and patients without form two decks, each sorted by what is to be balanced.
2. Each deck is cut into blocks of as many patients as there are folds (the last block is filled up with empty seats),
   and each block is dealt one patient to a fold, in an order drawn by hashing. So every fold gets the same number of
   patients with and without malignant lesions, give or take one, and of similar ones.
3. While malignant lesions or rows are uneven, the two patients whose exchange levels the folds most are exchanged:
   first two of one block, which keeps what step 2 has balanced, then two of the same or of neighbouring blocks, which
   a single patient with thousands of lesions can require. It stops as soon as the folds are level, so that the draw,
   not the search, decides where a patient goes, and different seeds give different folds.

Random order comes from BLAKE2 of the seed and the patient's id, not from a library's generator: the same patients and
seed give the same folds with every version of every library, in any row order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from cv_folds.metrics.inputs import Floats, Ints

#: Folds whose rows are within this share of their mean are level.
LEVEL_ROWS = 0.01
#: Folds whose malignant lesions differ by at most this many are level.
LEVEL_MALIGNANT = 1
#: How much an uneven share of malignant lesions matters, against an equally uneven share of rows.
WEIGHTS = (4.0, 1.0)
#: An exchange must lower the summed squared relative deviations by this much; less is rounding.
SMALLEST_GAIN = 1e-12


@dataclass(frozen=True)
class Patients:
    """What dealing needs to know, one entry per patient (or group of linked patients), sorted by name.

    Attributes:
        names: Ids.
        malignant: Malignant lesions of each.
        rows: Lesions of each, malignant ones included.
    """

    names: Sequence[str]
    malignant: Ints
    rows: Ints


def deal(patients: Patients, n_folds: int, *, first_by: str, seed: str) -> Ints:
    """Deal patients into folds.

    Args:
        patients: At least `n_folds` of them with a malignant lesion.
        n_folds: At least 2.
        first_by: "malignant" sorts patients by malignant lesions, then rows; "rows" the other way round.
        seed: Any text.

    Returns:
        The fold of each patient, from 0; shape (patients,).
    """
    order = _keys(seed, patients.names)
    keys = (patients.malignant, patients.rows) if first_by == "malignant" else (patients.rows, patients.malignant)
    sequence = np.lexsort((order, -keys[1], -keys[0]))
    carrier = patients.malignant[sequence] > 0
    decks = [_with_empty_seats(deck, n_folds) for deck in (sequence[carrier], sequence[~carrier])]
    seated = np.concatenate(decks)
    chance = np.where(seated >= 0, order[seated], _keys(f"{seed} seats", [str(seat) for seat in range(seated.size)]))
    blocks = chance.reshape(-1, n_folds)
    fold = np.argsort(np.argsort(blocks, axis=1, kind="stable"), axis=1, kind="stable").ravel()
    loads = np.stack([patients.malignant, patients.rows], axis=1).astype(np.float64)
    loads = np.where(seated[:, np.newaxis] >= 0, loads[seated], 0.0)
    deck_of = np.repeat([0, 1], [deck.size for deck in decks])
    deck_of[seated < 0] = -1
    for pairs_of in (_same_block, _near):
        if not _is_level(_totals(fold, loads, n_folds)):
            fold = _levelled(fold, loads, pairs_of(deck_of, n_folds), n_folds)
    of_patient = np.empty(len(patients.names), dtype=np.int64)
    of_patient[seated[seated >= 0]] = fold[seated >= 0]
    return of_patient


def _keys(seed: str, names: Sequence[str]) -> NDArray[np.uint64]:
    """A number for each name, as good as random."""
    digests = (hashlib.blake2b(f"{seed}\x1f{name}".encode(), digest_size=8).digest() for name in names)
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)


def _with_empty_seats(deck: Ints, n_folds: int) -> Ints:
    """Fill a deck up to whole blocks; -1 is an empty seat."""
    padded = np.full(-(-deck.size // n_folds) * n_folds, -1, dtype=np.int64)
    padded[: deck.size] = deck
    return padded


def _same_block(deck: Ints, n_folds: int) -> tuple[Ints, Ints]:
    """All pairs of seats in one block."""
    one, other = np.array(list(combinations(range(n_folds), 2))).T
    start = np.arange(0, deck.size, n_folds)[:, np.newaxis]
    return (start + one).ravel(), (start + other).ravel()


def _near(deck: Ints, n_folds: int) -> tuple[Ints, Ints]:
    """All pairs of seats in one deck that are at most two blocks apart; empty seats are a deck of their own."""
    seat = np.arange(deck.size)
    distances = range(1, min(2 * n_folds, deck.size - 1) + 1)
    one = np.concatenate([seat[:-distance] for distance in distances])
    other = np.concatenate([seat[distance:] for distance in distances])
    alike = deck[one] == deck[other]
    return one[alike], other[alike]


def _levelled(fold: Ints, loads: Floats, pairs: tuple[Ints, Ints], n_folds: int) -> Ints:
    """Exchange pairs until the folds are level, or no exchange helps.

    Args:
        fold: Fold of each seat; shape (seats,).
        loads: Malignant lesions and rows in each seat; shape (seats, 2).
        pairs: Seats that may be exchanged.
        n_folds: At least 2.
    """
    one, other = pairs
    fold = fold.copy()
    totals = _totals(fold, loads, n_folds)
    gain: Floats = loads[other] - loads[one]
    while not _is_level(totals):
        change = _change(gain, totals[fold[one]] - totals[fold[other]], totals.mean(axis=0))
        change[fold[one] == fold[other]] = 0
        best = int(np.argmin(change))
        if change[best] > -SMALLEST_GAIN:
            break
        totals[fold[one[best]]] += gain[best]
        totals[fold[other[best]]] -= gain[best]
        fold[[one[best], other[best]]] = fold[[other[best], one[best]]]
    return fold


def _totals(fold: Ints, loads: Floats, n_folds: int) -> Floats:
    """Malignant lesions and rows of each fold; shape (n_folds, 2)."""
    return np.stack([np.bincount(fold, load, n_folds).astype(np.float64) for load in loads.T], axis=1)


def _is_level(totals: Floats) -> bool:
    malignant, rows = totals[:, 0], totals[:, 1]
    return bool(np.ptp(malignant) <= LEVEL_MALIGNANT and np.abs(rows / rows.mean() - 1).max() <= LEVEL_ROWS)


def _change(gain: Floats, lead: Floats, mean: Floats) -> Floats:
    """Change of the summed squared relative deviations when one fold, ahead by `lead`, gains what the other loses."""
    change = 2 * (gain / mean) * ((gain + lead) / mean)
    return np.asarray(WEIGHTS[0] * change[:, 0] + WEIGHTS[1] * change[:, 1])
