"""The figures the simulator is fitted to, read once from `calibration.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from scipy.interpolate import PchipInterpolator

Array = np.ndarray[Any, np.dtype[np.float64]]
GRID = np.linspace(-6.0, 6.0, 4801)
"""Latent values at which every monotone curve is tabulated."""


@dataclass(frozen=True)
class Curve:
    """A monotone map from a standard normal score to a column's value, tabulated on `GRID`."""

    table: Array

    @classmethod
    def through(cls, scores: list[float], values: list[float]) -> Curve:
        """The monotone cubic (PCHIP) through the knots, constant beyond them."""
        inside = np.clip(GRID, scores[0], scores[-1])
        return cls(np.asarray(PchipInterpolator(scores, values)(inside), dtype=np.float64))

    def __call__(self, score: Array) -> Array:
        """The column's values at these scores."""
        return np.interp(score, GRID, self.table)


@dataclass(frozen=True)
class Calibration:
    """Everything in `calibration.json`, with matrices as arrays and curves tabulated.

    Attributes:
        raw: The file as it is.
        latents: Names of the latent coordinates, in the order of every vector and matrix.
        curves: A curve per latent coordinate.
        between: Covariance of the patients' own levels.
        within: Covariance of a benign lesion around its patient's level.
        shift: Mean displacement of a malignant lesion from its patient's level.
        scale: Spread of malignant lesions around that, relative to benign ones.
    """

    raw: dict[str, Any]
    latents: tuple[str, ...]
    curves: dict[str, Curve]
    between: Array
    within: Array
    shift: Array
    scale: Array

    def vector(self, key: str) -> Array:
        """A list of numbers in the file as an array."""
        return np.asarray(self.raw[key], dtype=np.float64)


@cache
def load() -> Calibration:
    """Read the calibration that ships with the package."""
    raw = json.loads(files("cohort.simulator").joinpath("calibration.json").read_text("utf-8"))
    curves = {name: Curve.through(knots["z"], knots["x"]) for name, knots in raw["columns"].items()}
    return Calibration(
        raw=raw,
        latents=tuple(raw["latents"]),
        curves=curves,
        between=np.asarray(raw["between"], dtype=np.float64),
        within=np.asarray(raw["within"], dtype=np.float64),
        shift=np.asarray(raw["malignant"]["shift"], dtype=np.float64),
        scale=np.asarray(raw["malignant"]["scale"], dtype=np.float64),
    )
