"""Leaves each hospital of a run out in turn: features, models and blend without it, and figures next to the run's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

import features
from cohort.lesions import write_rows
from cv_folds.schemes import HOSPITAL
from engine.errors import InputError
from engine.files import read_json, write_json
from ensemble.blend import Blend
from ensemble.hospital_figures import hospital_figures
from ensemble.hospitals import Flags, Hospitals, score_hospital
from uglyduck.run.run import Run
from uglyduck.stages.scores import BLEND, TABLE
from uglyduck.stages.stage import Stage

Scores = npt.NDArray[np.float64]
_NOTES = (
    "the two sides differ in what they train on, too: all patients of a hospital are left out, or one fold of patients",
    "with few malignant patients intervals are too narrow, and hospitals are judged one by one without correction",
    "pooled figures rank scores of different models together, on scales that hospitals share only in part",
    "hospitals are few: this tells of these, not how far the next one may differ; a research tool, not a diagnosis",
)


@dataclass(frozen=True)
class Entry:
    """What takes part.

    Attributes:
        models: For each learner of the blend, the learner of the run's plan used in its place: itself, or its twin that
            sees the table alone.
        column: The run's out-of-fold score to compare with.
        absent: Features of the run that are left out, since they know the hospital.
    """

    models: Mapping[str, str]
    column: str
    absent: tuple[str, ...]

    @classmethod
    def of(cls, run: Run) -> Entry:
        """Image scores come from models trained on every hospital, so the learners of the table alone take part.

        Raises:
            InputError: A learner sees images, and none sees the table alone.
        """
        named = [spec["name"] for spec in run.specs if HOSPITAL in spec["needs"]]
        if not any(True in member.kinds(run.varying) for member in run.members.values()):
            return cls({name: name for name in run.learners}, BLEND, tuple(named))
        models = run.table_models
        if not models:
            raise InputError(
                "the image scores come from models trained on every hospital, and no learner sees the table alone",
                where="[ensemble] table_alone",
                remedy="set it to true, and give a learner features of the table",
            )
        return cls(models, TABLE, (*named, *sorted(run.image_features)))


def leave_hospitals_out(run: Run, *, fewest: int) -> dict[str, Any]:
    """Fill RUN/hospitals.json; skipped if it is there already.

    Args:
        run: A finished run; the caller holds the folder's lock.
        fewest: Malignant lesions a hospital needs for figures of its own.

    Returns:
        The content of RUN/hospitals.json: `applicable`, and either `reason` or the figures.

    Raises:
        InputError: The run is not finished.
    """
    run.manifest.check(run.folder.oof, run.folder.dictionary, run.folder.features)
    Stage(
        "hospitals",
        __name__,
        lambda run: _leave_out(run, fewest),
        artifacts=lambda run: [run.folder.lesions, run.folder.oof, run.folder.dictionary, run.folder.features],
        settings=lambda run: {
            "fewest": fewest,
            "metrics": run.config.metrics.model_dump(),
            "ensemble": run.config.ensemble.model_dump(),
            "simulated": run.config.data.truth is not None,
        },
    ).run(run)
    found: dict[str, Any] = read_json(run.folder.hospitals)
    return found


def _leave_out(run: Run, fewest: int) -> list[Path]:
    out = run.folder.hospitals
    try:
        frame = run.lesions.frame
        hospitals, entry = Hospitals.of(frame), Entry.of(run)
    except InputError as error:
        write_json({"applicable": False, "reason": str(error), "made_from": run.state}, out)
        return [out]
    oof = run.read_rows(run.folder.oof)
    scores = _scores(run, frame, hospitals, entry, oof)
    lesions = oof.select("isic_id", "patient_id", "target")
    names = pl.Series("hospital", hospitals.folds.names).gather(hospitals.home)
    write_rows(lesions.with_columns(names, **scores), out.with_suffix("") / "oof.parquet")
    settings = run.config.metrics
    figures = hospital_figures(
        lesions,
        hospitals,
        scores[BLEND],
        oof[entry.column].to_numpy(),
        replicates=settings.replicates,
        seed=settings.seed,
        fewest=fewest,
    )
    facts = {**_facts(run, hospitals, entry), "made_from": run.state}
    write_json({"applicable": True, **facts, **figures}, out)
    return [out, out.with_suffix("") / "oof.parquet"]


def _scores(run: Run, frame: pl.DataFrame, hospitals: Hospitals, entry: Entry, oof: pl.DataFrame) -> dict[str, Scores]:
    """Scores of every lesion by models trained without its hospital, by learner and blended."""
    scores = {name: np.empty(frame.height) for name in (*entry.models, BLEND)}
    plan = replace(run.plan, learners={model: run.plan.learners[model] for model in entry.models.values()})
    for fold in range(len(hospitals.folds.names)):
        found = score_hospital(
            plan,
            hospitals,
            fold,
            # Made in the call, so that the feature table is freed while models train.
            hospitals.table(fold, features_without(run, frame, hospitals.trained_on(fold)), run.target, run.weight),
            runner=run.runner,
        )
        mine = {name: found[model] for name, model in entry.models.items()}
        rows = hospitals.held_out(fold)
        for name, values in {**mine, BLEND: _blend(run, entry, oof, hospitals.trained_on(fold))(mine)}.items():
            scores[name][rows] = values
    return scores


def features_without(run: Run, frame: pl.DataFrame, learned_from: Flags) -> pl.DataFrame:
    """Features of every lesion with cohort constants of some; none names its hospital or comes from images.

    Args:
        run: Names the feature groups.
        frame: Canonical frame.
        learned_from: Lesions that the constants are fitted on; shape (lesions,).
    """
    nameless = frame.drop(HOSPITAL)
    state = features.fit(nameless.filter(pl.Series(learned_from)), executor=run.executor)
    return features.build(nameless, run.feature_groups, state=state, executor=run.executor)


def _blend(run: Run, entry: Entry, oof: pl.DataFrame, learned_from: Flags) -> Blend:
    """The run's kind of blend, fitted on the out-of-fold scores of other hospitals' lesions."""
    known = {name: oof[model].to_numpy()[learned_from] for name, model in entry.models.items()}
    return Blend.fit(known, run.target[learned_from], method=run.config.ensemble.blend)


def _facts(run: Run, hospitals: Hospitals, entry: Entry) -> dict[str, Any]:
    away = int((~hospitals.measured).sum())
    notes = list(hospitals.folds.notes)
    if away:
        notes.append(f"{away:,} lesions taken at another hospital than most of their patient's are not measured")
    if named := set(entry.absent) - run.image_features:
        notes.append(f"{len(named)} features that know the hospital are left out; the run's figure has them")
    if entry.column == TABLE:
        notes.append(
            "image scores come from models trained on every hospital: learners of the table alone, on both sides"
        )
    notes += _NOTES
    return {
        "estimate": "leave one hospital out",
        "data": run.origin,
        "compared_with": f"{entry.column}, out of patient folds",
        "left_out_features": list(entry.absent),
        "notes": notes,
    }
