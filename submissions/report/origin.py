"""Are these people, or are they simulated? The page says it first, and says when it can not tell."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import polars as pl

from cohort.frames import ID, collect

Origin = Literal["simulated", "real", "unknown"]

#: The known probabilities that `uglyduck simulate` writes beside a table; nobody knows them of a real lesion.
TRUTH = "truth.parquet"
_KNOWN = {ID, "p_table", "p_crop", "p_both"}


def tell_origin(
    metadata: Path, ids: pl.Series, *, truth: Path | None = None, stated: Origin | None = None
) -> dict[str, str]:
    """Say whether a training table is simulated.

    A simulated table has its known probabilities beside it, of the same lesions. Nothing in a table proves that it is
    real, so that has to be stated.

    Args:
        metadata: The training table.
        ids: Its isic_ids.
        truth: The known probabilities, where they lie elsewhere.
        stated: What the user says; a simulated table is simulated whatever is said.

    Returns:
        `kind` ("simulated", "real" or "unknown") and `why`, one sentence.
    """
    known = truth or Path(metadata).parent / TRUTH
    if _holds_truth(known, ids):
        return {"kind": "simulated", "why": f"the simulator's known probabilities of these lesions lie in {known.name}"}
    if stated in {"real", "simulated"}:
        return {"kind": str(stated), "why": "stated by whoever made this page"}
    return {"kind": "unknown", "why": "nothing beside the table says that it was simulated, and nobody stated it"}


def _holds_truth(path: Path, ids: pl.Series) -> bool:
    if not path.is_file():
        return False
    truth = pl.scan_parquet(path)
    if not set(truth.collect_schema().names()) >= _KNOWN:
        return False
    known = collect(truth.select(ID))[ID]
    return bool(ids.is_in(known.implode()).all())
