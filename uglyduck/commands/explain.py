"""`uglyduck explain`: which features move the scores, overall and lesion by lesion."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from uglyduck.commands.arguments import Anyway, FinishedRun, Groups, ImageScores, Join, Strict
from uglyduck.terminal.answers import answer


def explain(
    run: FinishedRun,
    metadata: Annotated[
        Path | None, typer.Option(help="New lesions to explain; by default the training lesions, out of fold.")
    ] = None,
    images: Annotated[Path | None, typer.Option(help="Crops of the new lesions: HDF5 file or folder.")] = None,
    image_scores: ImageScores = None,
    groups: Groups = None,
    join: Join = None,
    strict: Strict = False,
    anyway: Anyway = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for new lesions' explanation; RUN/explanation/NAME by default.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Lesions of each patient to explain one by one.")] = 15,
    features: Annotated[int, typer.Option(min=1, help="Most features to name for a lesion.")] = 8,
    sample: Annotated[int, typer.Option(min=1, help="Most lesions to explain.")] = 50_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed for the random part of the sample.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Explain scores: the share of each feature group, and for each patient's top lesions what makes them stand out.

    Uses TreeSHAP on each learner's log odds, weighted as the blend weights the learners. A training lesion is explained
    by the models that did not train on its patient. `lesions.parquet` names the features that raise a lesion above what
    is usual for the patient, with the lesion's value and the patient's median; `groups.json` holds the shares. This
    shows what the models use; it is no diagnosis.

    Example: `uglyduck explain runs/first`

    Example: `uglyduck explain runs/first --metadata clinic.csv --top 5 --out clinic-explained`
    """
    from engine.console import start_logging
    from engine.errors import InputError
    from engine.outputs import try_folder
    from submissions.suitability import say
    from uglyduck.run.run import open_run
    from uglyduck.studies.explanation import LESIONS, Settings, explain_new, explain_training
    from uglyduck.studies.new_lesions import NewTable
    from uglyduck.terminal.explanation import show_explanation

    start_logging()
    table = NewTable.named(
        metadata, images=images, image_scores=image_scores, groups=groups, join=join, strict=strict, anyway=anyway
    )
    if out is not None:
        if table is None:
            raise InputError(
                "training lesions are explained in the run itself",
                where="--out",
                remedy="leave it out, or name --metadata",
            )
        try_folder(out)
    opened, settings = open_run(run), Settings(top, features, sample, seed)
    if table is None:
        with opened.folder.locked():
            report, folder = explain_training(opened, settings), opened.folder.explanation
    else:
        report, folder = explain_new(opened, table, settings, out=out)
    found = {**report, "lesions": str(folder / LESIONS)}
    answer(found, show_explanation, as_json=as_json)
    say(report.get("warnings", ()))
