"""Ways to split patients into folds, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NoReturn

import numpy as np
import polars as pl

from cohort.frames import collect
from cohort.linking import components
from cv_folds.dealing import Patients, deal
from cv_folds.metrics.inputs import Ints
from engine.errors import InputError

Scheme = Literal["stratified", "repeated", "leave-one-hospital-out", "balanced-size"]
SCHEMES: tuple[Scheme, ...] = ("stratified", "repeated", "leave-one-hospital-out", "balanced-size")
HOSPITAL = "attribution"


@dataclass(frozen=True)
class Assignment:
    """Folds of the rows of a frame.

    Attributes:
        columns: A fold for each row, from 0, once for each repeat; each of shape (rows,).
        names: What each fold is called: a hospital, or "fold 0".
        notes: What a reader of the results should know.
    """

    columns: tuple[Ints, ...]
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()


def patient_groups(frame: pl.DataFrame) -> pl.Series:
    """Name the group of each row: the patient, or all patients linked by the column `group`.

    A group of duplicates can link two patients, and a patient can be in two such groups; whatever is linked, directly
    or through others, is one group, named after its first patient. Without `group`, or if it is null, patients stand
    for themselves.
    """
    patient = frame["patient_id"]
    if "group" not in frame.columns or frame.is_empty():
        return patient
    first = pl.col("patient_id").min().over("group").alias("first")
    linked = frame.filter(pl.col("group").is_not_null()).select("patient_id", first).unique()
    return patient.replace(components(linked.iter_rows()))


def dealt(frame: pl.DataFrame, *, scheme: Scheme, n_folds: int, n_repeats: int, seed: int) -> Assignment:
    """Folds dealt by `cv_folds.dealing`, for the schemes "stratified", "repeated" and "balanced-size".

    Raises:
        InputError: More folds are asked for than are possible.
    """
    groups, code = _counted(frame)
    first_by = "rows" if scheme == "balanced-size" else "malignant"
    seeds = [f"{seed}/{repeat}" for repeat in range(n_repeats)]
    if n_folds > _carriers(groups):
        _refuse(groups, n_folds, first_by, seeds)
    folds = [deal(groups, n_folds, first_by=first_by, seed=each) for each in seeds]
    if not all(_can_be_ranked(groups, fold, n_folds) for fold in folds):
        _refuse(groups, n_folds, first_by, seeds)
    return Assignment(tuple(fold[code] for fold in folds), tuple(f"fold {fold}" for fold in range(n_folds)))


def _carriers(groups: Patients) -> int:
    return int((groups.malignant > 0).sum())


def _can_be_ranked(groups: Patients, fold: Ints, n_folds: int) -> bool:
    """Whether every fold has malignant and benign lesions."""
    malignant = np.bincount(fold, groups.malignant, n_folds)
    return bool((malignant > 0).all() and (np.bincount(fold, groups.rows, n_folds) > malignant).all())


def _refuse(groups: Patients, n_folds: int, first_by: str, seeds: list[str]) -> NoReturn:
    """Say how many folds are possible: the most that come out whole when dealt like this."""

    def whole(fewer: int) -> bool:
        folds = (deal(groups, fewer, first_by=first_by, seed=seed) for seed in seeds)
        return all(_can_be_ranked(groups, fold, fewer) for fold in folds)

    most = min(n_folds - 1, _carriers(groups))
    possible = next((fewer for fewer in range(most, 1, -1) if whole(fewer)), 0)
    benign = int((groups.malignant < groups.rows).sum())
    raise InputError(
        f"{n_folds} folds are not possible: each needs a malignant and a benign lesion, and of the patients, whose "
        f"lesions stay together, {_carriers(groups)} have a malignant and {benign} a benign one",
        where="n_folds",
        remedy=f"use at most {possible} folds" if possible else "give lesions of more patients: no folds are possible",
    )


def _counted(frame: pl.DataFrame) -> tuple[Patients, Ints]:
    """The groups, sorted by name, and the group of each row."""
    rows = frame.select(patient_groups(frame).alias("group"), pl.col("target").cast(pl.Int64))
    counts = collect(
        rows.lazy().group_by("group").agg(pl.len().cast(pl.Int64).alias("rows"), pl.col("target").sum()).sort("group")
    )
    code = (rows["group"].rank("dense").cast(pl.Int64) - 1).to_numpy()
    return Patients(counts["group"].to_list(), counts["target"].to_numpy(), counts["rows"].to_numpy()), code


def by_hospital(frame: pl.DataFrame, *, without_malignant: Literal["refuse", "merge"]) -> Assignment:
    """One fold for each hospital: each is scored by models that saw only the others.

    A patient whose lesions come from several hospitals is held out with the one that has most of them (the first by
    name if tied), since patients are never split.

    A hospital without a malignant lesion cannot be a fold: no ranking metric is defined on it. If always left in
    training, it would never be scored; so "merge" holds all such hospitals out together with the one that has the
    fewest malignant lesions. That fold still tests on hospitals that its models never saw, but ranks
    lesions of several hospitals against each other. Since it changes what the fold means, it is not the default.

    Args:
        frame: With isic_id, patient_id, target and attribution.
        without_malignant: "refuse" or "merge".

    Raises:
        InputError: There is no attribution, a patient has none, fewer than two hospitals have malignant lesions, or a
            hospital has none and `without_malignant` is "refuse".
    """
    hospital, notes = _hospital_of(frame)
    table = collect(
        pl.LazyFrame({"hospital": hospital, "target": frame["target"].cast(pl.Int64)})
        .group_by("hospital")
        .agg(pl.len().alias("rows"), pl.col("target").sum().alias("malignant"))
        .sort("hospital")
    )
    able = table.filter(pl.col("malignant") > 0, pl.col("malignant") < pl.col("rows"))
    unable = table.join(able, on="hospital", how="anti", maintain_order="left")["hospital"].to_list()
    if able.height < 2:
        raise InputError(
            f"{able.height} of {table.height} hospitals have malignant and benign lesions, so no folds are possible",
            where=HOSPITAL,
            remedy='use the scheme "stratified"',
        )
    names = able["hospital"].to_list()
    if unable:
        host = able.sort("malignant", "rows", "hospital")["hospital"][0]
        _refuse_unless_merged(unable, able.height, without_malignant)
        hospital = hospital.replace(unable, [host] * len(unable))
        notes += (f"without lesions of both classes, so held out with {host}: {', '.join(unable)}",)
        names = [" + ".join([name, *unable]) if name == host else name for name in names]
    return Assignment(((hospital.rank("dense").cast(pl.Int64) - 1).to_numpy(),), tuple(names), notes)


def _refuse_unless_merged(unable: list[str], possible: int, without_malignant: str) -> None:
    if without_malignant != "merge":
        raise InputError(
            f"nothing can be ranked where there is no malignant (or no benign) lesion: {', '.join(unable)}; "
            f"{possible} folds are possible",
            where=HOSPITAL,
            remedy='set [folds] without_malignant = "merge" to hold them out with the one that has the fewest',
        )


def _hospital_of(frame: pl.DataFrame) -> tuple[pl.Series, tuple[str, ...]]:
    """The hospital of each row's patient, and a note on patients who have several."""
    if HOSPITAL not in frame.columns:
        raise InputError(
            "there is no such column", where=HOSPITAL, remedy='use another scheme, for example "stratified"'
        )
    rows = frame.select(patient_groups(frame).alias("group"), pl.col(HOSPITAL).cast(pl.String).alias("hospital"))
    visits = collect(rows.lazy().drop_nulls().group_by("group", "hospital").agg(pl.len().alias("lesions")))
    home = visits.sort("lesions", "hospital", descending=[True, False]).unique(
        "group", keep="first", maintain_order=True
    )
    home = home.select("group", pl.col("hospital").alias("home"))
    joined = collect(rows.lazy().join(home.lazy(), on="group", how="left", validate="m:1", maintain_order="left"))[
        "home"
    ]
    if joined.null_count():
        raise InputError(
            f"{joined.null_count()} lesions belong to patients without a hospital",
            where=HOSPITAL,
            remedy="fill in the hospital of each patient",
        )
    further = visits.height - home.height
    note = f"patients seen at several hospitals are held out with the one of most lesions ({further} further visits)"
    return joined, (note,) if further else ()
