"""The request to train a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from cohort.frames import ID, join_by_id
from cohort.reading import read_cohort
from cohort.stores.dicom import METADATA_SCHEMA, DicomStore, differences
from cohort.stores.opening import open_store
from cohort.stores.protocol import ImageStore
from cv_folds.folds import Folds, make_folds
from engine.console import log
from engine.errors import InputError
from engine.files import sha256_of, write_parquet
from image_embeddings.applying import make_backend
from image_embeddings.backend import ALL, Resources, fold_part
from image_embeddings.identity import CropsIdentity, Kind, code_sha256, labels_sha256, libraries
from image_embeddings.installed_weights import installed_weights, package_of
from image_embeddings.labels import DIAGNOSES, DIAMETER, SITE, make_labels
from image_embeddings.pictures import contact_sheet, learning_curves
from image_embeddings.presets import Preset, changed, for_backbone, preset_named
from image_embeddings.requests.applying import warn_of_missing
from image_embeddings.requests.models import TrainRequest
from image_embeddings.requests.spreading import executor_of
from image_embeddings.spec import Spec, check_files
from image_embeddings.training_run import Material, train_model

DESCRIPTORS = "descriptors"
CONTRADICTIONS = "contradictions.parquet"
#: What else of a table is used where it is there: what DICOM files say too, and labels of networks or in words.
READ = frozenset((*METADATA_SCHEMA, SITE, DIAMETER, "diagnosis", *DIAGNOSES, "lesion_id", "benign_malignant"))


def train(request: TrainRequest) -> dict[str, Any]:
    """Train, or go on, or only measure what is there; see `train_model`."""
    preset = preset_of(request)
    request = _with_first_weights(request, preset)
    table, store = _read_table(request), open_store(request.images)
    material = _material(request, table, preset)
    with executor_of(request) as executor:
        crops = CropsIdentity.of(store, material.ids, request.out, executor)
        spec = _spec(request, preset, material, crops)
        resources = Resources(request.out, store, executor, request.on_bad, embeddings=True)
        backend = make_backend(
            spec, resources, weights=request.weights, device=request.device, compiled=request.compiled
        )
        outcome = train_model(request.out, spec, backend, material, kept=request.kept, replicates=request.replicates)
    crops.write(request.out)
    _list_contradictions(request, store, table)
    learning_curves(outcome.history, request.out / "curves.png")
    contact_sheet(outcome.oof, store, request.out / "contact.png")
    warn_of_missing(outcome.faults)
    return {
        "model": str(request.out),
        "ungrouped": request.ungrouped,
        "missing": outcome.faults,
        **outcome.metrics,
    }


def preset_of(request: TrainRequest) -> Preset | None:
    """The preset with what the request changes; None for descriptors.

    Raises:
        InputError: No such preset or setting, both a preset and a backbone, or settings that descriptors do not have.
    """
    if request.preset and request.backbone:
        raise InputError("both a preset and a backbone", where="--backbone", remedy="give one of them")
    settings: dict[str, object] = dict(request.settings)
    if request.backbone is None and (request.preset or DESCRIPTORS) == DESCRIPTORS:
        if settings:
            raise InputError(
                f"descriptors have no {min(settings)}",
                where="images train",
                remedy="leave it out, or name a network with --preset or --backbone",
            )
        return None
    if request.clahe:
        settings["clahe"] = True
    named = request.preset or DESCRIPTORS
    base = for_backbone(request.backbone, size=request.size) if request.backbone else preset_named(named)
    return changed(base, settings)


def _with_first_weights(request: TrainRequest, preset: Preset | None) -> TrainRequest:
    """The request, with the weights that an installed package has where it names none.

    Where there are none either, a line says where weights can be had.

    Raises:
        InputError: The request contradicts itself.
    """
    weights, download = request.weights, request.download
    if preset is None:
        if weights or download:
            raise InputError(
                "descriptors have no weights",
                where="--weights" if weights else "--download",
                remedy="leave it out, or name a network with --preset or --backbone",
            )
        return request
    if weights and download:
        raise InputError("both a weights file and a download", where="--download", remedy="give one of them")
    if weights is not None and weights.is_dir():
        return request.model_copy(update={"weights": _weights_in(weights)})
    if weights or download or preset.name == "tiny":
        return request
    if (installed := installed_weights(preset.backbone)) is not None:
        log.info("first weights: ImageNet's, from the installed package %s", package_of(preset.backbone))
        return request.model_copy(update={"weights": installed})
    log.warning(
        "first weights are random; %s can start from %s (%s): --weights FILE, or --download",
        *(preset.name, preset.backbone, preset.weights),
    )
    return request


def _weights_in(folder: Path) -> Path:
    """The network of another model folder to start from: the one fitted on all its lesions, else its first fold's.

    Raises:
        InputError: Not a folder of a network, or its files were changed.
    """
    spec = Spec.read(folder)
    if spec.kind != "network":
        raise InputError(
            f"a model of {spec.kind} has no weights to start from", where=str(folder), remedy="give a network's"
        )
    check_files(folder, spec)
    part = ALL if spec.policy == "refit" else fold_part(0)
    log.info("first weights: %s of %s", part, folder)
    return folder / f"{part}.safetensors"


def _read_table(request: TrainRequest) -> pl.DataFrame:
    if request.lesions is not None:
        return pl.read_parquet(request.lesions)
    if request.metadata is None:
        raise InputError("no lesion table", where="--metadata", remedy="give one")
    return read_cohort(
        request.metadata,
        labels="required",
        groups=request.groups,
        ungrouped=request.ungrouped,
        only=READ,
    ).frame


def _material(request: TrainRequest, table: pl.DataFrame, preset: Preset | None) -> Material:
    folds = (
        Folds.read(request.folds) if request.folds else make_folds(table, n_folds=request.n_folds, seed=request.seed)
    )
    frame = _in_order_of(folds.frame, table)
    return Material(frame, make_labels(frame, preset.labels if preset else "binary"), folds)


def _in_order_of(folds: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """The lesions of the folds, which may leave out some of the table (duplicates), in the order of the folds."""
    if not folds[ID].is_in(table[ID].implode()).all():
        raise InputError("the folds are of other lesions", where="--folds", remedy="make folds of this table")
    return join_by_id(folds.select(ID, "patient_id"), table.drop("patient_id"))


def _spec(request: TrainRequest, preset: Preset | None, material: Material, crops: CropsIdentity) -> Spec:
    labels, weights = material.labels, request.weights
    kind: Kind = "descriptors" if preset is None else "frozen" if preset.head_alone else "network"
    return Spec(
        crops_sha256=crops.sha256,
        labels_sha256=labels_sha256(material.ids, labels),
        kind=kind,
        preset=preset,
        classes=labels.classes.names,
        malignant=labels.classes.malignant,
        n_sites=len(labels.sites) if preset and preset.site_weight else 0,
        n_folds=len(material.folds.names),
        folds_sha256=material.folds.sha256,
        ungrouped=request.ungrouped,
        policy=request.policy,
        repeats=request.repeats,
        seed=request.seed,
        weights_sha256=sha256_of(weights) if weights and weights.is_file() else None,
        download=request.download,
        reduce_to=request.reduce_to,
        clahe=request.clahe and preset is None,
        code_sha256=code_sha256(kind),
        libraries=libraries(kind),
    )


def _list_contradictions(request: TrainRequest, store: ImageStore, table: pl.DataFrame) -> None:
    """Warn where the metadata embedded in DICOM files contradicts the table, and write it all down."""
    if not isinstance(store, DicomStore):
        return
    embedded = store.metadata(on_bad=request.on_bad)
    found = differences(embedded, table.drop("patient_id") if request.ungrouped else table)
    if len(found):
        first = found.row(0, named=True)
        log.warning(
            "DICOM files contradict the table %d times (%s: %s is %s in the file, %s in the table): %s",
            *(len(found), first[ID], first["column"], first["embedded"], first["table"], request.out / CONTRADICTIONS),
        )
        write_parquet(found, request.out / CONTRADICTIONS)
