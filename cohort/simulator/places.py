"""Where on the body: the location, and the position on the 3-D model that goes with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from cohort.simulator.calibration import Array, Index, WorldCalibration

UNKNOWN = "Unknown"


@dataclass(frozen=True)
class Habits:
    """How each patient's lesions are placed.

    Attributes:
        share: (patients, places) share of each location among the patient's benign lesions.
        risk: (places,) how much likelier a malignant lesion is at a location, 0 where none was published.
        stature: (patients,) body height relative to the mean.
        facing: (patients,) 1, or -1 if the model is turned round: x and z run the other way.
    """

    share: Array
    risk: Array
    stature: Array
    facing: Array


@dataclass(frozen=True)
class BodyPlaces:
    """One entry per lesion.

    Attributes:
        location: Index into the calibration's places.
        position: (3, n) x left to right, y feet to head, z front to back; mm.
        depth: Normal score of z within its location.
    """

    location: Index
    position: Array
    depth: Array

    def height(self, calibration: WorldCalibration) -> Array:
        """Standardised height on the body, clipped to 3."""
        scale = calibration.facts["height"]
        return np.asarray(np.clip((self.position[1] - scale["mean"]) / scale["sd"], -3.0, 3.0), dtype=np.float64)


def draw_habits(n_patients: int, calibration: WorldCalibration, rng: np.random.Generator) -> Habits:
    """Draw the patients' habits: Dirichlet shares around the published ones."""
    places = calibration.facts["places"]
    lesions, cases = calibration.counts("places", "lesions"), calibration.counts("places", "malignant")
    share = lesions / lesions.sum()
    # a location without a published malignant lesion gets half of one, so that only the unknown is safe
    risk = np.where(np.array(list(places)) == UNKNOWN, 0.0, np.maximum(cases, 0.5) / cases.sum() / share)
    spread = calibration.facts["patients"]
    habit = rng.gamma(spread["place_concentration"] * share, size=(n_patients, len(share))) + 1e-9
    stature = 1.0 + spread["stature_sd"] * np.clip(rng.standard_normal(n_patients), -3, 3)
    facing = np.where(rng.random(n_patients) < spread["turned"], -1.0, 1.0)
    return Habits(habit / habit.sum(axis=1, keepdims=True), risk, stature, facing)


def draw_places(
    patient: Index, habits: Habits, calibration: WorldCalibration, rng: np.random.Generator, *, malignant: bool
) -> BodyPlaces:
    """Draw a place for each lesion, given its patient: benign ones by habit, malignant ones by habit times risk."""
    share = habits.share * habits.risk if malignant else habits.share
    edges = np.cumsum(share / share.sum(axis=1, keepdims=True), axis=1)
    draw = rng.random(len(patient))
    location = np.zeros(len(patient), dtype=np.int64)
    for place in range(edges.shape[1] - 1):
        location += draw > edges[patient, place]
    facts = list(calibration.facts["places"].values())
    noise = np.clip(rng.standard_normal((3, len(patient))), -3.5, 3.5)
    if malignant:
        noise[2] += calibration.facts["depth_shift"]
    across, up = (_flat(noise[row]) for row in (0, 1))
    shape = {axis: np.array([place[axis] for place in facts])[location].T for axis in "xyz"}
    position = np.stack(
        [
            shape["x"][0] + shape["x"][1] * across,
            shape["y"][0] + shape["y"][1] * up,
            shape["z"][0] + shape["z"][1] * noise[2] + shape["z"][2] * (np.square(across) - 1 / 3),
        ]
    )
    position[[0, 2]] *= habits.facing[patient]
    position[1] *= habits.stature[patient]
    return BodyPlaces(location, position, noise[2])


def _flat(normal: Array) -> Array:
    """From a normal score to a place along a part of the body: nearly uniform from -1 to 1, with blurred ends."""
    return np.asarray(0.85 * (2.0 * ndtr(normal) - 1.0) + 0.13 * normal, dtype=np.float64)


def place_log_ratio(places: BodyPlaces, patient: Index, habits: Habits, calibration: WorldCalibration) -> Array:
    """Log likelihood ratio (n,) of location and depth, malignant against benign; -inf where there is no risk."""
    mean = (habits.share * habits.risk).sum(axis=1)
    shift = calibration.facts["depth_shift"]
    with np.errstate(divide="ignore"):
        location = np.log(habits.risk[places.location] / mean[patient])
    return np.asarray(location + shift * places.depth - 0.5 * shift**2)


def simple_location(name: str) -> str:
    """The coarse level (`tbp_lv_location_simple`) of a fine location."""
    return name if name in {"Head & Neck", UNKNOWN} else " ".join(name.split()[:2])


def body_site(name: str) -> str | None:
    """The body site (`anatom_site_general`) of a fine location; None if it is unknown."""
    starts = {
        "Head": "head/neck",
        "Torso Back": "posterior torso",
        "Torso Front": "anterior torso",
        "Left Arm": "upper extremity",
        "Right Arm": "upper extremity",
        "Left Leg": "lower extremity",
        "Right Leg": "lower extremity",
    }
    return next((site for start, site in starts.items() if name.startswith(start)), None)
