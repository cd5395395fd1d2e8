"""`uglyduck images`: the image stage alone."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from engine.console import start_logging
from engine.errors import InputError
from uglyduck.commands.arguments import Groups, Join, PlainCommand, PlainGroup
from uglyduck.terminal.answers import answer

images = typer.Typer(
    cls=PlainGroup, help="The image stage alone: a score and an embedding for every crop.", no_args_is_help=True
)

Store = Annotated[Path, typer.Option("--images", help="HDF5 file, or a folder of JPEG, PNG or DICOM files.")]
Cores = Annotated[int | None, typer.Option(help="CPU cores to use; all by default.", min=1)]
EngineOption = Annotated[Literal["local", "ray"], typer.Option("--engine", help="How to spread the work.")]
Address = Annotated[str | None, typer.Option(help="Address of a Ray cluster.")]
Device = Annotated[str, typer.Option(help="Where networks run: auto, cpu, cuda …")]
OnBad = Annotated[
    Literal["stop", "missing"],
    typer.Option(help="What to do at a crop that cannot be read: stop, or count it as missing."),
]
DEFAULT = "descriptors"


@images.command(cls=PlainCommand)
def train(
    metadata: Annotated[Path, typer.Option(help="Lesion table with labels.")],
    store: Store,
    out: Annotated[Path, typer.Option(help="Folder of the model; an interrupted training resumes.")],
    preset: Annotated[str | None, typer.Option(help=f"{DEFAULT} (no weights, no GPU), or a network's preset.")] = None,
    backbone: Annotated[
        str | None, typer.Option(help="Any timm backbone, in place of a preset, or with frozen.")
    ] = None,
    size: Annotated[int, typer.Option(help="With --backbone: pixels each side.")] = 224,
    weights: Annotated[Path | None, typer.Option(help="First weights: a file, or a network's model folder.")] = None,
    download: Annotated[bool, typer.Option("--download", help="Let timm fetch first weights.")] = False,
    ungrouped: Annotated[
        bool, typer.Option("--ungrouped", help="The table has no patients: each image is one.")
    ] = False,
    groups: Groups = None,
    join: Join = None,
    extra_metadata: Annotated[
        list[Path] | None, typer.Option(help="Table of other patients to learn from, never scored; may be repeated.")
    ] = None,
    extra_images: Annotated[list[Path] | None, typer.Option(help="Crops of each --extra-metadata, in order.")] = None,
    folds: Annotated[Path | None, typer.Option(help="Frozen folds; by default made from --seed.")] = None,
    n_folds: Annotated[int, typer.Option(help="Folds to make.")] = 5,
    epochs: Annotated[int | None, typer.Option(help="Epochs, instead of the preset's.")] = None,
    clahe: Annotated[bool, typer.Option("--clahe", help="Equalise each crop's local contrast first.")] = False,
    labels: Annotated[
        Literal["binary", "diagnosis"] | None, typer.Option(help="What to learn to tell, instead of the preset's.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other setting of the preset; may be repeated.", metavar="NAME=VALUE"),
    ] = None,
    repeats: Annotated[int, typer.Option(help="Networks of each fold, with other seeds, averaged.")] = 1,
    policy: Annotated[
        Literal["mean", "refit"], typer.Option(help="New crops: mean of folds, or one fit on all.")
    ] = "mean",
    reduce_to: Annotated[
        int | None, typer.Option("--reduce", help="Shorten embeddings to this length, out of fold.")
    ] = None,
    on_bad: OnBad = "stop",
    seed: Annotated[int, typer.Option(help="Same seed, same model.")] = 0,
    device: Device = "auto",
    compiled: Annotated[bool, typer.Option("--compile", help="Use torch.compile.")] = False,
    replicates: Annotated[
        int, typer.Option(help="Replicates of the patient bootstrap behind the intervals.", min=100)
    ] = 10_000,
    cores: Cores = None,
    engine: EngineOption = "local",
    address: Address = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object.")] = False,
) -> None:
    """Train on a table's crops and score each lesion out of fold.

    Example: `uglyduck images train --metadata train-metadata.csv --images train-image.hdf5 --out image-model`
    """
    from image_embeddings.requests import TrainRequest

    changes = {"epochs": epochs, "labels": labels}
    result = _answer(
        TrainRequest(
            metadata=metadata,
            images=store,
            out=out,
            preset=preset,
            backbone=backbone,
            size=size,
            settings=_settings(settings or []) | {name: value for name, value in changes.items() if value is not None},
            clahe=clahe,
            weights=weights,
            download=download,
            ungrouped=ungrouped,
            groups=groups,
            join=tuple(join or ()),
            extra=_extra_tables(extra_metadata or [], extra_images or []),
            folds=folds,
            n_folds=n_folds,
            repeats=repeats,
            policy=policy,
            reduce_to=reduce_to,
            on_bad=on_bad,
            seed=seed,
            device=device,
            compiled=compiled,
            replicates=replicates,
            engine=engine,
            address=address,
            cores=cores or _all_cores(),
        )
    )
    result.pop("missing")
    _print_figures(result, as_json=as_json)


@images.command(cls=PlainCommand)
def apply(
    models: Annotated[list[Path], typer.Argument(help="Folder of a model; several to combine.", metavar="MODEL")],
    store: Store,
    out: Annotated[Path, typer.Option(help="Parquet file: isic_id, score[, embedding].")],
    metadata: Annotated[Path | None, typer.Option(help="Table whose lesions to score; by default all crops.")] = None,
    only: Annotated[Path | None, typer.Option("--ids", help="In place of a table: Parquet file of isic_id.")] = None,
    flips: Annotated[int | None, typer.Option(help="Views averaged: 1, 2, 4 or 8; the preset's by default.")] = None,
    embeddings: Annotated[bool, typer.Option("--embeddings", help="Write the embeddings too.")] = False,
    on_bad: OnBad = "missing",
    device: Device = "auto",
    cores: Cores = None,
    engine: EngineOption = "local",
    address: Address = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print counts and the shift as one JSON object.")] = False,
) -> None:
    """Score crops that the model never saw; labels are not needed.

    Example: `uglyduck images apply image-model --images test-image.hdf5 --out scores.parquet`
    """
    from engine.outputs import try_file
    from image_embeddings.requests import ApplyRequest

    if flips not in {None, 1, 2, 4, 8}:
        raise InputError(f"{flips} views", where="--flips", remedy="use 1, 2, 4 or 8")
    try_file(out)
    result = _answer(
        ApplyRequest.model_validate(
            {
                "models": models,
                "images": store,
                "out": out,
                "ids": _ids_of(metadata, only),
                "flips": flips,
                "embeddings": embeddings,
                "on_bad": on_bad,
                "device": device,
                "engine": engine,
                "address": address,
                "cores": cores or _all_cores(),
            }
        )
    )
    answer(result, lambda found: typer.echo(_applied(found, out)), as_json=as_json)


def _applied(result: dict[str, Any], out: Path) -> str:
    crops, ks = result["crops"], result["shift"]["ks"]
    gap = "too few to compare" if ks is None else f"KS {ks:.3f} from the out-of-fold scores"
    return f"{crops - len(result['missing'])} of {crops} crops scored in {out}; {gap}"


@images.command(cls=PlainCommand)
def perturb(
    model: Annotated[Path, typer.Argument(help="Folder of a model.", metavar="MODEL")],
    store: Store,
    out: Annotated[Path, typer.Option(help="Parquet file: isic_id, unchanged, and a score for each perturbation.")],
    only: Annotated[Path | None, typer.Option("--ids", help="Parquet file of isic_id; by default all lesions.")] = None,
    device: Device = "auto",
    cores: Cores = None,
    engine: EngineOption = "local",
    address: Address = None,
) -> None:
    """Score a model's training crops out of fold, as they are and as another camera might have taken them.

    Example: `uglyduck images perturb image-model --images train-image.hdf5 --out perturbed.parquet`
    """
    from image_embeddings.requests import PerturbRequest

    result = _answer(
        PerturbRequest(
            model=model,
            images=store,
            out=out,
            ids=_ids_of(None, only),
            device=device,
            engine=engine,
            address=address,
            cores=cores or _all_cores(),
        )
    )
    typer.echo(f"{result['crops']} crops under {result['perturbations']} perturbations in {out}")


@images.command(cls=PlainCommand)
def describe(
    store: Store,
    out: Annotated[Path, typer.Option(help="Parquet file: isic_id and the descriptors.")],
    on_bad: OnBad = "missing",
    cores: Cores = None,
) -> None:
    """Measure crops: colour, rings, shape, texture. No model, no weights.

    Example: `uglyduck images describe --images train-image.hdf5 --out descriptors.parquet`
    """
    from cohort.stores.opening import open_store
    from engine.executors import LocalExecutor
    from engine.files import write_parquet
    from engine.outputs import try_file
    from image_embeddings.descriptors.table import describe as describe_crops
    from image_embeddings.requests.applying import warn_of_missing

    start_logging()
    try_file(out)
    opened = open_store(store)
    if not opened.ids:
        raise InputError("no crops", where=str(store), remedy="give a store with at least one image")
    executor = LocalExecutor(cores or _all_cores())
    found = describe_crops(opened, opened.ids, on_bad=on_bad, executor=executor)
    write_parquet(found.frame, out)
    warn_of_missing(found.faults)
    typer.echo(f"{found.frame.width - 1} descriptors of {len(found.frame)} crops in {out}")


@images.command(cls=PlainCommand)
def compare(
    models: Annotated[list[Path], typer.Argument(help="Folders of models trained on the same folds.", metavar="MODEL")],
    out: Annotated[Path | None, typer.Option(help="Parquet file for the combined out-of-fold score.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object.")] = False,
) -> None:
    """Compare models out of fold, alone and combined, with intervals and paired differences.

    Example: `uglyduck images compare descriptor-model network-model`
    """
    from image_embeddings.comparing import compare_models

    result = compare_models(models, out)
    _print_figures(result, as_json=as_json)


def _answer(request: Any) -> dict[str, Any]:  # noqa: ANN401 - a request; pydantic is slow to load
    from engine.locks import locked
    from image_embeddings import requests

    start_logging()
    held = locked(request.out) if isinstance(request, requests.TrainRequest) else nullcontext()
    with held:
        return requests.answer(request)


def _extra_tables(metadata: list[Path], stores: list[Path]) -> dict[str, Any]:
    """Extra tables, numbered from 1."""
    if len(metadata) != len(stores):
        raise InputError(
            f"{len(metadata)} extra tables and images of {len(stores)}",
            where="--extra-images",
            remedy="give --extra-metadata and --extra-images as often, in the same order",
        )
    pairs = zip(metadata, stores, strict=True)
    return {str(place): {"metadata": table, "images": store} for place, (table, store) in enumerate(pairs, 1)}


def _settings(written: list[str]) -> dict[str, str | int | float | bool]:
    """Settings by name, from NAME=VALUE."""
    settings: dict[str, str | int | float | bool] = {}
    for setting in written:
        name, equals, value = setting.partition("=")
        if not equals:
            raise InputError(f"{setting!r}", where="--set", remedy="write NAME=VALUE, for example size_weight=0.1")
        settings[name.strip()] = value.strip()
    return settings


def _ids_of(metadata: Path | None, only: Path | None) -> tuple[str, ...] | None:
    """The isic_id of a table, in file order; no other column is read. None without a table."""
    from cohort.reading import read_cohort
    from cohort.tables import read_text_columns

    if only is not None:
        return tuple(read_text_columns(only, ["isic_id"])[1]["isic_id"].drop_nulls())
    return tuple(read_cohort(metadata, ungrouped=True, only=()).given_order) if metadata else None


def _all_cores() -> int:
    return os.cpu_count() or 1


def _print_figures(result: dict[str, Any], *, as_json: bool) -> None:
    from uglyduck.terminal.images import show_figures

    answer(result, show_figures, as_json=as_json)
