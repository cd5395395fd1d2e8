"""A simulated cohort: the official table next to the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from scipy.special import expit

from cohort.simulator.calibration import WorldCalibration, load
from cohort.simulator.malignant import draw_malignant
from cohort.simulator.shifts import shifted
from cohort.simulator.table import draw_ids, official_table
from cohort.simulator.world import World, draw_benign, draw_world
from engine.errors import InputError

SMALLEST, LARGEST = 50, 4_000_000
_FEWEST_MALIGNANT = 10
_LEAST = 1e-12  # keeps the log odds finite
Part = Literal["train", "test"]


@dataclass(frozen=True)
class Simulated:
    """A simulated cohort.

    Attributes:
        metadata: The 55 official columns in official order, sorted by isic_id, with the dtypes of `cohort.columns`.
        truth: One row per lesion in the same order: isic_id, target, the known probabilities of malignancy given the
            table, the crop and both (p_table, p_crop, p_both), and what only the crop shows: crop_sign (N(0, 1) in
            benign lesions, shifted in malignant ones) and texture_seed (any 62-bit number).
    """

    metadata: pl.DataFrame
    truth: pl.DataFrame


def simulate(
    n_lesions: int,
    *,
    seed: int = 0,
    malignant: int | None = None,
    part: Part = "train",
    shift: str | None = None,
) -> Simulated:
    """Simulate a cohort shaped like SLICE-3D, whose probabilities of malignancy are known.

    The model is stated in `cohort.simulator.risk`; docs/simulator.md says what it is fitted to and how well.

    Args:
        n_lesions: Lesions, 50 to 4,000,000.
        seed: Same seed and arguments, same bits, at any number of threads.
        malignant: Malignant lesions. By default the published share (393 of 401,059), but at least 10 (or one in 25
            lesions in cohorts of fewer than 250), so that small cohorts are useful; more raises the prevalence.
        part: "train" or "test": the same population, other patients, other ids.
        shift: One of `cohort.simulator.SHIFTS`: a population that differs.

    Raises:
        InputError: Too few or too many lesions or malignant lesions, or an unknown shift.
    """
    if not SMALLEST <= n_lesions <= LARGEST:
        raise InputError(f"cannot simulate {n_lesions} lesions", remedy=f"ask for {SMALLEST} to {LARGEST}")
    calibration, factor = shifted(load(), shift)
    n_malignant = _malignant(n_lesions, factor, calibration) if malignant is None else malignant
    if not 1 <= n_malignant <= n_lesions // 5:
        raise InputError(
            f"cannot make {n_malignant} of {n_lesions} lesions malignant", remedy="ask for 1 to a fifth of the lesions"
        )
    streams = _streams(seed, part)
    world = draw_world(n_lesions, n_malignant, calibration, streams)
    return _simulated(world, seed, part, streams)


def _simulated(world: World, seed: int, part: Part, streams: Iterator[np.random.Generator]) -> Simulated:
    last = next(streams)
    benign = draw_benign(world, streams)
    malignant = draw_malignant(world, benign, streams)
    lesions = pl.concat([benign, malignant], rechunk=True)
    target = np.repeat([0, 1], [len(benign), len(malignant)])
    ids = draw_ids(len(target), len(world.patients), seed, test=part == "test")
    metadata = official_table(lesions, target, world, ids, last)
    odds = world.log_odds(lesions)
    truth = pl.DataFrame(
        {
            "isic_id": ids["isic_id"],
            "target": target.astype(np.int8),
            **{name: np.clip(expit(value), _LEAST, 1.0 - _LEAST) for name, value in odds.items()},
            "crop_sign": lesions["sign"],
            "texture_seed": last.integers(0, 2**62, len(target)),
        }
    )
    return Simulated(metadata.sort("isic_id"), truth.sort("isic_id"))


def _malignant(n_lesions: int, factor: float, calibration: WorldCalibration) -> int:
    totals = calibration.facts["totals"]
    natural = round(n_lesions * factor * totals["malignant"] / totals["lesions"])
    return max(int(natural), min(_FEWEST_MALIGNANT, n_lesions // 25))


def _streams(seed: int, part: Part) -> Iterator[np.random.Generator]:
    """Independent generators, one for each step and block, in a fixed order."""
    root = np.random.SeedSequence([seed, 0, ("train", "test").index(part)])
    while True:
        yield np.random.Generator(np.random.Philox(root.spawn(1)[0]))
