"""How far scores hold when crops come from another camera, out of fold, with and without equalised contrast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

import features
from cohort.frames import ID, join_by_id
from cv_folds.bootstrap.replicates import POOLED, replicate
from engine.errors import InputError
from engine.files import read_json
from ensemble.blend import Blend
from ensemble.fusion import read_blend
from ensemble.model_store import ModelStore
from ensemble.out_of_fold import apply_out_of_fold
from features.patients.state import FeatureState
from submissions.image_models import SCORE, ImageModel, side_by_side
from submissions.image_score import shown_score
from uglyduck.run.run import Run
from uglyduck.stages.images import perturbed_scores, train_in

Scores = npt.NDArray[np.float64]
UNCHANGED = "unchanged"
PLAIN, EQUALISED, BLEND = "image", "image, CLAHE", "blend"
"""The scores measured: the image model with and without CLAHE, and the run's blend of table and crops."""


def measure_robustness(run: Run, *, most: int, seed: int = 0) -> dict[str, Any]:
    """Measure the pAUC of the image models and of the blend under every perturbation of the training crops.

    Args:
        run: A finished run with images.
        most: Number of lesions to use at most; see `choose_lesions`.
        seed: Seed of the choice of patients.

    Returns:
        Ready for JSON: `lesions`, `malignant`, `patients`, and `rows`: score, kind, strength (0 for the crops as they
        are), `pauc`, `change` from the unchanged crops and, for the image model, `clahe_gain` over the one without;
        each an interval of the patient bootstrap, the last two of paired differences.

    Raises:
        InputError: The run scores no crops, or is not finished.
    """
    models, folder = run.image_models, run.folder
    if not models:
        raise InputError(
            "this run scores no crops", where=str(run.folder.root), remedy="run with [data] images in its configuration"
        )
    tables = [run.image_tables(model)[0] for model in models]
    blends = [folder.image_blend] if len(models) > 1 else []
    run.manifest.check(folder.folds, *tables, *blends, folder.dictionary, folder.blend)
    chosen = choose_lesions(run.folds.frame, most, seed)
    own = _by_condition(run, chosen[ID])
    shown = Blend.from_dict(read_json(folder.image_blend)) if blends else None
    image = _filled({name: shown_score(table, shown)[SCORE] for name, table in own.items()})
    scores = {**_with_twin(run, chosen[ID], image), BLEND: _blended(run, chosen, own)}
    return {
        "lesions": chosen.height,
        "malignant": int(chosen["target"].sum()),
        "patients": chosen["patient_id"].n_unique(),
        "ungrouped": run.config.data.ungrouped,
        "blend_uses": EQUALISED if _is_equalised(run) else PLAIN,
        "rows": _rows(run, chosen, scores),
    }


