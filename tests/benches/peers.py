"""Peers of a run on the run's own rows and folds: `python -m tests.benches.peers NAME RUN OUT REPEATS`.

Written from published facts: the features, the sampling and the parameters that public solutions of ISIC 2024 share.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt
import polars as pl
import xgboost
from catboost import CatBoostClassifier
from scipy import stats

import features
from cohort.columns import NUMERIC
from cohort.lesions import write_rows
from ensemble.learners import learner_class
from ensemble.matrix import FeatureSpace
from uglyduck.run.run import Run, open_run
from uglyduck.studies.comparison import blend_again
from uglyduck.studies.repetitions import repetitions

Array = npt.NDArray[np.float64]
Fit = Callable[[Array, Array, Array, int], Array]
"""From training features and labels, features to score and a seed to scores."""
SINGLE_LESION = ("basic", "tbp", "further")
#: The 42 public formulas are the first of ours, which were named after them.
FORMULAS = tuple(spec.name for spec in features.dictionary(NUMERIC, ["engineered"])[:42])
OVER, UNDER = 0.003, 0.01
REFERENCE_FORMULAS = (
    *("perimeter_root_area_ratio", "axis_ratio", "total_contrast", "border_color_interaction"),
    *("contrast_size_interaction", "eccentric_symmetry"),
)
#: Their sizes are the other three.
DIFFERENCES = ("tbp_lv_deltaA", "tbp_lv_deltaB", "tbp_lv_deltaL")
PLACES = ("anatom_site_general", "tbp_lv_location", "tbp_lv_location_simple")
SIZE = "clin_size_long_diam_mm"
#: Draws of benign lesions that are averaged, and how many for each malignant one; it states neither.
BAGS, BENIGN = 3, 50
#: Names the Python of the environment that has AutoGluon.
AUTOGLUON_PYTHON = "AUTOGLUON_PYTHON"
AUTOGLUON_SECONDS = 120
#: Benign lesions at most, for each malignant one, that it is trained on.
AUTOGLUON_BENIGN = 100


def raw_columns(run: Run) -> Array:
    """Columns as they are, categories as codes."""
    built = features.build(run.lesions.frame, SINGLE_LESION)
    return FeatureSpace.fit(built).encode(built).values.astype(np.float64)


def public_columns(run: Run) -> Array:
    """34 columns, 42 formulas, both relative to the patient, lesions of the patient, categories one-hot.

    Of another table its own numbers and categories, and those of the formulas whose columns it has.
    """
    numbers, categories = _single(run, FORMULAS)
    patient = run.lesions.frame["patient_id"]
    relative = numbers.select(_deviation([patient]).name.suffix("_patient_norm"))
    counted = run.lesions.frame.select(pl.len().over("patient_id").alias("count_per_patient"))
    return _joined(numbers, relative, counted, categories.to_dummies())


def reference_columns(run: Run) -> Array:
    """34 columns, 9 formulas; deviation and place between the extremes, within patient and within patient and place.

    Of another table as in `public_columns`.
    """
    numbers, categories = _single(run, REFERENCE_FORMULAS)
    numbers = numbers.with_columns(pl.col(f"^({'|'.join(DIFFERENCES)})$").abs().name.suffix("_abs"))
    frame = run.lesions.frame
    patient = frame["patient_id"]
    least, most = pl.all().min().over(patient), pl.all().max().over(patient)
    tables = [
        numbers,
        numbers.select(_deviation([patient]).name.suffix("_pdev")),
        numbers.select(((pl.all() - least) / (most - least + 1e-6)).name.suffix("_prank")),
        *(
            numbers.select(_deviation([patient, frame[place]]).name.suffix(f"_pxc_{place}"))
            for place in PLACES
            if place in frame.columns
        ),
        *(
            [frame.select(((pl.col(SIZE).rank() - 1) / pl.len()).over("patient_id").alias("size_rank"))]
            if SIZE in frame.columns
            else []
        ),
    ]
    return _joined(*tables, categories.to_dummies())


def _single(run: Run, formulas: tuple[str, ...]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Numbers of single lesions with `formulas` of them, and categories with the hospital."""
    frame = run.lesions.frame
    single = features.build(frame, SINGLE_LESION).drop("isic_id")
    known = [name for name in single.columns if not single[name].dtype.is_numeric()]
    made = features.build(frame, ["engineered"]).select(rf"^({'|'.join(formulas)})$")
    numbers = pl.concat([single.drop(known), made], how="horizontal").cast(pl.Float64).fill_nan(None)
    return numbers, pl.DataFrame([*(single[name] for name in known), *frame.select("^attribution$")])


def _deviation(group: list[pl.Series]) -> pl.Expr:
    """Of each number from the mean of its group, in standard deviations."""
    return (pl.all() - pl.all().mean().over(group)) / (pl.all().std().over(group) + 1e-5)


