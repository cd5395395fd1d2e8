"""Fits the cohort constants on training rows, without labels, independently of row order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

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
from features.patients.numbers import COMPARED, available, columns_for, further_numbers
from features.patients.pooling import pooled_correlation, pooled_scale
from features.patients.state import FeatureState

_UNKNOWN = Prior(within=0.0, robust=0.0, offset=0.0)


@dataclass(frozen=True)
class _Table:
    """One number's summary, one column per patient: see `_summary`.

    Attributes:
        first: (2, patients) count and mean.
        rest: (rows, patients with a count above 1) the other rows, which add nothing for the rest.
    """

    first: Floats
    rest: Floats

    @classmethod
    def of(cls, rows: Floats) -> _Table:
        return cls(rows[:2].copy(), rows[2:, rows[0] > 1])

    @staticmethod
    def together(tables: Sequence[_Table]) -> Floats:
        """The rows of all patients."""
        first = np.concatenate([table.first for table in tables], axis=1)
        rows = np.zeros((2 + len(tables[0].rest), first.shape[1]))
        rows[:2] = first
        rows[5::3] = rows[6::3] = first[0]  # a single value is alone in one place
        rows[2:, first[0] > 1] = np.concatenate([table.rest for table in tables], axis=1)
        return rows


@dataclass(frozen=True)
class _Part:
    """What one block adds: a table per number, a matrix per patient with several lesions, sums per hospital."""

    tables: list[_Table]
    squares: Floats
    hospitals: dict[str, Floats]


@dataclass(frozen=True)
class Constants:
    """Which constants are fitted on a table.

    Attributes:
        numbers: Numbers of the table itself.
        scores: Image scores, as joined.
        scopes: Scopes whose column the table has.
        hospitals: Whether the table names institutions.
    """

    numbers: tuple[str, ...]
    scores: tuple[str, ...]
    scopes: tuple[Scope, ...]
    hospitals: bool

    @classmethod
    def of(cls, columns: Collection[str]) -> Constants:
        """Those for a table with `columns`, image scores included."""
        return cls(
            (*(name for name in COMPARED if available(name, columns)), *further_numbers(columns)),
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
        images: Out-of-fold image scores of the training rows, if the group `image` is wanted.
        executor: Runs the blocks; by default on two cores of this machine. The result does not depend on it.

    Returns:
        The state, independent of row order.
    """
    joined = join_images(frame, images)
    constants = Constants.of(joined.columns)
    return fit_blocks((block for _, block in blocks(joined, constants.columns)), constants, executor)


def fit_blocks(blocks: Iterable[Block], constants: Constants, executor: Executor | None = None) -> FeatureState:
    """Cohort constants of all blocks; holds about 12 kB per patient with several lesions, 2 kB with one.

    Args:
        blocks: The training rows in the order of (patient_id, isic_id), with `constants.columns`.
        constants: What to fit.
        executor: As for `fit_state`.
    """
    parts = list((executor or LocalExecutor(2)).map(_part, constants, blocks))
    return _pool(parts, constants) if parts else FeatureState()


def _part(constants: Constants, block: Block, _cores: int) -> _Part:
    numbers, width = constants.numbers, len(DISTANCE_NUMBERS)
    return _Part(
        [_Table.of(np.stack(list(_summary(block, name, constants.scopes)))) for name in (*numbers, *constants.scores)],
        _squares(block) if set(DISTANCE_NUMBERS) <= set(numbers) else np.zeros((0, width, width)),
        hospital_sums(block, numbers),
    )


def _pool(parts: list[_Part], constants: Constants) -> FeatureState:
    scales = {}
    scopes = [scope.name for scope in constants.scopes]
    for place, name in enumerate((*constants.numbers, *constants.scores)):
        scale = pooled_scale(_Table.together([part.tables[place] for part in parts]), scopes)
        if scale is not None:
            scales[name] = scale
    squares = np.concatenate([part.squares for part in parts])
    means = {name: scale.mean for name, scale in scales.items()}
    hospitals = hospital_means([part.hospitals for part in parts], constants.numbers, means)
    return FeatureState(scales, hospitals, pooled_correlation(squares))


def _summary(block: Block, name: str, scopes: Sequence[Scope]) -> Iterator[Floats]:
    """One column per patient: count, mean, SS, robust SS, then SS, Σ count² and places by scope."""
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


def _squares(block: Block) -> Floats:
    """Products of `DISTANCE_NUMBERS` deviations for each patient with several lesions; a missing number adds 0."""
    deviations = [np.nan_to_num(moments(block.patients, block.number(name)).deviation) for name in DISTANCE_NUMBERS]
    points = np.stack(deviations, axis=1)
    starts, sizes = block.patients.starts.tolist(), block.patients.sizes.tolist()
    several = [points[a : a + n].T @ points[a : a + n] for a, n in zip(starts, sizes, strict=True) if n > 1]
    return np.stack(several) if several else np.zeros((0, points.shape[1], points.shape[1]))
