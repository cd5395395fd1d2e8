"""Whether new lesions are enough like those of training for their scores, and their risks, to mean something."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from cohort.frames import ID, join_by_id
from engine.console import log
from engine.errors import shorten
from ensemble.run_checks.new_lesions import ScoreScale, median_lesions
from features.patients.measures import MEASURED
from features.registry import compares_lesions
from submissions.fitted_run import FittedRun
from submissions.lacking import Lacking, other_units

FAR = 0.5
"""Beyond this gap between scores, most lie where few training scores do, and risks mean nothing."""
FEW = 0.2
"""If the median patient has less than this share of the lesions of training's median patient, models trained on thinned
tables rank better (measured in docs/tuning.md)."""
_OFTEN_EMPTY = "age_approx"  # not measured on the lesion, and missing for a whole patient or not at all
_GROUPS = 20  # of patients with the same empty columns; if there are more, all are taken together


@dataclass(frozen=True)
class Caution:
    """What a reader must know before trusting scores.

    Attributes:
        words: One line.
        patients: Whom it concerns; None for everybody.
        withholds: Whether their risks mean nothing and are not to be shown.
    """

    words: str
    patients: frozenset[str] | None = None
    withholds: bool = False

    def concerns(self, patient: str) -> bool:
        """Whether it is about this patient."""
        return self.patients is None or patient in self.patients

    def __str__(self) -> str:
        if self.patients is None:
            return self.words
        patients = "1 patient" if len(self.patients) == 1 else f"{len(self.patients):,} patients"
        return f"{patients} ({shorten(sorted(self.patients), 3)}): {self.words}"


Scales = Callable[[str, int], ScoreScale | None]
"""Gives the out-of-fold distribution of a score column, `blend` or `table`, for a number of patients to compare."""


def scales_of(out_of_fold: pl.DataFrame) -> Scales:
    """Distributions for training lesions with `patient_id`, `blend` and, in runs with images, `table`."""

    def of(column: str, patients: int) -> ScoreScale | None:
        if column not in out_of_fold.columns:
            return None
        return ScoreScale.of(out_of_fold[column].to_numpy(), out_of_fold["patient_id"], patients)

    return of


def cautions(
    fitted: FittedRun, frame: pl.DataFrame, images: pl.DataFrame | None, scores: pl.DataFrame, scales: Scales
) -> list[Caution]:
    """Compare new lesions, and their scores, with those of training.

    Patients who lack the same measurements are compared together, so that those of one clinic do not hide behind those
    of another. Risks are withheld if more than half of what the models rely on is absent, or if the gap between scores
    exceeds both `FAR` and what chance explains.

    Args:
        fitted: The run.
        frame: The new lesions in canonical form.
        images: Their image scores, if there are any.
        scores: `isic_id` and `score` of these lesions.
        scales: Distributions of out-of-fold scores.

    Returns:
        The cautions, the gravest first.
    """
    lacking = fitted.lacking(frame, _seen(fitted, frame, images))
    found = [*_unseen(fitted, frame), *_units(fitted, frame), *_lacking(lacking, None)]
    asked = [name for name in MEASURED if name in fitted.needs.difference(lacking.columns, [_OFTEN_EMPTY])]
    scored = join_by_id(frame.select(ID, "patient_id"), scores.select(ID, "score"))
    groups = _with_same_columns(frame, asked)
    scale = None
    for patients, known in groups:
        whom = None if len(groups) == 1 else frozenset(patients)
        group = scored if whom is None else scored.filter(pl.col("patient_id").is_in(patients.implode()))
        seen = _seen(fitted, group, images)
        more = fitted.lacking(known, seen)
        if set(asked).intersection(more.columns):
            found += _lacking(more, whom)
        scale = (scales("table", len(patients)) if seen is None else None) or scales("blend", len(patients))
        found += [] if scale is None else _shift(group["score"], len(patients), scale, whom)
    found += [] if scale is None else _few(fitted, frame, scale)
    return sorted(found, key=lambda caution: not caution.withholds)


def say(found: Sequence[object]) -> None:
    """Warn how new lesions differ from those of training, one line each; call it last, so that they are not missed."""
    for line in found:
        log.warning("WARNING: %s", line)


def withheld(frame: pl.DataFrame, found: Sequence[Caution]) -> pl.Series:
    """Whether the risk of each lesion of a table with `patient_id` is to be withheld."""
    patients = frame["patient_id"].unique()
    hidden = [name for name in patients if any(one.withholds and one.concerns(name) for one in found)]
    return frame["patient_id"].is_in(hidden)


def _unseen(fitted: FittedRun, frame: pl.DataFrame) -> Iterator[Caution]:
    for name, levels in fitted.space.levels.items():
        if name not in frame.columns:
            continue
        strange = frame[name].value_counts().filter(~pl.col(name).is_in(levels)).sort(name)
        if len(strange):
            names = shorten([repr(value) for value in strange[name]], 3)
            yield Caution(
                f"{name}: {names} never seen in training, counted as missing in {strange['count'].sum():,} of "
                f"{frame.height:,} lesions"
            )


def _units(fitted: FittedRun, frame: pl.DataFrame) -> Iterator[Caution]:
    for name, (median, mean) in other_units(frame, fitted.state).items():
        yield Caution(f"{name}: the median is {median:.3g}, in training the mean was {mean:.3g}; another unit?")


def _few(fitted: FittedRun, frame: pl.DataFrame, scale: ScoreScale) -> Iterator[Caution]:
    """A caution if patients have far fewer lesions than in training and models compare a patient's lesions."""
    lesions = median_lesions(frame["patient_id"])
    noun = "lesion" if lesions == 1 else "lesions"
    if lesions < FEW * scale.lesions and compares_lesions(set(fitted.specs.values()), fitted.groups):
        yield Caution(
            f"the median patient has {lesions:g} {noun} here, in training {scale.lesions:g}: a run that is trained on "
            "as few ranks such tables better, see [data] benign_share"
        )


