"""Descriptors of many crops, in parallel, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from cohort.frames import ID
from cohort.stores.protocol import CropError, CropReader, OnBad, try_read
from engine.executors import Executor, LocalExecutor
from engine.progress import report
from image_embeddings.descriptors.numbers import describe_crops

CHUNK = 64
# Below this, starting one more process costs more than it saves.
_CROPS_A_PROCESS = 5_000


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
    store: CropReader,
    ids: Sequence[str],
    *,
    on_bad: OnBad = "missing",
    required: bool = True,
    executor: Executor | None = None,
) -> Described:
    """Descriptors of the crops of `ids`; a crop's are the same to the last bit, alone or in any batch.

    Args:
        store: Where the crops are.
        ids: At least one id.
        on_bad: "stop" raises at the first crop that cannot be read, "missing" gives it nulls and goes on.
        required: Raise an error if no crop at all can be read; otherwise the frame then holds ids alone.
        executor: Distributes the work; by default one core of this machine. The numbers do not depend on it.

    Raises:
        CropError: With "stop", a crop cannot be read. With `required`, no crop at all can be read.
    """
    (found,) = describe_in_chunks(store, ids, crops=max(len(ids), 1), on_bad=on_bad, executor=executor)
    if required and ids and len(found.faults) == len(ids):
        first = try_read(store, ids[0])
        if isinstance(first, CropError):
            raise first
    return found


def describe_in_chunks(
    store: CropReader, ids: Sequence[str], *, crops: int, on_bad: OnBad = "missing", executor: Executor | None = None
) -> Iterator[Described]:
    """Like `describe`, but `crops` crops at a time, so that memory does not grow with their number."""
    executor = executor or LocalExecutor(1)
    pieces = [
        list(ids[start : start + CHUNK])
        for begin in range(0, len(ids), crops)
        for start in range(begin, min(begin + crops, len(ids)), CHUNK)
    ]
    at_once = min(executor.cores, 1 + len(ids) // _CROPS_A_PROCESS)
    results = zip(pieces, executor.map(_describe_chunk, store, pieces, at_once=at_once, processes=True), strict=True)
    held: list[_Chunk] = []
    begin = done = 0
    for piece, chunk in results:
        if chunk.faults and on_bad == "stop":
            raise chunk.faults[0]
        held.append(chunk)
        done += len(piece)
        report("describe", done, len(ids))
        if done == min(begin + crops, len(ids)):
            yield _joined(ids[begin:done], held)
            held, begin = [], done


def _joined(ids: Sequence[str], chunks: Sequence[_Chunk]) -> Described:
    names = next((chunk.names for chunk in chunks if chunk.names), [])
    values = np.concatenate(
        [
            chunk.values if chunk.names else np.full((len(chunk.values), len(names)), np.nan, np.float32)
            for chunk in chunks
        ]
    )
    columns = {
        name: pl.Series(column, dtype=pl.Float32, nan_to_null=True)
        for name, column in zip(names, values.T, strict=True)
    }
    faults = {fault.isic_id: fault.reason for chunk in chunks for fault in chunk.faults}
    return Described(pl.DataFrame({ID: pl.Series(ids, dtype=pl.String), **columns}), faults)


def _describe_chunk(store: CropReader, ids: Sequence[str], _cores: int) -> _Chunk:
    results = [try_read(store, isic_id) for isic_id in ids]
    faults = [result for result in results if isinstance(result, CropError)]
    crops = [result for result in results if not isinstance(result, CropError)]
    if not crops:
        return _Chunk([], np.empty((len(ids), 0), np.float32), faults)
    # Every batch has the same number of crops: the last bits of some numbers depend on how many there are. The matrix
    # products are small: two threads make them no faster, and take a core away from the other workers.
    with threadpool_limits(limits=1):
        numbers = describe_crops([*crops, *crops[-1:] * (CHUNK - len(crops))])
    values = np.full((len(ids), len(numbers)), np.nan, np.float32)
    readable = [place for place, result in enumerate(results) if not isinstance(result, CropError)]
    values[readable] = np.stack(list(numbers.values()), axis=1)[: len(crops)]
    return _Chunk(list(numbers), values, faults)
