"""Peers of a run on the run's own rows and folds: `python -m tests.benches.peers NAME RUN OUT REPEATS`.

Written from published facts: the features, the sampling and the parameters that public solutions of ISIC 2024 share.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import lightgbm
import numpy as np
import numpy.typing as npt
import polars as pl
import xgboost
from catboost import CatBoostClassifier
from scipy.stats import rankdata

import features
from cohort.lesions import write_rows
from ensemble.matrix import FeatureSpace
from uglyduck.run.run import Run, open_run
from uglyduck.studies.comparison import repeated_blends
from uglyduck.studies.repetitions import repetitions

Array = npt.NDArray[np.float64]
Fit = Callable[[Array, Array, Array, int], Array]
"""From training features and labels, features to score and a seed to scores."""
#: The public features are the first of ours of that group, which are those formulas.
FORMULAS = 42
OVER, UNDER = 0.003, 0.01
LIGHTGBM = {
    "objective": "binary",
    "verbosity": -1,
    "n_iter": 200,
    "learning_rate": 0.03231007,
    "max_depth": 4,
    "num_leaves": 16,
    "lambda_l1": 0.08758719,
    "lambda_l2": 0.00396892,
    "feature_fraction": 0.83295516,
    "feature_fraction_bynode": 0.40259614,
    "bagging_fraction": 0.77389545,
    "bagging_freq": 4,
    "min_data_in_leaf": 85,
    "scale_pos_weight": 2.79841848,
}
XGBOOST = {
    "tree_method": "hist",
    "learning_rate": 0.08501257,
    "reg_lambda": 8.87962413,
    "reg_alpha": 0.67799266,
    "max_depth": 6,
    "subsample": 0.60126814,
    "colsample_bytree": 0.84377723,
    "colsample_bylevel": 0.54760909,
    "colsample_bynode": 0.99286012,
    "scale_pos_weight": 3.29440313,
}
CATBOOST = {
    "iterations": 250,
    "depth": 7,
    "learning_rate": 0.06936242,
    "scale_pos_weight": 2.61493458,
    "l2_leaf_reg": 6.21611385,
    "subsample": 0.62492618,
    "bootstrap_type": "Bernoulli",
    "min_data_in_leaf": 24,
}


def raw_columns(run: Run) -> Array:
    """Columns as they are, categories as codes."""
    built = features.build(run.lesions.frame, ["basic", "tbp"])
    return FeatureSpace.fit(built).encode(built).values.astype(np.float64)


def public_columns(run: Run) -> Array:
    """34 columns, 42 formulas, both relative to the patient, lesions of the patient, categories one-hot."""
    frame = run.lesions.frame
    built = features.build(frame, ["basic", "tbp", "engineered"]).drop("isic_id")
    known = [name for name in built.columns if not built[name].dtype.is_numeric()]
    formulas = [spec.name for spec in features.dictionary(frame.columns, ["engineered"])]
    numbers = built.select(pl.exclude(known, *formulas[FORMULAS:])).cast(pl.Float64).fill_nan(None)
    patient = frame["patient_id"]
    mean, spread = pl.all().mean().over(patient), pl.all().std().over(patient)
    relative = numbers.select(((pl.all() - mean) / (spread + 1e-5)).name.suffix("_patient_norm"))
    counted = frame.select(pl.len().over("patient_id").alias("count_per_patient"))
    categories = [*(built[name] for name in known), *([frame["attribution"]] if "attribution" in frame.columns else [])]
    one_hot = pl.DataFrame(categories).to_dummies()
    return pl.concat([numbers, relative, counted, one_hot], how="horizontal").cast(pl.Float64).to_numpy()


def plain_lightgbm(train: Array, target: Array, score: Array, seed: int) -> Array:
    """The library's defaults on all rows."""
    model = lightgbm.LGBMClassifier(random_state=seed, verbosity=-1).fit(train, target)
    return np.asarray(model.predict_proba(score)[:, 1])


def public_recipe(train: Array, target: Array, score: Array, seed: int) -> Array:
    """Malignant rows drawn again, benign rows drawn once, three learners, mean of ranks."""
    rows = resampled(target, seed)
    train, target = train[rows], target[rows]
    models = (
        lightgbm.LGBMClassifier(**LIGHTGBM, random_state=seed),
        xgboost.XGBClassifier(**XGBOOST, random_state=seed),
        CatBoostClassifier(**CATBOOST, random_seed=seed, verbose=False, allow_writing_files=False),
    )
    ranks = [rankdata(model.fit(train, target).predict_proba(score)[:, 1]) / len(score) for model in models]
    return np.asarray(np.mean(ranks, axis=0))


def resampled(target: Array, seed: int) -> npt.NDArray[np.intp]:
    """Malignant rows with replacement to `OVER` of the benign, then benign rows to malignant over `UNDER`.

    Where malignant lesions are more frequent than that already, all rows stay.
    """
    chance = np.random.default_rng(seed)
    malignant, benign = np.flatnonzero(target == 1), np.flatnonzero(target == 0)
    more = max(0, int(OVER * len(benign)) - len(malignant))
    malignant = np.concatenate([malignant, chance.choice(malignant, more)])
    fewer = min(len(benign), int(len(malignant) / UNDER))
    return np.concatenate([malignant, chance.choice(benign, fewer, replace=False)])


PEERS: dict[str, tuple[Callable[[Run], Array], Fit]] = {
    "plain LightGBM, raw columns": (raw_columns, plain_lightgbm),
    "shared public recipe": (public_columns, public_recipe),
}
OURS = "ours"


def scores(name: str, run: Run, repeats: int) -> list[Array]:
    """Out-of-fold scores of a peer, or of ours, in each repetition."""
    if name == OURS:
        return repeated_blends(run, repeats)
    columns, fit = PEERS[name]
    table, target = columns(run), run.target.astype(np.float64)
    found = []
    for number, again in enumerate(repetitions(run, run.plan, repeats)):
        blended = np.empty(len(target))
        for fold in np.unique(again.fold):
            here = again.fold == fold
            blended[here] = fit(table[~here], target[~here], table[here], 100 * number + int(fold))
        found.append(blended)
    return found


def main(name: str, folder: str, out: str, repeats: str) -> None:
    """Write a column for each repetition."""
    run = open_run(Path(folder))
    columns = {str(number): pl.Series(one) for number, one in enumerate(scores(name, run, int(repeats)))}
    write_rows(run.lesions.frame.select("isic_id").with_columns(**columns), Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
