"""What a table lacks of what the models of a run rely on, and which of its numbers are in another unit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from engine.errors import shorten
from ensemble.learners import Model
from features import FeatureState
from features.patients.measures import MEASURED, RATIO

#: If more than this share of the gain is lacking, scores mean little.
MOST = 0.5
#: A median this many times above or below the cohort's mean is hardly in the same unit.
_FACTOR = 8.0
_FEWEST = 30  # fewest lesions whose median means something


@dataclass(frozen=True)
class Lacking:
    """Columns that a table lacks, among those that a run's features come from.

    Attributes:
        columns: Their names, ascending.
        share: Share of the gain of the scoring models that comes from features that need these columns, 0 to 1.
    """

    columns: tuple[str, ...]
    share: float

    @property
    def is_most(self) -> bool:
        """Whether more is lacking than present."""
        return self.share > MOST

    def __str__(self) -> str:
        columns = "1 column is" if len(self.columns) == 1 else f"{len(self.columns)} columns are"
        return f"{columns} absent or empty ({shorten(self.columns)}), {self.share:.0%} of what the models go by"


def gains(model: Model) -> dict[str, float]:
    """Share of each feature in the gain of a model."""
    return dict(zip(model.space.names, model.gain().tolist(), strict=True))


def gain_of(
    features: Collection[str], models: Mapping[str, Sequence[Mapping[str, float]]], weights: Mapping[str, float]
) -> float:
    """Share of some features in the gain of all models, 0 to 1.

    Args:
        features: Their names.
        models: By learner, the `gains` of each of its models.
        weights: Weight of each learner in the blend.
    """
    total = sum(weights.values())
    shares = {
        name: np.mean([sum(gain for feature, gain in one.items() if feature in features) for one in found])
        for name, found in models.items()
    }
    return float(sum(weights[name] * share for name, share in shares.items()) / total) if total else 0.0


def needed_columns(features: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Columns of the table that features come from, as a feature dictionary lists them."""
    return frozenset(column for one in features if one["group"] != "image" for column in one["needs"])


def known_columns(frame: pl.DataFrame) -> list[str]:
    """Columns that hold a value in any row; all of a table without rows."""
    return [name for name in frame.columns if not frame.height or frame[name].null_count() < frame.height]


def other_units(frame: pl.DataFrame, state: FeatureState) -> dict[str, tuple[float, float]]:
    """Measured columns whose median is far from the training mean (say, cm instead of mm), with both values."""
    if frame.height < _FEWEST:
        return {}
    found = {}
    for name in MEASURED:
        scale = state.scales.get(name)
        if name not in RATIO or name not in frame.columns or scale is None or scale.mean <= 0:
            continue
        median = frame[name].median()
        if isinstance(median, float) and median > 0 and not 1 / _FACTOR < median / scale.mean < _FACTOR:
            found[name] = (median, scale.mean)
    return found
