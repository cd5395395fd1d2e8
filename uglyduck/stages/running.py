"""The stages of a run, in order."""

from __future__ import annotations

from engine.errors import InputError
from uglyduck.run.run import Run
from uglyduck.stages.features import FEATURES
from uglyduck.stages.folds import FOLDS
from uglyduck.stages.images import IMAGES
from uglyduck.stages.lesions import LESIONS
from uglyduck.stages.metrics import METRICS
from uglyduck.stages.models import MODELS
from uglyduck.stages.scores import SCORES

STAGES = (LESIONS, FOLDS, IMAGES, FEATURES, MODELS, SCORES, METRICS)


def run_stages(run: Run, *, until: str | None = None) -> None:
    """Run every stage whose fingerprint does not hold, in order.

    Args:
        run: Configuration and folder; the caller holds the folder's lock.
        until: Last stage to run; None for all.

    Raises:
        InputError: `until` names no stage, or a stage refuses its input.
    """
    names = [stage.name for stage in STAGES if stage.applies(run)]
    if until is not None and until not in names:
        raise InputError(f"there is no stage {until!r}", where="--until", remedy=f"use one of {', '.join(names)}")
    for stage in STAGES:
        if not stage.applies(run):
            run.manifest.forget(stage.name)
            continue
        stage.run(run)
        if stage.name == until:
            break
