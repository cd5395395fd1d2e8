"""A model's scores of its own training crops once perturbed, each by the part that never saw its patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit

from cohort.frames import ID, join_by_id
from cv_folds.folds import Folds
from engine.errors import InputError
from image_embeddings.applying import open_backend, plain_log_odds
from image_embeddings.backend import Resources
from image_embeddings.changed_store import ChangedStore
from image_embeddings.perturbations import ALL
from image_embeddings.spec import checked_table
from image_embeddings.training_run import FOLDS, out_of_fold

UNCHANGED = "unchanged"


def score_perturbed(folder: Path, resources: Resources, ids: Sequence[str], *, device: str = "auto") -> pl.DataFrame:
    """Out-of-fold scores of crops as they are and under every perturbation.

    Args:
        folder: The folder that training wrote.
        resources: Resources of the backend; their store holds the crops the model was trained on.
        ids: Some of the lesions it was trained on; any lesions if the model came without its training lesions.
        device: Where networks run.

    Returns:
        `isic_id`, `unchanged`, and a column for each perturbation, "blur 2" for example; null where a crop is
        unreadable.

    Raises:
        InputError: A lesion is not among those of the model's folds.
    """
    wanted = pl.DataFrame({ID: pl.Series(ids, dtype=pl.String)})
    fold = _folds(folder, wanted)
    stores = {UNCHANGED: resources.store, **{each.name: ChangedStore(resources.store, each) for each in ALL}}
    columns = []
    for name, store in stores.items():
        backend = open_backend(folder, replace(resources, store=store), device=device)
        log_odds = plain_log_odds(folder, backend, ids) if fold is None else out_of_fold(backend, ids, fold).log_odds
        columns.append(pl.Series(name, expit(log_odds)).fill_nan(None))
    return wanted.with_columns(columns)


def _folds(folder: Path, wanted: pl.DataFrame) -> NDArray[np.int8] | None:
    """Which part never saw each lesion; None if the model came without its training lesions: no part saw them."""
    if not (folder / FOLDS).is_file():
        return None
    fold = join_by_id(wanted, Folds.read(checked_table(folder, FOLDS)).frame.select(ID, "fold"))["fold"]
    if fold.null_count():
        raise InputError(
            "a lesion that the model was not trained on", where=str(folder), remedy="give lesions of its folds"
        )
    return fold.to_numpy()
