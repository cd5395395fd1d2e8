"""The figures the simulator is fitted to, read once from `calibration.json` and `published.json`.

`published.json` holds what is known of the real 401,059 lesions (counts, moments, quantiles, correlations), with its
sources; `calibration.json` holds the simulator's parameters, fitted to it as docs/simulator.md says. Neither holds a
row of the data.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
from scipy.interpolate import PchipInterpolator

Array = np.ndarray[Any, np.dtype[np.float64]]
Index = np.ndarray[Any, np.dtype[np.int64]]

Curve = Callable[[Array], Array]
"""A monotone map from standard normal scores to a column's values."""

SIZE = "clin_size_long_diam_mm"
CONTRAST = "tbp_lv_deltaLBnorm"
SPREAD = "tbp_lv_color_std_mean"
RINGS = "tbp_lv_radial_color_std_max"


@dataclass(frozen=True)
class Stratum:
    """Lesions that automatic detection misses and that are in the table because somebody tagged them.

    Attributes:
        latent: The coordinate that has a score and a curve of its own here.
        common: (d,) displacement of the other coordinates, the same for benign and malignant lesions.
        shift: Mean of the malignant lesions' own score (the benign ones': 0).
        scale: Its standard deviation (the benign ones': 1).
        curve: From that score to the column's value.
    """

    latent: int
    common: Array
    shift: float
    scale: float
    curve: Curve


@dataclass(frozen=True)
class Kind:
    """A kind of benign or malignant lesions, a component of the mixture of its class.

    Attributes:
        share: Share of the lesions of the class.
        mean: (d,) mean displacement from the patient's level; over the benign kinds they average to 0.
        within: (d, d) covariance around that, given the lesion's place.
    """

    share: float
    mean: Array
    within: Array


@dataclass(frozen=True)
class WorldCalibration:
    """The parameters of the simulator; d is the number of latent coordinates.

    Attributes:
        latents: Names of the coordinates, in the order of every vector and matrix; the two colour spreads last.
        curves: A curve per coordinate.
        between: (d, d) covariance of the patients' own levels, given age, lighting and hospital.
        kinds: The kinds of benign lesions, and those of malignant ones: melanocytic and keratinocytic (the
            patient-relative part of the risk), and the benign ones (for malignant lesions that look benign).
        on_age: (d,) effect of the age's normal score on a patient's level.
        on_white: (d,) effect of white lighting, per standard deviation of the indicator.
        on_height: (d,) effect of the standardised height on the body.
        on_hospital: (hospitals, d) offsets of the hospitals.
        tilt: (d,) displacement of the levels of patients with malignant lesions: the patient part of the risk.
        small: Lesions below 2.5 mm.
        faint: Lesions with a contrast below the detection floor.
        strata: (2, 4) shares of benign and of malignant lesions that are regular, small, faint, and both.
        zero: Score of each of the two colour spreads below which it is 0.
        sign_shift: Mean of the crop's sign in malignant lesions; it is N(0, 1) in benign ones.
        shifted: Whether the population, and so its figures, differ from the published ones.
        facts: Everything else in the file: counts by category, places, diagnoses, patient sizes.
    """

    latents: tuple[str, ...]
    curves: dict[str, Curve]
    between: Array
    kinds: tuple[tuple[Kind, ...], tuple[Kind, ...]]
    on_age: Array
    on_white: Array
    on_height: Array
    on_hospital: Array
    tilt: Array
    small: Stratum
    faint: Stratum
    strata: Array
    zero: Mapping[str, float]
    sign_shift: float
    shifted: bool
    facts: Mapping[str, Any]

    def at(self, name: str) -> int:
        """Position of a latent coordinate."""
        return self.latents.index(name)

    def counts(self, category: str, of: Literal["lesions", "malignant"]) -> Array:
        """Published lesion counts of a category's levels."""
        levels = self.facts[category]
        return np.array([float(level[of]) for level in (levels.values() if isinstance(levels, dict) else levels)])


def curve_through(knots: Mapping[str, Sequence[float]]) -> Curve:
    """The monotone cubic (PCHIP) through knots of `score` and `value`, constant beyond them, in steps of 0.0025."""
    grid = np.linspace(-6.0, 6.0, 4801)
    table = PchipInterpolator(knots["score"], knots["value"])(np.clip(grid, knots["score"][0], knots["score"][-1]))
    return lambda score: np.interp(score, grid, table)


def parse(raw: Mapping[str, Any]) -> WorldCalibration:
    """A calibration from the content of its file."""
    latents = tuple(raw["latents"])

    def vector_of(values: Mapping[str, float]) -> Array:
        return np.array([values.get(name, 0.0) for name in latents])

    def vector(key: str) -> Array:
        return vector_of(raw[key])

    def stratum(key: str, name: str) -> Stratum:
        facts = raw[key]
        common = vector_of(facts["common"])
        return Stratum(latents.index(name), common, facts["shift"], facts["scale"], curve_through(facts["curve"]))

    benign = tuple(
        Kind(kind["share"], vector_of(kind["mean"]), np.array(kind["within"])) for kind in raw["benign_kinds"].values()
    )
    alike = [replace(kind, share=raw["alike_share"] * kind.share) for kind in benign]
    unlike = [
        Kind((1.0 - raw["alike_share"]) * kind["share"], vector_of(kind["shift"]), np.array(raw["within_malignant"]))
        for kind in raw["kinds"].values()
    ]
    return WorldCalibration(
        latents=latents,
        curves={name: curve_through(raw["curves"][name]) for name in latents},
        between=np.array(raw["between"]),
        kinds=(benign, (*unlike, *alike)),
        on_age=vector("on_age"),
        on_white=vector("on_white"),
        on_height=vector("on_height"),
        on_hospital=np.array([vector_of(hospital["offset"]) for hospital in raw["hospitals"]]),
        tilt=vector("tilt"),
        small=stratum("small", SIZE),
        faint=stratum("faint", CONTRAST),
        strata=np.array(list(raw["strata"].values())),
        zero=raw["zero"],
        sign_shift=raw["sign_shift"],
        shifted=raw.get("shifted", False),
        facts=raw,
    )


@cache
def load() -> WorldCalibration:
    """The calibration that ships with the package."""
    return parse(_read("calibration.json"))


@cache
def published() -> Mapping[str, Any]:
    """The published figures that ship with the package."""
    return _read("published.json")


def _read(name: str) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads(files("cohort.simulator").joinpath(name).read_text("utf-8"))
    return content
