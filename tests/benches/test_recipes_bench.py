"""How often the interval of recipes holds the true difference: many small simulated cohorts, fast learners."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from cv_folds.bootstrap import POOLED, replicate
from cv_folds.bootstrap.intervals import Difference
from cv_folds.bootstrap.repetitions import over_repetitions
from cv_folds.metrics import PAUC
from cv_folds.metrics.partial_auc import partial_auc
from tests.benches.performance import record

pytestmark = pytest.mark.bench
Array = npt.NDArray[Any]
DOCUMENT = Path(__file__).parents[2] / "docs" / "coverage.md"
HEAD = """# Does the interval of recipes hold the truth?

`make bench` (tests/benches/test_recipes_bench.py) measures the first table anew and rewrites its section. *Simulated*
cohorts of some 200 patients with 15 lesions each and about 90 malignant ones, drawn afresh each time: patients differ,
and a malignant lesion differs from its patient's others. A recipe's true difference is the mean over all cohorts of
what its models reach on 1,500 fresh patients. Counted is how often a nominal 95 % interval holds it.
"""
COHORTS, REPEATS, FOLDS, PATIENTS, FRESH, WIDTH = 111, 5, 5, 200, 1_500, 8
LIGHTGBM = {
    "objective": "binary",
    "verbosity": -1,
    "num_threads": 1,
    "learning_rate": 0.15,
    "num_leaves": 6,
    "min_data_in_leaf": 15,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
}
BASE = "patient-relative"
#: Each is compared with the base: fewer features, other seeds (true difference 0), other parameters, another learner.
OTHERS = ("raw columns", "other seeds", "larger trees", "ridge regression")
LEAST, MOST = 0.92, 0.98


def cohort(chance: np.random.Generator, patients: int) -> tuple[Array, Array, Array]:
    """Patient and target of each lesion, and its columns, raw and relative to the patient."""
    code = np.repeat(np.arange(patients), 1 + chance.poisson(chance.gamma(2.0, 7.0, patients)))
    shift, risk = chance.normal(0, 1, (patients, WIDTH)), chance.normal(0, 0.8, patients)
    own = chance.normal(0, 1, (code.size, WIDTH))
    log_odds = -5.7 + risk[code] + own[:, :4] @ [1.5, 1.2, 1.0, 0.8]
    log_odds += 0.5 * np.maximum(own[:, 4], 0) * own[:, 0] + 0.3 * shift[code, 5]
    target = (chance.random(code.size) < 1 / (1 + np.exp(-log_odds))).astype(np.int8)
    raw = shift[code] + own
    mean = np.stack([np.bincount(code, column) for column in raw.T], axis=1) / np.bincount(code)[:, np.newaxis]
    return code, target, np.hstack([raw, raw - mean[code]])


def fitted_scores(recipe: str, train: Array, target: Array, score: Sequence[Array], seed: int) -> list[Array]:
    """Train by a recipe and score tables."""
    if recipe == "ridge regression":
        mean, spread = train.mean(axis=0), train.std(axis=0)
        known = (train - mean) / spread
        weights = np.linalg.solve(known.T @ known + 20 * np.eye(known.shape[1]), known.T @ (target - target.mean()))
        return [(table - mean) / spread @ weights for table in score]
    columns = slice(0, WIDTH if recipe == "raw columns" else None)
    larger = {"num_leaves": 20, "min_data_in_leaf": 4} if recipe == "larger trees" else {}
    parameters = {**LIGHTGBM, **larger, "seed": seed + 500 * (recipe == "other seeds")}
    model = lightgbm.train(parameters, lightgbm.Dataset(train[:, columns], target), 15 if larger else 25)
    return [np.asarray(model.predict(table[:, columns], num_threads=1)) for table in score]


def dealt(chance: np.random.Generator, code: Array, target: Array) -> Array:
    """Fold of each lesion; patients with a malignant lesion are dealt evenly."""
    carrier = np.bincount(code, target) > 0
    fold = np.empty(carrier.size, dtype=int)
    for deck in (np.flatnonzero(carrier), np.flatnonzero(~carrier)):
        fold[chance.permutation(deck)] = np.arange(deck.size) % FOLDS
    return fold[code]


def one_cohort(seed: int) -> tuple[pl.Series, Array, dict[str, Array], dict[str, float]]:
    """Patient, target, and by recipe out-of-fold scores, shape (repeats, lesions), and the pAUC on fresh patients."""
    chance = np.random.default_rng(seed)
    code, target, table = cohort(chance, PATIENTS)
    _, fresh_target, fresh = cohort(chance, FRESH)
    recipes = (BASE, *OTHERS)
    scores, reached = {name: np.zeros((REPEATS, target.size)) for name in recipes}, {}
    for repeat in range(REPEATS):
        fold = dealt(chance, code, target)
        for held_out in range(FOLDS):
            rest, here = np.flatnonzero(fold != held_out), np.flatnonzero(fold == held_out)
            first = repeat == held_out == 0
            for name in recipes:
                drawing = np.random.default_rng((seed, repeat, held_out, int(name == "other seeds")))
                malignant, benign = rest[target[rest] == 1], rest[target[rest] == 0]
                some = drawing.choice(benign, min(benign.size, 10 * malignant.size), replace=False)
                rows = np.sort(np.concatenate([malignant, some]))
                tables = [table[here], *([fresh] if first else [])]
                found = fitted_scores(name, table[rows], target[rows], tables, 1000 * seed + 10 * repeat + held_out)
                scores[name][repeat, here] = found[0]
                if first:
                    reached[name] = partial_auc(fresh_target, found[1])
    return pl.Series(code).cast(pl.String), target, scores, reached


def test_coverage() -> None:
    ways = {"one fit, patients drawn": 1, f"{REPEATS} repetitions (`--repeats {REPEATS}`)": REPEATS}
    ends = {(way, other): [] for way in ways for other in OTHERS}
    gaps: dict[str, list[float]] = {other: [] for other in OTHERS}
    for seed in range(COHORTS):
        patient, target, scores, reached = one_cohort(seed)
        named = {f"{repeat} {name}": one[repeat] for name, one in scores.items() for repeat in range(REPEATS)}
        drawn = replicate(target, named, patient=patient, replicates=400, seed=seed)
        for other in OTHERS:
            gaps[other].append(reached[other] - reached[BASE])
            for way, repeats in ways.items():
                names = [[f"{repeat} {name}" for repeat in range(repeats)] for name in (other, BASE)]
                first, second = (
                    over_repetitions([drawn.samples[POOLED, PAUC.name, name] for name in some]) for some in names
                )
                found = Difference.of(first.minus(second))
                ends[way, other].append((found.low, found.high))
    truth = {other: float(np.mean(found)) for other, found in gaps.items()}
    held = {key: float(np.mean([low <= truth[key[1]] <= high for low, high in found])) for key, found in ends.items()}
    rows = [[other, f"{truth[other]:+.4f}", *(f"{100 * held[way, other]:.1f} %" for way in ways)] for other in OTHERS]
    means = {way: float(np.mean([held[way, other] for other in OTHERS])) for way in ways}
    record(
        "Coverage",
        f"*Simulated.* {COHORTS} cohorts; LightGBM of few trees on {BASE} columns against each recipe, pAUC. One figure"
        f" is uncertain by {100 * np.sqrt(0.05 * 0.95 / COHORTS):.1f} points. Bound on the mean of repetitions:"
        f" {100 * LEAST:.0f} to {100 * MOST:.0f} %.",
        ["recipe", "true difference", *ways],
        [*rows, ["mean", "", *(f"{100 * means[way]:.1f} %" for way in ways)]],
        document=DOCUMENT,
        head=HEAD,
    )
    assert LEAST <= means[list(ways)[1]] <= MOST
