"""What every metric accepts: checked arrays, or an InputError that names the row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from engine.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class MetricInput:
    """Checked columns of a metric, all of shape (lesions,).

    Attributes:
        malignant: True for malignant lesions.
        score: Any finite number; higher means more suspicious.
        weight: How often each lesion counts, at least 0.
    """

    malignant: Flags
    score: Floats
    weight: Floats


def checked_lesions(
    target: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None, *, both_classes: bool = True
) -> MetricInput:
    """Check the arrays that a binary metric was given.

    Args:
        target: 1 malignant, 0 benign; shape (lesions,).
        score: Finite numbers; float32 is widened without rounding.
        weight: Finite numbers of at least 0; None counts every lesion once.
        both_classes: Require malignant and benign lesions of positive weight.

    Raises:
        InputError: Lengths differ, an array is empty or not one-dimensional, a target is not 0 or 1, a score is
            NaN or infinite, a weight is negative, NaN or infinite, or (with `both_classes`) one class is missing.
    """
    values = checked_numbers(score, "score")
    labels = column_of_numbers(target, "target")
    weights = np.ones(values.size) if weight is None else checked_numbers(weight, "weight")
    for name, column in (("target", labels), ("weight", weights)):
        same_length(values, column, ("score", name))
    refuse_rows(~((labels == 0) | (labels == 1)), labels, "target", "is neither 0 nor 1", "code malignant 1, benign 0")
    refuse_rows(weights < 0, weights, "weight", "is negative", "give weights of at least 0")
    lesions = MetricInput(labels == 1, values, weights)
    if both_classes:
        _require_both_classes(lesions)
    return lesions


def _require_both_classes(lesions: MetricInput) -> None:
    for name, members in (("malignant", lesions.malignant), ("benign", ~lesions.malignant)):
        if not lesions.weight[members].any():
            raise InputError(
                f"there is no {name} lesion of positive weight",
                where="target",
                remedy="a ranking needs lesions of both classes; score more lesions together",
            )


def checked_numbers(values: ArrayLike, name: str) -> Floats:
    """A one-dimensional, finite float64 array.

    Raises:
        InputError: Not one-dimensional, empty, not numeric, NaN or infinite.
    """
    array = column_of_numbers(values, name)
    refuse_rows(~np.isfinite(array), array, name, "is not finite", "replace NaN and infinite values")
    return array


def column_of_numbers(values: ArrayLike, name: str) -> Floats:
    """A one-dimensional, non-empty float64 array; it may hold NaN.

    Raises:
        InputError: Not one-dimensional, empty or not numeric.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"not a column of numbers ({error})", where=name, remedy="give numbers only") from error
    if array.ndim != 1 or array.size == 0:
        raise InputError(
            f"has shape {array.shape}", where=name, remedy="give one dimension with one value for each lesion"
        )
    return array


def same_length(first: NDArray[np.generic], second: NDArray[np.generic], names: tuple[str, str]) -> None:
    """Refuse two columns of different length.

    Raises:
        InputError: The lengths differ.
    """
    if first.size != second.size:
        raise InputError(
            f"{names[0]} has {first.size} rows and {names[1]} has {second.size}",
            remedy="join them on the lesion's id first",
        )


def refuse_rows(bad: Flags, values: Floats, name: str, what: str, remedy: str) -> None:
    """Refuse a column in which any row is marked bad; the message names the first and counts them.

    Raises:
        InputError: At least one row is bad.
    """
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            f"{values[row]:g} {what} ({int(bad.sum())} such rows)", where=f"{name}, row {row}", remedy=remedy
        )


def patient_codes(patient: ArrayLike | pl.Series, rows: int) -> Ints:
    """Number patients 0, 1, … in the order of their sorted ids, so that nothing depends on the order of rows.

    Args:
        patient: Ids as text or integers, shape (rows,).
        rows: How many are expected.

    Raises:
        InputError: An id is missing or the length differs.
    """
    series = patient if isinstance(patient, pl.Series) else pl.Series("patient_id", np.asarray(patient))
    if len(series) != rows:
        raise InputError(
            f"{rows} lesions but {len(series)} patient ids", where="patient_id", remedy="give one id for each lesion"
        )
    if series.null_count():
        raise InputError(
            f"{series.null_count()} lesions have no patient id", where="patient_id", remedy="fill in the patient's id"
        )
    return (series.rank("dense").cast(pl.Int64) - 1).to_numpy()


def fraction(value: float, name: str, *, zero: bool = True, one: bool = True) -> float:
    """Check that a parameter lies between 0 and 1.

    Args:
        value: The parameter.
        name: Its name, for the message.
        zero: Whether 0 itself is allowed.
        one: Whether 1 itself is allowed.

    Raises:
        InputError: It does not.
    """
    low, high = ("[" if zero else "("), ("]" if one else ")")
    if not (0 < value < 1 or (zero and value == 0) or (one and value == 1)):
        raise InputError(f"{value} is outside {low}0, 1{high}", where=name, remedy=f"choose a value in {low}0, 1{high}")
    return float(value)
