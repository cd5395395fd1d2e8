"""The features stage: a row of numbers for each lesion, and the constants that new lesions need."""

from __future__ import annotations

from pathlib import Path

import features
from uglyduck.run.run import Run
from uglyduck.stages.stage import Stage


def _build(run: Run) -> list[Path]:
    out, dictionary = run.folder.features, run.folder.dictionary
    features.run_stage(run.lesions.frame, run.feature_groups, out=out, dictionary=dictionary, images=run.image_scores)
    return [out, dictionary]


FEATURES = Stage(
    "features",
    __name__,
    _build,
    inputs=("image_scores",),
    artifacts=lambda run: [run.folder.lesions, *([run.folder.image_scores] if run.config.data.images else [])],
    settings=lambda run: {"groups": run.feature_groups},
)
