"""The lesions to explain, patient by patient."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from ensemble.explanation.selection import Flags, Floats, Ints, Selection
from ensemble.matrix import Matrix


@dataclass(frozen=True)
class ChosenLesions:
    """Chosen lesions, with each patient's lesions together.

    Attributes:
        frame: `isic_id` and `patient_id` of the chosen rows, in the order of `selection.rows`.
        matrix: Their features, in the same order.
        score: Their blended scores; shape (chosen,).
        selection: How they were chosen.
    """

    frame: pl.DataFrame
    matrix: Matrix
    score: Floats
    selection: Selection

    def part(self, rows: Ints) -> ChosenLesions:
        """The lesions at these positions among the chosen."""
        whole = self.selection
        chosen = Selection(whole.rows[rows], whole.patient[rows], whole.shown[rows], whole.weight[rows])
        return ChosenLesions(self.frame[rows], self.matrix.rows(rows), self.score[rows], chosen)

    @property
    def reference(self) -> Flags:
        """Whether a lesion counts towards its patient's usual; shape (chosen,)."""
        return self.selection.weight > 0

    @cached_property
    def patients(self) -> list[slice]:
        """The rows of each patient."""
        patient = self.selection.patient
        ends = [*(np.flatnonzero(patient[1:] != patient[:-1]) + 1).tolist(), len(patient)]
        return [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]

    def patient_medians(self, values: Floats) -> Floats:
        """The median of each column of `values` (chosen, columns) over the reference rows of each row's patient."""
        medians = np.empty_like(values)
        for rows in self.patients:
            medians[rows] = np.median(values[rows][self.reference[rows]], axis=0)
        return medians
