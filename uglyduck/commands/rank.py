"""`uglyduck rank`: each patient's lesions in the order in which to look at them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def rank(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.", metavar="RUN")],
    metadata: Annotated[Path, typer.Option(help="Table of the lesions to rank, with or without labels.")],
    out: Annotated[Path, typer.Option(help="CSV file to write.")] = Path("ranking.csv"),
    k: Annotated[int, typer.Option("--top", help="Lesions on each patient's short list.", min=1)] = 15,
) -> None:
    """Rank each patient's lesions by suspicion, patients by their most suspicious lesion.

    A score is a place among the training cohort's scores, not a probability, and never a diagnosis.

    Example: `uglyduck rank runs/first --metadata clinic.csv --out ranking.csv`
    """
    from cohort.files import atomic_path
    from cohort.frames import join_by_id
    from submissions.ranking import rank_lesions
    from uglyduck.console import log, start_logging
    from uglyduck.prediction import Predictor, open_run, read_lesions

    start_logging()
    opened = open_run(run)
    cohort = read_lesions(opened, metadata)
    scores = Predictor(opened).scores(cohort).select("isic_id", score="blend")
    ranked = rank_lesions(join_by_id(scores, cohort.frame.select("isic_id", "patient_id")), k=k)
    with atomic_path(out) as temporary:
        ranked.write_csv(temporary)
    patients = ranked["patient_id"].n_unique()
    log.info("%s lesions of %s patients ranked: %s", f"{ranked.height:,}", f"{patients:,}", out)
