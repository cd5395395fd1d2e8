"""Tables of new lesions, read as the run's training table was read."""

from __future__ import annotations

from pathlib import Path

from cohort.reading import Cohort, read_cohort
from uglyduck.run.run import Run


def read_new_lesions(run: Run, metadata: Path, *, groups: Path | None = None) -> Cohort:
    """Read lesions to score; columns may be absent, ids and patients may not.

    Args:
        run: The run that is to score them.
        metadata: Their table.
        groups: ISIC 2018: which images show one lesion.

    Raises:
        InputError: The table cannot be read.
    """
    return read_cohort(metadata, ungrouped=run.config.data.ungrouped, groups=groups)
