"""The short list: which of a patient's lesions to look at, by a fixed number or by what it promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from engine.errors import InputError
from submissions.conformal import Limit, Promise, find_limit

By = Literal["rank", "score"]
TOP = 15


@dataclass(frozen=True)
class Shortlist:
    """A rule that says which lesions are on the list.

    Attributes:
        by: "rank": the same number of lesions for every patient; "score": every lesion that scores enough, so some
            patients' lists are long and others' are empty.
        limit: The number of lesions, or the least score.
        promise: What the list promises; None if the number was simply chosen.
        found: What the promise is based on.
    """

    by: By
    limit: float
    promise: Promise | None = None
    found: Limit | None = None

    @classmethod
    def top(cls, k: int = TOP) -> Shortlist:
        """The first k lesions of every patient.

        Raises:
            InputError: k is below 1.
        """
        if k < 1:
            raise InputError(f"a short list of {k} lesions", where="--top", remedy="choose at least 1")
        return cls("rank", float(k))

    @classmethod
    def promised(cls, lesions: pl.DataFrame, promise: Promise, *, by: By = "rank") -> Shortlist:
        """The shortest list that keeps a promise.

        Args:
            lesions: Labelled lesions: `patient_id`, `target`, `score` and `rank`, as `ranked_within` returns them.
            promise: The promise to keep.
            by: See the attribute.

        Raises:
            InputError: Too few patients have a malignant lesion.
        """
        malignant = lesions.filter(pl.col("target") == 1)
        entry = malignant["rank"] if by == "rank" else -malignant["score"]
        patient = malignant["patient_id"].rank("dense")
        found = find_limit(entry.cast(pl.Float64).to_numpy(), patient.cast(pl.Int64).to_numpy(), promise)
        return cls(by, found.entry if by == "rank" else -found.entry, promise, found)

    @property
    def listed(self) -> pl.Expr:
        """Whether a lesion, with its columns `rank` and `score`, is on the list."""
        return pl.col("rank") <= self.limit if self.by == "rank" else pl.col("score") >= self.limit

    def words(self, *, is_all: bool = False) -> str:
        """The rule and its promise; if it lists every lesion (`is_all`), that no shorter list is known to keep it."""
        if is_all and self.promise:
            return "every lesion: no shorter list is known to keep the sensitivity that was asked for"
        return str(self)

    def __str__(self) -> str:
        if self.by == "score":
            rule = f"every lesion that scores at least {self.limit:.6g}"
        else:
            rule = f"the first {self.limit:.0f} lesions of each patient"
        return f"{rule}: {self.promise}" if self.promise else rule

    def as_dict(self, *, is_all: bool = False) -> dict[str, Any]:
        """Ready for JSON; without the promise if the list is all of the lesions (`is_all`)."""
        kept = self.promise is not None and self.found is not None and not is_all
        found = {"patients": self.found.patients, "mean_loss": self.found.mean_loss} if kept and self.found else None
        promise = self.promise.as_dict() if kept and self.promise else None
        words = self.words(is_all=is_all)
        return {"by": self.by, "limit": self.limit, "words": words, "promise": promise, "found_on": found}
