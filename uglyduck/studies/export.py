"""What is packed of a finished run to score new lesions elsewhere: no training lesions, and only what fits the time."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from cohort.frames import ID
from engine.console import log
from engine.errors import InputError
from engine.files import read_json
from ensemble.run_checks.new_lesions import ScoreScale
from image_embeddings.spec import Spec
from submissions.bundle.requirements import download_wheels
from submissions.bundle.timing import beyond, seconds_per_crop
from submissions.bundle.writing import Content
from submissions.fitted_run import FittedRun
from uglyduck.run.run import Run
from uglyduck.stages.running import STAGES
from uglyduck.studies.new_lesions import training_scores

_SAMPLE = 256  # crops that are scored to measure the time
_HOURS = 8.0  # for table and crops, by default


def pack(run: Run, *, table_alone: bool, hours: float | None, lesions: int, speed: float) -> Content:
    """The content of a finished run's bundle; see `left_out`.

    Raises:
        InputError: The run cannot score, or not in the way asked for.
    """
    fitted = run.fitted()
    left = left_out(run, fitted, table_alone=table_alone, hours=hours, lesions=lesions, speed=speed)
    kept = [model for model in fitted.image_models if model.name not in left]
    return Content(
        run=files_to_score(run, left),
        prior=prior(run),
        image_models={model.name: Spec.read(run.image_folder(model)).preset is not None for model in kept},
        left_out=left,
        image_seconds=(hours or _HOURS) * 3600,
        ungrouped=run.config.data.ungrouped,
        columns=run.config.data.mapping,
        scales=_scales(run),
    )


def _scales(run: Run) -> dict[str, ScoreScale]:
    """How scores are distributed out of fold, to compare new ones with."""
    known = training_scores(run)
    columns = [name for name in ("blend", "table") if name in known.columns]
    return {name: ScoreScale.of(known[name].to_numpy(), known["patient_id"]) for name in columns}


def wheels_to_pack(content: Content, given: Path | None, download: Path | None, python: str) -> list[Path]:
    """Wheels of libraries for a bundle.

    Args:
        content: What scores.
        given: Folder of wheels.
        download: Folder to download everything that scoring needs to; None for no download.
        python: Python version of the target machine.

    Raises:
        InputError: The folder holds none, or they cannot be downloaded.
    """
    found = sorted(given.glob("*.whl")) if given else []
    if given and not found:
        raise InputError("no wheels in this folder", where=str(given), remedy="leave --wheels out or fill it")
    if download is None:
        if not found:
            log.warning("no libraries are packed: the target needs the versions of requirements.txt")
        return found
    names = {path.name for path in found}
    return [
        *found,
        *(path for path in download_wheels(content.requirements, download, python) if path.name not in names),
    ]


def files_to_score(run: Run, left_out: Collection[str] = ()) -> dict[str, Path]:
    """Files by their path in the run folder, each the one the run wrote.

    Args:
        run: The run.
        left_out: Names of the image models to leave out.

    Raises:
        InputError: One is missing, was changed, or is older than what it was made from.
    """
    made = read_json(run.folder.manifest)["stages"]
    outputs = [name for stage in STAGES if stage.name in made for name in made[stage.name]["outputs"]]
    without = tuple(f"{(run.folder.images / name).relative_to(run.folder.root)}/" for name in left_out)
    # Every table of a run is of training lesions, and figures score nothing.
    unwanted = (".parquet", run.folder.metrics.name)
    names = sorted(name for name in outputs if not name.endswith(unwanted) and not name.startswith(without))
    files = {name: run.folder.root / name for name in names}
    run.manifest.check(*files.values())
    return {run.folder.manifest.name: run.folder.manifest, **files}


def prior(run: Run) -> float:
    """Share malignant among the training lesions, 0 to 1."""
    run.manifest.check(run.folder.metrics)
    measured = next(iter(read_json(run.folder.metrics)["scores"].values()))
    return float(measured["malignant"] / measured["lesions"])


def left_out(
    run: Run, fitted: FittedRun, *, table_alone: bool, hours: float | None, lesions: int, speed: float
) -> list[str]:
    """Names of the image models that are not packed; logs how long the others are expected to take.

    Args:
        run: A finished run.
        fitted: The same run, in the form that scores lesions.
        table_alone: Leave all of them out.
        hours: Time for all crops; None for as long as they take.
        lesions: How many will be scored.
        speed: How many times as fast the target is as this machine.

    Raises:
        InputError: The run's image scores came from a table, nothing would be left to score with, or the time is
            limited and cannot be measured.
    """
    _refuse_scores_of_a_table(run, table_alone=table_alone)
    names = [model.name for model in fitted.image_models]
    left = names if table_alone else _beyond(run, fitted, hours, lesions, speed)
    if left:
        log.warning("left out: %s", ", ".join(left))
    if left == names and fitted.sees_images_alone:
        raise InputError(
            "the run sees crops alone, so without image models it can score nothing",
            where=str(run.folder.root),
            remedy="give more --hours, or a run that sees the table too",
        )
    return left


def _refuse_scores_of_a_table(run: Run, *, table_alone: bool) -> None:
    scores = run.config.data.image_scores
    if scores is None:
        return
    what = f"the run's image scores came from a table ({scores.name}): the kernel cannot make them for new crops"
    if not table_alone:
        remedy = "say --table-alone to score without them, or run with crops as [data] images"
        raise InputError(what, where=str(run.folder.root), remedy=remedy)
    log.warning("%s, and scores the table alone", what)


def _beyond(run: Run, fitted: FittedRun, hours: float | None, lesions: int, speed: float) -> list[str]:
    crops = run.config.data.images
    if crops is None or not fitted.image_models:
        return []
    if not crops.exists():
        if hours is not None:
            raise InputError(
                "the run's crops are gone, so how long image models take cannot be measured",
                where=str(crops),
                remedy="put them back, or leave --hours out",
            )
        log.warning("%s is gone: how long image models take on %s lesions is not known", crops, f"{lesions:,}")
        return []
    ids = run.lesions.frame[ID].filter(run.has_crop).head(_SAMPLE)
    seconds = {}
    for model in fitted.image_models:
        each = seconds_per_crop(fitted, model, crops, ids) / speed
        seconds[model.name] = each * lesions
        log.info("image model %s: %s", model.name, _expected(each * lesions, lesions))
    weights = fitted.image_blend.weights if fitted.image_blend else dict.fromkeys(seconds, 1.0)
    left = [] if hours is None else beyond(hours * 3600, seconds, weights)
    if len(seconds) > 1 or left:
        kept = sum(taken for name, taken in seconds.items() if name not in left)
        log.info("image models that are packed: %s", _expected(kept, lesions))
    return left


def _expected(seconds: float, lesions: int) -> str:
    return f"{seconds / 3600:.1f} h expected for {lesions:,} lesions, by {_SAMPLE} crops scored on this machine"
