"""Folds as a frozen artifact: made once, written with a hash, checked when read, never recomputed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import polars as pl

from cohort.frames import collect
from cohort.parquet_batches import DAMAGE, key_values, read_parquet
from cv_folds.schemes import SCHEMES, Assignment, Scheme, by_hospital, dealt
from engine.errors import InputError
from engine.files import atomic_path, refuse_special

KEYS = ("isic_id", "patient_id", "target")
METADATA = "uglyduck.folds"
#: Folds are stored as Int8.
MOST_FOLDS = 127


@dataclass(frozen=True)
class Folds:
    """Which lesions are held out together.

    Attributes:
        frame: isic_id, patient_id, target and fold (Int8, from 0), sorted by (patient_id, isic_id); further repeats in
            fold_1, fold_2, …
        scheme: How they were made.
        names: What each fold is called.
        notes: What a reader of the results should know.
    """

    frame: pl.DataFrame
    scheme: str
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """Names of the fold columns, one per repeat: fold, fold_1 and so on."""
        return [name for name in self.frame.columns if name not in KEYS]

    def assignments(self) -> list[pl.Series]:
        """The fold of each row, one series per repeat."""
        return [self.frame[name] for name in self.columns]

    @cached_property
    def sha256(self) -> str:
        """Hex SHA-256 of ids, patients, targets and folds; it does not depend on row order or file format."""
        content = self.frame.sort("isic_id").select(*KEYS, *self.columns).select(pl.all().cast(pl.String))
        lines = content.select(pl.concat_str(pl.all(), separator="\x1f")).to_series()
        digest = hashlib.sha256("\x1f".join(content.columns).encode())
        digest.update(("\x1e" + "\x1e".join(lines)).encode())
        return digest.hexdigest()

    def summary(self) -> pl.DataFrame:
        """What each fold holds: repeat, fold, name, rows, patients, malignant_lesions, malignant_patients."""
        malignant = pl.col("target") == 1
        tables = [
            self.frame.lazy()
            .group_by(pl.col(column).alias("fold"))
            .agg(
                pl.len().alias("rows"),
                pl.col("patient_id").n_unique().alias("patients"),
                malignant.sum().alias("malignant_lesions"),
                pl.col("patient_id").filter(malignant).n_unique().alias("malignant_patients"),
            )
            .with_columns(
                pl.lit(repeat).alias("repeat"),
                pl.col("fold").replace_strict(dict(enumerate(self.names)), default=None).alias("name"),
            )
            for repeat, column in enumerate(self.columns)
        ]
        table = collect(pl.concat(tables)).sort("repeat", "fold")
        return table.select("repeat", "fold", "name", pl.exclude("repeat", "fold", "name"))

    def write(self, path: Path) -> None:
        """Write Parquet, atomically, with the hash in its metadata.

        Raises:
            InputError: The folder cannot be written to.
        """
        facts = {"sha256": self.sha256, "scheme": self.scheme, "names": self.names, "notes": self.notes}
        with atomic_path(path) as temporary:
            self.frame.write_parquet(temporary, metadata={METADATA: json.dumps(facts)})

    @classmethod
    def read(cls, path: Path) -> Folds:
        """Read folds and check them.

        Raises:
            InputError: The file is missing, is not a folds file, or its hash differs; a lesion is listed twice, a
                patient is in two folds, or a fold lacks malignant or benign lesions.
        """
        folds, sha256 = _read_parquet(Path(path))
        if folds.sha256 != sha256:
            raise InputError(
                "the folds were changed after they were made", where=str(path), remedy="make the folds again"
            )
        check_folds(folds.frame, folds.columns, where=str(path))
        return folds


def make_folds(
    frame: pl.DataFrame,
    *,
    scheme: str = "stratified",
    n_folds: int = 5,
    n_repeats: int = 1,
    seed: int = 0,
    without_malignant: Literal["refuse", "merge"] = "refuse",
) -> Folds:
    """Split lesions into folds by patient.

    - "stratified": equal malignant lesions, malignant patients and rows in every fold (see `cv_folds.dealing`).
    - "repeated": the same `n_repeats` times with different draws.
    - "balanced-size": like "stratified", but patients of similar size are dealt evenly first.
    - "leave-one-hospital-out": one fold for each value of attribution; `n_folds` and `seed` are not used.

    Rows may come in any order. Lesions of one patient, and of patients that share a value of the optional column
    `group` (duplicate images), stay in one fold.

    Args:
        frame: isic_id, patient_id and target (0 or 1), without nulls; attribution for hospitals; optionally group.
        scheme: One of `SCHEMES`.
        n_folds: 2 or more; at most as many as patients with a malignant lesion.
        n_repeats: For "repeated", 2 or more.
        seed: 0 or more.
        without_malignant: What to do with a hospital that has no malignant lesion; see `by_hospital`.

    Raises:
        InputError: A column is missing or holds nulls, an id is repeated, a target is not 0 or 1, a parameter makes no
            sense, or a fold would be without malignant lesions; the message says how many folds are possible.
    """
    _check_frame(frame)
    chosen = check_parameters(scheme, n_folds, n_repeats, seed)
    frame = frame.sort("patient_id", "isic_id")
    if chosen == "leave-one-hospital-out":
        assignment = by_hospital(frame, without_malignant=without_malignant)
    else:
        assignment = dealt(frame, scheme=chosen, n_folds=n_folds, n_repeats=n_repeats, seed=seed)
    if len(assignment.names) > MOST_FOLDS:
        raise InputError(
            f"{len(assignment.names)} folds are too many", where="folds", remedy=f"use at most {MOST_FOLDS}"
        )
    made = _with_folds(frame, assignment)
    folds = Folds(made, chosen, assignment.names, assignment.notes)
    check_folds(made, folds.columns, where="folds")
    return folds


def check_folds(frame: pl.DataFrame, columns: list[str], *, where: str) -> None:
    """Check that folds are valid.

    Raises:
        InputError: A lesion is listed twice, a patient is in two folds, or a fold lacks malignant or benign lesions.
    """
    if frame["isic_id"].n_unique() < frame.height:
        raise InputError("a lesion is listed twice", where=where, remedy="keep one row for each isic_id")
    for column in columns:
        folds = collect(frame.lazy().group_by("patient_id").agg(pl.col(column).n_unique().alias("folds")))
        split = folds.filter(pl.col("folds") > 1).sort("patient_id")
        if split.height:
            raise InputError(
                f"patient {split['patient_id'][0]} lies in two folds ({split.height} such patients)",
                where=f"{where}, {column}",
                remedy="make the folds again",
            )
        targets = collect(frame.lazy().group_by(column).agg(pl.col("target").n_unique().alias("classes")))
        poor = targets.filter(pl.col("classes") < 2).sort(column)[column].to_list()
        if poor:
            good = targets.height - len(poor)
            raise InputError(
                f"fold {poor[0]} lacks malignant or benign lesions, so nothing can be ranked there",
                where=f"{where}, {column}",
                remedy=f"use at most {good} folds" if good > 1 else "give lesions of more patients",
            )


def _check_frame(frame: pl.DataFrame) -> None:
    missing = [name for name in KEYS if name not in frame.columns]
    if missing:
        raise InputError(f"column {missing[0]} is missing", where="folds", remedy=f"give {', '.join(KEYS)}")
    for name in KEYS:
        if frame[name].null_count():
            raise InputError(f"{frame[name].null_count()} values are missing", where=name, remedy="fill them in")
    target = frame["target"].cast(pl.Float64, strict=False)
    if not ((target == 0) | (target == 1)).fill_null(value=False).all():
        raise InputError("holds other values than 0 and 1", where="target", remedy="code malignant 1, benign 0")


def check_parameters(scheme: str, n_folds: int, n_repeats: int, seed: int) -> Scheme:
    """The scheme of this name, if the others suit it; see `make_folds`.

    Raises:
        InputError: There is no such scheme, or a number makes no sense with it.
    """
    chosen = next((name for name in SCHEMES if name == scheme), None)
    if chosen is None:
        raise InputError(f"no scheme {scheme!r}", where="scheme", remedy=f"choose from {', '.join(SCHEMES)}")
    if n_folds < 2:
        raise InputError(f"{n_folds} folds leave nothing to train on", where="n_folds", remedy="use 2 or more")
    if seed < 0:
        raise InputError(f"{seed} is negative", where="seed", remedy="use 0 or a positive whole number")
    if (chosen == "repeated") != (n_repeats > 1):
        raise InputError(
            f"{n_repeats} repeats with the scheme {chosen!r}",
            where="n_repeats",
            remedy='use 2 or more with "repeated", and 1 with every other scheme',
        )
    return chosen


def _with_folds(frame: pl.DataFrame, assignment: Assignment) -> pl.DataFrame:
    columns = {"fold" if repeat == 0 else f"fold_{repeat}": column for repeat, column in enumerate(assignment.columns)}
    keys = frame.select("isic_id", "patient_id", pl.col("target").cast(pl.Int8))
    return keys.with_columns(pl.Series(name, column, dtype=pl.Int8) for name, column in columns.items())


def _read_parquet(path: Path) -> tuple[Folds, str]:
    """The folds as stored in the file, and the hash they were written with."""
    refuse_special(path)
    try:
        facts = json.loads(key_values(path)[METADATA])
        frame = read_parquet(path).select(*KEYS, "fold", pl.exclude(*KEYS, "fold"))
        return Folds(frame, facts["scheme"], tuple(facts["names"]), tuple(facts["notes"])), facts["sha256"]
    except FileNotFoundError as error:
        raise InputError("no such file", where=str(path), remedy="make the folds first") from error
    except (*DAMAGE, KeyError, TypeError, ValueError) as error:
        raise InputError("this is not a folds file", where=str(path), remedy="make the folds again") from error
