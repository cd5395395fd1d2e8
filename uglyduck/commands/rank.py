"""`uglyduck rank`: each patient's lesions in the order in which to look at them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from uglyduck.commands.arguments import (
    Anyway,
    Confidence,
    FinishedRun,
    Groups,
    ImageScores,
    Join,
    Sensitivity,
    Strict,
    Top,
)

if TYPE_CHECKING:
    import polars as pl

    from submissions.shortlist import Shortlist

DISCLAIMER = "A research tool, not a diagnosis: no place in this list says that a lesion is benign."


def rank(
    run: FinishedRun,
    metadata: Annotated[
        Path | None, typer.Option(help="Table of the lesions to rank; without it, the run's own lesions out of fold.")
    ] = None,
    images: Annotated[Path | None, typer.Option(help="Crops of these lesions: HDF5 file or folder.")] = None,
    image_scores: ImageScores = None,
    top: Top = None,
    sensitivity: Sensitivity = None,
    confidence: Confidence = None,
    shortlist_by: Annotated[
        Literal["rank", "score"],
        typer.Option(help="The same number of lesions for each patient, or all above one score."),
    ] = "rank",
    loss: Annotated[
        Literal["share", "any"],
        typer.Option(help="What sensitivity counts: malignant lesions found, or patients with none missed."),
    ] = "share",
    patients_by: Annotated[
        Literal["noisy-or", "max", "expected"] | None,
        typer.Option(help="Chance of any malignancy (the default), highest risk, or expected number."),
    ] = None,
    anyway: Anyway = False,
    groups: Groups = None,
    join: Join = None,
    strict: Strict = False,
    out: Annotated[Path, typer.Option(help="File to write: .csv, .xlsx, .parquet or .json.")] = Path("ranking.csv"),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object about the ranking.")] = False,
) -> None:
    """Rank each patient's lesions by suspicion, and patients by risk; say what is unusual about each lesion.

    If labels are known, `ranking.curves.json` next to the ranking says what lists of every length find; for the run's
    own lesions that file is `RUN/curves.json`. A research tool, not a diagnosis.

    Example: `uglyduck rank runs/first --metadata clinic.csv --out ranking.csv`

    Example: `uglyduck rank runs/first --metadata clinic.csv --sensitivity 0.8 --confidence 0.9 --out ranking.json`
    """
    import json

    from cohort.frames import join_by_id
    from engine.console import log, start_logging
    from engine.files import write_json
    from engine.outputs import try_file
    from submissions.curves import curves
    from submissions.ranking import rank_lesions
    from submissions.ranking_files import require_format, write_ranking
    from submissions.suitability import say
    from uglyduck.run.run import open_run
    from uglyduck.studies.new_lesions import NewTable
    from uglyduck.studies.ranking import choose_shortlist, new_lesions, training_lesions

    start_logging()
    require_format(out)
    try_file(out)
    opened = open_run(run)
    shortlist = choose_shortlist(
        opened, top=top, sensitivity=sensitivity, confidence=confidence, loss=loss, by=shortlist_by
    )
    table = NewTable.named(
        metadata, images=images, image_scores=image_scores, groups=groups, join=join, strict=strict, anyway=anyway
    )
    if table is None:
        lesions, curves_path = training_lesions(opened), opened.folder.root / "curves.json"
    else:
        lesions, curves_path = new_lesions(opened, table), out.with_suffix(".curves.json")
    ranked = rank_lesions(lesions.scores, shortlist=shortlist, patients_by=patients_by)
    said = [str(caution) for caution in lesions.cautions]
    about = _about(ranked, shortlist, "out of fold" if table is None else "mean of the fold models")
    about["warnings"] = said
    explained = join_by_id(join_by_id(ranked, lesions.reasons()), lesions.withheld)
    write_ranking(explained, out, about=about)
    if lesions.labelled:
        found = curves(lesions.scores, replicates=opened.config.metrics.replicates)
        write_json({**found, "made_from": opened.state}, curves_path)
        log.info("what lists of every length find: %s", curves_path)
    if as_json:
        found = {"out": str(out), "curves": str(curves_path) if lesions.labelled else None}
        typer.echo(json.dumps(about | found, ensure_ascii=False))
    for line in _summary(about):
        log.info(line)
    log.info("written: %s. %s", out, DISCLAIMER)
    say(said)


def _about(ranked: pl.DataFrame, shortlist: Shortlist, scores: str) -> dict[str, Any]:
    """What is written next to the lesions: which scores, which list, how much there is to read."""
    return {
        "about": DISCLAIMER,
        "scores": scores,
        "calibrated": ranked["risk"].null_count() < ranked.height,
        "shortlist": shortlist.as_dict(is_all=bool(ranked["shortlist"].all())),
        "ranked": ranked.height,
        "patients": ranked["patient_id"].n_unique(),
        "on_shortlists": int(ranked["shortlist"].sum()),
        "patients_on_shortlists": ranked.filter("shortlist")["patient_id"].n_unique(),
    }


def _summary(about: dict[str, Any]) -> list[str]:
    listed, lesions = about["on_shortlists"], about["ranked"]
    lines = [
        f"{lesions:,} lesions of {about['patients']:,} patients ranked, {about['scores']}",
        f"short list: {about['shortlist']['words']}; {listed:,} lesions, {100 * listed / max(lesions, 1):.3g} % of all",
    ]
    if about["shortlist"]["found_on"]:
        patients = about["shortlist"]["found_on"]["patients"]
        lines.append(
            f"that rests on {patients} patients with a malignant lesion, scored out of fold, and holds for patients "
            "like them; new lesions are scored by the mean of the fold models, which is close to that but not the same"
        )
    if not about["calibrated"]:
        lines.append("risk: not known")
    return lines
