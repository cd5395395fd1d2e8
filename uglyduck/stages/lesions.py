"""The lesions stage: the user's table, read once, in the order that every later table keeps."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from cohort.frames import ID
from cohort.lesions import Lesions
from cohort.reading import read_cohort, varying_columns
from cohort.stores.opening import open_store
from engine.console import log
from engine.errors import InputError
from features.patients.image_tables import has_image, read_image_table
from submissions.report.origin import find_origin
from uglyduck.run.config import DataConfig, input_paths
from uglyduck.run.run import Run
from uglyduck.stages.stage import Stage


def _read(run: Run) -> list[Path]:
    data = run.config.data
    cohort = read_cohort(
        data.metadata,
        labels="required",
        duplicates=data.duplicates,
        duplicate_policy=data.duplicate_policy,
        groups=data.groups,
        ungrouped=data.ungrouped,
        columns=data.mapping,
        join=data.join,
    )
    for finding in cohort.findings:
        if finding.status == "found":
            say = log.warning if finding.severity == "warning" else log.info
            say("%s (%s): %s", finding.title, finding.code, finding.measured)
    if data.images is None and data.image_scores is None and not varying_columns(cohort):
        raise InputError(
            "no column besides ids and labels differs between lesions, so there is nothing to learn from",
            where=str(data.metadata),
            remedy="give a table with measurements, or crops as [data] images",
        )
    origin = find_origin(data.metadata, cohort.frame[ID])
    frame = cohort.frame if data.crops == "optional" else _with_crops(cohort.frame, data)
    facts: dict[str, Any] = {"dataset": cohort.dataset, "origin": origin}
    if data.benign_share < 1:
        facts["prevalence"] = float(np.mean(frame["target"].to_numpy()))
        frame = _thinned(frame, data.benign_share)
    Lesions(frame, facts).write(run.folder.lesions)
    return [run.folder.lesions]


def _thinned(frame: pl.DataFrame, share: float) -> pl.DataFrame:
    """Every malignant lesion and a share of the benign ones, each drawn by its id alone."""
    drawn = [int.from_bytes(hashlib.sha256(isic_id.encode()).digest()[:8]) < share * 2**64 for isic_id in frame[ID]]
    kept = frame.filter((pl.col("target") == 1) | pl.Series(drawn))
    log.info(
        "lesions   %s of %s are drawn: every malignant one, %g of the benign",
        f"{kept.height:,}",
        f"{frame.height:,}",
        share,
    )
    return kept


def _with_crops(frame: pl.DataFrame, data: DataConfig) -> pl.DataFrame:
    """The lesions that have a crop, or a score in the table of image scores."""
    if data.images is not None:
        store = open_store(data.images)
        kept = frame.filter(pl.Series([store.has(isic_id) for isic_id in frame[ID]]))
        store.close()
    else:
        kept = frame.filter(pl.Series(has_image(frame[ID], read_image_table(Path(data.image_scores or "")))))
    if kept.is_empty():
        raise InputError(
            "not one lesion has a crop",
            where='[data] crops = "required"',
            remedy="check that ids and crops belong together",
        )
    log.info("lesions   %s of %s have a crop; the others are left out", f"{kept.height:,}", f"{frame.height:,}")
    return kept


def _inputs(run: Run) -> tuple[str, ...]:
    crops = ("images", "image_scores") if run.config.data.crops == "required" else ()
    joined = (name for name in input_paths(run.config) if name.startswith("join["))
    return ("metadata", *joined, "duplicates", "groups", *crops)


LESIONS = Stage(
    "lesions",
    __name__,
    _read,
    inputs=_inputs,
    settings=lambda run: run.config.data.model_dump(
        include={"duplicate_policy", "ungrouped", "crops", "columns", "benign_share"}
    ),
)
