"""Models side by side on the same folds, and combined."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cohort.frames import ID, join_by_id
from cv_folds.folds import Folds
from engine.errors import InputError
from engine.files import write_parquet
from engine.outputs import try_file
from image_embeddings.combining import combined
from image_embeddings.measuring import measure
from image_embeddings.spec import Spec, checked_table
from image_embeddings.training_run import FOLDS, OOF

COMBINED = "combined"


def compare_models(folders: Sequence[Path], out: Path | None = None) -> dict[str, Any]:
    """Figures of each model and of all combined with equal weights, each against the first.

    Args:
        folders: Folders of models trained on the same folds.
        out: Parquet file for the combined out-of-fold score: isic_id, score.

    Returns:
        See `measure`; `ungrouped` says whether any of them was trained without patients.

    Raises:
        InputError: Not model folders, or their folds differ.
    """
    if out is not None:
        try_file(out)
    specs = [Spec.read(folder) for folder in folders]
    for folder, spec in zip(folders, specs, strict=True):
        if spec.folds_sha256 != specs[0].folds_sha256:
            raise InputError("trained on other folds", where=str(folder), remedy="train both with the same --folds")
    folds = Folds.read(checked_table(folders[0], FOLDS)).frame
    scores = dict(zip(_names(folders), [_aligned(folder, folds) for folder in folders], strict=True))
    if len(scores) > 1:
        scores[COMBINED] = combined(list(scores.values()), list(scores.values()))
    if out is not None:
        last = pl.Series(list(scores.values())[-1]).fill_nan(None)
        write_parquet(pl.DataFrame({ID: folds[ID], "score": last}), out)
    return {"ungrouped": any(spec.ungrouped for spec in specs), **measure(folds, scores)}


def _aligned(folder: Path, folds: pl.DataFrame) -> NDArray[np.float64]:
    return (
        join_by_id(folds.select(ID), pl.read_parquet(checked_table(folder, OOF)))["score"].fill_null(np.nan).to_numpy()
    )


def _names(folders: Sequence[Path]) -> list[str]:
    names = [folder.resolve().name for folder in folders]
    return names if len(set(names)) == len(names) else [str(folder) for folder in folders]
