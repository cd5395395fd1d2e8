"""What the bootstrap draws with replacement: patients, or lesions if no patient is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cv_folds.metrics.inputs import Flags, Floats, Ints

#: Numbers in one chunk of draws: 16 MiB of float64.
CHUNK_NUMBERS = 2**21
CHUNK_REPLICATES = 256
#: Drawing one multinomial count takes about as long as drawing this many patients one by one.
COUNT_COST = 8


@dataclass(frozen=True)
class Units:
    """Patients, with those alike to every metric or share taken together if that saves work.

    Patients with a single lesion are alike if their lesions fall into the same slot of every view and score.
    So if only lesions are drawn, 401,059 of them make some thousand units, and a replicate is one multinomial
    draw of their counts: the same distribution as drawing lesions one by one.

    Attributes:
        rows: The rows counted: every lesion of each unit's first patient; shape (rows,).
        code: Unit of each of these rows, from 0; shape (rows,).
        multiplicity: Patients in each unit; shape (units,).
    """

    rows: Ints
    code: Ints
    multiplicity: Ints

    @classmethod
    def of(cls, patient: Ints, profiles: Sequence[Ints]) -> Units:
        """Group patients into units; each is its own unless grouping makes far fewer.

        Args:
            patient: Patients numbered from 0 without a gap, shape (rows,); one number per row to draw lesions.
            profiles: Slot of each row for each view and score, -1 outside the view; each of shape (rows,).
        """
        lesions = np.bincount(patient)
        if lesions.size >= COUNT_COST * np.count_nonzero(lesions > 1):
            grouped = cls._grouped(patient, lesions[patient] == 1, profiles)
            if lesions.size >= COUNT_COST * grouped.size:
                return grouped
        return cls(np.arange(patient.size), patient, np.ones(lesions.size, dtype=np.int64))

    @classmethod
    def _grouped(cls, patient: Ints, single: Flags, profiles: Sequence[Ints]) -> Units:
        kind = np.where(single, 0, patient + 1)
        for profile in profiles:
            kind = kind * (int(profile.max()) + 2) + np.where(single, profile + 1, 0)
            kind = np.unique(kind, return_inverse=True)[1]
        first, code = np.unique(kind, return_index=True, return_inverse=True)[1:]
        counted = ~single
        counted[first] = True
        patients = np.bincount(code[single], minlength=first.size)
        return cls(np.flatnonzero(counted), code[counted], np.maximum(patients, 1))

    @property
    def size(self) -> int:
        """Number of units."""
        return int(self.multiplicity.size)

    def draws(self, seed: int) -> Iterator[Floats]:
        """Yield endless chunks of replicates: how often each unit's patients are drawn, shape (units, replicates).

        Whole numbers in float64, so sums and matrix products of them are exact in any order.

        Args:
            seed: Seed of a PCG64 generator; the same seed gives every compared score the same draws.
        """
        generator = np.random.Generator(np.random.PCG64(seed))
        patients = int(self.multiplicity.sum())
        chunk = int(np.clip(CHUNK_NUMBERS // self.size, 4, CHUNK_REPLICATES))
        while True:
            if patients == self.size:
                cell = generator.integers(0, patients, size=(chunk, patients)) * chunk + np.arange(chunk)[:, np.newaxis]
                counts = np.bincount(cell.ravel(), minlength=patients * chunk).reshape(patients, chunk)
            else:
                counts = generator.multinomial(patients, self.multiplicity / patients, size=chunk).T
            yield np.ascontiguousarray(counts, dtype=np.float64)

    def replicates(self, wanted: int, seed: int) -> Iterator[Floats]:
        """Yield the first `wanted` replicates of `draws`, in chunks of the same form."""
        for weights in self.draws(seed):
            yield weights[:, :wanted]
            wanted -= weights.shape[1]
            if wanted <= 0:
                return
