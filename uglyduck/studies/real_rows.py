"""Simulated rows next to real ones: how well a learner tells them apart, and what a model carries over."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from cohort.columns import NUMERIC
from cohort.reading import read_cohort
from cv_folds.folds import make_folds
from cv_folds.metrics.partial_auc import partial_auc
from cv_folds.metrics.ranking import roc_auc
from engine.errors import InputError
from ensemble.learners.lightgbm import LightGBM, LightGBMModel
from ensemble.matrix import FeatureSpace, Matrix

_CLASSES = {"benign": 0, "malignant": 1}
_FEWEST_MALIGNANT = 50
_MOST_TELLING = 6
_BENIGN_EACH = 50
_SEED = 0  # of draws, folds and models
_APART = {
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
        rows: Rows of each side, the same number of both.
        auc: AUC out of fold, patients whole: 0.5 where it cannot, 1 where it always can.
        columns: The columns that tell most, with their share of the gain of a model of all these rows.
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

    Real rows at hand are a selection; what tells them from simulated ones may be the selection, too.

    Args:
        simulated: isic_id, patient_id, target and the numeric columns.
        real: Likewise.
    """
    wanted = ["isic_id", "patient_id", "target", *NUMERIC]
    simulated, real = simulated.select(wanted), real.select(wanted)
    sides = {"simulated": simulated, "real": real}
    apart = {
        name: _told_apart(simulated.filter(target=target), real.filter(target=target))
        for name, target in _CLASSES.items()
    }
    whole = {name: _model(_thinned(frame), {}) for name, frame in sides.items()}
    targets = {name: frame["target"].to_numpy() for name, frame in sides.items()}
    carried = {
        "real, out of fold": partial_auc(targets["real"], _out_of_fold(real, {})),
        "simulated, scored on real": partial_auc(targets["real"], _scores(whole["simulated"], real)),
        "real, scored on simulated": partial_auc(targets["simulated"], _scores(whole["real"], simulated)),
    }
    return NextToReal(real.height, int(targets["real"].sum()), apart, carried)


def _told_apart(simulated: pl.DataFrame, real: pl.DataFrame) -> ToldApart:
    """As many rows of each side, drawn at random from the larger one; the real ones are the target."""
    rows = min(simulated.height, real.height)
    sides = {"simulated": (simulated, 0), "real": (real, 1)}
    both = pl.concat(
        frame.sample(rows, seed=_SEED).with_columns(
            pl.col("isic_id", "patient_id") + f" {name}", target=pl.lit(target, pl.Int8)
        )
        for name, (frame, target) in sides.items()
    ).sort("patient_id", "isic_id")
    auc = roc_auc(both["target"].to_numpy(), _out_of_fold(both, _APART))
    gain = pl.DataFrame({"column": NUMERIC, "gain": _model(both, _APART).gain()})
    most = gain.sort("gain", descending=True, maintain_order=True).head(_MOST_TELLING)
    return ToldApart(rows, auc, dict(most.iter_rows()))


def _thinned(frame: pl.DataFrame) -> pl.DataFrame:
    """All malignant lesions, and at most fifty benign ones for each: a model learns no more from hundreds."""
    malignant, benign = frame.filter(target=1), frame.filter(target=0)
    most = min(benign.height, _BENIGN_EACH * malignant.height)
    return pl.concat([malignant, benign.sample(most, seed=_SEED)])


def _out_of_fold(frame: pl.DataFrame, parameters: dict[str, Any]) -> np.ndarray[Any, Any]:
    made = make_folds(frame.select("isic_id", "patient_id", "target"), seed=_SEED)
    fold = frame.select("isic_id").join(made.frame, on="isic_id", how="left", maintain_order="left")[made.columns[0]]
    score = np.empty(frame.height)
    for index in fold.unique().sort():
        held = (fold == index).to_numpy()
        model = _model(frame.filter(~held), parameters)
        score[held] = _scores(model, frame.filter(held))
    return score


def _model(frame: pl.DataFrame, parameters: dict[str, Any]) -> LightGBMModel:
    learner = LightGBM.configured(parameters)
    return learner.fit(_matrix(frame), frame["target"].to_numpy(), seed=_SEED, threads=1)


def _scores(model: LightGBMModel, frame: pl.DataFrame) -> np.ndarray[Any, Any]:
    return model.predict(_matrix(frame), threads=1)


def _matrix(frame: pl.DataFrame) -> Matrix:
    return FeatureSpace(NUMERIC, {}).encode(frame)
