"""The learners by name: our own, and those that other packages register under the entry point `uglyduck.learners`."""

from __future__ import annotations

import warnings
from difflib import get_close_matches
from importlib.metadata import entry_points

import numpy as np
import polars as pl

from engine.errors import InputError
from ensemble.learners.base import Learner, Model, Parameters
from ensemble.learners.catboost import CatBoost
from ensemble.learners.lightgbm import LightGBM
from ensemble.learners.logistic import Logistic
from ensemble.learners.xgboost import XGBoost
from ensemble.matrix import FeatureSpace

__all__ = [
    "LEARNERS",
    "CatBoost",
    "Learner",
    "LightGBM",
    "Logistic",
    "Model",
    "Parameters",
    "XGBoost",
    "get_learner",
    "learner_class",
]

LEARNERS: dict[str, type[Learner]] = {learner.name: learner for learner in (LightGBM, XGBoost, CatBoost, Logistic)}

#: Entry points of this group name classes that implement the protocol `Learner`.
ENTRY_POINTS = "uglyduck.learners"


def get_learner(name: str, parameters: Parameters) -> Learner:
    """A learner by name with `parameters` laid over its defaults.

    It is first tried on a handful of rows, so that a wrong parameter is found now and not after hours.

    Raises:
        InputError: No learner has this name, or it refuses a parameter.
    """
    learner = learner_class(name).configured(parameters)
    _try_out(learner.configured({**parameters, **learner.trial}), parameters)
    return learner


def learner_class(name: str) -> type[Learner]:
    """A learner's class by its name; nothing is fitted.

    Raises:
        InputError: No learner has this name.
    """
    if name in LEARNERS:  # no other package can take these names, and searching them all takes 0.1 s
        return LEARNERS[name]
    brought = entry_points(group=ENTRY_POINTS)
    known: dict[str, type[Learner]] = {entry.name: entry.load() for entry in brought} | LEARNERS
    if name not in known:
        nearest = get_close_matches(name, known, n=1) or list(known)
        raise InputError(
            f"there is no learner {name!r}", where="[ensemble] learners", remedy=f"use {' or '.join(nearest)}"
        )
    return known[name]


def _try_out(learner: Learner, given: Parameters) -> None:
    frame = pl.DataFrame({"isic_id": [str(row) for row in range(64)], "x": [float(row) for row in range(64)]})
    matrix = FeatureSpace.fit(frame).encode(frame)
    target = (matrix.values[:, 0] > 31).astype(np.int8)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            learner.fit(matrix, target, seed=0, threads=1)
            complaint = next((str(warning.message) for warning in said if "are not used" in str(warning.message)), None)
        except Exception as error:  # noqa: BLE001 - each library has its own; any means wrong parameters
            complaint = str(error)
    if complaint:
        raise InputError(
            f"{learner.name} refuses {dict(given)} ({' '.join(complaint.split()).rstrip('.')})",
            where=f"[ensemble.parameters.{learner.name}]",
            remedy=f"see {learner.name}'s own list of parameters",
        )
