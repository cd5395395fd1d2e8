"""Are these patients real, or simulated? The page says so first, or says that it cannot tell."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import polars as pl

from cohort.frames import ID, collect

Origin = Literal["simulated", "real", "unknown"]

#: The known probabilities that `uglyduck simulate` writes next to a table; nobody knows them for a real lesion.
TRUTH = "truth.parquet"
_SIMULATED = {"kind": "simulated", "why": f"the simulator's known probabilities of these lesions lie in {TRUTH}"}
_KNOWN = {ID, "p_table", "p_crop", "p_both"}


def find_origin(metadata: Path, ids: pl.Series) -> dict[str, str]:
    """Tell whether a training table is simulated, by what lies next to it.

    A simulated table has the known probabilities of its lesions next to it. Nothing in a table proves that it is real,
    so that has to be stated.

    Args:
        metadata: The training table.
        ids: Its isic_ids.

    Returns:
        `kind` ("simulated" or "unknown") and `why`, one sentence.
    """
    if _holds_truth(Path(metadata).parent / TRUTH, ids):
        return _SIMULATED
    return {"kind": "unknown", "why": "nothing next to the table says that it was simulated, and nobody stated it"}


def origin_of(found: Mapping[str, str], *, simulated: bool, stated: Origin | None = None) -> dict[str, str]:
    """What a page says about the origin of its lesions.

    Args:
        found: See `find_origin`.
        simulated: Whether the run was given the known probabilities of its lesions.
        stated: What the user states; a simulated table is simulated whatever is stated.

    Returns:
        `kind` ("simulated", "real" or "unknown") and `why`, one sentence.
    """
    if simulated or found["kind"] == "simulated":
        return _SIMULATED
    if stated in {"real", "simulated"}:
        return {"kind": str(stated), "why": "stated by whoever made this page"}
    return dict(found)


def _holds_truth(path: Path, ids: pl.Series) -> bool:
    if not path.is_file():
        return False
    truth = pl.scan_parquet(path)
    if not set(truth.collect_schema().names()) >= _KNOWN:
        return False
    known = collect(truth.select(ID))[ID]
    return bool(ids.is_in(known.implode()).all())
