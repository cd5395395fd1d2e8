"""Simulated crops: JPEGs of 15 mm of skin painted from a lesion's table row, and the official HDF5 file of them.

A crop depends only on its row and the seed: the same bits with any other rows, in any order, on any number of
workers.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import h5py
import numpy as np
import polars as pl

from cohort.simulator.painting.scene import paint_crop
from cohort.simulator.painting.subject import Subject, subjects
from engine.executors import LocalExecutor
from engine.files import atomic_path
from engine.progress import steps

_BATCH = 32
# A worker process takes about as long to start as 600 crops take to paint; it should save a good deal more than that.
_WORTH_A_WORKER = 1000


def paint(rows: pl.DataFrame, *, seed: int, workers: int | None = None) -> Iterator[tuple[str, bytes]]:
    """Paint the crop of every row, in the order of the rows, a few at a time.

    Args:
        rows: Metadata joined with `crop_sign` of the truth, one row per lesion; the columns needed are
            `cohort.simulator.painting.subject.COLUMNS`, labels are ignored.
        seed: Same seed, same bits.
        workers: Processes; by default one per CPU if there are enough rows to be worth starting them. With more
            than one, a script that calls this at its top level needs the `if __name__ == "__main__":` guard of
            multiprocessing.

    Returns:
        Iterator of `isic_id` and JPEG bytes: square, an odd number of pixels (51 to 239, median 127) across 15 mm.

    Raises:
        InputError: A column is missing, an id is repeated or malformed, or a number is missing or impossible.
    """
    lesions = subjects(rows)
    if workers is None:
        workers = max(1, min(os.cpu_count() or 1, rows.height // _WORTH_A_WORKER))
    batches = iter(lambda: tuple(islice(lesions, _BATCH)), ())
    painted: Iterator[list[tuple[str, bytes]]]
    if workers == 1:
        painted = (_painted(seed, batch, 1) for batch in batches)
    else:
        painted = LocalExecutor(workers).map(_painted, seed, batches, processes=True)
    return (crop for batch in painted for crop in batch)


def write_hdf5(rows: pl.DataFrame, path: Path, *, seed: int, workers: int | None = None) -> None:
    """Write the crops of `rows` in the official layout: one scalar byte string per `isic_id`, at the top of the file.

    The file is whole or absent, and memory does not grow with the number of rows.

    Args:
        rows: As for `paint`.
        path: File to write.
        seed: As for `paint`.
        workers: As for `paint`.

    Raises:
        InputError: As for `paint`, or the file cannot be written.
    """
    crops = paint(rows, seed=seed, workers=workers)
    step = steps(f"drawing {Path(path).name}", rows.height)
    with atomic_path(Path(path)) as temporary, h5py.File(temporary, "w") as file:
        for isic_id, jpeg in crops:
            file.create_dataset(isic_id, data=np.bytes_(jpeg))  # a scalar, without the second of writing
            step()


def _painted(seed: int, lesions: Sequence[Subject], _cores: int) -> list[tuple[str, bytes]]:
    """A batch of crops, as an executor's task."""
    return [(lesion.isic_id, paint_crop(lesion, seed)) for lesion in lesions]
