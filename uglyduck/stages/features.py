"""The features stage: a row of numbers for each lesion, and the constants that new lesions need."""

from __future__ import annotations

from pathlib import Path

import features
from features.registry import brought_by
from uglyduck.run.run import Run
from uglyduck.stages.stage import Stage


def _build(run: Run) -> list[Path]:
    folder = run.folder
    features.run_stage(
        folder.lesions,
        run.feature_groups,
        out=folder.features,
        dictionary=folder.dictionary,
        images=run.image_table,
        executor=run.executor,
    )
    return [folder.features, folder.dictionary]


FEATURES = Stage(
    "features",
    __name__,
    _build,
    inputs=("image_scores",),
    artifacts=lambda run: [run.folder.lesions, *run.image_artifacts],
    settings=lambda run: {"groups": run.feature_groups, "brought": brought_by(run.feature_groups)},
)
