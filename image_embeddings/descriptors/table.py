"""Descriptors of many crops, in parallel, as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context

import numpy as np
import polars as pl
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from cohort.frames import ID
from cohort.stores.protocol import CropError, ImageStore, OnBad, try_read
from image_embeddings.descriptors.numbers import describe_crops

CHUNK = 64
_AHEAD = 4


@dataclass(frozen=True)
class Described:
    """Descriptors of a store's crops.

    Attributes:
        frame: isic_id, then one Float32 column per descriptor; null where the crop could not be read. In the order of
            the ids asked for.
        faults: Why a crop could not be read, by id.
    """

    frame: pl.DataFrame
    faults: dict[str, str]


@dataclass(frozen=True)
class _Chunk:
    names: list[str]
    values: NDArray[np.float32]
    faults: list[CropError]


def describe(
    store: ImageStore,
    ids: Sequence[str],
    *,
    on_bad: OnBad = "missing",
    required: bool = True,
    workers: int = 1,
    progress: Callable[[int], None] = lambda _: None,
) -> Described:
    """Descriptors of the crops of `ids`; a crop's are the same to the last bit alone and in any batch.

    Args:
        store: Where the crops lie.
        ids: At least one.
        on_bad: "stop" raises at the first crop that can not be read, "missing" gives it nulls and goes on.
        required: That no crop at all can be read is an error; otherwise the frame then holds ids alone.
        workers: Processes; 1 stays in this one. The numbers do not depend on it.
        progress: Told how many crops each step has done.

    Raises:
        CropError: With "stop", a crop can not be read. With `required`, no crop at all can be read.
    """
    parts: list[NDArray[np.float32]] = []
    faults: dict[str, str] = {}
    names: list[str] = []
    first: CropError | None = None
    for chunk in _chunks(store, ids, workers):
        if chunk.faults and on_bad == "stop":
            raise chunk.faults[0]
        first = first or next(iter(chunk.faults), None)
        faults |= {fault.isic_id: fault.reason for fault in chunk.faults}
        names = chunk.names or names
        parts.append(chunk.values)
        progress(len(chunk.values))
    if required and first is not None and len(faults) == len(ids):
        raise first
    values = np.concatenate(
        [part if part.shape[1] else np.full((len(part), len(names)), np.nan, np.float32) for part in parts]
    )
    columns = {
        name: pl.Series(column, dtype=pl.Float32, nan_to_null=True)
        for name, column in zip(names, values.T, strict=True)
    }
    return Described(pl.DataFrame({ID: pl.Series(ids, dtype=pl.String), **columns}), faults)


def _chunks(store: ImageStore, ids: Sequence[str], workers: int) -> Iterator[_Chunk]:
    pieces = [list(ids[start : start + CHUNK]) for start in range(0, len(ids), CHUNK)]
    if workers == 1:
        yield from (_describe_chunk(store, piece) for piece in pieces)
        return
    # spawn: a forked child would inherit the locks of polars' and BLAS's threads.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = iter(pieces)
        # A bounded number of chunks under way: memory does not grow with the number of crops.
        running = [pool.submit(_describe_chunk, store, piece) for piece in islice(waiting, workers * _AHEAD)]
        while running:
            yield running.pop(0).result()
            running += [pool.submit(_describe_chunk, store, piece) for piece in islice(waiting, 1)]


def _describe_chunk(store: ImageStore, ids: Sequence[str]) -> _Chunk:
    results = [try_read(store, isic_id) for isic_id in ids]
    faults = [result for result in results if isinstance(result, CropError)]
    crops = [result for result in results if not isinstance(result, CropError)]
    if not crops:
        return _Chunk([], np.empty((len(ids), 0), np.float32), faults)
    # Every batch has as many crops: the last bits of some numbers depend on how many there are. The matrix products are
    # small: on two threads they take no less time and twice the processors', which the other workers then lack.
    with threadpool_limits(limits=1):
        numbers = describe_crops([*crops, *crops[-1:] * (CHUNK - len(crops))])
    values = np.full((len(ids), len(numbers)), np.nan, np.float32)
    readable = [place for place, result in enumerate(results) if not isinstance(result, CropError)]
    values[readable] = np.stack(list(numbers.values()), axis=1)[: len(crops)]
    return _Chunk(list(numbers), values, faults)
