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
    features: Annotated[int, typer.Option(min=1, help="Features to name for a lesion, at most.")] = 8,
    sample: Annotated[int, typer.Option(min=1, help="Most lesions to explain.")] = 50_000,
    seed: Annotated[int, typer.Option(min=0, help="Of the sample's random part.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Explain scores: the share of each feature group, and for each patient's top lesions what makes them stand out.

    By TreeSHAP on each learner's log odds, weighted as the blend weights the learners. A training lesion is explained
    by the models that did not train on its patient. `lesions.parquet` names the features that raise a lesion beyond
    the patient's usual, with its value and the patient's median; `groups.json` holds the shares. It says what the
    models use, and is no diagnosis.

    Example: `uglyduck explain runs/first`

    Example: `uglyduck explain runs/first --metadata clinic.csv --top 5 --out clinic-explained`
    """
    from engine.console import start_logging
    from engine.errors import InputError
    from engine.outputs import try_folder
    from submissions.suitability import say
    from uglyduck.run.run import open_run
    from uglyduck.studies.explanation import LESIONS, Settings, explain_new, explain_training
    from uglyduck.studies.new_lesions import NewTable, refuse_options_of_no_table
    from uglyduck.terminal.explanation import show_explanation

    start_logging()
    if metadata is None and (images or image_scores or groups or join or out):
        raise InputError(
            "training lesions are explained from the run itself",
            where="--images, --image-scores, --groups, --join, --out",
            remedy="name the new lesions with --metadata",
        )
    if metadata is None:
        refuse_options_of_no_table(strict=strict, anyway=anyway)
    if out is not None:
        try_folder(out)
    opened, settings = open_run(run), Settings(top, features, sample, seed)
    if metadata is None:
        with opened.folder.locked():
            report, folder = explain_training(opened, settings), opened.folder.explanation
    else:
        table = NewTable(metadata, images, image_scores, groups, join or (), strict, anyway)
        report, folder = explain_new(opened, table, settings, out=out)
    found = {**report, "lesions": str(folder / LESIONS)}
    answer(found, show_explanation, as_json=as_json)
    say(report.get("warnings", ()))
