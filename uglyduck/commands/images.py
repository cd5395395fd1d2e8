"""`uglyduck images`: the image stage alone: train, apply, describe, compare."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from engine.console import log, start_logging
from engine.errors import InputError
from uglyduck.terminal.images import crop_progress, show_figures

if TYPE_CHECKING:
    import polars as pl

    from cohort.stores.protocol import ImageStore
    from image_embeddings.engine import Setting
    from image_embeddings.presets import Preset

images = typer.Typer(help="The image stage alone: a score and an embedding for every crop.", no_args_is_help=True)

Store = Annotated[Path, typer.Option("--images", help="HDF5 file, or a folder of JPEG, PNG or DICOM files")]
Workers = Annotated[int | None, typer.Option(help="processes that read crops; one fewer than the cores by default")]
Threads = Annotated[int | None, typer.Option(help="threads of the numeric libraries; all cores by default")]
OnBad = Annotated[
    Literal["stop", "missing"], typer.Option(help="what a crop that can not be read does: stop, or count as missing")
]
DEFAULT = "descriptors"
CONTRADICTIONS = "contradictions.parquet"


@images.command()
def train(
    metadata: Annotated[Path, typer.Option(help="lesion table with labels")],
    store: Store,
    out: Annotated[Path, typer.Option(help="folder of the model; a killed training in it goes on")],
    preset: Annotated[str | None, typer.Option(help=f"{DEFAULT} (no weights, no GPU), or a network's preset")] = None,
    backbone: Annotated[str | None, typer.Option(help="any timm backbone by name, in place of a preset")] = None,
    size: Annotated[int, typer.Option(help="with --backbone: pixels each side")] = 224,
    weights: Annotated[Path | None, typer.Option(help="first weights from a local file")] = None,
    download: Annotated[bool, typer.Option("--download", help="let timm fetch first weights")] = False,
    ungrouped: Annotated[
        bool, typer.Option("--ungrouped", help="the table has no patients: each image is one")
    ] = False,
    groups: Annotated[Path | None, typer.Option(help="ISIC 2018: which images show one lesion")] = None,
    folds: Annotated[Path | None, typer.Option(help="frozen folds; by default made from --seed")] = None,
    n_folds: Annotated[int, typer.Option(help="folds to make")] = 5,
    epochs: Annotated[int | None, typer.Option(help="in place of the preset's")] = None,
    clahe: Annotated[bool, typer.Option("--clahe", help="equalise each crop's local contrast first")] = False,
    labels: Annotated[Literal["binary", "diagnosis"] | None, typer.Option(help="in place of the preset's")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE in place of any other setting of the preset")
    ] = None,
    repeats: Annotated[int, typer.Option(help="networks of each fold, with other seeds, averaged")] = 1,
    policy: Annotated[
        Literal["mean", "refit"], typer.Option(help="new crops: mean of folds, or one fit on all")
    ] = "mean",
    reduce_to: Annotated[
        int | None, typer.Option("--reduce", help="shorten embeddings to this length, out of fold")
    ] = None,
    on_bad: OnBad = "stop",
    seed: Annotated[int, typer.Option(help="same seed, same model")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda …")] = "auto",
    compiled: Annotated[bool, typer.Option("--compile", help="use torch.compile")] = False,
    replicates: Annotated[int, typer.Option(help="of the patient bootstrap behind the intervals", min=100)] = 10_000,
    workers: Workers = None,
    threads: Threads = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the figures as one JSON object")] = False,
) -> None:
    """Train on a table's crops and score each lesion out of fold.

    Example: `uglyduck images train --metadata train-metadata.csv --images train-image.hdf5 --out image-model`
    """
    from cohort.reading import read_cohort
    from cohort.stores.opening import open_store
    from cv_folds.folds import Folds, make_folds
    from engine.files import sha256_of
    from image_embeddings.applying import make_engine
    from image_embeddings.labels import make_labels
    from image_embeddings.pictures import contact_sheet, learning_curves
    from image_embeddings.spec import Spec
    from image_embeddings.training_run import Material, train_model

    start_logging()
    recipe = _recipe(preset, backbone, size, settings or [], epochs=epochs, labels=labels, clahe=clahe or None)
    _check_first_weights(recipe, weights, download=download)
    cohort = read_cohort(metadata, labels="required", groups=groups, ungrouped=ungrouped)
    made = Folds.read(folds) if folds else make_folds(cohort.frame, n_folds=n_folds, seed=seed)
    frame = _in_order_of(made.frame, cohort.frame)
    material = Material(frame, make_labels(frame, recipe.labels if recipe else "binary"), made)
    spec = Spec(
        kind="network" if recipe else "descriptors",
        preset=recipe,
        classes=material.labels.classes.names,
        malignant=material.labels.classes.malignant,
        n_sites=len(material.labels.sites) if recipe and recipe.site_weight else 0,
        n_folds=len(made.names),
        folds_sha256=made.sha256,
        ungrouped=ungrouped,
        policy=policy,
        repeats=repeats,
        seed=seed,
        weights_sha256=sha256_of(weights) if weights and weights.is_file() else None,
        download=download,
        reduce_to=reduce_to,
        clahe=clahe and recipe is None,
    )
    opened = open_store(store)
    _tell_contradictions(opened, cohort.frame, out, on_bad=on_bad, ungrouped=ungrouped)
    with crop_progress() as tell:
        setting = _setting(out, opened, on_bad=on_bad, workers=workers, threads=threads, embeddings=True, tell=tell)
        engine = make_engine(spec, setting, weights=weights, device=device, compiled=compiled)
        outcome = train_model(out, spec, engine, material, replicates=replicates)
    learning_curves(outcome.history, out / "curves.png")
    contact_sheet(outcome.oof, opened, out / "contact.png")
    if outcome.faults:
        log.warning("%d crops could not be read and have no score: %s", len(outcome.faults), _some(outcome.faults))
    _tell_figures({"model": str(out), "ungrouped": ungrouped, **outcome.metrics}, as_json=as_json)


@images.command()
def apply(
    models: Annotated[list[Path], typer.Argument(help="folder of a model; of several for their combination")],
    store: Store,
    out: Annotated[Path, typer.Option(help="Parquet file: isic_id, score[, embedding]")],
    metadata: Annotated[Path | None, typer.Option(help="table whose lesions to score; by default all crops")] = None,
    only: Annotated[Path | None, typer.Option("--ids", help="in place of a table: Parquet file of isic_id")] = None,
    flips: Annotated[int | None, typer.Option(help="views averaged: 1, 2, 4 or 8; the preset's by default")] = None,
    embeddings: Annotated[bool, typer.Option("--embeddings", help="write the embeddings too")] = False,
    on_bad: OnBad = "missing",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda …")] = "auto",
    workers: Workers = None,
    threads: Threads = None,
    as_json: Annotated[bool, typer.Option("--json", help="print counts and the shift as one JSON object")] = False,
) -> None:
    """Score crops that the model never saw; labels are not needed.

    Example: `uglyduck images apply image-model --images test-image.hdf5 --out scores.parquet`
    """
    from cohort.stores.opening import open_store
    from image_embeddings.applying import apply_models, open_engine

    start_logging()
    if flips not in {None, 1, 2, 4, 8}:
        raise InputError(f"{flips} views", where="--flips", remedy="use 1, 2, 4 or 8")
    opened = open_store(store)
    ids = _ids_of(metadata, only) or list(opened.ids)
    with crop_progress() as tell:
        engines = [
            open_engine(
                folder,
                _setting(
                    folder, opened, on_bad=on_bad, workers=workers, threads=threads, embeddings=embeddings, tell=tell
                ),
                flips=flips,
                device=device,
            )
            for folder in models
        ]
        applied = apply_models(models, engines, ids, out)
    if applied.faults:
        log.warning("%d crops could not be read and have no score: %s", len(applied.faults), _some(applied.faults))
    if as_json:
        typer.echo(json.dumps({"crops": applied.crops, "missing": applied.faults, "shift": applied.shift}))
    else:
        ks = applied.shift["ks"]
        gap = "too few to compare" if ks is None else f"KS {ks:.3f} from the out-of-fold scores"
        typer.echo(f"{applied.crops - len(applied.faults)} of {applied.crops} crops scored in {out}; {gap}")


@images.command()
def perturb(
    model: Annotated[Path, typer.Argument(help="folder of a model")],
    store: Store,
    out: Annotated[Path, typer.Option(help="Parquet file: isic_id, unchanged, and a score for each perturbation")],
    only: Annotated[Path | None, typer.Option("--ids", help="Parquet file of isic_id; by default all lesions")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda …")] = "auto",
    workers: Workers = None,
    threads: Threads = None,
) -> None:
    """Score a model's training crops out of fold as they are and as another camera might have taken them.

    Example: `uglyduck images perturb image-model --images train-image.hdf5 --out perturbed.parquet`
    """
    from cohort.stores.opening import open_store
    from cv_folds.folds import Folds
    from engine.files import write_parquet
    from image_embeddings.robust_scoring import score_perturbed
    from image_embeddings.training_run import FOLDS

    start_logging()
    opened = open_store(store)
    ids = _ids_of(None, only) or Folds.read(model / FOLDS).frame["isic_id"].to_list()
    with crop_progress() as tell:
        setting = _setting(
            model, opened, on_bad="missing", workers=workers, threads=threads, embeddings=False, tell=tell
        )
        scores = score_perturbed(model, setting, ids, device=device)
    write_parquet(scores, out)
    typer.echo(f"{len(scores)} crops under {scores.width - 2} perturbations in {out}")


@images.command()
def describe(
    store: Store,
    out: Annotated[Path, typer.Option(help="Parquet file: isic_id and the descriptors")],
    on_bad: OnBad = "missing",
    workers: Workers = None,
) -> None:
    """Measure crops: colour, rings, shape, texture. No model, no weights.

    Example: `uglyduck images describe --images train-image.hdf5 --out descriptors.parquet`
    """
    from cohort.stores.opening import open_store
    from engine.files import write_parquet
    from image_embeddings.descriptors.table import describe as describe_crops

    start_logging()
    opened = open_store(store)
    with crop_progress() as tell:
        done = 0

        def step(crops: int) -> None:
            nonlocal done
            done += crops
            tell("describe", done, len(opened.ids))

        found = describe_crops(opened, opened.ids, on_bad=on_bad, workers=_workers(workers) or 1, progress=step)
    write_parquet(found.frame, out)
    if found.faults:
        log.warning("%d crops could not be read: %s", len(found.faults), _some(found.faults))
    typer.echo(f"{found.frame.width - 1} descriptors of {len(found.frame)} crops in {out}")


@images.command()
def compare(
    models: Annotated[list[Path], typer.Argument(help="folders of models trained on the same folds")],
    out: Annotated[Path | None, typer.Option(help="Parquet file for the combined out-of-fold score")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the figures as one JSON object")] = False,
) -> None:
    """Compare models out of fold, with intervals and paired differences, and what they reach combined.

    Example: `uglyduck images compare descriptor-model network-model`
    """
    from image_embeddings.comparing import compare_models

    result = compare_models(models, out)
    _tell_figures(result, as_json=as_json)


def _recipe(
    preset: str | None, backbone: str | None, size: int, settings: list[str], **changes: str | int | bool | None
) -> Preset | None:
    """The preset with what the user changed, None where nothing was said; None for descriptors."""
    from image_embeddings.presets import changed, for_backbone, preset_named

    if preset and backbone:
        raise InputError("both a preset and a backbone", where="--backbone", remedy="give one of them")
    said: dict[str, object] = {name: value for name, value in changes.items() if value is not None}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise InputError(f"{setting!r}", where="--set", remedy="write NAME=VALUE, for example size_weight=0.1")
        said[name.strip()] = value.strip()
    if backbone is None and (preset or DEFAULT) == DEFAULT:
        if said.keys() - {"clahe"}:
            raise InputError(
                f"descriptors have no {min(said.keys() - {'clahe'})}",
                where="images train",
                remedy="leave it out, or name a network with --preset or --backbone",
            )
        return None
    return changed(for_backbone(backbone, size=size) if backbone else preset_named(preset or DEFAULT), said)


def _check_first_weights(recipe: Preset | None, weights: Path | None, *, download: bool) -> None:
    """Refuse what contradicts itself, and say where weights can be had when a network starts without any."""
    if recipe is None:
        if weights or download:
            raise InputError(
                "descriptors have no weights",
                where="--weights" if weights else "--download",
                remedy="leave it out, or name a network with --preset or --backbone",
            )
    elif weights and download:
        raise InputError("both a weights file and a download", where="--download", remedy="give one of them")
    elif not weights and not download and recipe.name != "tiny":
        log.warning(
            "first weights are random; %s can start from %s (%s): --weights FILE, or --download",
            recipe.name,
            recipe.backbone,
            recipe.weights,
        )


def _tell_contradictions(
    store: ImageStore, frame: pl.DataFrame, out: Path, *, on_bad: Literal["stop", "missing"], ungrouped: bool
) -> None:
    """Warn where the metadata embedded in DICOM files contradicts the table, and write it all down."""
    from cohort.stores.dicom import DicomStore, differences
    from engine.files import write_parquet

    if not isinstance(store, DicomStore):
        return
    found = differences(store.metadata(on_bad=on_bad), frame.drop("patient_id") if ungrouped else frame)
    if len(found):
        first = found.row(0, named=True)
        log.warning(
            "DICOM files contradict the table %d times (%s: %s is %s in the file, %s in the table): %s",
            *(len(found), first["isic_id"], first["column"], first["embedded"], first["table"], out / CONTRADICTIONS),
        )
        write_parquet(found, out / CONTRADICTIONS)


def _in_order_of(folds: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
    """The lesions of the folds, which may leave out some of the table (duplicates), in the order of the folds."""
    from cohort.frames import join_by_id

    if not folds["isic_id"].is_in(frame["isic_id"].implode()).all():
        raise InputError("the folds are of other lesions", where="--folds", remedy="make folds of this table")
    return join_by_id(folds.select("isic_id", "patient_id"), frame.drop("patient_id"))


def _ids_of(metadata: Path | None, only: Path | None) -> list[str]:
    """isic_id of a table, in the order of the file, of which nothing else is read; empty without a table."""
    import polars as pl

    from cohort.reading import read_cohort

    if only is not None:
        return pl.read_parquet(only)["isic_id"].to_list()
    return read_cohort(metadata, ungrouped=True).given_order.to_list() if metadata else []


def _workers(wanted: int | None) -> int:
    return (os.cpu_count() or 1) - 1 if wanted is None else wanted


def _setting(folder: Path, store: ImageStore, *, workers: int | None, threads: int | None, **rest: Any) -> Setting:  # noqa: ANN401
    from image_embeddings.engine import Setting

    return Setting(folder, store, workers=_workers(workers), threads=threads or os.cpu_count() or 1, **rest)


def _some(faults: dict[str, str]) -> str:
    shown = "; ".join(f"{isic_id} ({reason})" for isic_id, reason in list(faults.items())[:5])
    return shown + (" …" if len(faults) > 5 else "")


def _tell_figures(result: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False, allow_nan=False))
    else:
        show_figures(result)
