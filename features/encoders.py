"""Encoders that are fitted with labels, and therefore inside a fold: the rate of malignancy of a category.

They are not feature groups, because `features.build` never sees a label. A caller fits one on the training rows of a
fold and gives the inner folds too: a training row is encoded from the other inner folds' rows only, so that no row's
own label (nor its patient's) is in its own encoding. Rows of the scored fold are encoded from all training rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cohort.frames import ID, collect
from engine.errors import InputError
from features.groups.specs import FeatureSpec

Labels = NDArray[np.int8]
_JOIN = " | "
_PRIOR = 50.0


@dataclass(frozen=True)
class TargetEncoder:
    """Rates of malignancy of one category or of a combination, smoothed towards the training rows' rate.

    The code of a level with n rows, k of them malignant, is (k + m r) / (n + m), r the rate over all rows (Micci-
    Barreca 2001). A level not seen in training, and one not stated, has its own row only if it was there; else r.

    Attributes:
        columns: The category, or the categories that are combined.
        prior: m, in rows.
        rate: r.
        codes: Code of each level.
    """

    columns: tuple[str, ...]
    prior: float
    rate: float
    codes: Mapping[str, float]

    @classmethod
    def fit(
        cls, frame: pl.DataFrame, target: Labels, columns: Sequence[str], *, prior: float = _PRIOR
    ) -> TargetEncoder:
        """Fit on training rows.

        Args:
            frame: Training rows, with `columns`.
            target: (n,) 0 or 1, in the order of `frame`.
            columns: The category, or the categories to combine.
            prior: m, in rows.

        Raises:
            InputError: A column is missing, there is no row, or `target` does not fit the frame.
        """
        _check(frame, target, columns)
        rate = float(target.sum()) / target.size
        level = levels(frame, columns)
        grouped = pl.LazyFrame({"level": level, "target": target}).group_by("level", maintain_order=True)
        counts = collect(grouped.agg(pl.len().alias("n"), pl.col("target").cast(pl.Int64).sum().alias("k"))).sort(
            "level"
        )
        code = (counts["k"] + prior * rate) / (counts["n"] + prior)
        return cls(tuple(columns), prior, rate, dict(zip(counts["level"].to_list(), code.to_list(), strict=True)))

    @classmethod
    def fit_encode(
        cls,
        frame: pl.DataFrame,
        target: Labels,
        columns: Sequence[str],
        *,
        inner: NDArray[np.int8],
        prior: float = _PRIOR,
    ) -> tuple[TargetEncoder, pl.DataFrame]:
        """Fit on training rows, and encode these same rows out of inner folds.

        Args:
            frame: Training rows, with `columns`, `isic_id` and `patient_id`.
            target: (n,) 0 or 1.
            columns: The category, or the categories to combine.
            inner: (n,) inner fold of each row; no patient in two.
            prior: m, in rows.

        Returns:
            The encoder for rows to come, and the training rows' own codes.

        Raises:
            InputError: As `fit`; or fewer than two inner folds, or a patient in two of them.
        """
        _check(frame, target, columns)
        _check_inner(frame, inner)
        codes = np.empty(frame.height, dtype=np.float32)
        for fold in np.unique(inner).tolist():
            held = inner == fold
            part = cls.fit(frame.filter(~held), target[~held], columns, prior=prior)
            codes[held] = part.encode(frame.filter(held))[part.name].to_numpy()
        whole = cls.fit(frame, target, columns, prior=prior)
        return whole, pl.DataFrame({ID: frame[ID], whole.name: codes})

    @property
    def name(self) -> str:
        """Name of the encoded column."""
        return f"{'_'.join(self.columns)}__rate"

    @property
    def spec(self) -> FeatureSpec:
        """Its entry in the dictionary."""
        return FeatureSpec(
            self.name,
            "rate",
            "",
            "numeric",
            f"(k + {self.prior:g} r) / (n + {self.prior:g}): n training rows with this {' and '.join(self.columns)}, "
            "k of them malignant, r the rate over all training rows",
            "",
            "Micci-Barreca, SIGKDD Explorations 3:27, 2001",
            "never",
            self.columns,
        )

    def encode(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Encode rows that were not trained on: `isic_id` and the code, Float32, in the order of `frame`."""
        code = levels(frame, self.columns).replace_strict(self.codes, default=self.rate, return_dtype=pl.Float64)
        return pl.DataFrame({ID: frame[ID], self.name: code.cast(pl.Float32)})

    def as_dict(self) -> dict[str, Any]:
        """The encoder as a JSON-able dictionary."""
        return {**asdict(self), "columns": list(self.columns)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> TargetEncoder:
        """The encoder from `as_dict`, to the last bit."""
        return cls(tuple(stored["columns"]), stored["prior"], stored["rate"], stored["codes"])


def levels(frame: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """The level of each row: the categories' values joined, "" where one is not stated."""
    texts = [pl.col(column).cast(pl.String).fill_null("") for column in columns]
    return frame.select(pl.concat_str(texts, separator=_JOIN).alias("level"))["level"]


def _check(frame: pl.DataFrame, target: Labels, columns: Sequence[str]) -> None:
    missing = [column for column in columns if column not in frame.columns]
    if missing or not columns:
        raise InputError(f"no column {missing}", where="target encoder", remedy="name categories of the table")
    if not frame.height or target.shape != (frame.height,):
        raise InputError(
            f"{target.size} labels for {frame.height} rows", where="target encoder", remedy="give one label a row"
        )


def _check_inner(frame: pl.DataFrame, inner: NDArray[np.int8]) -> None:
    folds = pl.DataFrame({"patient_id": frame["patient_id"], "inner": inner}).unique()
    if folds["inner"].n_unique() < 2:
        raise InputError("fewer than two inner folds", where="target encoder", remedy="give at least two")
    if folds["patient_id"].is_duplicated().any():
        raise InputError("a patient is in two inner folds", where="target encoder", remedy="make the folds by patient")
