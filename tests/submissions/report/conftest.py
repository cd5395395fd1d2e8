"""A whole report without training: a simulated cohort, scores that know its risk, and every file that may be there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from cohort.frames import join_by_id
from cohort.simulator import simulate
from cv_folds.bootstrap import reliabilities
from cv_folds.scoring import summarise
from features.builtin import builtin_state
from submissions.curves import curves
from submissions.report.artifacts import Artifacts
from submissions.report.building import build_report
from tests.submissions.report.browser import Browser, open_browser

HOSTILE = "<script>alert('x')</script>\"><img src=http://example.org/x onerror=alert(1)>"
LONG = "Hautklinik" * 6  # a hospital of 60 characters and no place to break
SETTINGS = {"replicates": 200, "seed": 0}
SCORES = ("lightgbm", "catboost", "blend", "table", "image")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all pages."""
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def table() -> pl.DataFrame:
    """A simulated table whose first hospital has a hostile name, and the second a long one."""
    frame = simulate(1_500, seed=4, malignant=60).metadata.with_columns(pl.col("target").cast(pl.Int8))
    first, second = frame["attribution"].unique().sort()[:2]
    names = pl.col("attribution").replace({first: HOSTILE, second: LONG})
    return frame.with_columns(attribution=names).sort("patient_id", "isic_id")


@pytest.fixture(scope="session")
def artifacts(table: pl.DataFrame) -> Artifacts:
    """A run's files, none of the optional ones."""
    rng = np.random.Generator(np.random.PCG64(0))
    hidden = table["target"].to_numpy() * 2.0
    columns = {name: 1 / (1 + np.exp(-hidden - rng.normal(size=table.height))) for name in SCORES}
    fold = (table["patient_id"].rank("dense") % 3).cast(pl.Int8).alias("fold")
    oof = table.select("isic_id", "patient_id", "target", fold).with_columns(
        **{name: pl.Series(values) for name, values in columns.items()}, risk=pl.Series(columns["blend"] / 4)
    )
    calibrated = reliabilities(oof["target"], {"": oof["risk"]}, patient=oof["patient_id"], replicates=200)[""]
    return Artifacts(
        name="trial",
        config={
            "data": {"duplicate_policy": "drop", "metadata": HOSTILE},
            "folds": {"scheme": "stratified", "n_folds": 3},
            "ensemble": {"learners": ["lightgbm", "catboost"], "benign_per_malignant": 40.0},
            "metrics": SETTINGS,
        },
        manifest={
            "versions": {"uglyduck": "0.1.0", "python": "3.11"},
            "git": {"commit": "abc", "modified": True},
            "inputs": {"metadata": "0" * 64},
            "stages": {"scores": {"seconds": 1.0, "outputs": {"oof.parquet": "1" * 64}}},
        },
        metrics={
            "scores": {name: summarise(oof, name, **SETTINGS) for name in SCORES},
            "calibration": {"method": "beta", "prevalence": 0.04, **calibrated.as_dict()},
        },
        blend={"method": "mean", "weights": {"lightgbm": 0.5, "catboost": 0.5}},
        features=[{"name": "age_approx", "group": "basic"}, {"name": "image_score", "group": "image"}],
        state=builtin_state(),
        oof=oof,
    )


@pytest.fixture(scope="session")
def bare(artifacts: Artifacts, table: pl.DataFrame) -> dict[str, Any]:
    """The report of a run after which nothing else was run."""
    return build_report(artifacts, table, {"kind": "unknown", "why": HOSTILE})


@pytest.fixture(scope="session")
def full(artifacts: Artifacts, table: pl.DataFrame) -> dict[str, Any]:
    """The report of a run after which everything was run."""
    oof = artifacts.oof
    compared = summarise(oof, "blend", other="table", **SETTINGS)
    pauc, gain = compared["pooled"]["pauc"], compared["difference"]["pooled"]["pauc"]
    scored = join_by_id(oof.select("isic_id", "patient_id", "target", score="blend"), table.select("isic_id"))
    metrics = artifacts.metrics | {
        "comparisons": [{"first": "blend", "second": "table", "difference": compared["difference"]["pooled"]}],
        "optimum": {"both": {"pooled": compared["pooled"], "blend_minus": compared["difference"]["pooled"]}},
        "blends": {
            "chosen": "mean",
            "methods": {
                name: {"pooled": compared["pooled"], "minus_mean": compared["difference"]["pooled"]}
                for name in ("mean", "greedy")
            },
        },
    }
    row = {"verdict": "not distinguishable", "left_out": {"pauc": pauc}, "patient_folds": {"pauc": pauc}}
    row |= {"difference": {"pauc": gain}}
    few = {"verdict": "too few to tell", "left_out": None, "patient_folds": None, "difference": None}
    optional = {
        "curves": curves(scored, replicates=200),
        "nested": {"scores": {"blend": compared}},
        "hospitals": {
            "applicable": True,
            "compared_with": "blend",
            "notes": ["hospitals are few"],
            "hospitals": [
                {"hospital": HOSTILE, "lesions": 10, "malignant": 2, **few},
                {"hospital": LONG, "lesions": 900, "malignant": 30, **row},
            ],
            "pooled": row,
            "mean": None,
        },
        "findings": {
            "counts": {"error": 0, "warning": 1},
            "findings": [
                {"code": "UD201", "severity": "warning", "title": HOSTILE, "status": "found", "measured": "much"},
                {"code": "UD202", "severity": "error", "title": "never shown", "status": "clear", "measured": ""},
            ],
        },
        "groups": {"groups": [{"group": "basic", "features": 1, "share": 0.7, "by_learner": {"lightgbm": 0.7}}]},
    }
    study = {
        "name": "families",
        "not_applicable": [{"name": "without images", "why": "there are none"}],
        "notes": [],
        "baseline": {"features": 10, "pauc": pauc},
        "rows": [
            {"name": HOSTILE, "kind": "without", "features": 9, "pauc": pauc, "difference": gain | {"p_adjusted": 0.5}}
        ],
    }
    first = oof.sort("blend", descending=True)["isic_id"][0]
    drivers = pl.DataFrame(
        {"isic_id": [first], "place": [1], "feature": ["hue"], "value": [1.5], "patient_median": [0.5]}
    )
    run = replace(artifacts, metrics=metrics, optional=optional, ablations={"families": study}, drivers=drivers)
    return build_report(run, table, {"kind": "simulated", "why": "made for a test"})
