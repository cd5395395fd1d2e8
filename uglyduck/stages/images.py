"""The image stage of a run: a model of each fold trained on the crops, and applied to new ones, in another process."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from cohort.frames import ID
from engine.code import code_behind
from engine.console import log
from engine.errors import InputError
from engine.files import fingerprint, read_json, write_json, write_parquet
from uglyduck.run.config import ImagesConfig
from uglyduck.run.image_process import call_images
from uglyduck.run.run import Run
from uglyduck.stages.stage import Stage

DESCRIPTORS = "descriptors"
_IDENTITY, _SPEC = "identity.json", "spec.json"
# Below this, starting a second process costs more than it saves.
_CROPS_A_PROCESS = 5_000


def train(run: Run) -> list[Path]:
    """Train the image model of each fold, and score each training lesion by the one that never saw its patient.

    A killed training goes on; what was trained on other crops, folds, settings or with other code is thrown away.

    Returns:
        The files of the model folder that applying it needs.

    Raises:
        InputError: The crops, the settings or the weights are wrong, or torch is missing.
    """
    folder = run.folder.images
    _train_in(folder, run, run.config.images)
    files = [folder / name for name in read_json(folder / _SPEC)["files"]]
    return [folder / _SPEC, run.folder.image_scores, folder / "metrics.json", *files]


def train_twin(run: Run) -> Path:
    """Train the run's image model once more, with contrast equalised if it is not, and the other way round.

    Returns:
        The folder of the model; one that is finished is kept.

    Raises:
        InputError: As in `train`.
    """
    settings = run.config.images.model_copy(update={"clahe": not run.config.images.clahe})
    folder = run.folder.root / "images-twin"
    if not (_holds(folder, _identity(run, settings)) and (folder / "metrics.json").is_file()):
        _train_in(folder, run, settings)
    return folder


def perturbed_scores(run: Run, folder: Path, ids: pl.Series) -> pl.DataFrame:
    """Out-of-fold scores of training crops under every perturbation, by the image model in `folder`.

    Returns:
        `isic_id`, `unchanged`, and a column for each perturbation; null where a crop is unreadable.
    """
    return _scored(run, "perturb", folder, Path(run.config.data.images or ""), ids)


def _scored(run: Run, command: str, folder: Path, images: Path, ids: pl.Series) -> pl.DataFrame:
    """What `uglyduck images COMMAND` says of some crops."""
    with TemporaryDirectory(prefix="uglyduck-") as scratch:
        asked, out = Path(scratch, "ids.parquet"), Path(scratch, "scores.parquet")
        write_parquet(ids.rename(ID).to_frame(), asked)
        given: list[str | Path] = [folder, "--images", images, "--ids", asked, "--out", out]
        call_images([command, *given, "--device", run.config.images.device, *_resources(run, len(ids))])
        return pl.read_parquet(out)


def _train_in(folder: Path, run: Run, settings: ImagesConfig) -> None:
    wanted = _identity(run, settings)
    if folder.exists() and not _holds(folder, wanted):
        shutil.rmtree(folder)
    write_json(wanted, folder / _IDENTITY)
    call_images(["train", *_training_arguments(run, settings), "--out", folder])


def image_scores_of(run: Run, images: Path, ids: pl.Series) -> pl.DataFrame:
    """Score new crops by the mean log-odds of the run's fold models.

    Args:
        run: A finished run with images.
        images: Store of the crops.
        ids: isic_id of the lesions to score.

    Returns:
        `isic_id, score`, in the order of `ids`; null where the crop is absent or can not be read, which is logged.

    Raises:
        InputError: The run has no image model, it was changed, or `images` is no store.
    """
    folder = run.folder.images
    if run.config.data.images is None:
        raise InputError(
            "this run has no image model", where=str(images), remedy="leave --images out, or run with [data] images"
        )
    run.manifest.check(folder / _SPEC)
    scores = _scored(run, "apply", folder, images, ids)
    missing = scores["score"].null_count()
    log.info("images    %s crops scored, %s missing", f"{len(scores) - missing:,}", f"{missing:,}")
    return scores


def new_image_scores(
    run: Run, ids: pl.Series, *, images: Path | None = None, table: Path | None = None
) -> pl.DataFrame | None:
    """Image scores of lesions to score, from their crops or from a table.

    Returns:
        `isic_id, score`; None where neither is given, or not one crop can be read: the table alone is scored then.

    Raises:
        InputError: Both are given, or one of them can not be read.
    """
    if images is not None and table is not None:
        raise InputError("both crops and a table of their scores", where="--images", remedy="give one of them")
    if images is not None:
        scores = image_scores_of(run, images, ids)
        return None if scores["score"].null_count() == len(scores) else scores
    if table is None:
        return None
    try:
        return pl.read_parquet(table)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError("not a readable Parquet file", where=str(table), remedy="check the path") from error


def _identity(run: Run, settings: ImagesConfig) -> dict[str, str]:
    """What decides the model, by SHA-256."""
    return {
        "images": run.input_sha256("images") or "",
        "weights": run.input_sha256("weights") or "",
        "lesions": run.lesions.checksum,
        "folds": run.folds.sha256,
        "settings": fingerprint(settings.model_dump(exclude={"weights"})),
        "code": code_behind("image_embeddings.training_run"),
    }


def _holds(folder: Path, wanted: dict[str, str]) -> bool:
    path = folder / _IDENTITY
    return path.is_file() and read_json(path) == wanted


def _training_arguments(run: Run, settings: ImagesConfig) -> list[str | Path]:
    data = run.config.data
    values: dict[str, str | Path | int | None] = {
        "--metadata": data.metadata,
        "--images": data.images,
        "--groups": data.groups,
        "--folds": run.folder.folds,
        "--preset": settings.model,
        "--weights": settings.weights,
        "--epochs": settings.epochs,
        "--seed": settings.seed,
        "--on-bad": settings.on_bad,
        "--device": settings.device,
        "--replicates": run.config.metrics.replicates,
    }
    switches = {"--ungrouped": data.ungrouped, "--clahe": settings.clahe}
    named = [part for name, value in values.items() if value is not None for part in (name, str(value))]
    return [*named, *(name for name, on in switches.items() if on), "--json", *_resources(run, run.folds.frame.height)]


def _resources(run: Run, crops: int) -> list[str]:
    """Descriptors are measured by `threads` processes; networks are fed by one fewer, besides their own threads."""
    processes = run.threads if run.config.images.model == DESCRIPTORS else run.threads - 1
    return ["--threads", str(run.threads), "--workers", str(min(processes, 1 + crops // _CROPS_A_PROCESS))]


IMAGES = Stage(
    "images",
    __name__,
    train,
    inputs=("images", "weights"),
    artifacts=lambda run: [run.folder.lesions, run.folder.folds],
    settings=lambda run: run.config.images.model_dump(exclude={"weights"}),
    applies=lambda run: run.config.data.images is not None,
)
