"""How far a lesion departs from the patient's own pattern, and in what, in plain words.

A description of measurements, not an explanation of a score and not a diagnosis: the ugly-duckling sign in numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cohort.frames import ID, collect
from features.arithmetic.segments import Floats
from features.builtin import builtin_state
from features.groups.multivariate import DISTANCE_NUMBERS, mahalanobis
from features.patients.block import Block, blocks
from features.patients.comparison import Comparison
from features.patients.forms import robust_z
from features.patients.image_tables import join_images, logit
from features.patients.state import FeatureState
from submissions.measurements import IMAGE, MEASUREMENTS, Measurement

FEWEST = 5
"""With fewer lesions, a patient has no pattern to depart from."""
UNUSUAL = 2.0
"""Robust standard deviations from the patient's median beyond which a measurement is named."""
TOO_FEW = "too few lesions to compare"
IN_LINE = "in line with this patient's other lesions"
NOTHING = "no measurements to compare"

Ints = NDArray[np.intp]


def reasons(
    frame: pl.DataFrame, *, state: FeatureState | None = None, images: pl.DataFrame | None = None
) -> pl.DataFrame:
    r"""Compare every lesion with the same patient's others; a patient's rows depend on that patient alone.

    A measurement's z is (value - median) / (1.4826 MAD) over the patient's lesions, the spread shrunk towards the
    cohort's as in the feature `..__patient_robust`; for the image score, that of its logit. Source: Iglewicz and
    Hoaglin, How to detect and handle outliers, 1993. A reason names the measurement with the largest |z| and the next
    one about something else, each only if |z| is at least 2, with the share of the patient's lesions that it
    surpasses, ties counting half. A value that no other lesion of the patient reaches has its own words.

    Args:
        frame: Canonical frame; `target` is not read.
        state: Cohort constants, as a run's features.json holds them; by default those of the simulated cohort.
        images: Image scores, `isic_id, score`, to include among the measurements.

    Returns:
        `isic_id`, in the order of `frame`;
        `outlier`, the distance from the mean of the patient's other lesions over 15 numbers at once, in standard
        deviations (the feature `neighbours_mahalanobis_loo` / sqrt(15), so about 1 is usual), null where the patient
        has fewer than 5 lesions or the table lacks one of the numbers;
        `outlier_rank`, 1 for the patient's most outlying lesion;
        `unusual_in` and `unusual_z`, column and z of the measurement that the reason names first, null without one;
        `reason`.
    """
    table = join_images(frame, images)
    measured = [one for one in MEASUREMENTS if one.column in table.columns]
    shape = DISTANCE_NUMBERS if set(DISTANCE_NUMBERS) <= set(table.columns) else ()
    columns = list(dict.fromkeys([ID, *(one.column for one in measured), *shape]))
    known = state or builtin_state()
    parts = [(rows, _describe(block, known, measured, bool(shape))) for rows, block in blocks(table, columns)]
    if not parts:
        return _EMPTY
    order = np.concatenate([rows for rows, _ in parts])
    # `order` holds the frame position of each described row; its inverse restores the frame's order.
    described = pl.concat([part for _, part in parts])[np.argsort(order)]
    ranked = described.with_columns(frame[ID], frame["patient_id"])
    by_distance = pl.col("outlier").rank("min", descending=True).over("patient_id").cast(pl.Int32)
    return collect(ranked.lazy().with_columns(outlier_rank=by_distance).select(_EMPTY.columns))


_EMPTY = pl.DataFrame(
    schema={
        ID: pl.String,
        "outlier": pl.Float64,
        "outlier_rank": pl.Int32,
        "unusual_in": pl.String,
        "unusual_z": pl.Float64,
        "reason": pl.String,
    }
)


