"""The stages of a run, in order: what each reads, what it writes, and how it is skipped when nothing changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

import features
from cohort.errors import InputError
from cohort.files import fingerprint, write_json, write_parquet
from cohort.frames import join_by_id
from cv_folds.folds import make_folds
from cv_folds.scoring import summarise
from ensemble.blend import Blend
from ensemble.model_store import ModelStore, Slot
from ensemble.out_of_fold import score_out_of_fold, train
from uglyduck.console import log, progress
from uglyduck.provenance import code_fingerprint
from uglyduck.run import Run


@dataclass(frozen=True)
class Stage:
    """One step of a run.

    Attributes:
        name: Its name for `--until` and the manifest.
        depends: What its outputs depend on besides code and input files: settings and earlier artifacts.
        packages: The packages whose code it runs.
        work: Does it; returns the files written.
    """

    name: str
    depends: Callable[[Run], dict[str, Any]]
    packages: tuple[str, ...]
    work: Callable[[Run], list[Path]]

    def fingerprint(self, run: Run) -> str:
        """Changes when the inputs, the settings or the code change."""
        known = {"inputs": run.inputs, "code": code_fingerprint(self.packages), **self.depends(run)}
        return fingerprint({"stage": self.name, **known})


def run_stages(run: Run, *, until: str | None = None) -> None:
    """Run every stage whose fingerprint does not hold, in order.

    Args:
        run: Configuration and folder; the caller holds the folder's lock.
        until: Last stage to run; None for all.

    Raises:
        InputError: `until` names no stage, or a stage refuses its input.
    """
    names = [stage.name for stage in STAGES]
    if until is not None and until not in names:
        raise InputError(f"there is no stage {until!r}", where="--until", remedy=f"use one of {', '.join(names)}")
    for stage in STAGES:
        wanted = stage.fingerprint(run)
        if run.manifest.holds(stage.name, wanted):
            log.info("%-8s  unchanged", stage.name)
        else:
            start = time.perf_counter()
            outputs = stage.work(run)
            seconds = time.perf_counter() - start
            run.manifest.finish(stage.name, fingerprint=wanted, outputs=outputs, seconds=seconds, inputs=run.inputs)
            log.info("%-8s  %.1f s", stage.name, seconds)
        if stage.name == until:
            break


def _reading(run: Run) -> dict[str, Any]:
    """How the table is read; where it lies does not matter, its SHA-256 is among the inputs."""
    return run.config.data.model_dump(include={"duplicate_policy", "ungrouped"})


def _make_folds(run: Run) -> list[Path]:
    settings = run.config.folds
    made = make_folds(
        run.cohort.frame,
        scheme=settings.scheme,
        n_folds=settings.n_folds,
        n_repeats=settings.n_repeats,
        seed=settings.seed,
    )
    made.write(run.folder.folds)
    return [run.folder.folds]


def _build_features(run: Run) -> list[Path]:
    frame, groups = run.cohort.frame, list(run.config.features.groups)
    state = features.fit(frame)
    built = features.build(frame, groups, state=state, images=run.image_scores)
    write_parquet(built, run.folder.features)
    listed = [spec.as_dict() for spec in features.dictionary(frame.columns, groups)]
    write_json({"groups": groups, "features": listed, "state": state.as_dict()}, run.folder.dictionary)
    return [run.folder.features, run.folder.dictionary]


def _train_models(run: Run) -> list[Path]:
    store, plan = ModelStore(run.folder.models), run.plan
    with progress("models", len(plan.slots())) as step:

        def tell(slot: Slot, there: bool) -> None:
            step()
            log.info("models    %s/%s%s", slot.learner, slot.name, " (kept)" if there else "")

        train(plan, run.matrix, run.target, store, threads=run.threads, progress=tell)
    return store.files()


def _score(run: Run) -> list[Path]:
    scores = score_out_of_fold(run.plan, run.matrix, ModelStore(run.folder.models), threads=run.threads)
    blend = Blend.fit(scores)
    columns = {**scores, "blend": blend(scores)}
    folds = run.folds.frame.select("isic_id", "patient_id", "target", "fold")
    scored = pl.DataFrame({"isic_id": run.features["isic_id"], **columns})
    write_parquet(join_by_id(folds, scored), run.folder.oof)
    write_json(blend.as_dict(), run.folder.blend)
    return [run.folder.oof, run.folder.blend]


def _measure(run: Run) -> list[Path]:
    settings = run.config.metrics
    oof = pl.read_parquet(run.folder.oof)
    columns = [*run.config.ensemble.learners, "blend"]
    result = {name: summarise(oof, name, replicates=settings.replicates, seed=settings.seed) for name in columns}
    write_json({"estimate": "out-of-fold", "scores": result}, run.folder.metrics)
    return [run.folder.metrics]


STAGES = (
    Stage(
        "folds",
        lambda run: {"folds": run.config.folds.model_dump(), **_reading(run)},
        ("cohort", "cv_folds"),
        _make_folds,
    ),
    Stage(
        "features",
        lambda run: {
            "features": run.config.features.model_dump(),
            "data": run.config.data.model_dump(exclude={"metadata"}),
        },
        ("cohort", "features"),
        _build_features,
    ),
    Stage(
        "models",
        lambda run: {"ensemble": run.config.ensemble.model_dump(), **run.identity},
        ("cohort", "ensemble"),
        _train_models,
    ),
    Stage(
        "scores",
        lambda run: {"ensemble": run.config.ensemble.model_dump(), **run.identity},
        ("cohort", "ensemble"),
        _score,
    ),
    Stage(
        "metrics",
        lambda run: {"metrics": run.config.metrics.model_dump(), "oof": run.manifest.sha256(run.folder.oof)},
        ("cohort", "cv_folds"),
        _measure,
    ),
)
