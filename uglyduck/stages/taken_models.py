"""An image model made elsewhere, taken into a run: copied, and applied to the run's crops."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from cohort.frames import ID
from engine.files import atomic_path, write_parquet
from image_embeddings.keeping import claim
from image_embeddings.overlap import refuse_own_lesions
from image_embeddings.spec import Spec, check_files
from submissions.crops import score_crops
from submissions.image_models import ImageModel
from uglyduck.run.run import Run


def take_model(run: Run, model: ImageModel, source: Path) -> None:
    """Copy a trained model into the run, and score the run's lesions with it.

    It never saw these lesions, so its plain scores serve as the out-of-fold scores of a model trained here would.

    Raises:
        InputError: Not a trained model, or it was trained on lesions or patients of this run.
    """
    spec = Spec.read(source)
    check_files(source, spec)
    refuse_own_lesions(
        source,
        run.lesions.frame,
        table="run",
        where=f"[images.{model.name}] model = {source}",
        remedy="train it in the run, with preset in place of model, or give one of other patients",
    )
    folder = run.image_folder(model)
    claim(folder, spec, run.folder.kept_images)  # what was trained here under this name is not overwritten
    for name in spec.files:
        with atomic_path(folder / name) as temporary:
            shutil.copyfile(source / name, temporary)
    spec.model_copy(update={"tables": {}}).write(folder)  # its tables are of other lesions
    scored = score_crops(
        folder,
        model,
        Path(run.config.data.images or ""),
        run.lesions.frame[ID],
        embeddings=spec.preset is not None,
        compute=replace(run.compute, remember=False),
    )
    scores, embeddings = run.image_tables(model)
    if scored.width > 2:
        write_parquet(scored, embeddings)
    write_parquet(scored.select(ID, "score"), scores)
