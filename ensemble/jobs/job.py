"""A job, and its name: a hash of everything that it really reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from typing import Any

from engine.code import code_of
from engine.files import fingerprint
from ensemble.jobs.table import Rows, Table, digest
from ensemble.learners import Learner

#: Modules that fit, besides the learner's own.
_FITTING = (
    "ensemble.jobs.fitting",
    "ensemble.jobs.sharing",
    "ensemble.jobs.sharing.catboost",
    "ensemble.jobs.sharing.lightgbm",
    "ensemble.jobs.sharing.shared",
    "ensemble.jobs.sharing.xgboost",
    "ensemble.learners.base",
    "ensemble.matrix",
    "ensemble.sampling",
)


@dataclass(frozen=True, eq=False)
class Job:
    """Train one model, and score rows with it.

    Attributes:
        label: What it is called in log lines; not part of its name.
        learner: The learner with its parameters.
        columns: Features that it sees, in the order of the table.
        train: Rows to train on, ascending.
        score: Rows to score.
        seed: Of the learner.
        noise: Standard deviation of the noise added to features in training, in that of the feature, by its name.
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
        """What sets of columns that can be prepared together have in common."""
        weight = None if table.weight is None else digest(table.weight[self.train])
        return fingerprint(
            {
                "learner": learner_identity(self.learner),
                "rows": [digest(self.train), digest(self.score)],
                "target": digest(table.target[self.train]),
                "weight": weight,
                "seed": self.seed,
                "noise": [dict(self.noise), list(self.draw)] if self.noise else None,
            }
        )

    def name(self, table: Table) -> str:
        """Hex SHA-256 of all that decides the scores: values, labels, weights, parameters, library and code.

        Where the rows stand in the table does not count, only what stands in them.
        """
        seen = set(self.columns)
        weight = None if table.weight is None else digest(table.weight[self.train])
        noise = {name: amount for name, amount in self.noise.items() if name in seen}
        levels = {name: list(known) for name, known in table.matrix.space.levels.items() if name in seen}
        return fingerprint(
            {
                "learner": learner_identity(self.learner),
                "columns": list(self.columns),
                "levels": levels,
                "train": table.digest_of_columns(self.columns, self.train),
                "score": table.digest_of_columns(self.columns, self.score),
                "target": digest(table.target[self.train]),
                "weight": weight,
                "seed": self.seed,
                "noise": [noise, list(self.draw)] if noise else None,
            }
        )


def learner_identity(learner: Learner) -> dict[str, Any]:
    """The learner's name and parameters, the version of its library, and the code that fits."""
    return {
        "name": learner.name,
        "parameters": dict(learner.parameters),
        "library": _library(learner.library),
        "code": _code(type(learner).__module__),
    }


@cache
def _library(name: str) -> str:
    return f"{name} {version(name)}"


@cache
def _code(module: str) -> str:
    return code_of(module, *_FITTING)
