"""The patients of one cohort, and lesions drawn for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import logit

from cohort.simulator.balance import choose
from cohort.simulator.calibration import SIZE, Array, Index, WorldCalibration, published
from cohort.simulator.cases import draw_cases, expected_cases
from cohort.simulator.lesions import draw_lesions
from cohort.simulator.levels import Levels, draw_levels
from cohort.simulator.malignant import (
    Candidates,
    candidates_each,
    features_of,
    rank_within,
    share_below,
)
from cohort.simulator.measures import Columns, measure
from cohort.simulator.patients import SimulatedPatients, ages, draw_patients
from cohort.simulator.places import Habits, body_site, draw_habits, draw_places, place_log_ratio
from cohort.simulator.risk import crop_log_ratio, score_log_ratio, sign_log_ratio

_BLOCK = 200_000
_ROUNDS = 30


@dataclass(frozen=True)
class PatientGroup:
    """Lesions of one class; n lesions.

    Attributes:
        patient: (n,) index of the patient.
        location: (n,) index of the body location.
        stratum: (n,) see `lesions.Lesions`.
        columns: Numeric columns, each (n,).
        log_ratio: (n,) log likelihood ratio of place, stratum and scores given the patient.
        crop_log_ratio: (n,) that of what the crop shows of them, lighting included.
        sign: (n,) the crop's sign.
    """

    patient: Index
    location: Index
    stratum: Index
    columns: Columns
    log_ratio: Array
    crop_log_ratio: Array
    sign: Array

    def take(self, rows: Index) -> PatientGroup:
        """Some of the lesions."""
        arrays = {name: getattr(self, name)[rows] for name in _ARRAYS}
        return PatientGroup(columns={name: column[rows] for name, column in self.columns.items()}, **arrays)


_ARRAYS = ("patient", "location", "stratum", "log_ratio", "crop_log_ratio", "sign")


def joined(groups: list[PatientGroup]) -> PatientGroup:
    """Groups one after the other."""
    columns = {name: np.concatenate([group.columns[name] for group in groups]) for name in groups[0].columns}
    return PatientGroup(
        columns=columns, **{name: np.concatenate([getattr(group, name) for group in groups]) for name in _ARRAYS}
    )


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

    def log_odds(self, group: PatientGroup) -> dict[str, Array]:
        """Log odds of malignancy given the table, the crop and both, each (n,)."""
        prior = logit(self.expected / self.patients.size)[group.patient]
        shown = sign_log_ratio(group.sign, self.calibration)
        base = float(logit(self.cases.sum() / self.patients.size.sum()))
        table = prior + group.log_ratio
        return {"p_table": table, "p_crop": base + group.crop_log_ratio + shown, "p_both": table + shown}


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


def draw_benign(world: World, streams: Iterator[np.random.Generator]) -> PatientGroup:
    """The benign lesions, patient after patient, in blocks, so that ten million need little more than the table."""
    counts = world.patients.size - world.cases
    block = np.cumsum(counts) // _BLOCK
    groups = []
    for index in np.unique(block):
        patients = np.flatnonzero(block == index)
        groups.append(_draw(world, np.repeat(patients, counts[patients]), next(streams), malignant=False))
    return joined(groups)


def draw_malignant(world: World, benign: PatientGroup, streams: Iterator[np.random.Generator]) -> PatientGroup:
    """The malignant lesions: chosen from candidates, see `malignant`; of a shifted population, as they come."""
    patient = np.repeat(np.arange(len(world.cases)), world.cases)
    if world.calibration.shifted:
        return _draw(world, patient, next(streams), malignant=True)
    each = candidates_each(len(patient))
    pool = _draw(world, np.repeat(patient, each), next(streams), malignant=True)
    features = features_of(_candidates(world, pool, benign), benign.columns, len(patient), published())
    values = features.values.reshape(len(patient), each, -1)
    chosen = choose(values, features.low, features.high, rounds=_ROUNDS)
    return pool.take(np.arange(len(patient)) * each + chosen)


def _candidates(world: World, pool: PatientGroup, benign: PatientGroup) -> Candidates:
    sites = list(published()["sites"])
    names = [sites.index(body_site(name) or "missing") for name in world.calibration.facts["places"]]
    odds, others = world.log_odds(pool), world.log_odds(benign)
    return Candidates(
        columns=pool.columns,
        site=np.array(names)[pool.location],
        rank=rank_within(pool.patient, pool.columns[SIZE], benign.patient, benign.columns[SIZE]),
        standing={name: share_below(odds[name], others[name]) for name in odds},
    )


def _draw(world: World, patient: Index, rng: np.random.Generator, *, malignant: bool) -> PatientGroup:
    calibration = world.calibration
    places = draw_places(patient, world.habits, calibration, rng, malignant=malignant)
    around = world.levels.total[patient] + np.outer(places.height(calibration), calibration.on_height)
    lesions = draw_lesions(around, calibration, rng, malignant=malignant)
    columns = measure(lesions, calibration, rng)
    columns |= {f"tbp_lv_{axis}": np.round(places.position[row], 4) for row, axis in enumerate("xyz")}
    columns["age_approx"] = ages(calibration)[0][world.patients.age[patient]]
    return PatientGroup(
        patient=patient,
        location=places.location,
        stratum=lesions.stratum,
        columns=columns,
        log_ratio=place_log_ratio(places, patient, world.habits, calibration)
        + score_log_ratio(lesions, around, calibration),
        crop_log_ratio=crop_log_ratio(lesions, world.patients.white[patient], calibration),
        sign=rng.standard_normal(len(patient)) + calibration.sign_shift * malignant,
    )