def _with_same_columns(frame: pl.DataFrame, columns: list[str]) -> list[tuple[pl.Series, pl.DataFrame]]:
    """Groups of patients with values in the same of these columns, each with the columns that any of them has."""
    patient = pl.col("patient_id")
    holds = frame.group_by(patient, maintain_order=True).agg(pl.exclude("patient_id").is_not_null().any())
    there = [name for name in columns if name in frame.columns]
    parts = holds.partition_by(there, maintain_order=True) if there else [holds]
    parts = parts if len(parts) <= _GROUPS else [holds]
    known = pl.exclude("patient_id").any()
    return [
        (part["patient_id"], frame.clear().select("patient_id", *(one.name for one in part.select(known) if one[0])))
        for part in parts
    ]


def _seen(fitted: FittedRun, frame: pl.DataFrame, images: pl.DataFrame | None) -> pl.DataFrame | None:
    """The image scores; None if no lesion of the table has one."""
    return images if images is not None and fitted.has_crop(frame, images).any() else None


def _lacking(lacking: Lacking, whom: frozenset[str] | None) -> Iterator[Caution]:
    if lacking.columns:
        yield Caution(f"{lacking}" + ("; risks are withheld" if lacking.is_most else ""), whom, lacking.is_most)


def _shift(scores: pl.Series, patients: int, scale: ScoreScale, whom: frozenset[str] | None) -> Iterator[Caution]:
    """A caution if the scores of a part of the table lie apart from those of training."""
    shift = scale.compare(scores.to_numpy(), patients)
    if shift.status != "found":
        return
    values = shift.values
    far = values["gap"] > FAR
    usual, middle = values["quantiles"]["50%"]
    consequence = "risks mean nothing here and are withheld" if far else "read risks with care"
    yield Caution(
        f"scores lie apart from those of training (the middle one is {middle:.3f}, there {usual:.3f}; gap "
        f"{values['gap']:.2f}, by chance up to {values['by_chance']:.2f}): {consequence}",
        whom,
        far,
    )
