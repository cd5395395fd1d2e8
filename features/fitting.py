"""Fits the cohort constants on training rows, without labels, independently of the order of rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.executors import Executor, LocalExecutor
from features.arithmetic.moments import moments
from features.arithmetic.order import robust_sd
from features.arithmetic.segments import Floats
from features.groups.hospital import ATTRIBUTION, hospital_means, hospital_sums
from features.groups.images import image_scores
from features.groups.multivariate import DISTANCE_NUMBERS
from features.groups.scopes import SCOPES, Scope
from features.patients.block import Block, blocks
from features.patients.comparison import Comparison, Prior
from features.patients.image_tables import SCORE_PREFIX, join_images, logit
from features.patients.numbers import COMPARED, available, columns_for
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


@dataclass(frozen=True)
class Constants:
    """Which constants are fitted on a table.

    Attributes:
        numbers: Numbers of the table itself.
        scores: Image scores, as they are joined.
        scopes: Places that the table tells apart.
        hospitals: Whether it names institutions.
    """

    numbers: tuple[str, ...]
    scores: tuple[str, ...]
    scopes: tuple[Scope, ...]
    hospitals: bool

    @classmethod
    def of(cls, columns: Collection[str]) -> Constants:
        """Those of a table with `columns`, image scores joined."""
        return cls(
            tuple(name for name in COMPARED if available(name, columns)),
            tuple(SCORE_PREFIX + score for score in image_scores(columns)),
            tuple(scope for scope in SCOPES if scope.column and scope.column in columns),
            ATTRIBUTION in columns,
        )

    @property
    def columns(self) -> list[str]:
        """Columns they are fitted on."""
        places = [scope.column for scope in self.scopes] + [ATTRIBUTION] * self.hospitals
        return list(dict.fromkeys((*columns_for(self.numbers), *self.scores, *places)))


def fit_state(
    frame: pl.DataFrame, *, images: pl.DataFrame | None = None, executor: Executor | None = None
) -> FeatureState:
    """Cohort constants of the training rows `frame`.

    Args:
        frame: Canonical frame; labels are not read.
        images: Image scores of the training rows, out of fold, where the group `image` is wanted.
        executor: Works on the blocks; by default two cores of this machine. The result does not depend on it.

    Returns:
        The state, independent of the order of rows.
    """
    joined = join_images(frame, images)
    constants = Constants.of(joined.columns)
    return fit_blocks((block for _, block in blocks(joined, constants.columns)), constants, executor)


def fit_blocks(blocks: Iterable[Block], constants: Constants, executor: Executor | None = None) -> FeatureState:
    """Cohort constants of all blocks; about 12 kB a patient are held.

    Args:
        blocks: The training rows in the order of (patient_id, isic_id), with `constants.columns`.
        constants: Which constants.
        executor: As for `fit_state`.
    """
    parts = list((executor or LocalExecutor(2)).map(_part, constants, blocks))
    return _pool(parts, constants) if parts else FeatureState()


def _part(constants: Constants, block: Block, _cores: int) -> _Part:
    numbers, width = constants.numbers, len(DISTANCE_NUMBERS)
    return _Part(
        [np.stack(list(_summary(block, name, constants.scopes))) for name in (*numbers, *constants.scores)],
        _squares(block) if set(DISTANCE_NUMBERS) <= set(numbers) else np.zeros((0, width, width)),
        hospital_sums(block, numbers),
    )


def _pool(parts: list[_Part], constants: Constants) -> FeatureState:
    scales = {}
    scopes = [scope.name for scope in constants.scopes]
    for place, name in enumerate((*constants.numbers, *constants.scores)):
        scale = _scale(np.concatenate([part.tables[place] for part in parts], axis=1), scopes)
        if scale is not None:
            scales[name] = scale
    squares = np.concatenate([part.squares for part in parts])
    means = {name: scale.mean for name, scale in scales.items()}
    hospitals = hospital_means([part.hospitals for part in parts], means)
    return FeatureState(scales, hospitals, _covariance(squares))


def _summary(block: Block, name: str, scopes: Sequence[Scope]) -> Iterator[Floats]:
    """A column a patient: count, mean, SS, robust SS, then of each scope SS, Σ count² and places."""
    values = logit(block.number(name)) if name.startswith(SCORE_PREFIX) else block.number(name)
    own = Comparison(block.patients, values, _UNKNOWN)
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
    """Each patient's products of deviations (patients, 15, 15) of `DISTANCE_NUMBERS`; a missing number adds 0."""
    deviations = [np.nan_to_num(moments(block.patients, block.number(name)).deviation) for name in DISTANCE_NUMBERS]
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