@dataclass(frozen=True)
class _Position:
    """How a block's lesions compare with the same patient's others in one measurement; arrays of shape (n,)."""

    measurement: Measurement
    values: Floats
    z: Floats
    share: Floats
    median: Floats
    count: Floats

    @classmethod
    def of(cls, block: Block, state: FeatureState, measurement: Measurement) -> _Position:
        values = block.number(measurement.column)
        if measurement.column == IMAGE:
            values = logit(values)
        own = Comparison(block.patients, values, state.prior(measurement.column))
        count = block.patients.spread(own.moments.count)
        return cls(measurement, values, robust_z(own), own.rank, block.patients.spread(own.median), count)

    @property
    def extent(self) -> Floats:
        """|z|, or 0 where the value is missing or known for too few of the patient's lesions."""
        return np.where(self.count >= FEWEST, np.nan_to_num(np.abs(self.z), nan=0.0), 0.0)

    def in_words(self, row: int, *, again: bool) -> str:
        """One lesion in words; `again` if the text already says whose lesions it is compared with."""
        words = self.measurement.high if self.z[row] > 0 else self.measurement.low
        passed = self.share[row] if self.z[row] > 0 else 1 - self.share[row]
        count = int(self.count[row])
        # A value that no other lesion reaches has half a lesion, its own, above it.
        if round(count * (1 - passed), 6) <= 0.5:
            standing = words.most + ("" if again else f" of this patient's {count} lesions")
        else:
            standing = f"{words.than} than {int(100 * passed + 1e-9)} %" + (
                "" if again else " of this patient's lesions"
            )
        return standing + self.measurement.in_words(float(self.values[row]), float(self.median[row]))


def _describe(block: Block, state: FeatureState, measured: Sequence[Measurement], shape: bool) -> pl.DataFrame:
    enough = block.patients.counts_spread >= FEWEST
    outlier = np.full(block.size, np.nan)
    if shape:
        distance = mahalanobis(block, state)["neighbours_mahalanobis_loo"] / np.sqrt(len(DISTANCE_NUMBERS))
        outlier = np.where(enough, distance, np.nan)
    positions = [_Position.of(block, state, one) for one in measured]
    first, second, z = _two_most_unusual(positions, block.size)
    first = np.where(enough, first, -1)
    named = first >= 0
    unusual = np.full(block.size, np.nan)
    unusual[named] = z[first[named], np.flatnonzero(named)]
    columns = [positions[place].measurement.column if place >= 0 else None for place in first]
    return pl.DataFrame(
        {
            "outlier": pl.Series(outlier, nan_to_null=True),
            "unusual_in": pl.Series(columns, dtype=pl.String),
            "unusual_z": pl.Series(unusual, nan_to_null=True),
            "reason": pl.Series(_sentences(positions, first, second, enough), dtype=pl.String),
        }
    )


def _two_most_unusual(positions: Sequence[_Position], size: int) -> tuple[Ints, Ints, Floats]:
    """Place of the first and the second measurement to name, -1 for none, each (n,), and all z (measurements, n)."""
    if not positions:
        nothing = np.full(size, -1)
        return nothing, nothing, np.empty((0, size))
    z = np.stack([position.z for position in positions])
    about = np.array([position.measurement.about for position in positions])
    extent = np.stack([position.extent for position in positions])
    first = extent.argmax(axis=0)
    elsewhere = np.where(about[:, np.newaxis] == about[first], 0.0, extent)
    second = elsewhere.argmax(axis=0)
    lesion = np.arange(size)
    first_named = np.where(extent[first, lesion] >= UNUSUAL, first, -1)
    second_named = np.where(elsewhere[second, lesion] >= UNUSUAL, second, -1)
    return first_named, second_named, z


def _sentences(positions: Sequence[_Position], first: Ints, second: Ints, enough: NDArray[np.bool_]) -> list[str]:
    known = np.zeros(first.size, dtype=np.bool_)
    for position in positions:
        known |= ~np.isnan(position.values)
    plain: list[str] = np.where(~enough, TOO_FEW, np.where(known, IN_LINE, NOTHING)).tolist()
    for row in np.flatnonzero(first >= 0).tolist():
        plain[row] = positions[first[row]].in_words(row, again=False)
        if second[row] >= 0:
            plain[row] += f"; {positions[second[row]].in_words(row, again=True)}"
    return plain
