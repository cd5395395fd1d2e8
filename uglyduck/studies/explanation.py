"""Explains a run's scores, of its training lesions out of fold or of new ones, and writes what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from cohort.frames import collect, join_by_id
from engine.errors import InputError
from engine.files import read_json, sha256_of, write_json, write_parquet
from ensemble import explanation
from ensemble.explanation import ChosenLesions, Explainer, Selection, Study
from ensemble.fusion import read_blend
from ensemble.model_store import ModelStore
from submissions.fitted_run import FittedRun
from uglyduck.run.run import Run
from uglyduck.stages.stage import Stage
from uglyduck.studies.new_lesions import NewTable

Scores = npt.NDArray[np.float64]
GROUPS, LESIONS = "groups.json", "lesions.parquet"
"""Files of an explanation."""
_STAGE = "explanation"
_NOTES = (
    "a share says how far a group moves the log odds, not that it is right to, nor what causes malignancy",
    "features that carry the same information share what it moves, as the trees happened to choose between them",
    "a research tool, not a diagnosis",
)


@dataclass(frozen=True)
class Settings:
    """How much to explain.

    Attributes:
        top: Lesions of each patient to explain one by one.
        features: Most features to name for a lesion.
        sample: Most lesions to explain.
        seed: Of the random part of the sample.
    """

    top: int
    features: int
    sample: int
    seed: int


def explain_training(run: Run, settings: Settings) -> dict[str, Any]:
    """Explain the training lesions out of fold; skipped if the same explanation exists already.

    Args:
        run: A finished run; the caller holds the folder's lock.
        settings: How much to explain.

    Returns:
        The content of RUN/explanation/groups.json.

    Raises:
        InputError: The run is not finished, or the sample is too small.
    """
    folder = run.folder
    run.manifest.check(*_made_from(run))
    Stage(
        _STAGE,
        __name__,
        lambda run: _explain_training(run, settings),
        artifacts=_made_from,
        settings=lambda run: {**asdict(settings), "simulated": run.config.data.truth is not None},
    ).run(run)
    found: dict[str, Any] = read_json(folder.explanation / GROUPS)
    return found


def explain_new(
    run: Run, table: NewTable, settings: Settings, *, out: Path | None = None
) -> tuple[dict[str, Any], Path]:
    """Explain new lesions with all models of the run.

    Args:
        run: A finished run.
        table: The lesions.
        settings: How much to explain.
        out: Folder to write; RUN/explanation/NAME by default.

    Returns:
        The content of groups.json, and the folder.

    Raises:
        InputError: As in `NewTable.score`, or the sample is too small.
    """
    scored = table.score(run)
    fitted, every, images = scored.fitted, scored.cohort.frame, scored.images
    score = scored.scores["score"].to_numpy()
    chosen = _select(every, score, settings)
    frame = every[chosen.rows]
    ids = frame["isic_id"].implode()
    built = pl.concat([block.filter(pl.col("isic_id").is_in(ids)) for block in fitted.features(every, images)])
    explainers = _of_new_lesions(fitted, fitted.has_crop(frame, images))
    lesions = _lesions(run, every, score, chosen, built)
    found = _study(run, lesions, explainers, settings)
    metadata = table.metadata
    facts = {
        "explains": "new lesions",
        "metadata": {"name": metadata.name, "sha256": sha256_of(metadata)},
        "warnings": [str(caution) for caution in scored.cautions],
    }
    report = _report(run, facts, every, lesions, found=found, settings=settings)
    folder = out or run.folder.explanation / metadata.name.split(".")[0]
    _write(report, found, folder)
    return report, folder


def _of_new_lesions(fitted: FittedRun, has_crop: npt.NDArray[np.bool_]) -> list[Explainer]:
    """Every model that scores a lesion explains it."""
    return [
        Explainer(np.flatnonzero(rows), fitted.models_of(panel), panel.blend.weights)
        for panel, rows in ((fitted.whole, has_crop), (fitted.table, ~has_crop))
        if rows.any()
    ]


def _explain_training(run: Run, settings: Settings) -> list[Path]:
    oof = run.read_rows(run.folder.oof)
    score = oof["blend"].to_numpy()
    chosen = _select(oof, score, settings)
    ids = oof["isic_id"][chosen.rows].implode()
    built = collect(pl.scan_parquet(run.folder.features).filter(pl.col("isic_id").is_in(ids)))
    lesions = _lesions(run, oof, score, chosen, built)
    weights = read_blend(read_json(run.folder.blend)).weights
    explainers = explanation.out_of_fold(run.plan, ModelStore(run.folder.models), chosen.rows, weights)
    found = _study(run, lesions, explainers, settings)
    facts = {"explains": "training lesions, out of fold", "made_from": run.state}
    report = _report(run, facts, oof, lesions, found=found, settings=settings)
    _write(report, found, run.folder.explanation)
    return [run.folder.explanation / GROUPS, run.folder.explanation / LESIONS]


def _made_from(run: Run) -> list[Path]:
    folder = run.folder
    return [folder.oof, folder.blend, folder.dictionary, folder.features, folder.models / "manifest.json"]


def _select(frame: pl.DataFrame, score: Scores, settings: Settings) -> Selection:
    patient = frame["patient_id"].rank("dense").cast(pl.Int64).to_numpy().astype(np.intp) - 1
    return explanation.select(patient, score, top=settings.top, sample=settings.sample, seed=settings.seed)


def _lesions(run: Run, frame: pl.DataFrame, score: Scores, chosen: Selection, built: pl.DataFrame) -> ChosenLesions:
    space = ModelStore(run.folder.models).space
    if space is None:
        raise InputError(
            "the run holds no models", where=str(run.folder.models), remedy="finish it with `uglyduck run`"
        )
    wanted = frame[chosen.rows].select("isic_id", "patient_id")
    return ChosenLesions(wanted, space.encode(join_by_id(wanted, built)), score[chosen.rows], chosen)


def _study(run: Run, lesions: ChosenLesions, explainers: Sequence[Explainer], settings: Settings) -> Study:
    group_of = {spec["name"]: spec["group"] for spec in run.specs}
    return explanation.study(lesions, explainers, group_of, features=settings.features, threads=run.threads)


def _report(
    run: Run, facts: dict[str, Any], frame: pl.DataFrame, lesions: ChosenLesions, *, found: Study, settings: Settings
) -> dict[str, Any]:
    chosen = lesions.selection
    shown = lesions.frame.filter(pl.Series(chosen.shown))
    compared = int((chosen.weight > 0).sum())
    return {
        **facts,
        "data": run.origin,
        "counts": {
            "lesions": frame.height,
            "patients": frame["patient_id"].n_unique(),
            "explained": len(chosen.rows),
            "compared": compared,
            "shown": shown.height,
            "shown_patients": shown["patient_id"].n_unique(),
        },
        "settings": asdict(settings),
        "unit": "log odds of malignancy, weighted as the blend weights its learners",
        **found.shares,
        "notes": [*_sampling(frame.height, compared), *_agreement(found.shares["rank_correlation"]), *_NOTES],
    }


def _sampling(lesions: int, compared: int) -> list[str]:
    if compared == lesions:
        return []
    drawn = f"{compared:,} of {lesions:,} lesions, drawn at random within patients and weighted to stand for all"
    return [f"shares and patients' medians come from {drawn}; --sample explains more"]


def _agreement(correlation: float | None) -> list[str]:
    if correlation is None:
        return []
    return [f"explained are the log odds, not the blended score: their Spearman correlation is {correlation:.4f}"]


def _write(report: dict[str, Any], found: Study, folder: Path) -> None:
    write_parquet(found.lesions, folder / LESIONS)
    write_json(report, folder / GROUPS)
