"""`uglyduck demo`: the main task from start to finish, on a simulated cohort."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

# Fewer folds, features, pixels and epochs than the defaults, so that a newcomer waits minutes, not an hour; so few
# epochs want milder changes of the crops.
_CONFIG = """[data]
metadata = "data/train-metadata.csv"
images = "data/train-image.hdf5"
truth = "data/truth.parquet"
[folds]
n_folds = 3
[features]
groups = ["basic", "tbp", "patient.z", "context"]
[ensemble.parameters.catboost]
n_trees = 100
[images.descriptors]
"""
_NETWORK = """[images.lite0]
preset = "efficientnet_lite0"
set = { size = 64, epochs = 3, benign_ratio = 2, frozen_stages = 2, flips = 1, augmentation = "standard" }
"""
#: One lesion in this many is malignant: a network would learn nothing from the 3 that one in 1,000 gives.
_LESIONS_PER_MALIGNANT = 20
#: Training lesions for each test lesion, whose crop the models of every fold score.
_TRAIN_PER_TEST = 6


def demo(
    out: Annotated[Path, typer.Option(help="Folder to fill.")] = Path("demo"),
    lesions: Annotated[int, typer.Option(help="Training lesions to simulate.", min=2_000)] = 3_000,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.", min=0)] = 0,
) -> None:
    """Simulate a cohort, run every stage, score and rank its test lesions, write a report, and say what to open first.

    A network pretrained on ImageNet and hand-made descriptors score the crops; boosted trees score the table. Every
    number it prints is from a simulated cohort in which one lesion in 20 is malignant: in SLICE-3D it is one in 1,000,
    and in so small a cohort a network would learn nothing from that.

    Example: `uglyduck demo --out demo`
    """
    from cohort.simulator import refuse_existing, write_folder
    from engine.console import log, start_logging
    from engine.files import write_text
    from engine.outputs import try_folder
    from uglyduck.commands.card import card
    from uglyduck.commands.patients import patients
    from uglyduck.commands.predict import predict
    from uglyduck.commands.rank import rank
    from uglyduck.commands.report import report
    from uglyduck.commands.run import run

    start_logging()
    try_folder(out)
    data, results = out / "data", out / "run"
    test, crops = data / "test-metadata.csv", data / "test-image.hdf5"
    if not (out / "demo.toml").is_file():  # a demo may be repeated in its own folder
        refuse_existing(data, remedy="choose another --out")
    networks = find_spec("timm") is not None
    if not networks:
        log.info("networks are not installed: only hand-made descriptors look at the crops")
    write_text(_CONFIG + _NETWORK * networks, out / "demo.toml")
    log.info("simulating %s lesions in %s", f"{lesions:,}", data)
    write_folder(
        data,
        lesions,
        seed=seed,
        images=True,
        test_lesions=lesions // _TRAIN_PER_TEST,
        malignant=lesions // _LESIONS_PER_MALIGNANT,
    )
    run(out / "demo.toml", out=results)
    predict(results, metadata=test, images=crops, out=out / "submission.csv")
    rank(results, out=results / "ranking.csv")  # what lists find is known only for lesions with labels
    rank(results, metadata=test, images=crops, out=out / "ranking.csv")
    patients(results, metadata=test, images=crops, first=20, out=out / "patients")
    report(results, out=out / "report.html", picture=out / "overview.svg")
    card(results, out=out / "model-card.md")
    typer.echo(_overview(out))


def _overview(out: Path) -> str:
    """Where everything is, in the order in which a newcomer would open it."""
    places = {
        "report.html": "the run on one page: open it in a browser",
        "patients/index.html": "a page for each of the 20 patients to see first",
        "ranking.csv": "the test lesions, each patient's most suspicious first, and why",
        "submission.csv": "the same lesions as a competition wants them",
        "model-card.md": "what the run is for, and what is not known",
        "run/images/lite0/contact.png": "crops that the network ranks highest, and those it mistakes",
        "demo.toml": "the configuration, to change and run again: uglyduck run demo.toml",
        "run": "folds, features, models, scores and figures",
        "data": "the simulated cohort, under the official names",
    }
    made = {out / name: words for name, words in places.items() if (out / name).exists()}
    width = max(len(str(path)) for path in made)
    lines = [f"  {path!s:<{width}}  {words}" for path, words in made.items()]
    return "\n".join(["\nAll of it is simulated. Open in this order:", *lines])