def choose_lesions(folds: pl.DataFrame, most: int, seed: int) -> pl.DataFrame:
    """All lesions, or if there are more than `most`, those of some patients.

    Patients are taken whole, since their lesions are compared with each other, in a random order set by `seed`: first
    those with a malignant lesion, which decide how narrow the intervals are, for nine tenths of the lesions; then
    others, since in some tables a patient's lesions are all malignant. At least one of each kind is taken.

    Args:
        folds: isic_id, patient_id, target and fold.
        most: Lesions at most, unless the first patients drawn have more.
        seed: Seed of the order.
    """
    if folds.height <= most:
        return folds
    # Sorted first: the order of a group_by cannot be relied on.
    patients = folds.group_by("patient_id").agg(pl.len(), pl.col("target").max()).sort("patient_id")
    shuffled = patients.sample(fraction=1, shuffle=True, seed=seed)
    malignant = _first(shuffled.filter(pl.col("target") == 1), most * 9 // 10)
    others = _first(shuffled.filter(pl.col("target") == 0), most - int(malignant["len"].sum()))
    taken = pl.concat([malignant, others])["patient_id"]
    return folds.filter(pl.col("patient_id").is_in(taken.implode()))


def _first(patients: pl.DataFrame, most: int) -> pl.DataFrame:
    """The first patients who together have at most `most` lesions; at least one."""
    return patients.head(max(1, int((patients["len"].cum_sum() <= most).sum())))


def _by_condition(run: Run, ids: pl.Series) -> dict[str, pl.DataFrame]:
    """The image models' out-of-fold scores of some of the run's lesions, by perturbation."""
    models = run.image_models
    each = [perturbed_scores(run, run.image_folder(model), ids, model=model.name) for model in models]
    return {
        name: side_by_side([table.select(ID, pl.col(name).alias(SCORE)) for table in each], models)
        for name in each[0].columns[1:]
    }


def _with_twin(run: Run, ids: pl.Series, image: dict[str, Scores]) -> dict[str, dict[str, Scores]]:
    """The image score; for a single model that was trained here, also its twin's."""
    model, *others = run.image_models
    if others or run.config.image_models[model.name].model is not None:
        return {PLAIN: image}
    table = perturbed_scores(run, _train_twin(run, model), ids, model=model.name)
    twin = _filled({name: table[name] for name in table.columns[1:]})
    return {PLAIN: twin, EQUALISED: image} if _is_equalised(run) else {PLAIN: image, EQUALISED: twin}


def _is_equalised(run: Run) -> bool:
    """Whether the only image model sees crops with equalised contrast."""
    settings = list(run.config.image_models.values())
    return len(settings) == 1 and settings[0].clahe


def _train_twin(run: Run, model: ImageModel) -> Path:
    """Train an image model again with contrast equalisation switched the other way; returns its folder."""
    settings = run.config.image_models[model.name]
    folder = run.folder.root / "images-twin"
    train_in(folder, run, model.name, settings.model_copy(update={"clahe": not settings.clahe}))
    return folder


def _filled(scores: Mapping[str, pl.Series]) -> dict[str, Scores]:
    """Scores by condition; a crop without one gets the median, as in the run's own figures."""
    return {name: column.fill_null(column.median()).to_numpy() for name, column in scores.items()}


def _blended(run: Run, chosen: pl.DataFrame, images: Mapping[str, pl.DataFrame]) -> dict[str, Scores]:
    """The blend by condition, from learners that never saw the patient: the crops change, the table stays."""
    stored, frame = read_json(run.folder.dictionary), join_by_id(chosen.select(ID), run.lesions.frame)
    state, blend = FeatureState.from_dict(stored["state"]), read_blend(read_json(run.folder.blend))
    store, space = ModelStore(run.folder.models), run.matrix.space
    kept = run.folds.frame[ID].is_in(chosen[ID].implode()).to_numpy()
    plan = run.plan
    plan = replace(plan, learners=run.learners, assignments=[assignment[kept] for assignment in plan.assignments])
    found = {}
    for name, seen in images.items():
        built = features.build(frame, stored["groups"], state=state, images=seen, executor=run.executor)
        found[name] = blend(apply_out_of_fold(plan, space.encode(built), store, threads=run.threads))
    return found


def _rows(run: Run, chosen: pl.DataFrame, scores: Mapping[str, Mapping[str, Scores]]) -> list[dict[str, Any]]:
    settings = run.config.metrics
    drawn = replicate(
        chosen["target"],
        {f"{score}/{name}": values for score, found in scores.items() for name, values in found.items()},
        patient=None if run.config.data.ungrouped else chosen["patient_id"],
        replicates=settings.replicates,
        seed=settings.seed,
    )
    rows = []
    for score, found in scores.items():
        for name in found:
            kind, _, strength = name.rpartition(" ") if name != UNCHANGED else (name, "", "0")
            key = f"{score}/{name}"
            row = {"score": score, "kind": kind, "strength": int(strength)}
            row["pauc"] = drawn.interval(POOLED, "pauc", key).as_dict()
            if name != UNCHANGED:
                row["change"] = drawn.difference(POOLED, "pauc", key, f"{score}/{UNCHANGED}").as_dict()
            if score == EQUALISED:
                row["clahe_gain"] = drawn.difference(POOLED, "pauc", key, f"{PLAIN}/{name}").as_dict()
            rows.append(row)
    return rows
