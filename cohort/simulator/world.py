"""The patients of one cohort, and lesions drawn for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import logit

from cohort.simulator.calibration import Array, Index, WorldCalibration
from cohort.simulator.cases import draw_cases, expected_cases
from cohort.simulator.lesions import draw_lesions
from cohort.simulator.levels import Levels, draw_levels
from cohort.simulator.measures import measure
from cohort.simulator.patients import SimulatedPatients, ages, draw_patients
from cohort.simulator.places import Habits, draw_habits, draw_places, place_log_ratio
from cohort.simulator.risk import crop_log_ratio, score_log_ratio, sign_log_ratio

_BLOCK = 200_000


@dataclass(frozen=True)
class World:
    """Patients with all that their lesions depend on.

    Attributes:
        calibration: The parameters.
        patients: Size, hospital, sex, age, lighting.
        levels: Their levels on the latent scale.
        habits: Where on the body their lesions are.
        expected: (patients,) expected malignant lesions.
        cases: (patients,) malignant lesions.
    """

    calibration: WorldCalibration
    patients: SimulatedPatients
    levels: Levels
    habits: Habits
    expected: Array
    cases: Index

    def log_odds(self, lesions: pl.DataFrame) -> dict[str, Array]:
        """Log odds of malignancy given the table, the crop and both, each (n,), of lesions from `draw_class`."""
        patient, ratio, crop_ratio, sign = (
            lesions[name].to_numpy() for name in ("patient", "log_ratio", "crop_log_ratio", "sign")
        )
        shown = sign_log_ratio(sign, self.calibration)
        base = float(logit(self.cases.sum() / self.patients.size.sum()))
        table = logit(self.expected / self.patients.size)[patient] + ratio
        return {"p_table": table, "p_crop": base + crop_ratio + shown, "p_both": table + shown}


def draw_world(
    n_lesions: int, n_malignant: int, calibration: WorldCalibration, streams: Iterator[np.random.Generator]
) -> World:
    """Draw patients with `n_lesions` lesions, `n_malignant` of them malignant."""
    patients = draw_patients(n_lesions, calibration, next(streams))
    levels = draw_levels(patients, calibration, next(streams))
    habits = draw_habits(len(patients), calibration, next(streams))
    expected = expected_cases(patients, levels, n_malignant, calibration)
    cases = draw_cases(patients, expected, calibration, next(streams))
    return World(calibration, patients, levels, habits, expected, cases)


def draw_benign(world: World, streams: Iterator[np.random.Generator]) -> pl.DataFrame:
    """The benign lesions, patient after patient, in blocks, so that ten million need little more than the table."""
    counts = world.patients.size - world.cases
    block = np.cumsum(counts) // _BLOCK
    drawn = []
    for index in np.unique(block):
        patients = np.flatnonzero(block == index)
        drawn.append(draw_class(world, np.repeat(patients, counts[patients]), next(streams), malignant=False))
    return pl.concat(drawn, rechunk=True)


def draw_class(world: World, patient: Index, rng: np.random.Generator, *, malignant: bool) -> pl.DataFrame:
    """Draw lesions of one class for these patients, (n,) indices.

    Returns:
        One row per lesion: the numeric columns of the table, the indices `patient` and `location`, the `stratum` (see
        `lesions`), the crop's `sign`, and the log likelihood ratios `log_ratio` (of place, stratum and scores given the
        patient) and `crop_log_ratio` (of what the crop shows of them, lighting included).
    """
    calibration = world.calibration
    places = draw_places(patient, world.habits, calibration, rng, malignant=malignant)
    around = world.levels.total[patient] + np.outer(places.height(calibration), calibration.on_height)
    lesions = draw_lesions(around, calibration, rng, malignant=malignant)
    return pl.DataFrame(
        {
            "patient": patient,
            "location": places.location,
            "stratum": lesions.stratum,
            **measure(lesions, calibration, rng),
            **{f"tbp_lv_{axis}": np.round(places.position[row], 4) for row, axis in enumerate("xyz")},
            "age_approx": ages(calibration)[0][world.patients.age[patient]],
            "log_ratio": place_log_ratio(places, patient, world.habits, calibration)
            + score_log_ratio(lesions, around, calibration),
            "crop_log_ratio": crop_log_ratio(lesions, world.patients.white[patient], calibration),
            "sign": rng.standard_normal(len(patient)) + calibration.sign_shift * malignant,
        }
    )
