"""Patients of known difficulty, so that what a list of any length misses is known exactly.

Patient i is as easy as p_i ~ Beta(a, b). Each of the m_i malignant lesions stands, independently, at a rank that is
geometric: the chance to be beyond rank k is (1 - p_i)^k. Over patients the chance is B(a, b + k) / B(a, b).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import beta

from submissions.conformal import Loss, Promise, find_limit

Floats = npt.NDArray[np.float64]

EASE = (0.8, 1.2)
MALIGNANT = {1: 0.6, 2: 0.25, 4: 0.15}


def chance_beyond(k: Floats | float, power: int = 1) -> Floats:
    """Mean over patients of ((1 - p)^k)^power."""
    a, b = EASE
    return np.asarray(beta(a, b + power * np.asarray(k)) / beta(a, b))


def true_loss(k: Floats | float, loss: Loss) -> Floats:
    """The mean loss, over all patients there could be, of a list of k lesions."""
    if loss == "share":
        return chance_beyond(k)
    # All m are found with chance (1 - q)^m, q = (1 - p)^k; written out by the binomial theorem.
    missed = np.zeros_like(chance_beyond(k))
    for m, share in MALIGNANT.items():
        signs = [(-1.0) ** (j + 1) * _choose(m, j) for j in range(1, m + 1)]
        missed += share * sum(
            sign * chance_beyond(k, power) for sign, power in zip(signs, range(1, m + 1), strict=True)
        )
    return missed


def _choose(n: int, k: int) -> float:
    return float(np.prod([(n - j) / (j + 1) for j in range(k)]))


def draw(patients: int, seed: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Rank and patient of every malignant lesion of so many patients."""
    rng = np.random.default_rng([seed, patients])
    ease = rng.beta(*EASE, patients).clip(1e-6, 1 - 1e-6)
    malignant = rng.choice(list(MALIGNANT), patients, p=list(MALIGNANT.values()))
    patient = np.repeat(np.arange(patients), malignant)
    return rng.geometric(ease[patient]).astype(np.float64), patient


@dataclass(frozen=True)
class Fared:
    """How a promise fared in many cohorts.

    Attributes:
        promise: What was to be kept.
        limits: The list fitted on each cohort; shape (cohorts,).
        lost: What each of these lists truly misses; shape (cohorts,).
    """

    promise: Promise
    limits: Floats
    lost: Floats

    @property
    def kept(self) -> float:
        """Share of cohorts whose list truly keeps the sensitivity."""
        return float((self.lost <= self.promise.alpha + 1e-9).mean())

    @property
    def kept_error(self) -> float:
        """Monte-Carlo standard error of `kept`."""
        return float(np.sqrt(self.kept * (1 - self.kept) / self.lost.size))

    @property
    def mean_loss(self) -> float:
        """What a list misses, on average over cohorts."""
        return float(self.lost.mean())

    @property
    def mean_loss_error(self) -> float:
        """Monte-Carlo standard error of `mean_loss`."""
        return float(self.lost.std(ddof=1) / np.sqrt(self.lost.size))

    @property
    def broken(self) -> bool:
        """Whether the promise was broken by more than chance, three standard errors, explains."""
        confidence = self.promise.confidence
        if confidence is None:
            return self.mean_loss > self.promise.alpha + 3 * self.mean_loss_error
        return self.kept < confidence - 3 * np.sqrt(confidence * (1 - confidence) / self.lost.size)


def trial(promise: Promise, patients: int, *, repetitions: int = 500, seed: int = 0) -> Fared:
    """Fit the list on so many patients, again and again, and ask the truth what it misses."""
    cohorts = (draw(patients, seed + number) for number in range(repetitions))
    limits = np.array([find_limit(entry, patient, promise).entry for entry, patient in cohorts])
    return Fared(promise, limits, true_loss(limits, promise.loss))
