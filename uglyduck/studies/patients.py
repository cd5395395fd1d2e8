"""What patients' pages are made from: a ranking, its reasons, and what is known about each lesion."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from cohort.frames import join_by_id
from cohort.stores.opening import open_store
from engine.files import read_json
from ensemble.calibration import Calibration
from submissions.lacking import needed_columns
from submissions.patients.writing import Pages
from submissions.ranking import rank_lesions
from submissions.risk_words import risk_in_words
from submissions.shortlist import Shortlist
from uglyduck.run.run import Run
from uglyduck.studies.new_lesions import NewTable
from uglyduck.studies.ranking import new_lesions, training_lesions


def pages_of(
    run: Run,
    shortlist: Shortlist,
    *,
    table: NewTable | None,
    images: Path | None,
) -> tuple[Pages, pl.DataFrame]:
    """Rank lesions, and gather what their pages have in common.

    Args:
        run: A finished run.
        shortlist: Which lesions are listed.
        table: The lesions; None for the run's own, out of fold.
        images: Their crops; if `table` has image scores, they are only shown.

    Returns:
        The pages, and the ranking with reasons and the columns of the canonical frame.

    Raises:
        InputError: The run is not finished, or a table or a store cannot be read.
    """
    if table is None:
        lesions, crops = training_lesions(run), images or run.config.data.images
    else:
        scored_here = images if table.image_scores is None and run.image_models else None
        lesions, crops = new_lesions(run, replace(table, images=scored_here)), images
    store = None if crops is None else open_store(crops)
    ranked = join_by_id(rank_lesions(lesions.scores, shortlist=shortlist), lesions.reasons())
    known = join_by_id(join_by_id(ranked, lesions.withheld), lesions.frame.drop("patient_id"))
    prevalence = Calibration.from_dict(read_json(run.folder.calibration)).prevalence
    about = {
        "run": run.folder.root.resolve().name,
        "scores": "out of fold" if table is None else "the mean of the fold models",
        "simulated": run.config.data.truth is not None,
        "prevalence": risk_in_words(prevalence).removeprefix("about "),
    }
    return Pages(about, shortlist, lesions.cautions, needed_columns(run.specs), store), known
