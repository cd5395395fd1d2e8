"""The request to train a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from cohort.frames import ID, join_by_id
from cohort.reading import read_cohort
from cohort.stores.dicom import METADATA_SCHEMA, DicomStore, differences
from cohort.stores.naming import absent_crops
from cohort.stores.opening import open_store
from cohort.stores.protocol import ImageStore
from cv_folds.folds import Folds, make_folds
from cv_folds.hospital_share import HOSPITAL
from engine.console import log
from engine.errors import InputError
from engine.files import fingerprint, sha256_of, write_parquet
from image_embeddings.applying import make_backend
from image_embeddings.backend import Resources
from image_embeddings.identity import CropsIdentity, Kind, code_sha256, labels_sha256, libraries
from image_embeddings.joined_store import JoinedStore
from image_embeddings.labels import BINARY, DIAGNOSES, DIAMETER, SITE, make_labels
from image_embeddings.overlap import refuse_own_lesions
from image_embeddings.pictures import contact_sheet, learning_curves
from image_embeddings.presets import Preset
from image_embeddings.requests.applying import warn_of_missing
from image_embeddings.requests.extra import ExtraLesions, read_extra
from image_embeddings.requests.models import TrainRequest
from image_embeddings.requests.recipe import preset_of, with_first_weights
from image_embeddings.spec import FILE, Spec
from image_embeddings.training_run import Material, train_model

CONTRADICTIONS = "contradictions.parquet"
#: Further columns of a table that are used if present: those that DICOM files also hold, and labels.
READ = frozenset((*METADATA_SCHEMA, HOSPITAL, SITE, DIAMETER, "diagnosis", *DIAGNOSES, "lesion_id", "benign_malignant"))


def check(request: TrainRequest) -> dict[str, Any]:
    """Refuse a recipe, first weights or a device that training would refuse, before a crop is read."""
    preset = preset_of(request)
    if preset is not None:
        from image_embeddings.networks.device import Device  # noqa: PLC0415 - torch is an optional extra
        from image_embeddings.networks.network import build  # noqa: PLC0415

        Device.choose(request.device)
        first = with_first_weights(request, preset) if request.weights else request
        build(preset, BINARY, weights=first.weights)
    return {}


def train(request: TrainRequest) -> dict[str, Any]:
    """Train, resume, or only measure a finished model; see `train_model`."""
    if not (request.out / FILE).exists():
        check(request)  # before anything is written
    preset = preset_of(request)
    given, request = request.weights, with_first_weights(request, preset)
    table, store = _read_table(request), open_store(request.images)
    extra = read_extra(request.extra, table, on_bad=request.on_bad, columns=READ)
    material = _material(request, table, preset, extra)
    if given is not None and given.is_dir():
        where, remedy = f"weights {given}", "start from one of other patients"
        refuse_own_lesions(given, material.frame, table="table", where=where, remedy=remedy)
    with request.open_executor() as executor:
        absent = absent_crops(store, material.ids, request.on_bad)
        crops = CropsIdentity.of(store, material.ids, request.out, executor)
        of_extra = [CropsIdentity.of(each.store, each.ids, request.out, executor, name=each.name) for each in extra]
        together = [crops.sha256, *(each.sha256 for each in of_extra)]
        spec = _spec(request, preset, material, fingerprint(together) if extra else crops.sha256)
        joined = JoinedStore(store, {each.name: each.store for each in extra}) if extra else store
        resources = Resources(request.out, joined, executor, request.on_bad, embeddings=True)
        backend = make_backend(
            spec, resources, weights=request.weights, device=request.device, compiled=request.compiled
        )
        outcome = train_model(request.out, spec, backend, material, kept=request.kept, replicates=request.replicates)
    for identity in (crops, *of_extra):
        identity.write(request.out)
    _list_contradictions(request, store, table)
    learning_curves(outcome.history, request.out / "curves.png")
    contact_sheet(outcome.oof, store, request.out / "contact.png")
    warn_of_missing(outcome.faults, absent)
    return {
        "model": str(request.out),
        "ungrouped": request.ungrouped,
        "missing": outcome.faults,
        **outcome.metrics,
    }


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
        join=request.join or None,
        only=READ,
    ).frame


def _material(
    request: TrainRequest, table: pl.DataFrame, preset: Preset | None, extra: Sequence[ExtraLesions]
) -> Material:
    folds = (
        Folds.read(request.folds) if request.folds else make_folds(table, n_folds=request.n_folds, seed=request.seed)
    )
    frame = _in_order_of(folds.frame, table)
    labels = make_labels(frame, preset.labels if preset else "binary", [each.lesions for each in extra])
    if not extra:
        return Material(frame, labels, folds)
    lesions = pl.concat([each.renamed for each in extra], how="diagonal_relaxed")
    # Duplicates among them are not known.
    group = {"group": pl.col(ID)} if "group" in frame.columns else {}
    return Material(frame, labels, folds, lesions.with_columns(**group))


def _in_order_of(folds: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """The lesions of the folds, which may leave out some of the table (duplicates), in the order of the folds."""
    if not folds[ID].is_in(table[ID].implode()).all():
        raise InputError("the folds are of other lesions", where="--folds", remedy="make folds of this table")
    return join_by_id(folds.select(ID, "patient_id"), table.drop("patient_id"))


def _spec(request: TrainRequest, preset: Preset | None, material: Material, crops_sha256: str) -> Spec:
    labels, weights = material.labels, request.weights
    kind: Kind = "descriptors" if preset is None else "frozen" if preset.head_alone else "network"
    return Spec(
        crops_sha256=crops_sha256,
        labels_sha256=labels_sha256(material.taught[ID].to_list(), labels),
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
    """Warn if the metadata embedded in DICOM files contradicts the table, and list all contradictions in a file."""
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
