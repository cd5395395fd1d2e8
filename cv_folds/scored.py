"""Joins predictions to labels by lesion id: every lesion must be in both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from cohort.frames import collect, join_by_id
from cohort.tables import open_table
from cv_folds.prediction_tables import SHOWN, read_labels, read_predictions, score_column
from engine.errors import InputError, shorten


@dataclass(frozen=True)
class Scored:
    """Predictions joined to labels.

    Attributes:
        frame: isic_id, target (Int8), score (Float64), other (Float64, if a second table was given), and where known
            patient_id (String) and fold (Int64); sorted by isic_id.
        column: The column taken as the score.
        other_column: The same for the second table.
        notes: What a reader of the results should know.
    """

    frame: pl.DataFrame
    column: str
    other_column: str | None = None
    notes: tuple[str, ...] = ()


def read_scored(
    predictions: Path,
    labels: Path,
    *,
    column: str | None = None,
    other: Path | None = None,
    other_column: str | None = None,
) -> Scored:
    """Read predictions, labels and, for a comparison, other predictions of the same lesions.

    Tables are CSV (plain or gzip) or Parquet with the lesion's id, any text, in isic_id or image_name. Labels hold
    target, and may hold patient_id and fold; so may predictions. A run's oof.parquet can be any of the three.

    Args:
        predictions: The scores.
        labels: The targets.
        column: The score; None chooses as `score_column` does.
        other: A second table of scores.
        other_column: Its score; None takes `column` if present, else chooses as `score_column` does.

    Raises:
        InputError: A table cannot be read or used (see `score_column`, `read_labels`, `read_predictions`), a lesion
            is in one table only, or patients or folds differ between predictions and labels.
    """
    labelled = read_labels(labels)
    chosen = score_column(predictions, column)
    predicted = read_predictions(predictions, chosen, "score")
    _require_same_ids(labelled, predicted, labels, predictions)
    frame = _joined(labelled, predicted, predictions)
    notes: tuple[str, ...] = ("every score equals its label",) if (frame["score"] == frame["target"]).all() else ()
    if other is None:
        return Scored(frame, chosen, notes=notes)
    wanted = other_column or (column if column in open_table(other).header else None)
    other_chosen = score_column(other, wanted)
    compared = read_predictions(other, other_chosen, "other")
    _require_same_ids(labelled, compared, labels, other)
    if _differing(frame, compared, "fold"):
        notes += (f"{other} was scored in other folds; figures by fold use those of the first predictions",)
    return Scored(_joined(frame, compared.select("isic_id", "other"), other), chosen, other_chosen, notes)


def _require_same_ids(labelled: pl.DataFrame, predicted: pl.DataFrame, labels: Path, predictions: Path) -> None:
    unpredicted, unlabelled = _only_in(labelled, predicted), _only_in(predicted, labelled)
    also = f"; and {len(unlabelled)} predictions have no label: {shorten(unlabelled, SHOWN)}" if unlabelled else ""
    if unpredicted:
        raise InputError(
            f"{len(unpredicted)} of {labelled.height} labelled lesions have no prediction: "
            f"{shorten(unpredicted, SHOWN)}{also}",
            where=str(predictions),
            remedy="predict every labelled lesion and label every predicted one",
        )
    if unlabelled:
        raise InputError(
            f"{len(unlabelled)} of {predicted.height} predictions have no label: {shorten(unlabelled, SHOWN)}",
            where=str(labels),
            remedy="label every predicted lesion, or leave these out of the predictions",
        )


def _only_in(one: pl.DataFrame, other: pl.DataFrame) -> list[str]:
    ids = collect(one.lazy().join(other.lazy(), on="isic_id", how="anti", maintain_order="left"))["isic_id"]
    return ids.to_list()


def _joined(labelled: pl.DataFrame, predicted: pl.DataFrame, path: Path) -> pl.DataFrame:
    """Both tables joined by id; patients and folds that both hold must agree."""
    for name in ("patient_id", "fold"):
        differing = _differing(labelled, predicted, name)
        if differing:
            raise InputError(
                f"{name} differs from the labels in {len(differing)} lesions: {shorten(differing, SHOWN)}",
                where=str(path),
                remedy=f"give labels that belong to these predictions, or leave {name} out of one table",
            )
    new = predicted.select("isic_id", pl.exclude("isic_id", *labelled.columns))
    return join_by_id(labelled, new).sort("isic_id")


def _differing(one: pl.DataFrame, other: pl.DataFrame, name: str) -> list[str]:
    """Ids whose value of `name` differs, if both tables have it."""
    if name not in one.columns or name not in other.columns:
        return []
    both = join_by_id(one.select("isic_id", name), other.select("isic_id", pl.col(name).alias("again")))
    return both.filter(pl.col(name) != pl.col("again"))["isic_id"].to_list()
