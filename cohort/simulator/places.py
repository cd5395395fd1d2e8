"""Where on the body: location, and the 3-D position that goes with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cohort.simulator.calibration import Array, Calibration
from cohort.simulator.patients import Index

_CONCENTRATION = 30.0
_SITE = {"Head": "head/neck", "Torso Back": "posterior torso", "Torso Front": "anterior torso"}


@dataclass(frozen=True)
class Places:
    """One entry a lesion.

    Attributes:
        location: Index into the calibration's places.
        x: mm, left to right.
        y: mm, feet to head.
        z: mm, back to front.
        log_ratio: Log likelihood ratio of the location, malignant against benign, for this patient.
    """

    location: Index
    x: Array
    y: Array
    z: Array
    log_ratio: Array


def draw_places(
    patient: Index, malignant: Index, n_patients: int, calibration: Calibration, rng: np.random.Generator
) -> Places:
    """Draw a place for each lesion, given its patient's index and its class."""
    facts = list(calibration.raw["places"].values())
    lesions = np.array([place["lesions"] for place in facts], dtype=np.float64)
    cases = np.array([place["malignant"] for place in facts], dtype=np.float64)
    share = lesions / lesions.sum()
    risk = ((cases + 400.0 * share * 0.01) / (cases.sum() + 4.0)) / share
    habit = rng.gamma(_CONCENTRATION * share, size=(n_patients, len(share))) + 1e-12
    habit /= habit.sum(axis=1, keepdims=True)
    mean_risk = (habit * risk).sum(axis=1)
    location = _choose(np.cumsum(habit, axis=1), patient, rng)
    tilted = np.cumsum(habit * risk / mean_risk[:, None], axis=1)
    cancer = np.flatnonzero(malignant)
    location[cancer] = _choose(tilted, patient[cancer], rng)
    column = {
        key: np.array([place[key] for place in facts], dtype=np.float64)
        for key in ("side", "x", "x_sd", "y", "y_sd", "z", "z_sd")
    }
    noise = rng.standard_normal((3, len(patient)))
    stature = 1.0 + 0.04 * rng.standard_normal(n_patients)
    x = column["side"][location] * column["x"][location] + column["x_sd"][location] * noise[0]
    y = (column["y"][location] + column["y_sd"][location] * noise[1]) * stature[patient]
    z = column["z"][location] + column["z_sd"][location] * noise[2]
    return Places(location, x, y, z, np.log(risk[location] / mean_risk[patient]))


def _choose(cumulative: Array, patient: Index, rng: np.random.Generator) -> Index:
    draw = rng.random(len(patient))
    location = np.zeros(len(patient), dtype=np.int64)
    for place in range(cumulative.shape[1] - 1):
        location += draw > cumulative[patient, place]
    return location


def simple_location(name: str) -> str:
    """The coarse level (`tbp_lv_location_simple`) of a fine location."""
    return name if name in {"Head & Neck", "Unknown"} else " ".join(name.split()[:2])


def body_site(name: str) -> str | None:
    """The body site (`anatom_site_general`) of a fine location; None where it is unknown."""
    for start, site in _SITE.items():
        if name.startswith(start):
            return site
    return "upper extremity" if "Arm" in name else "lower extremity" if "Leg" in name else None
