"""Are new lesions like those of training, and do their scores mean the same?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from cohort.findings import Check, Finding
from ensemble.matrix import Matrix
from ensemble.run_checks.measures import Floats, Rows, generator, largest_gap, level_gap, thinned

SHIFTED = Check("UD214", "features that are distributed otherwise in new lesions", "warning")
OTHER_SCALE = Check("UD215", "scores of new lesions on another scale than those out of fold", "warning")
GAP = 0.1
"""Smaller gaps between two distributions are ignored."""
_DRAWS = 20
_LESIONS = 5_000
_KINDS = ("gap", "missing")
_LEAST_SPREAD = 0.005  # a share that hardly varies in training must not be flagged for a single lesion
_FEWEST = 50
_QUANTILES = 1_000
_FEWEST_SCORES = 20  # one distribution needs fewer lesions than hundreds of features do
_LEVELS = (0.5, 0.9, 0.99)


def shifted_features(train: Matrix, patient: pl.Series, new: Matrix, new_patients: int) -> Finding:
    """Compare each feature's distribution, and its share of missing values, with training.

    A few patients differ from the rest by chance, especially in what is the same for a whole patient. So the gap of
    each feature is also measured 20 times between as many randomly drawn training patients and the rest. A feature
    counts as shifted if its gap lies more standard deviations above the mean of those gaps than any feature's in any
    of the 20 draws (Westfall and Young, Resampling-Based Multiple Testing, 1993).

    Args:
        train: Features of training lesions.
        patient: Their patients.
        new: Features of new lesions, in the same order.
        new_patients: How many patients they come from.
    """
    if len(new) < _FEWEST:
        return SHIFTED.not_applicable(f"{len(new)} lesions are too few to compare distributions")
    gaps = _gaps(train, thinned(np.arange(len(train)), _LESIONS), new.values[thinned(np.arange(len(new)), _LESIONS)])
    drawn = _draws(_codes(patient), new_patients)
    noise = np.stack([_gaps(train, others, train.values[ours]) for ours, others in drawn])
    centre, spread = noise.mean(axis=0), np.maximum(noise.std(axis=0, ddof=1), _LEAST_SPREAD)
    limit = float(((noise - centre) / spread).max())
    shifted = (gaps > GAP) & ((gaps - centre) / spread > limit)
    values = {
        name: {kind: float(gaps[place, k]) for k, kind in enumerate(_KINDS) if shifted[place, k]}
        for place, name in enumerate(train.space.names)
        if shifted[place].any()
    }
    if not values:
        return SHIFTED.clear(f"{len(train.space.names)} features, {len(new)} lesions of {new_patients} patients")
    ranked = sorted(values, key=lambda name: -max(values[name].values()))
    words = ", ".join(f"{name} ({max(values[name].values()):.2f})" for name in ranked[:3])
    return SHIFTED.found(
        f"{len(values)} of {len(train.space.names)} features, most of all {words}",
        features={name: values[name] for name in ranked},
    )


def _gaps(train: Matrix, rows: Rows, other: Floats) -> Floats:
    """Gap of each feature in values and in the share missing; shape (features, 2), 0 where not defined."""
    here = train.values[rows]
    found = np.zeros((len(train.space.names), len(_KINDS)))
    for place, name in enumerate(train.space.names):
        ours, theirs = here[:, place], other[:, place]
        found[place, 0] = (level_gap if name in train.space.levels else largest_gap)(ours, theirs)
        found[place, 1] = abs(float(np.isnan(ours).mean()) - float(np.isnan(theirs).mean()))
    return np.nan_to_num(found)


@dataclass(frozen=True)
class ScoreScale:
    """The distribution of out-of-fold scores, as a summary that names no lesion and can be stored.

    Attributes:
        scores: Scores at evenly spaced quantiles, ascending.
        by_chance: By number of patients, the largest gap seen when so many training patients are drawn at random.
        lesions: Number of lesions of the median patient, 1 or more.
    """

    scores: tuple[float, ...]
    by_chance: Mapping[int, float]
    lesions: float

    @classmethod
    def of(cls, oof: Floats, patient: pl.Series, patients: int | None = None) -> ScoreScale:
        """Summarise scores.

        Args:
            oof: Scores of training lesions, shape (lesions,).
            patient: Their patients.
            patients: The only number of new patients that will be asked for; None for any number.
        """
        code = _codes(patient)
        counts = _counts(max(1, (int(code.max()) + 1) // 2))
        asked = counts if patients is None else [_asked(counts, patients)]
        chance = {n: max(largest_gap(oof[ours], oof[others]) for ours, others in _draws(code, n)) for n in asked}
        levels = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
        scores = np.quantile(oof[np.isfinite(oof)], levels).tolist()
        by_chance = {n: round(gap, 6) for n, gap in chance.items()}
        return cls(tuple(float(f"{one:.6g}") for one in scores), by_chance, median_lesions(patient))

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> ScoreScale:
        """Read back what `dataclasses.asdict` gave and JSON stored."""
        by_chance = {int(n): gap for n, gap in stored["by_chance"].items()}
        return cls(tuple(stored["scores"]), by_chance, stored["lesions"])

    def compare(self, new: Floats, patients: int) -> Finding:
        """Compare scores of new lesions with these.

        Out of fold, one model per seed scores a lesion; a new lesion gets the mean of all folds' models, which varies
        less. As with features, a gap must exceed the gaps of randomly drawn training patients.

        Args:
            new: Scores of new lesions, shape (new lesions,).
            patients: How many patients they come from.
        """
        if len(new) < _FEWEST_SCORES:
            return OTHER_SCALE.not_applicable(f"{len(new)} lesions are too few to compare distributions")
        oof, noise = np.array(self.scores), self.by_chance[_asked(self.by_chance, patients)]
        gap = largest_gap(oof, new)
        quantiles = {f"{level:.0%}": [float(np.quantile(each, level)) for each in (oof, new)] for level in _LEVELS}
        words = ", ".join(f"{level} {ours:.3f} and {theirs:.3f}" for level, (ours, theirs) in quantiles.items())
        measured = f"gap {gap:.3f}, by chance up to {noise:.3f}; quantiles out of fold and new: {words}"
        ask = OTHER_SCALE.found if gap > max(GAP, noise) else OTHER_SCALE.clear
        return ask(measured, gap=gap, by_chance=noise, quantiles=quantiles)


def median_lesions(patient: pl.Series) -> float:
    """Number of lesions of the median patient, from the patient of each lesion."""
    return float(np.median(np.bincount(_codes(patient))))


def _counts(most: int) -> list[int]:
    """1, 2, 3, 4, 6, 8, 12 … up to a number."""
    powers = [2**power for power in range(most.bit_length())]
    return sorted({*powers, *(3 * power for power in powers if 3 * power <= most)})


def _asked(counts: Iterable[int], patients: int) -> int:
    """The largest count not above the number of patients: fewer patients differ more by chance."""
    return max(count for count in counts if count <= max(patients, min(counts)))


def _codes(patient: pl.Series) -> Rows:
    return patient.rank("dense").to_numpy().astype(np.intp) - 1


def _draws(code: Rows, patients: int) -> list[tuple[Rows, Rows]]:
    """Rows of randomly drawn patients, and of the others; at most half the patients are drawn."""
    count = int(code.max()) + 1
    random = generator()
    parts = []
    for _ in range(_DRAWS):
        chosen = np.isin(code, random.choice(count, size=max(1, min(patients, count // 2)), replace=False))
        parts.append((thinned(np.flatnonzero(chosen), _LESIONS), thinned(np.flatnonzero(~chosen), _LESIONS)))
    return parts
