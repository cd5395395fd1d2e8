"""An image model made elsewhere, taken into a run: copied, and applied to the run's crops."""

from __future__ import annotations

import shutil
from pathlib import Path

from cohort.frames import ID
from cv_folds.folds import Folds
from engine.console import log
from engine.errors import InputError
from engine.files import atomic_path, write_parquet
from image_embeddings.keeping import claim
from image_embeddings.spec import FILE, Spec, check_files
from submissions.crops import score_crops
from submissions.image_models import ImageModel
from uglyduck.run.run import Run

_FOLDS = "folds.parquet"


def take_model(run: Run, model: ImageModel, source: Path) -> None:
    """Copy a trained model into the run, and score the run's lesions by it.

    It never saw these lesions, so its plain scores are what out-of-fold scores are of a model trained here.

    Raises:
        InputError: Not a trained model, or it was trained on lesions or patients of this run.
    """
    spec = Spec.read(source)
    check_files(source, spec)
    _refuse_own_lesions(run, model.name, source)
    folder = run.image_folder(model)
    claim(folder, spec, run.folder.kept_images)  # what was trained here under this name is not overwritten
    for name in (FILE, *spec.files):
        with atomic_path(folder / name) as temporary:
            shutil.copyfile(source / name, temporary)
    scored = score_crops(
        folder,
        model,
        Path(run.config.data.images or ""),
        run.lesions.frame[ID],
        embeddings=spec.preset is not None,
        compute=run.compute,
    )
    scores, embeddings = run.image_tables(model)
    if scored.width > 2:
        write_parquet(scored, embeddings)
    write_parquet(scored.select(ID, "score"), scores)


def _refuse_own_lesions(run: Run, name: str, source: Path) -> None:
    where = f"[images.{name}] model = {source}"
    if not (source / _FOLDS).is_file():
        log.warning("%s: the model does not say what it was trained on; it must not be lesions of this run", where)
        return
    known, own = Folds.read(source / _FOLDS).frame, run.lesions.frame
    for key, word in ((ID, "lesions"), ("patient_id", "patients")):
        shared = own[key].unique().is_in(known[key].implode()).sum()
        if shared:
            raise InputError(
                f"it was trained on {shared:,} {word} of this run, whose scores would be flattered",
                where=where,
                remedy="train it in the run, with preset in place of model, or give one of other patients",
            )
