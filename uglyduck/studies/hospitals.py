"""Leaves each hospital of a run out in turn: features, models and blend without it, and figures beside the run's."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

import features
from cohort.frames import join_by_id
from cv_folds.schemes import HOSPITAL
from engine.console import log, progress
from engine.errors import InputError
from engine.executors import LocalExecutor
from engine.files import fingerprint, read_json, write_json, write_parquet
from ensemble.blend import Blend
from ensemble.hospital_figures import hospital_figures
from ensemble.hospitals import Flags, Hospitals, score_hospital
from ensemble.model_store import ModelStore, Slot
from uglyduck.run.provenance import made_by
from uglyduck.run.run import Run
from uglyduck.stages.scores import BLEND, TABLE

Scores = npt.NDArray[np.float64]
_STAGE = "hospitals"
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
        models: By learner of the blend the learner of the run's plan that stands for it: itself, or its twin that sees
            the table alone.
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
        if not any(True in member.kinds(run.specs) for member in run.members.values()):
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
    """Fill RUN/hospitals.json; skipped where it is there already, and resumed model by model where it was cut off.

    Args:
        run: A finished run; the caller holds the folder's lock.
        fewest: Malignant lesions a hospital needs for figures of its own.

    Returns:
        What RUN/hospitals.json holds: `applicable`, and either `reason` or the figures.

    Raises:
        InputError: The run is not finished.
    """
    folder = run.folder
    made_from = [folder.oof, folder.dictionary, folder.features]
    run.manifest.check(*made_from)
    files = [run.manifest.sha256(path) for path in made_from]
    settings = {"fewest": fewest, "metrics": run.config.metrics.model_dump()}
    code = made_by(("cohort", "cv_folds", "features", "ensemble", "uglyduck"))
    wanted = fingerprint({"inputs": run.inputs, "files": files, "settings": settings, "made_by": code})
    if run.manifest.holds(_STAGE, wanted):
        log.info("%s  unchanged", _STAGE)
    else:
        start = time.perf_counter()
        outputs = _leave_out(run, fewest)
        seconds = time.perf_counter() - start
        run.manifest.finish(_STAGE, fingerprint=wanted, outputs=outputs, seconds=seconds, inputs={})
        log.info("%s  %.1f s", _STAGE, seconds)
    found: dict[str, Any] = read_json(folder.hospitals)
    return found


def _leave_out(run: Run, fewest: int) -> list[Path]:
    out = run.folder.hospitals
    try:
        frame = join_by_id(run.folds.frame.select("isic_id"), run.cohort.frame)
        hospitals, entry = Hospitals.of(frame), Entry.of(run)
    except InputError as error:
        write_json({"applicable": False, "reason": str(error), "made_from": run.manifest.state}, out)
        return [out]
    oof = join_by_id(run.folds.frame.select("isic_id"), pl.read_parquet(run.folder.oof))
    scores = _scores(run, frame, hospitals, entry, oof)
    lesions = oof.select("isic_id", "patient_id", "target")
    names = pl.Series("hospital", hospitals.folds.names).gather(hospitals.home)
    write_parquet(lesions.with_columns(names, **scores), out.with_suffix("") / "oof.parquet")
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
    facts = {**_facts(run, hospitals, entry), "made_from": run.manifest.state}
    write_json({"applicable": True, **facts, **figures}, out)
    return [out, out.with_suffix("") / "oof.parquet"]


def _scores(run: Run, frame: pl.DataFrame, hospitals: Hospitals, entry: Entry, oof: pl.DataFrame) -> dict[str, Scores]:
    """Scores of every lesion without its hospital, by learner and blended."""
    names = hospitals.folds.names
    scores = {name: np.empty(frame.height) for name in (*entry.models, BLEND)}
    plan = replace(run.plan, learners={model: run.plan.learners[model] for model in entry.models.values()})
    with progress("hospitals", len(names) * len(plan.learners) * len(plan.seeds)) as step:

        def tell(slot: Slot, there: bool) -> None:
            step()
            log.info("hospital %d  %s/seed%d%s", slot.fold, slot.learner, slot.seed, " (kept)" if there else "")

        for fold, hospital in enumerate(names):
            log.info("hospital %d  %s", fold, hospital)
            found = score_hospital(
                plan,
                hospitals,
                fold,
                table=features_without(run, frame, hospitals.trained_on(fold)),
                target=run.target,
                store=ModelStore(run.folder.hospitals.with_suffix("") / "models" / str(fold)),
                threads=run.threads,
                progress=tell,
            )
            mine = {name: found[model] for name, model in entry.models.items()}
            rows = hospitals.held_out(fold)
            for name, values in {**mine, BLEND: _blend(run, entry, oof, hospitals.trained_on(fold))(mine)}.items():
                scores[name][rows] = values
    return scores


def features_without(run: Run, frame: pl.DataFrame, learned_from: Flags) -> pl.DataFrame:
    """Features of every lesion, none that names its hospital or comes of images, with cohort constants of some.

    Args:
        run: Names the feature groups.
        frame: Canonical frame.
        learned_from: Lesions that the constants are fitted on; shape (lesions,).
    """
    nameless = frame.drop(HOSPITAL)
    state = features.fit(nameless.filter(pl.Series(learned_from)), executor=LocalExecutor(run.threads))
    return features.build(nameless, run.feature_groups, state=state, executor=LocalExecutor(run.threads))


def _blend(run: Run, entry: Entry, oof: pl.DataFrame, learned_from: Flags) -> Blend:
    """The run's kind of blend, fitted on the out-of-fold scores of other hospitals' lesions."""
    known = {name: oof[model].to_numpy()[learned_from] for name, model in entry.models.items()}
    return Blend.fit(known, run.target[learned_from], method=run.config.ensemble.blend)


def _facts(run: Run, hospitals: Hospitals, entry: Entry) -> dict[str, Any]:
    away = int((~hospitals.measured).sum())
    notes = list(hospitals.folds.notes)
    if away:
        notes.append(f"{away:,} lesions taken at another hospital than most of their patient's are not measured")
    if entry.absent:
        notes.append(f"{len(entry.absent)} features that know the hospital are left out; the run's figure has them")
    if entry.column == TABLE:
        notes.append(
            "image scores come from models trained on every hospital: learners of the table alone, on both sides"
        )
    notes += _NOTES
    return {
        "estimate": "leave one hospital out",
        "data": "unknown" if run.config.data.truth is None else "simulated",
        "compared_with": f"{entry.column}, out of patient folds",
        "left_out_features": list(entry.absent),
        "notes": notes,
    }
