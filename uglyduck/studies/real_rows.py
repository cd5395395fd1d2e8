"""Simulated rows next to real ones: how well a learner tells them apart, and what a model carries over."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from cohort.columns import NUMERIC
from cohort.reading import read_cohort
from cv_folds.folds import make_folds
from cv_folds.metrics.partial_auc import partial_auc
from cv_folds.metrics.ranking import roc_auc
from engine.errors import InputError
from engine.executors import LocalExecutor
from engine.results import ResultStore
from engine.scratch import scratch
from ensemble.jobs import Job, JobRunner, Outcome, Table
from ensemble.jobs.table import Rows
from ensemble.learners import LightGBM
from ensemble.matrix import FeatureSpace
from ensemble.sampling import sample_rows

_CLASSES = {"benign": 0, "malignant": 1}
_FEWEST_MALIGNANT = 50
_MOST_TELLING = 6
_BENIGN_EACH = 50
_SEED = 0  # of draws, folds and models
_CARRIED: dict[str, Any] = {}  # the default learner
_APART: dict[str, Any] = {
    "learning_rate": 0.05,
    "max_depth": -1,
    "num_leaves": 15,
    "min_data_in_leaf": 20,
    "scale_pos_weight": 1.0,
    "feature_fraction": 1.0,
    "feature_fraction_bynode": 1.0,
    "bagging_freq": 0,
}


@dataclass(frozen=True)
class ToldApart:
    """How well a learner tells the real rows of a class from the simulated ones.

    Attributes:
        rows: Rows of each side, the same number for both.
        auc: AUC out of fold, patients whole: 0.5 if it cannot tell them apart, 1 if it always can.
        columns: The most telling columns, with their share of the gain of a model trained on all these rows.
    """

    rows: int
    auc: float
    columns: dict[str, float]


@dataclass(frozen=True)
class NextToReal:
    """A simulated cohort next to real rows.

    Attributes:
        lesions: Real rows.
        malignant: The malignant ones among them.
        apart: For each class, how well real and simulated rows are told apart.
        carried: Partial AUC of models of the same columns, by what they were trained and scored on.
    """

    lesions: int
    malignant: int
    apart: dict[str, ToldApart]
    carried: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        apart = {name: vars(found) for name, found in self.apart.items()}
        return {"lesions": self.lesions, "malignant": self.malignant, "told_apart": apart, "partial_auc": self.carried}


def read_real(path: Path) -> pl.DataFrame:
    """Real rows in canonical form.

    Raises:
        InputError: The table cannot be read, is not one of SLICE-3D with its labels, or has too few malignant lesions.
    """
    real = read_cohort(path, labels="required", only=NUMERIC, all_text=False)
    absent = [name for name in NUMERIC if name not in real.frame.columns]
    if real.dataset != "slice3d" or absent:
        raise InputError(
            "a simulated cohort has no such columns" if real.dataset != "slice3d" else f"there is no {absent[0]}",
            where=str(path),
            remedy="compare with a labelled table of SLICE-3D that has every numeric column",
        )
    if (malignant := int(real.frame["target"].sum())) < _FEWEST_MALIGNANT:
        raise InputError(
            f"{malignant} malignant lesions are too few to compare with",
            where=str(path),
            remedy=f"take a table of at least {_FEWEST_MALIGNANT}",
        )
    return real.frame


def next_to_real(simulated: pl.DataFrame, real: pl.DataFrame) -> NextToReal:
    """Compare a simulated table with real rows, on the numeric columns.

    Available real rows are a selection, and the selection itself may be what tells them from simulated ones.

    Args:
        simulated: isic_id, patient_id, target and the numeric columns.
        real: The same columns.
    """
    wanted = ["isic_id", "patient_id", "target", *NUMERIC]
    simulated, real = simulated.select(wanted), real.select(wanted)
    apart = {
        name: _told_apart(simulated.filter(target=target), real.filter(target=target))
        for name, target in _CLASSES.items()
    }
    return NextToReal(real.height, int(real["target"].sum()), apart, _carried(simulated, real))


def _told_apart(simulated: pl.DataFrame, real: pl.DataFrame) -> ToldApart:
    """Uses equally many rows of each side, drawn at random from the larger one; the real ones are the positives."""
    rows = min(simulated.height, real.height)
    sides = {"simulated": (simulated, 0), "real": (real, 1)}
    both = pl.concat(
        frame.sample(rows, seed=_SEED).with_columns(
            pl.col("isic_id", "patient_id") + f" {name}", target=pl.lit(target, pl.Int8)
        )
        for name, (frame, target) in sides.items()
    ).sort("patient_id", "isic_id")
    every = np.arange(both.height)
    *found, whole = _outcomes(both, _APART, [*(folds := _folds(both)), (every, every)])
    auc = roc_auc(both["target"].to_numpy(), _out_of_fold(folds, found))
    gain = pl.DataFrame({"column": NUMERIC, "gain": whole.gain})
    most = gain.sort("gain", descending=True, maintain_order=True).head(_MOST_TELLING)
    return ToldApart(rows, auc, dict(most.iter_rows()))


def _carried(simulated: pl.DataFrame, real: pl.DataFrame) -> dict[str, float]:
    """Partial AUC of models trained on either side: within the real rows, and from each side to the other."""
    before = simulated.height  # rows of the real side come after these
    both = pl.concat([simulated, real])
    every = np.arange(both.height)
    folds = _folds(real)
    *found, to_real, to_simulated = _outcomes(
        both,
        _CARRIED,
        [
            *((train + before, score + before) for train, score in folds),
            (_thinned(simulated), every[before:]),
            (_thinned(real) + before, every[:before]),
        ],
    )
    return {
        "real, out of fold": partial_auc(real["target"].to_numpy(), _out_of_fold(folds, found)),
        "simulated, scored on real": partial_auc(real["target"].to_numpy(), to_real.scores),
        "real, scored on simulated": partial_auc(simulated["target"].to_numpy(), to_simulated.scores),
    }


def _thinned(frame: pl.DataFrame) -> Rows:
    """All malignant lesions, and at most fifty benign ones for each: a model learns no more from hundreds."""
    return sample_rows(frame["target"].to_numpy(), benign_per_malignant=_BENIGN_EACH, seed=(_SEED,))


def _folds(frame: pl.DataFrame) -> list[tuple[Rows, Rows]]:
    """Rows to train on and to score, for each patient fold."""
    made = make_folds(frame.select("isic_id", "patient_id", "target"), seed=_SEED)
    fold = frame.select("isic_id").join(made.frame, on="isic_id", how="left", maintain_order="left")[made.columns[0]]
    each = [(fold == index).to_numpy() for index in fold.unique().sort()]
    return [(np.flatnonzero(~held), np.flatnonzero(held)) for held in each]


def _outcomes(frame: pl.DataFrame, parameters: dict[str, Any], rows: Sequence[tuple[Rows, Rows]]) -> list[Outcome]:
    """Outcomes of models of the numeric columns, each trained on some rows and scoring others."""
    table = Table(FeatureSpace(NUMERIC, {}).encode(frame), frame["target"].to_numpy())
    learner = LightGBM.configured(parameters)
    jobs = [Job(str(place), learner, NUMERIC, *each, seed=_SEED) for place, each in enumerate(rows)]
    with scratch() as folder:
        runner = JobRunner(ResultStore(folder), LocalExecutor(os.cpu_count() or 1))
        return list(runner.run(jobs, table))


def _out_of_fold(folds: Sequence[tuple[Rows, Rows]], found: Sequence[Outcome]) -> npt.NDArray[np.float64]:
    score = np.empty(sum(len(held) for _, held in folds))
    for (_, held), outcome in zip(folds, found, strict=True):
        score[held] = outcome.scores
    return score
