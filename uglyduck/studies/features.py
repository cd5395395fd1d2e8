"""The feature tables of a run: its own, and those of other lesions computed with its constants."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl

import features
from engine.files import read_json
from features.patients.image_tables import read_image_table
from uglyduck.run.run import Run, open_run
from uglyduck.stages.running import run_stages
from uglyduck.studies.new_lesions import NewTable


def bring_up_to_date(root: Path) -> dict[str, Any]:
    """Run the stages of a run up to its features, if they have changed.

    Returns:
        `path`, `lesions`, and `groups`: how many features each has.

    Raises:
        InputError: The folder holds no run, or a stage refuses its input.
    """
    run = open_run(root)
    with run.folder.locked():
        run_stages(run, until="features")
    return _summary(run, run.folder.features)


def build_for(root: Path, lesions: NewTable, out: Path) -> dict[str, Any]:
    """Compute the features of other lesions with a run's groups and constants.

    Args:
        root: Run folder whose features are built.
        lesions: Their table, and perhaps their image scores: isic_id, score[, embedding].
        out: Feature table to write.

    Returns:
        As in `bring_up_to_date`.

    Raises:
        InputError: The folder holds no run with features, or a table is not fit for use.
    """
    run = open_run(root)
    stored = read_json(run.folder.dictionary)
    cohort = lesions.read(run)
    scores = None if lesions.image_scores is None else read_image_table(lesions.image_scores)
    state = features.FeatureState.from_dict(stored["state"])
    features.write_features(cohort.frame, out, stored["groups"], state=state, images=scores)
    return _summary(run, out)


def _summary(run: Run, path: Path) -> dict[str, Any]:
    table = pl.scan_parquet(path)
    built = set(table.collect_schema().names())
    listed = read_json(run.folder.dictionary)["features"]
    groups = Counter(feature["group"] for feature in listed if feature["name"] in built)
    lesions = table.select(pl.len()).collect(engine="in-memory").item()
    return {"path": str(path), "lesions": lesions, "groups": dict(groups)}