def _joined(*tables: pl.DataFrame) -> Array:
    return pl.concat(tables, how="horizontal").cast(pl.Float64).to_numpy()


def plain_lightgbm(train: Array, target: Array, score: Array, seed: int) -> Array:
    """The library's defaults on all rows."""
    model = lightgbm.LGBMClassifier(random_state=seed, verbosity=-1).fit(train, target)
    return np.asarray(model.predict_proba(score)[:, 1])


def public_recipe(train: Array, target: Array, score: Array, seed: int) -> Array:
    """Malignant rows drawn again, benign rows drawn once, three learners, mean of their probabilities."""
    rows = resampled(target, seed)
    return np.asarray(np.mean(_fitted(train[rows], target[rows], score, seed), axis=0))


def reference_recipe(train: Array, target: Array, score: Array, seed: int) -> Array:
    """Three learners on several draws of benign rows, mean of the ranks of their mean probabilities."""
    drawn = []
    for bag in range(BAGS):
        rows = all_malignant(target, BENIGN, np.random.default_rng((seed, bag)))
        drawn.append(_fitted(train[rows], target[rows], score, BAGS * seed + bag))
    return np.asarray(np.mean([stats.rankdata(one) for one in np.mean(drawn, axis=0)], axis=0)) / len(score)


def _fitted(train: Array, target: Array, score: Array, seed: int) -> list[Array]:
    """Probabilities of the three learners with the shared parameters."""
    models = (
        lightgbm.LGBMClassifier(**_shared("lightgbm"), random_state=seed, verbosity=-1),
        xgboost.XGBClassifier(**_shared("xgboost"), random_state=seed),
        CatBoostClassifier(**_shared("catboost"), random_seed=seed, verbose=False, allow_writing_files=False),
    )
    return [model.fit(train, target).predict_proba(score)[:, 1] for model in models]


def autogluon(train: Array, target: Array, score: Array, seed: int) -> Array:
    """Its best preset for `AUTOGLUON_SECONDS`; it has a seed of its own.

    No malignant lesion is drawn twice, since copies would lie on both sides of its inner splits.
    """
    rows = np.sort(all_malignant(target, AUTOGLUON_BENIGN, np.random.default_rng(seed)))
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder, "fitted.npz"), train=train[rows], target=target[rows], score=score)
        program = Path(__file__).with_name("autogluon_peer.py")
        subprocess.run([os.environ[AUTOGLUON_PYTHON], program, folder, str(AUTOGLUON_SECONDS)], check=True)
        return np.asarray(np.load(Path(folder, "scores.npy")))


def _shared(name: str) -> dict[str, Any]:
    """The parameters that public solutions share: our learners' own defaults, as scikit-learn's classes take them."""
    known = dict(learner_class(name).configured({}).parameters)
    known.pop("bootstrap_type", None)  # they leave CatBoost its own, which ours has set
    return {"n_estimators": known.pop("n_trees"), **known}


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


def all_malignant(target: Array, benign: int, chance: np.random.Generator) -> npt.NDArray[np.intp]:
    """Every malignant row, then `benign` times as many benign rows, or all of them."""
    malignant, others = np.flatnonzero(target == 1), np.flatnonzero(target == 0)
    some = chance.choice(others, min(others.size, benign * malignant.size), replace=False)
    return np.concatenate([malignant, some])


Peers = dict[str, tuple[Callable[[Run], Array], Fit]]
PEERS: Peers = {
    "plain LightGBM, raw columns": (raw_columns, plain_lightgbm),
    "shared public recipe": (public_columns, public_recipe),
    "open re-implementation's shape": (reference_columns, reference_recipe),
}
#: Needs an environment of its own, and an idle machine: half an hour for a real table, 20 minutes for a cohort.
AUTOGLUON: Peers = {"AutoGluon, columns of the public recipe": (public_columns, autogluon)}
OURS = "ours"
WITH_HOSPITAL = "ours, three seeds, knows the hospital"
_THREE_SEEDS = "[ensemble]\nseeds = [1, 2, 3]\n"
_HOSPITAL = f"[features]\ngroups = {json.dumps([*features.DEFAULT_GROUPS, 'hospital.name'])}\n"
#: Our recipes, by what each adds to the configuration of a run.
OWN = {OURS: "", "ours, three seeds": _THREE_SEEDS, WITH_HOSPITAL: _THREE_SEEDS + _HOSPITAL}


def scores(name: str, run: Run, repeats: int) -> list[Array]:
    """Out-of-fold scores of a peer, or of a run of ours, in each repetition."""
    if name in OWN:
        return [blend_again(run, again) for again in repetitions(run, run.plan, repeats)]
    columns, fit = (PEERS | AUTOGLUON)[name]
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
