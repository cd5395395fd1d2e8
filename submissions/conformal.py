"""How far down a ranking one must read to keep a promised sensitivity: conformal risk control over patients.

A list grows with its limit: a lesion is on it when its *entry* is at most the limit. The entry is the lesion's rank
within its patient, or its score with the sign reversed. The loss of a patient with a malignant lesion is the share
of that patient's malignant lesions that are not on the list, or whether any is not. Either loss lies in [0, 1]
and falls as the list grows, so the shortest list that keeps a promise can be found on patients whose labels are known.

The promise holds for one more patient *with a malignant lesion* who is exchangeable with those: drawn from the same
population, scored in the same way. It holds over the random draw of both, however good or bad the score: a bad score
makes lists long, not promises false.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from scipy.special import bdtr, rel_entr

from cv_folds.metrics.inputs import Flags, Floats, Ints, fraction
from engine.errors import InputError

Loss = Literal["share", "any"]

#: Losses and levels that differ by less are equal: 1 - 0.9 is not 0.1 in binary, nor do thirds add up exactly.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Promise:
    r"""What a list of lesions promises.

    With n patients of known labels, $\hat R$ their mean loss at some limit, and $\alpha$ = 1 - sensitivity:

    *On average* (no confidence): the expected loss of a further patient is at most $\alpha$. A limit is allowed if
    $\frac{n}{n+1} \hat R + \frac{1}{n+1} \le \alpha$. Source: Angelopoulos, Bates, Fisch, Lei and Schuster, Conformal
    Risk Control, ICLR 2024, theorem 1.

    *With confidence* $1 - \delta$: with that probability over the n patients, the mean loss of all further patients
    is at most $\alpha$. A limit is allowed if a valid p-value of "the mean loss exceeds $\alpha$" is at most
    $\delta$; limits are tried from the longest list down. For "share" the p-value is that of Hoeffding and Bentkus,

    $$ \min\left(e^{-n\, h(\min(\hat R, \alpha), \alpha)},\;
    e \cdot P(\mathrm{Bin}(n, \alpha) \le \lceil n \hat R \rceil)\right), $$

    with $h(a, b) = a \ln\frac{a}{b} + (1 - a) \ln\frac{1 - a}{1 - b}$; for "any", where $n \hat R$ counts patients,
    it is the exact $P(\mathrm{Bin}(n, \alpha) \le n \hat R)$. Source: Bates, Angelopoulos, Lei, Malik and Jordan,
    Distribution-free, risk-controlling prediction sets, J. ACM 68:43, 2021.

    Attributes:
        sensitivity: At least this share is to be found, in (0, 1).
        confidence: In (0, 1); None promises the average only.
        loss: "share" of the patient's malignant lesions that is missed, or 1 if "any" of them is missed.

    Raises:
        InputError: A level is outside (0, 1).
    """

    sensitivity: float
    confidence: float | None = None
    loss: Loss = "share"

    def __post_init__(self) -> None:
        fraction(self.sensitivity, "sensitivity", zero=False, one=False)
        if self.confidence is not None:
            fraction(self.confidence, "confidence", zero=False, one=False)
        if self.loss not in get_args(Loss):
            raise InputError(f"no loss {self.loss!r}", where="loss", remedy=f"choose from {', '.join(get_args(Loss))}")

    @property
    def alpha(self) -> float:
        """The loss that is allowed."""
        return 1 - self.sensitivity

    @property
    def patients_needed(self) -> int:
        """Fewest patients: with fewer, not even a list that misses nothing can keep the promise."""
        if self.confidence is None:
            return math.ceil(1 / self.alpha - 1 - TOLERANCE)
        return math.ceil(math.log(1 - self.confidence) / math.log(self.sensitivity) - TOLERANCE)

    def kept(self, mean_loss: Floats, patients: int) -> Flags:
        """Whether a limit with this mean loss over so many patients keeps the promise; shape of `mean_loss`."""
        if self.confidence is None:
            return np.asarray((patients * mean_loss + 1) / (patients + 1) <= self.alpha + TOLERANCE)
        return np.asarray(self.p_value(mean_loss, patients) <= 1 - self.confidence + TOLERANCE)

    def p_value(self, mean_loss: Floats, patients: int) -> Floats:
        """P-value of "the mean loss of all patients exceeds alpha"; shape of `mean_loss`."""
        lost = np.ceil(patients * mean_loss - TOLERANCE)
        binomial = bdtr(lost, patients, self.alpha)
        if self.loss == "any":
            return np.asarray(binomial)
        a = np.minimum(mean_loss, self.alpha)
        distance = rel_entr(a, self.alpha) + rel_entr(1 - a, 1 - self.alpha)
        return np.asarray(np.minimum(np.exp(-patients * distance), math.e * binomial))

    def __str__(self) -> str:
        share = f"{100 * self.sensitivity:.4g} %"
        what = {
            "share": f"at least {share} of a patient's malignant lesions, averaged over patients",
            "any": f"every malignant lesion of at least {share} of the patients who have one",
        }[self.loss]
        sure = "expected" if self.confidence is None else f"with {100 * self.confidence:.4g} % confidence"
        return f"{what} ({sure})"

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        guarantee = "on average" if self.confidence is None else "with confidence"
        return {
            "sensitivity": self.sensitivity,
            "confidence": self.confidence,
            "loss": self.loss,
            "guarantee": guarantee,
            "patients_needed": self.patients_needed,
        }


@dataclass(frozen=True)
class Limit:
    """The smallest limit that keeps a promise.

    Attributes:
        entry: Lesions whose entry is at most this are on the list.
        patients: Number of patients with a malignant lesion that it is based on.
        mean_loss: Their mean loss at this limit; less than is allowed, to make up for the limited number of
            patients.
    """

    entry: float
    patients: int
    mean_loss: float


def find_limit(entry: Floats, patient: Ints, promise: Promise) -> Limit:
    """The smallest limit that keeps the promise.

    Args:
        entry: Entry of every malignant lesion; shape (malignant,).
        patient: Its patient, any whole numbers; shape (malignant,).
        promise: The promise to keep.

    Raises:
        InputError: There are too few patients for this promise.
    """
    patients = np.unique(patient).size
    if patients < promise.patients_needed:
        raise InputError(
            f"{patients} patients with a malignant lesion are too few to promise {promise}",
            where="short list",
            remedy=f"it takes at least {promise.patients_needed}; ask for less sensitivity or less confidence",
        )
    limits, mean_loss = mean_losses(entry, patient, promise.loss)
    chosen = int(np.argmax(promise.kept(mean_loss, patients)))
    return Limit(float(limits[chosen]), patients, float(mean_loss[chosen]))


def mean_losses(entry: Floats, patient: Ints, loss: Loss) -> tuple[Floats, Floats]:
    """Mean loss over patients at every limit that changes it.

    Args:
        entry: Entry of every malignant lesion; shape (malignant,).
        patient: Its patient; shape (malignant,).
        loss: As in `Promise`.

    Returns:
        The distinct entries, ascending, and the mean loss of a list that ends with each; the last is 0.
    """
    code = np.unique(patient, return_inverse=True)[1]
    malignant = np.bincount(code)
    if loss == "any":
        worst = np.full(malignant.size, -np.inf)
        np.maximum.at(worst, code, entry)
        entry, weight = worst, np.ones(malignant.size)
    else:
        weight = 1 / malignant[code]
    limits, place = np.unique(entry, return_inverse=True)
    lost = np.bincount(place, weight)
    beyond = np.cumsum(lost[::-1])[::-1] - lost
    return limits, np.maximum(beyond, 0) / malignant.size
