"""Requests to existing models: scores of new crops, and of perturbed ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cohort.stores.naming import absent_crops
from cohort.stores.opening import open_store
from cohort.stores.protocol import NO_CROP, ImageStore
from cv_folds.folds import Folds
from engine.console import log
from engine.errors import InputError
from engine.executors import Executor
from engine.files import write_parquet
from image_embeddings.applying import apply_models, open_backend
from image_embeddings.backend import Resources
from image_embeddings.requests.models import ApplyRequest, PerturbRequest
from image_embeddings.requests.remembering import Memory
from image_embeddings.robust_scoring import score_perturbed
from image_embeddings.spec import checked_table
from image_embeddings.training_run import FOLDS

_SHOWN = 5


def apply(request: ApplyRequest) -> dict[str, Any]:
    """Score crops that the models never saw."""
    store = open_store(request.images)
    ids = store.ids if request.ids is None else request.ids
    absent = absent_crops(store, ids, request.on_bad)
    with request.open_executor() as executor:
        memory = Memory.of(request, store, ids, executor) if request.remember else None
        answer = None if memory is None else memory.recall(request.out)
        if answer is None:
            answer = _scored(request, store, ids, executor)
            if memory is not None:
                memory.keep(request.out, answer)
    warn_of_missing(answer["missing"], absent)
    return answer


def _scored(request: ApplyRequest, store: ImageStore, ids: Sequence[str], executor: Executor) -> dict[str, Any]:
    backends = [
        open_backend(
            folder,
            Resources(folder, store, executor, request.on_bad, request.embeddings),
            flips=request.flips,
            device=request.device,
        )
        for folder in request.models
    ]
    return apply_models(request.models, backends, ids, request.out)


def perturb(request: PerturbRequest) -> dict[str, Any]:
    """Score training crops as they are and as another camera might have taken them."""
    store: ImageStore = open_store(request.images)
    ids = _lesions_of(request.model) if request.ids is None else request.ids
    with request.open_executor() as executor:
        resources = Resources(request.model, store, executor)
        scores = score_perturbed(request.model, resources, ids, device=request.device)
    write_parquet(scores, request.out)
    return {"crops": len(scores), "perturbations": scores.width - 2}


def _lesions_of(model: Path) -> list[str]:
    lesions: list[str] = Folds.read(checked_table(model, FOLDS)).frame["isic_id"].to_list()
    return lesions


def warn_of_missing(faults: dict[str, str], absent: InputError | None = None) -> None:
    """Log which lesions have no crop, how many crops could not be read, and why the first of them could not."""
    if absent is not None:
        log.warning("%s: %s", absent.where, absent.what)
    unreadable = {isic_id: reason for isic_id, reason in faults.items() if reason != NO_CROP}
    if unreadable:
        shown = "; ".join(f"{isic_id} ({reason})" for isic_id, reason in list(unreadable.items())[:_SHOWN])
        more = " …" if len(unreadable) > _SHOWN else ""
        log.warning("%d crops could not be read and have no score: %s%s", len(unreadable), shown, more)
