"""Fits the cohort constants on training rows, without labels, independently of the order of rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.work import THREADS, in_turn, workers
from features.arithmetic.moments import moments
from features.arithmetic.order import robust_sd
from features.arithmetic.segments import Floats
from features.groups.hospital import ATTRIBUTION, hospital_means, hospital_sums
from features.groups.images import image_scores
from features.groups.neighbours import SHAPE
from features.groups.scopes import SCOPES, Scope
from features.patients.block import Block, blocks
from features.patients.catalogue import COMPARED, available, columns_for
from features.patients.comparison import Prior, Standing
from features.patients.image_tables import PREFIX, join_images, logit
from features.patients.state import FeatureState, Scale

_PULL_RANGE = (0.5, 1000.0)
_UNKNOWN = Prior(within=0.0, robust=0.0, offset=0.0)
_Table = NDArray[np.float64]


@dataclass(frozen=True)
class _Part:
    """What one block adds: a table a number (see `_summary`), a matrix a patient, sums a hospital."""

    tables: list[_Table]
    squares: _Table
    hospitals: dict[str, _Table]


def fit_state(frame: pl.DataFrame, *, images: pl.DataFrame | None = None, threads: int = THREADS) -> FeatureState:
    """Cohort constants of the training rows `frame`.

    Args:
        frame: Canonical frame; labels are not read.
        images: Image scores of the training rows, out of fold, where the group `image` is wanted.
        threads: Blocks worked on at once; the result does not depend on it.

    Returns:
        The state, independent of the order of rows.
    """
    joined = join_images(frame, images)
    numbers = [name for name in COMPARED if available(name, joined.columns)]
    numbers += [PREFIX + score for score in image_scores(joined.columns)]
    scopes = [scope for scope in SCOPES if scope.column and scope.column in joined.columns]
    places = [ATTRIBUTION] if ATTRIBUTION in joined.columns else []
    images_in = [name for name in numbers if name.startswith(PREFIX)]
    known = [name for name in numbers if name not in images_in]
    columns = list(dict.fromkeys((*columns_for(known), *images_in, *(scope.column for scope in scopes), *places)))
    with workers(threads) as pool:
        cuts = blocks(joined, columns)
        parts = list(in_turn(pool, lambda cut: _part(cut[1], numbers, scopes), cuts, threads))
    return _pool(parts, numbers, scopes) if parts else FeatureState()


def _part(block: Block, numbers: list[str], scopes: list[Scope]) -> _Part:
    return _Part(
        [np.stack(list(_summary(block, name, scopes))) for name in numbers],
        _squares(block) if set(SHAPE) <= set(numbers) else np.zeros((0, len(SHAPE), len(SHAPE))),
        hospital_sums(block, [name for name in numbers if not name.startswith(PREFIX)]),
    )


def _pool(parts: list[_Part], numbers: list[str], scopes: list[Scope]) -> FeatureState:
    scales = {}
    for place, name in enumerate(numbers):
        scale = _scale(np.concatenate([part.tables[place] for part in parts], axis=1), [one.name for one in scopes])
        if scale is not None:
            scales[name] = scale
    squares = np.concatenate([part.squares for part in parts])
    known = [name for name in numbers if name in scales]
    means = {name: scales[name].mean for name in known}
    hospitals = hospital_means([part.hospitals for part in parts], means)
    return FeatureState(scales, hospitals, _covariance(squares))


def _summary(block: Block, name: str, scopes: list[Scope]) -> Iterator[Floats]:
    """A column a patient: count, mean, SS, robust SS, then of each scope SS, Σ count² and places."""
    values = logit(block.number(name)) if name.startswith(PREFIX) else block.number(name)
    own = Standing(block.patients, values, _UNKNOWN)
    found = own.moments
    yield found.count
    yield np.nan_to_num(found.mean)
    yield found.squares
    yield np.nan_to_num(robust_sd(own.ordered, own.median)) ** 2 * np.maximum(found.count - 1, 0)
    for scope in scopes:
        places = block.scope(scope.column)
        inside = moments(places, values)
        owner = block.patients.ids[places.first]
        starts = np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))
        for part in (inside.squares, inside.count**2, (inside.count > 0).astype(np.float64)):
            yield np.add.reduceat(part, starts)


def _scale(patients: _Table, scopes: list[str]) -> Scale | None:
    """Pool the patients of one number (see `_summary`)."""
    patients = patients[:, patients[0] > 0]
    count, mean, squares, robust = patients[:4]
    total, degrees = float(count.sum()), float((count - 1).sum())
    if not total:
        return None
    centre = float((count * mean).sum() / total)
    apart = float((count * (mean - centre) ** 2).sum())
    within = float(squares.sum()) / degrees if degrees else 0.0
    spare = total - float((count**2).sum()) / total
    between = max(apart - (count.size - 1) * within, 0.0) / spare if spare > 0 else 0.0
    pulls = {scope: _pull(patients[[0, 2, *range(4 + 3 * at, 7 + 3 * at)]]) for at, scope in enumerate(scopes)}
    return Scale(
        mean=centre,
        sd=float(np.sqrt((squares.sum() + apart) / max(total - 1, 1.0))),
        within=float(np.sqrt(within)),
        between=float(np.sqrt(between)),
        robust=float(np.sqrt(robust.sum() / degrees)) if degrees else 0.0,
        pulls=pulls,
    )


def _pull(rows: _Table) -> float:
    """κ: variance within places over variance between a patient's places, by the method of moments (Henderson 1953).

    Args:
        rows: A column a patient: count, SS, SS within places, Σ over places of count², places.
    """
    count, squares, inside, count_squared, places = rows
    degrees = float((count - places).sum())
    spare = float((count - count_squared / count).sum())
    if degrees <= 0 or spare <= 0:
        return _PULL_RANGE[1]
    error = float(inside.sum()) / degrees
    between = (float((squares - inside).sum()) - error * float((places - 1).sum())) / spare
    return float(np.clip(error / between, *_PULL_RANGE)) if between > 0 else _PULL_RANGE[1]


def _squares(block: Block) -> _Table:
    """Each patient's matrix (patients, 15, 15) of products of deviations over `SHAPE`; a missing number adds 0."""
    deviations = [np.nan_to_num(moments(block.patients, block.number(name)).deviation) for name in SHAPE]
    points = np.stack(deviations, axis=1)
    starts, sizes = block.patients.starts.tolist(), block.patients.sizes.tolist()
    return np.stack([points[a : a + n].T @ points[a : a + n] for a, n in zip(starts, sizes, strict=True)])


def _covariance(squares: _Table) -> tuple[tuple[float, ...], ...]:
    """Pooled covariance within patients of the standardised numbers; empty where a number does not vary.

    In units of the standard deviation within patients a covariance is a correlation.
    """
    total = squares.sum(axis=0)
    sd = np.sqrt(np.diagonal(total))
    if not (sd > 0).all():
        return ()
    return tuple(tuple(row) for row in (total / sd / sd[:, None]).tolist())
