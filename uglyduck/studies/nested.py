"""`uglyduck run --nested`: the fully nested estimate beside the usual one, resumable by pair of folds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

import features
from cohort.frames import join_by_id
from cv_folds.scoring import summarise
from engine.console import log, progress
from engine.files import fingerprint, write_json, write_parquet
from ensemble.matrix import FeatureSpace, Matrix
from ensemble.nested import Pair, fold_pairs, nested_scores, score_pair
from uglyduck.run.provenance import made_by
from uglyduck.run.run import Run
from uglyduck.stages.scores import BLEND, RISK, blend_column

Scores = npt.NDArray[np.float64]
_PACKAGES = ("cohort", "cv_folds", "features", "ensemble")


def run_nested(run: Run) -> None:
    """Write nested.parquet and nested.json.

    Constants of the features are fitted anew for every pair of folds, on the others. Image scores are taken as they
    are, out of fold once: training networks for every pair of folds is out of reach.
    """
    fold = np.asarray(run.folds.frame["fold"])
    pairs = fold_pairs(fold)
    wanted = fingerprint({"made_by": made_by(_PACKAGES), "inputs": run.inputs, **_settings(run)})
    with progress("nested", len(pairs)) as step:
        scores = {pair: _pair(run, pair, wanted, step) for pair in pairs}
    settings = run.config.calibration
    nested = nested_scores(
        scores,
        run.target,
        fold,
        blend=run.config.ensemble.blend,
        calibration=settings.method,
        prevalence=settings.prevalence or float(run.target.mean()),
    )
    nested[BLEND] = nested[blend_column(run.config.ensemble.blend)]
    keys = run.folds.frame.select("isic_id", "patient_id", "target", "fold")
    frame = keys.with_columns(**{name: pl.Series(values) for name, values in nested.items()})
    write_parquet(frame, run.folder.nested)
    write_json({**_figures(run, frame), "made_from": run.manifest.state}, run.folder.nested_metrics)


def _settings(run: Run) -> dict[str, Any]:
    settings = run.config.ensemble.model_dump(exclude={"blend", "table_alone"})
    return {"ensemble": settings, "groups": run.feature_groups, **run.identity}


def _pair(run: Run, pair: Pair, wanted: str, step: Callable[[], None]) -> dict[str, Scores]:
    """Scores of both folds of a pair, from the disk where they hold."""
    path = run.folder.root / "nested" / f"folds{pair[0]}-{pair[1]}.parquet"
    stage = f"nested {pair[0]}-{pair[1]}"
    if not run.manifest.holds(stage, wanted):
        start = time.perf_counter()
        found = score_pair(run.plan, list(run.learners), _matrix(run, pair), run.target, pair, threads=run.threads)
        scored = pl.DataFrame({"isic_id": run.folds.frame["isic_id"], **found})
        write_parquet(scored.filter(run.folds.frame["fold"].is_in(pair)), path)
        seconds = time.perf_counter() - start
        run.manifest.finish(stage, fingerprint=wanted, outputs=[path], seconds=seconds, inputs=run.inputs)
        log.info("nested    folds %d and %d held out, %.1f s", *pair, seconds)
    step()
    ids = run.folds.frame.select("isic_id").lazy()
    joined = ids.join(pl.scan_parquet(path), on="isic_id", how="left", validate="1:1", maintain_order="left")
    stored = joined.select(list(run.learners)).collect(engine="in-memory")
    return {name: stored[name].fill_null(float("nan")).to_numpy() for name in run.learners}


def _matrix(run: Run, pair: Pair) -> Matrix:
    """The design matrix with constants and category levels of the training folds alone."""
    train = ~run.folds.frame["fold"].is_in(pair)
    frame = join_by_id(run.folds.frame.select("isic_id"), run.cohort.frame)
    state = features.fit(frame.filter(train))
    built = features.build(frame, run.feature_groups, state=state, images=run.image_scores)
    return FeatureSpace.fit(built.filter(train)).encode(built)


def _figures(run: Run, nested: pl.DataFrame) -> dict[str, Any]:
    settings = run.config.metrics
    usual = pl.read_parquet(run.folder.oof, columns=["isic_id", BLEND, RISK]).rename(
        {BLEND: "usual", RISK: "usual_risk"}
    )
    both = join_by_id(nested, usual)
    names = [*run.learners, *(name for name in nested.columns if name.startswith("blend_"))]
    scores = {name: summarise(both, name, replicates=settings.replicates, seed=settings.seed) for name in names}
    compared = summarise(both, BLEND, other="usual", replicates=settings.replicates, seed=settings.seed)
    return {
        "estimate": "nested",
        "scores": {**scores, BLEND: {key: compared[key] for key in scores[names[0]]}},
        "usual": compared["other"],
        "nested_minus_usual": compared["difference"],
    }
