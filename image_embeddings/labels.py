"""What a network learns: classes and auxiliary targets from the table's train-only columns, never features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.errors import InputError

SITE = "anatom_site_general"
DIAMETER = "clin_size_long_diam_mm"
DIAGNOSES = ("iddx_full", "iddx_1", "iddx_2", "iddx_3", "iddx_4", "iddx_5")


@dataclass(frozen=True)
class Classes:
    """The classes of the main head.

    Attributes:
        names: Names in the order of the network's outputs.
        malignant: Which of them are malignant.
    """

    names: tuple[str, ...]
    malignant: tuple[bool, ...]


BINARY = Classes(("benign", "malignant"), (False, True))
"""Classes of a head that tells only these two apart."""


@dataclass(frozen=True)
class Labels:
    """What is known about each training lesion, in the order of the frame.

    Attributes:
        classes: The classes that `index` refers to.
        index: (lesions,) class of each lesion.
        target: (lesions,) 1 malignant, 0 benign.
        log_diameter: (lesions,) log of the diameter in mm, standardised over the lesions that have one; NaN elsewhere.
        site: (lesions,) index of the body site in `sites`; -1 if missing.
        sites: Body sites, ascending.
    """

    classes: Classes
    index: NDArray[np.int64]
    target: NDArray[np.int8]
    log_diameter: NDArray[np.float32]
    site: NDArray[np.int64]
    sites: tuple[str, ...]


def make_labels(
    frame: pl.DataFrame, kind: Literal["binary", "diagnosis"], extra: Sequence[pl.DataFrame] = ()
) -> Labels:
    """Labels of a canonical frame.

    With "diagnosis", SLICE-3D rows are told apart by what happened to them (left alone, tagged by hand but benign) and
    by the malignant family (melanocytic, basal cell, other); HAM10000 and ISIC 2018 rows by their diagnosis. Classes
    that no lesion has are left out.

    Args:
        frame: With target; diagnosis columns, site and diameter are used if present.
        kind: "binary" for benign and malignant alone.
        extra: Further tables, whose lesions follow; each may name its diagnoses in its own way.

    Raises:
        InputError: No target.
    """
    if "target" not in frame.columns:
        raise InputError("no column target", where="metadata", remedy="training needs labels: give the train table")
    names = pl.concat([table.select(_class_of(table, kind).alias("class")).to_series() for table in (frame, *extra)])
    frame = pl.concat([frame, *extra], how="diagonal_relaxed") if extra else frame
    target = frame["target"].cast(pl.Int8).to_numpy()
    present = sorted(names.unique(), key=lambda name: (_is_malignant(frame, names, name), name))
    index = names.replace_strict({name: place for place, name in enumerate(present)}, return_dtype=pl.Int64)
    classes = Classes(tuple(present), tuple(_is_malignant(frame, names, name) for name in present))
    sites = tuple(sorted(frame[SITE].drop_nulls().unique())) if SITE in frame.columns else ()
    return Labels(classes, index.to_numpy(), target, _log_diameter(frame), _site(frame, sites), sites)


def _class_of(frame: pl.DataFrame, kind: str) -> pl.Expr:
    malignant = pl.col("target") == 1
    if kind == "binary":
        return pl.when(malignant).then(pl.lit("malignant")).otherwise(pl.lit("benign"))
    if "diagnosis" in frame.columns:
        return pl.col("diagnosis").fill_null("unknown")
    text = pl.concat_str([pl.col(name).fill_null("") for name in DIAGNOSES if name in frame.columns] or [pl.lit("")])
    family = (
        pl.when(text.str.contains("(?i)malignant melanocytic|melanoma"))
        .then(pl.lit("melanocytic"))
        .when(text.str.contains("(?i)basal cell"))
        .then(pl.lit("basal cell"))
        .otherwise(pl.lit("other malignant"))
    )
    tagged = pl.col("lesion_id").is_not_null() if "lesion_id" in frame.columns else pl.lit(value=False)
    return pl.when(malignant).then(family).when(tagged).then(pl.lit("tagged benign")).otherwise(pl.lit("benign"))


def _is_malignant(frame: pl.DataFrame, names: pl.Series, name: str) -> bool:
    target = frame["target"].filter(names == name)
    return int(target.sum()) * 2 > len(target)


def _log_diameter(frame: pl.DataFrame) -> NDArray[np.float32]:
    if DIAMETER not in frame.columns or frame[DIAMETER].drop_nulls().n_unique() < 2:
        return np.full(len(frame), np.nan, np.float32)
    value = np.log(frame[DIAMETER].cast(pl.Float64).fill_null(np.nan).to_numpy())
    return np.asarray((value - np.nanmean(value)) / np.nanstd(value), np.float32)


def _site(frame: pl.DataFrame, sites: tuple[str, ...]) -> NDArray[np.int64]:
    if not sites:
        return np.full(len(frame), -1, np.int64)
    places = {site: place for place, site in enumerate(sites)}
    return frame[SITE].replace_strict(places, default=-1, return_dtype=pl.Int64).fill_null(-1).to_numpy()
