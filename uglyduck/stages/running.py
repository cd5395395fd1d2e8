"""The stages of a run, in order: what each reads, what it writes, and how it is skipped when nothing changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import features
from cv_folds.folds import make_folds
from engine.console import log, progress
from engine.errors import InputError
from engine.files import atomic_path, fingerprint
from ensemble.model_store import ModelStore, Slot
from ensemble.out_of_fold import train
from uglyduck.run.provenance import made_by
from uglyduck.run.run import TRAINING, Run
from uglyduck.stages import images as image_stage
from uglyduck.stages import metrics as metrics_stage
from uglyduck.stages import scores as oof_scores


@dataclass(frozen=True)
class Stage:
    """One step of a run.

    Attributes:
        name: Its name for `--until` and the manifest.
        depends: What its outputs depend on besides code and input files: settings and earlier artifacts.
        packages: The packages whose code it runs.
        work: Does it; returns the files written.
        applies: Whether the run has this stage at all.
    """

    name: str
    depends: Callable[[Run], dict[str, Any]]
    packages: tuple[str, ...]
    work: Callable[[Run], list[Path]]
    applies: Callable[[Run], bool] = lambda _run: True

    def fingerprint(self, run: Run) -> str:
        """Changes when the inputs, the settings, the code or the libraries change."""
        known = {"inputs": run.inputs, "made_by": made_by(self.packages), **self.depends(run)}
        return fingerprint({"stage": self.name, **known})


def run_stages(run: Run, *, until: str | None = None) -> None:
    """Run every stage whose fingerprint does not hold, in order.

    Args:
        run: Configuration and folder; the caller holds the folder's lock.
        until: Last stage to run; None for all.

    Raises:
        InputError: `until` names no stage, or a stage refuses its input.
    """
    stages = [stage for stage in STAGES if stage.applies(run)]
    names = [stage.name for stage in stages]
    if until is not None and until not in names:
        raise InputError(f"there is no stage {until!r}", where="--until", remedy=f"use one of {', '.join(names)}")
    for stage in stages:
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


def scores_are_current(run: Run) -> bool:
    """Whether the run's inputs, this code and these libraries would give the run's models and scores again."""
    made = [stage for stage in STAGES if stage.name in {"models", "scores"}]
    try:
        return all(run.manifest.holds(stage.name, stage.fingerprint(run)) for stage in made)
    except InputError:  # an input is no longer where it was
        return False


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
    out, dictionary = run.folder.features, run.folder.dictionary
    lesions = run.folder.root / "lesions.parquet"
    with atomic_path(lesions) as temporary:
        run.cohort.frame.write_parquet(temporary)
    features.run_stage(lesions, run.feature_groups, out=out, dictionary=dictionary, images=run.image_scores)
    return [run.folder.features, run.folder.dictionary]


def _train_models(run: Run) -> list[Path]:
    store, plan = ModelStore(run.folder.models), run.plan
    with progress("models", len(plan.slots())) as step:

        def tell(slot: Slot, there: bool) -> None:
            step()
            log.info("models    %s/%s%s", slot.learner, slot.name, " (kept)" if there else "")

        train(plan, run.matrix, run.target, store, threads=run.threads, progress=tell)
    return store.files()


STAGES = (
    Stage(
        "folds",
        lambda run: {"folds": run.config.folds.model_dump(), **_reading(run)},
        ("cohort", "cv_folds"),
        _make_folds,
    ),
    Stage(
        "images",
        lambda run: {"images": run.config.images.model_dump(exclude={"weights"}), "folds": run.folds.sha256},
        image_stage.PACKAGES,
        image_stage.train,
        lambda run: run.config.data.images is not None,
    ),
    Stage(
        "features",
        lambda run: {
            "features": run.feature_groups,
            "images": run.manifest.sha256(run.folder.image_scores) if run.config.data.images else None,
            "data": run.config.data.model_dump(exclude={"metadata", "images", "truth"}),
        },
        ("cohort", "features"),
        _build_features,
    ),
    Stage(
        "models",
        lambda run: {"ensemble": run.config.ensemble.model_dump(), **run.identity},
        TRAINING,
        _train_models,
    ),
    Stage(
        "scores",
        lambda run: {
            "ensemble": run.config.ensemble.model_dump(),
            "calibration": run.config.calibration.model_dump(),
            **run.identity,
        },
        ("cohort", "cv_folds", "ensemble"),
        oof_scores.score,
    ),
    Stage(
        "metrics",
        lambda run: {
            "metrics": run.config.metrics.model_dump(),
            "calibration": run.config.calibration.model_dump(),
            "oof": run.manifest.sha256(run.folder.oof),
        },
        ("cohort", "cv_folds", "ensemble"),
        metrics_stage.measure,
    ),
)
