"""Tables of new lesions, read as the run's training table was read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cohort.reading import Cohort, read_cohort
from engine.console import log
from uglyduck.run.run import Run


def read_new_lesions(
    run: Run, metadata: Path, *, groups: Path | None = None, join: Sequence[Path] = (), strict: bool = False
) -> Cohort:
    """Read lesions to score; columns may be absent, ids may not.

    Args:
        run: The run that is to score them.
        metadata: Their table.
        groups: ISIC 2018: which images show one lesion.
        join: Tables whose columns are added; see `cohort.reading.read_cohort`.
        strict: Refuse a value that cannot be used; it counts as missing otherwise, and a line says so.

    Raises:
        InputError: The table cannot be read.
    """
    data = run.config.data
    cohort = read_cohort(
        metadata,
        ungrouped=data.ungrouped,
        groups=groups,
        columns=data.mapping,
        join=join or None,
        odd="refuse" if strict else "missing",
    )
    for line in cohort.odd:
        log.warning("%s", line)
    return cohort
