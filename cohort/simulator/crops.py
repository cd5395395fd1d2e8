"""Simulated crops: JPEGs of 15 mm of skin painted from a lesion's table row, and the official HDF5 file of them.

A crop depends on its row and the seed alone: the same bits whatever other rows there are, in whatever order, on any
number of workers.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from pathlib import Path

import h5py
import numpy as np
import polars as pl

from cohort.simulator.painting.rows import check_rows, subjects
from cohort.simulator.painting.scene import paint_batch, paint_crops, start_worker
from cohort.simulator.painting.subject import Subject
from engine.console import progress
from engine.files import atomic_path

_BATCH = 32
# A worker process takes about as long to start as 400 crops take to paint; it should save a good deal more than that.
_WORTH_A_WORKER = 1000


def paint(rows: pl.DataFrame, *, seed: int, workers: int | None = None) -> Iterator[tuple[str, bytes]]:
    """Paint the crop of every row, in the order of the rows, a few at a time.

    Args:
        rows: Metadata joined with `crop_sign` of the truth, one row a lesion; the columns needed are
            `cohort.simulator.painting.subject.COLUMNS`, labels are not looked at.
        seed: Same seed, same bits.
        workers: Processes; by default one per CPU where there are rows enough to be worth starting them. With more
            than one, a script that calls this at its top level needs the `if __name__ == "__main__":` guard of
            multiprocessing.

    Returns:
        Iterator of `isic_id` and JPEG bytes: square, an odd number of pixels (51 to 239, median 127) across 15 mm.

    Raises:
        InputError: A column is missing, an id is repeated or malformed, or a number is missing or impossible.
    """
    lesions = subjects(check_rows(rows))
    if workers is None:
        workers = max(1, min(os.cpu_count() or 1, rows.height // _WORTH_A_WORKER))
    return paint_crops(lesions, seed) if workers == 1 else _paint_there(lesions, seed, workers)


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
    title = f"drawing {Path(path).name}"
    with (
        atomic_path(Path(path)) as temporary,
        h5py.File(temporary, "w") as file,
        progress(title, rows.height) as step,
    ):
        for isic_id, jpeg in crops:
            _store(file, isic_id, jpeg)
            step()


def _store(file: h5py.File, isic_id: str, jpeg: bytes) -> None:
    """Write one scalar byte string, in half the time of `create_dataset`."""
    kind = h5py.h5t.C_S1.copy()
    kind.set_size(len(jpeg))
    kind.set_strpad(h5py.h5t.STR_NULLPAD)
    timeless = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    timeless.set_obj_track_times(False)  # else the file would hold the second in which it was written
    made = h5py.h5d.create(file.id, isic_id.encode("ascii"), kind, h5py.h5s.create(h5py.h5s.SCALAR), timeless)
    made.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array(jpeg, f"S{len(jpeg)}"))


def _paint_there(lesions: Iterable[Subject], seed: int, workers: int) -> Iterator[tuple[str, bytes]]:
    """Paint in worker processes, never more than a few batches ahead of the reader.

    Workers are spawned, not forked: a fork of a process that has polars' threads can hang.
    """
    stream = iter(lesions)
    batches = iter(lambda: tuple(islice(stream, _BATCH)), ())
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=start_worker)
    try:
        ahead: deque[Future[list[tuple[str, bytes]]]] = deque(
            pool.submit(paint_batch, batch, seed) for batch in islice(batches, 3 * workers)
        )
        while ahead:
            painted = ahead.popleft().result()
            for batch in islice(batches, 1):
                ahead.append(pool.submit(paint_batch, batch, seed))
            yield from painted
    finally:
        pool.shutdown(cancel_futures=True)
