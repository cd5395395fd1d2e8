"""Tables of new lesions: read as the training table was read, scored, and compared with the training lesions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from cohort.frames import collect
from cohort.reading import Cohort, read_cohort
from engine.console import log
from engine.errors import InputError
from submissions.fitted_run import FittedRun
from submissions.suitability import Caution, cautions, scales_of
from uglyduck.run.run import Run


@dataclass(frozen=True)
class NewTable:
    """A table of new lesions, and how it is read and scored.

    Attributes:
        metadata: The table; columns may be absent, ids may not.
        images: Their crops.
        image_scores: A table of their image scores, in place of crops.
        groups: ISIC 2018: which images show one lesion.
        join: Tables whose columns are added; see `cohort.reading.read_cohort`.
        strict: Refuse a value that cannot be used; otherwise it counts as missing, and a log line says so.
        anyway: Also score a table that lacks most of what the models go by.
    """

    metadata: Path
    images: Path | None = None
    image_scores: Path | None = None
    groups: Path | None = None
    join: Sequence[Path] | None = None
    strict: bool = False
    anyway: bool = False

    @classmethod
    def named(cls, metadata: Path | None, **how: Any) -> NewTable | None:  # noqa: ANN401 - each as its attribute
        """The table that a command's options name; None if they name none.

        Args:
            metadata: The table.
            how: Other attributes, by the names of their options; a false value was not given.

        Raises:
            InputError: Options say how to read a table, but none is given.
        """
        if metadata is not None:
            return cls(metadata, **how)
        if said := ", ".join(f"--{name.replace('_', '-')}" for name, value in how.items() if value):
            raise InputError("there is no table to read so", where=said, remedy="name the new lesions with --metadata")
        return None

    def read(self, run: Run) -> Cohort:
        """The lesions.

        Raises:
            InputError: The table cannot be read.
        """
        data = run.config.data
        cohort = read_cohort(
            self.metadata,
            ungrouped=data.ungrouped,
            groups=self.groups,
            columns=data.mapping,
            join=self.join or None,
            all_text=False,
            odd="refuse" if self.strict else "missing",
        )
        for line in cohort.odd:
            log.warning("%s", line)
        return cohort

    def score(self, run: Run) -> ScoredTable:
        """The lesions scored by the mean of the run's fold models.

        Raises:
            InputError: The table or the images cannot be read, the run is not finished, or the table lacks most of what
                its models go by and `anyway` is false.
        """
        fitted, cohort = run.fitted(), self.read(run)
        seen = fitted.image_table(cohort.frame["isic_id"], crops=self.images, scored=self.image_scores)
        scores = fitted.score(cohort.frame, seen, anyway=self.anyway, warn=False).select(
            "isic_id", "risk", score="blend"
        )
        found = cautions(fitted, cohort.frame, seen, scores, scales_of(training_scores(run)))
        return ScoredTable(fitted, cohort, seen, scores, found)


@dataclass(frozen=True)
class ScoredTable:
    """New lesions and what the models say about them.

    Attributes:
        fitted: The run that scored them.
        cohort: The lesions.
        images: Their image scores; None if there are no crops.
        scores: `isic_id`, `risk` and `score`, in the order of the canonical table.
        cautions: How the lesions differ from the training lesions.
    """

    fitted: FittedRun
    cohort: Cohort
    images: pl.DataFrame | None
    scores: pl.DataFrame
    cautions: Sequence[Caution]


def training_scores(run: Run) -> pl.DataFrame:
    """`patient_id`, `blend` and, in runs with images, `table` of the training lesions, out of fold.

    Raises:
        InputError: The run is not finished, or the file is damaged.
    """
    run.manifest.check(run.folder.oof)
    return collect(pl.scan_parquet(run.folder.oof).select(pl.col("^(patient_id|blend|table)$")))
