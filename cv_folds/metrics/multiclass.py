"""Several diagnoses instead of two classes (ISIC 2018, HAM10000)."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from cv_folds.metrics.inputs import checked_numbers, refuse_rows, same_length
from engine.errors import InputError

Label = str | int


def balanced_accuracy(target: ArrayLike, predicted: ArrayLike, *, weight: ArrayLike | None = None) -> float:
    r"""Mean over the true classes of the share of each that is recognised (balanced multi-class accuracy).

    $$ \mathrm{BA} = \frac{1}{|C|} \sum_{c \in C} \frac{W(\text{true } c, \text{predicted } c)}{W(\text{true } c)} $$

    with $C$ the classes that occur in the truth with positive weight and $W$ the weight of the lesions described.

    Range: 0 to 1; 1 / |C| for a constant prediction.

    It cannot tell which classes are confused nor how sure the prediction was, and the rarest class weighs as much
    as the commonest: with 20 lesions in a class, one of them moves the result by 0.05 / |C|.

    Source: goal metric of the ISIC 2018 challenge, task 3 (Codella et al., arXiv 1902.03368); the same as
    scikit-learn's `balanced_accuracy_score`.

    Args:
        target: The true class of each lesion, text or integers; shape (lesions,).
        predicted: The class predicted; shape (lesions,).
        weight: At least 0; shape (lesions,). None counts each lesion once.

    Raises:
        InputError: Lengths differ, nothing is given, a class is missing, or a weight is negative or not finite.
    """
    table = class_sensitivities(target, predicted, weight=weight)
    return float(np.mean(table["sensitivity"].to_numpy()))


def class_sensitivities(target: ArrayLike, predicted: ArrayLike, *, weight: ArrayLike | None = None) -> pl.DataFrame:
    """The share of each true class that is recognised.

    Args:
        target: The true class of each lesion, text or integers; shape (lesions,).
        predicted: The class predicted; shape (lesions,).
        weight: At least 0; shape (lesions,). None counts each lesion once.

    Returns:
        Columns class, weight, sensitivity; one row for each class that occurs in the truth with positive weight.

    Raises:
        InputError: As `balanced_accuracy`.
    """
    truth, guess = _classes(target, "target"), _classes(predicted, "predicted")
    weights = np.ones(truth.size) if weight is None else checked_numbers(weight, "weight")
    same_length(truth, guess, ("target", "predicted"))
    same_length(truth, weights, ("target", "weight"))
    refuse_rows(weights < 0, weights, "weight", "is negative", "give weights of at least 0")
    names, code = np.unique(truth, return_inverse=True)
    whole = np.bincount(code, weights)
    known = np.bincount(code, weights * (truth == guess))
    if not whole.any():
        raise InputError("every weight is 0", where="weight", remedy="give some lesions a weight above 0")
    present = whole > 0
    return pl.DataFrame(
        {"class": names[present], "weight": whole[present], "sensitivity": known[present] / whole[present]}
    )


def _classes(values: ArrayLike, name: str) -> NDArray[np.str_]:
    """Classes as text, so that 1 and "1" are one class."""
    series = values if isinstance(values, pl.Series) else pl.Series(name, np.asarray(values))
    if not len(series) or series.null_count():
        raise InputError("a class is missing", where=name, remedy="give one class for each lesion")
    return series.cast(pl.String).to_numpy().astype(np.str_)
