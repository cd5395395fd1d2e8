"""What a learner makes of the simulated cohort: its gain from patient-relative features, and what crops show it."""

from __future__ import annotations

from pathlib import Path

import lightgbm as lgb
import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

import features
from cohort.simulator import simulate
from cohort.simulator.crops import write_hdf5
from cohort.stores.opening import open_store
from cv_folds.bootstrap.compare import paired_difference
from cv_folds.folds import make_folds
from cv_folds.metrics import PAUC
from cv_folds.metrics.partial_auc import partial_auc
from features.parquet import write_features
from image_embeddings.descriptors.model import DescriptorModel
from image_embeddings.descriptors.table import describe
from tests.benches.performance import record

DOCUMENT = Path(__file__).parents[2] / "docs" / "simulator-figures.md"
HEAD = """# What a learner makes of the simulated cohort

Written by `make bench`; every cohort in it is *simulated*. [The simulated cohort](simulator.md) says what it is.
"""
LESIONS = 401_059
COHORT_SEEDS = (0, 1, 2, 3)
GROUPS = ("basic", "tbp", "patient")
BENIGN_PER_MALIGNANT = 60
#: The bounds are for the mean over the cohorts: of one cohort with 393 malignant lesions it is uncertain by 0.009.
LEAST_GAIN, MOST_GAIN = 0.01, 0.03
BENIGN_CROPS, MALIGNANT_CROPS = 10_000, 294
LEAST_OF_CROPS, MOST_OF_CROPS = 0.11, 0.15
#: The leading public solutions' LightGBM, as in ensemble/learners/lightgbm.py.
PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.03231,
    "max_depth": 4,
    "num_leaves": 16,
    "lambda_l1": 0.0876,
    "lambda_l2": 0.004,
    "feature_fraction": 0.833,
    "feature_fraction_bynode": 0.4026,
    "bagging_fraction": 0.774,
    "bagging_freq": 4,
    "min_data_in_leaf": 85,
    "scale_pos_weight": 2.8,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 2,
    "verbosity": -1,
}
ROUNDS = 200
MODEL_SEEDS = (0, 1)


def out_of_fold(
    path: Path, columns: list[str], target: NDArray[np.int64], fold: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Mean raw score of the fold's models, trained on all malignant and a draw of the benign lesions."""
    frame = pl.read_parquet(path, columns=columns)
    text = [name for name in columns if frame.schema[name] == pl.String]
    codes = [
        pl.col(name).cast(pl.Enum(frame[name].drop_nulls().unique().sort())).to_physical().cast(pl.Float32)
        for name in text
    ]
    matrix = frame.with_columns(codes).to_numpy()
    score = np.zeros(len(target))
    for held in np.unique(fold):
        rows = np.flatnonzero(fold == held)
        for seed in MODEL_SEEDS:
            rng = np.random.default_rng([int(held), seed])
            malignant = np.flatnonzero((fold != held) & (target == 1))
            benign = np.flatnonzero((fold != held) & (target == 0))
            drawn = rng.choice(benign, BENIGN_PER_MALIGNANT * len(malignant), replace=False)
            train = np.sort(np.concatenate([malignant, drawn]))
            data = lgb.Dataset(
                matrix[train],
                target[train],
                feature_name=[f"f{place}" for place in range(len(columns))],
                categorical_feature=[columns.index(name) for name in text],
            )
            model = lgb.train({**PARAMETERS, "seed": seed}, data, ROUNDS)
            score[rows] += model.predict(matrix[rows], raw_score=True) / len(MODEL_SEEDS)
    return score


@pytest.mark.bench
def test_patient_features_gain_what_published_ablations_report(tmp_path: Path) -> None:
    gains, rows = [], []
    for seed in COHORT_SEEDS:
        frame = simulate(LESIONS, seed=seed).metadata.sort("patient_id", "isic_id")
        target = frame["target"].to_numpy().astype(np.int64)
        folds = frame.select("isic_id").join(
            make_folds(frame, seed=0).frame.select("isic_id", "fold"), on="isic_id", how="left", maintain_order="left"
        )
        path = tmp_path / f"{seed}.parquet"
        plan = write_features([frame], path, list(GROUPS), state=features.fit(frame))
        scores = []
        for groups in (GROUPS[:2], GROUPS):
            names = [spec.name for spec in plan.specs if any(spec.answers_to(group) for group in groups)]
            scores.append(out_of_fold(path, names, target, folds["fold"].to_numpy()))
        found = paired_difference(
            PAUC, target, scores[1], scores[0], patient=frame["patient_id"], replicates=2000
        ).as_dict()
        without, all_of_them = (partial_auc(target, score) for score in scores)
        gains.append(found["estimate"])
        interval = f"{found['estimate']:+.4f} [{found['low']:+.4f}, {found['high']:+.4f}]"
        rows.append([str(seed), f"{without:.4f}", f"{all_of_them:.4f}", interval])
        path.unlink()
    record(
        "The patient-relative share of the signal",
        f"*Simulated.* Out-of-fold pAUC of a LightGBM ({ROUNDS} trees of depth 4, {BENIGN_PER_MALIGNANT} benign lesions"
        f" for each malignant one, {len(MODEL_SEEDS)} seeds) on {LESIONS:,} lesions without and with the group"
        f" `patient`; paired patient bootstrap. Bound, as published ablations have it: {LEAST_GAIN} to {MOST_GAIN}.",
        ["seed of the cohort", "basic + tbp", "and patient", "difference"],
        rows,
        document=DOCUMENT,
        head=HEAD,
    )
    assert LEAST_GAIN <= np.mean(gains) <= MOST_GAIN


@pytest.mark.bench
def test_descriptors_see_in_the_crops_what_they_see_in_real_ones(tmp_path: Path) -> None:
    cohort = simulate(150_000, seed=0, malignant=600)
    rows = cohort.metadata.join(cohort.truth.drop("target"), on="isic_id", how="left", maintain_order="left")
    rows = rows.filter(pl.col("copyright_license") != "CC-BY-NC")  # as in the published crops
    benign = rows.filter(pl.col("target") == 0).sample(BENIGN_CROPS, seed=0)
    malignant = rows.filter(pl.col("target") == 1).sample(MALIGNANT_CROPS, seed=0)
    rows = pl.concat([benign, malignant])
    write_hdf5(rows, tmp_path / "train-image.hdf5", seed=0)
    store = open_store(tmp_path / "train-image.hdf5")
    described = describe(store, rows["isic_id"].to_list(), workers=2).frame
    target = rows["target"].to_numpy().astype(np.int64)
    fold = np.empty(len(rows), np.int64)
    for value in (0, 1):
        places = np.flatnonzero(target == value)
        fold[np.random.default_rng(value).permutation(places)] = np.arange(len(places)) % 5
    score = np.zeros(len(rows))
    for held in range(5):
        train = np.flatnonzero(fold != held)
        model = DescriptorModel.fit(described[train.tolist()], target[train], seed=0, threads=2)
        test = np.flatnonzero(fold == held)
        score[test] = model.log_odds(described[test.tolist()])
    found = partial_auc(target, score)
    record(
        "Descriptors on simulated crops",
        f"*Simulated.* Out-of-fold pAUC of the hand-made descriptors on {BENIGN_CROPS:,} benign and {MALIGNANT_CROPS}"
        f" malignant crops, without patients. Bound: {LEAST_OF_CROPS} to {MOST_OF_CROPS}.",
        ["pAUC"],
        [[f"{found:.4f}"]],
        document=DOCUMENT,
        head=HEAD,
    )
    assert LEAST_OF_CROPS <= found <= MOST_OF_CROPS
