"""A job, and its name: a hash of everything that it actually reads."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from typing import Any

from engine.code import OURS, code_of
from engine.files import fingerprint
from ensemble.jobs.table import Rows, Table, digest
from ensemble.learners import Learner

#: Modules involved in fitting, besides the learner's own.
_FITTING = (
    "ensemble.jobs.fitting",
    "ensemble.jobs.sharing",
    "ensemble.jobs.sharing.catboost",
    "ensemble.jobs.sharing.lightgbm",
    "ensemble.jobs.sharing.xgboost",
    "ensemble.learners.base",
    "ensemble.matrix",
    "ensemble.sampling",
)


@dataclass(frozen=True, eq=False)
class Job:
    """Train one model, and score rows with it.

    Attributes:
        label: Its label in log lines; not part of its name.
        learner: The learner with its parameters.
        columns: Features that it sees, in the order of the table.
        train: Rows to train on, ascending.
        score: Rows to score.
        seed: Seed of the learner.
        noise: By feature name, the standard deviation of the training noise, in units of the feature's own.
        draw: What the noise depends on, each 0 or more.
    """

    label: str
    learner: Learner
    columns: tuple[str, ...]
    train: Rows
    score: Rows
    seed: int
    noise: Mapping[str, float] = field(default_factory=dict)
    draw: tuple[int, ...] = ()

    def fit_name(self, table: Table) -> str:
        """A key shared by jobs whose column sets can be prepared together."""
        return fingerprint(
            {
                **self._fitted_with(table, self.noise),
                "rows": [digest(self.train), digest(self.score)],
            }
        )

    def name(self, table: Table) -> str:
        """Hex SHA-256 of everything that determines the scores: values, labels, weights, parameters, library and code.

        The content of the rows counts, not their positions in the table; the order of columns counts, too.

        Raises:
            InputError: The table lacks one of the columns.
        """
        space = table.matrix.space.restricted(self.columns)
        return fingerprint(
            {
                **self._fitted_with(table, {name: self.noise[name] for name in self.noise if name in space.names}),
                "space": space.as_dict(),
                "train": table.digest_of_columns(space.names, self.train),
                "score": table.digest_of_columns(space.names, self.score),
            }
        )

    def _fitted_with(self, table: Table, noise: Mapping[str, float]) -> dict[str, Any]:
        return {
            "learner": learner_identity(self.learner),
            "target": digest(table.target[self.train]),
            "weight": None if table.weight is None else digest(table.weight[self.train]),
            "seed": self.seed,
            "noise": [dict(noise), list(self.draw)] if noise else None,
        }


def learner_identity(learner: Learner) -> dict[str, Any]:
    """The learner's name and parameters, the version of its library, and the code that fits."""
    return {
        "name": learner.name,
        "parameters": dict(learner.parameters),
        "library": _library(learner.library),
        "code": _code(type(learner)),
    }


@cache
def _library(name: str) -> str:
    return f"{name} {version(name)}"


@cache
def _code(learner: type[Learner]) -> str:
    """Fingerprint of the modules that fit and of those that define the learner, even in another package."""
    modules = {each.__module__ for each in learner.__mro__} - {"builtins", "typing"}
    ours = {module for module in modules if module.split(".")[0] in OURS}
    others = {module: inspect.getsource(sys.modules[module]) for module in modules - ours}
    return fingerprint({"ours": code_of(*_FITTING, *ours), "others": others})
