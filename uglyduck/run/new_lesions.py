"""Tables of new lesions, read as the run's training table was read."""

from __future__ import annotations

from pathlib import Path

from cohort.reading import Cohort, read_cohort
from engine.console import log
from uglyduck.run.run import Run


def read_new_lesions(run: Run, metadata: Path, *, groups: Path | None = None, strict: bool = False) -> Cohort:
    """Read lesions to score; columns may be absent, ids may not.

    Args:
        run: The run that is to score them.
        metadata: Their table.
        groups: ISIC 2018: which images show one lesion.
        strict: Refuse a value that cannot be used; it counts as missing otherwise, and a line says so.

    Raises:
        InputError: The table cannot be read.
    """
    ungrouped = run.config.data.ungrouped
    cohort = read_cohort(metadata, ungrouped=ungrouped, groups=groups, odd="refuse" if strict else "missing")
    for line in cohort.odd:
        log.warning("%s", line)
    return cohort
