"""What the pages of patients are made from: a ranking, its reasons, and what is known of each lesion."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from cohort.frames import join_by_id
from cohort.stores.opening import open_store
from engine.errors import InputError
from engine.files import read_json
from ensemble.calibration import Calibration
from submissions.patients.writing import Pages
from submissions.ranking import rank_lesions
from submissions.risk_words import risk_in_words
from submissions.shortlist import Shortlist
from uglyduck.run.run import Run
from uglyduck.studies.ranking import needed_columns, new_lesions, training_lesions


def pages_of(
    run: Run,
    shortlist: Shortlist,
    *,
    metadata: Path | None,
    images: Path | None,
    image_scores: Path | None,
    anyway: bool,
    strict: bool,
) -> tuple[Pages, pl.DataFrame]:
    """Rank lesions, and say what their pages have in common.

    Args:
        run: A finished run.
        shortlist: Which lesions are listed.
        metadata: Table of the lesions; None for the run's own, out of fold.
        images: Their crops.
        image_scores: Scores of these crops, which are then only shown.
        anyway: Whether a table that lacks most is ranked, too.
        strict: Whether a table with odd cells is refused.

    Returns:
        The pages, and the ranking with reasons and the columns of the canonical frame.

    Raises:
        InputError: The run is not finished, or a table or a store cannot be read.
    """
    if metadata is None:
        if image_scores is not None:
            raise InputError("scores of no table", where="--image-scores", remedy="name the lesions with --metadata")
        lesions, crops = training_lesions(run), images or run.config.data.images
    else:
        scored_here = images if image_scores is None and run.image_models else None
        lesions = new_lesions(
            run, metadata, images=scored_here, image_scores=image_scores, anyway=anyway, strict=strict
        )
        crops = images
    store = None if crops is None else open_store(crops)
    ranked = join_by_id(rank_lesions(lesions.scores, shortlist=shortlist), lesions.reasons(run))
    known = join_by_id(join_by_id(ranked, lesions.withheld), lesions.frame.drop("patient_id"))
    prevalence = Calibration.from_dict(read_json(run.folder.calibration)).prevalence
    about = {
        "run": run.folder.root.resolve().name,
        "scores": "out of fold" if metadata is None else "the mean of the fold models",
        "simulated": run.config.data.truth is not None,
        "prevalence": risk_in_words(prevalence).removeprefix("about "),
    }
    return Pages(about, shortlist, lesions.cautions, needed_columns(run), store), known
