"""The competition's answer file: one id and one score per row, in the order of the test table."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from cohort.frames import ID, collect
from engine.errors import InputError
from engine.files import atomic_path

# The id column each competition's scorer asks for; all others use ours.
_ID_HEADER = {"isic2020": "image_name"}


def write_submission(scores: pl.DataFrame, order: pl.Series, path: Path, *, dataset: str = "slice3d") -> pl.DataFrame:
    """Write `isic_id,target`, a row for each lesion of the test table, in its order.

    Args:
        scores: Columns `isic_id` and `target`, the score in [0, 1]; any row order.
        order: Every id of the test table, in its order.
        path: CSV file to write, atomically: whatever is there stays until the new file is whole.
        dataset: Which competition's header to write (`image_name` for "isic2020").

    Returns:
        The table as written.

    Raises:
        InputError: An id is missing, repeated or left over, or a score is missing, not finite or outside [0, 1].
    """
    if order.n_unique() != len(order) or scores.height != len(order):
        _refuse_wrong_ids(scores[ID], order)
    # There are as many scores as distinct ids: if one id is scored twice, another has no score.
    joined = collect(order.to_frame(ID).lazy().join(scores.lazy(), on=ID, how="left", maintain_order="left"))
    if joined["target"].null_count():
        _refuse_wrong_ids(scores[ID], order)
    target = joined["target"].cast(pl.Float64)
    wrong = joined.filter(~(target.is_finite() & target.is_between(0, 1)).fill_null(value=False))
    if wrong.height:
        raise InputError(
            f"{wrong.height} scores are missing, not finite or outside 0 to 1, the first {wrong['target'][0]}",
            where=f"lesion {wrong[ID][0]}",
            remedy="a scorer would reject the file, so none was written",
        )
    answer = joined.select(pl.col(ID).alias(_ID_HEADER.get(dataset, ID)), target)
    with atomic_path(path) as temporary:
        answer.write_csv(temporary)
    return answer


def _refuse_wrong_ids(given: pl.Series, order: pl.Series) -> None:
    """Say what is wrong; slow, so called only if something is."""
    problems = {
        "repeated in the test table": order.filter(order.is_duplicated()),
        "scored twice": given.filter(given.is_duplicated()),
        "without a score": order.filter(~order.is_in(given.implode())),
        "scored but not in the test table": given.filter(~given.is_in(order.implode())),
    }
    for problem, ids in problems.items():
        if len(ids):
            raise InputError(
                f"{len(ids)} lesions are {problem}, the first {ids[0]}",
                where="submission",
                remedy="every lesion of the test table needs exactly one score",
            )
