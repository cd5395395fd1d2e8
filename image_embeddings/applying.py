"""Score crops that no model of the folder has seen; labels are not needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.special import expit

from engine.errors import InputError
from engine.files import atomic_path
from image_embeddings.backend import ALL, CHUNK, Backend, Resources, fold_part
from image_embeddings.combining import combined
from image_embeddings.shift import shift
from image_embeddings.spec import Spec, check_files, checked_table
from image_embeddings.training_run import OOF, embedding_column, embedding_table


def open_backend(folder: Path, resources: Resources, *, flips: int | None = None, device: str = "auto") -> Backend:
    """The backend of a trained model folder.

    Args:
        folder: The folder that training wrote.
        resources: Resources of the backend; their folder is `folder`.
        flips: Number of views averaged, in place of the preset's.
        device: Where networks run.

    Raises:
        InputError: Not a model folder, its files were changed, or torch is missing.
    """
    spec = Spec.read(folder)
    check_files(folder, spec)
    return make_backend(spec, resources, flips=flips, device=device)


def make_backend(
    spec: Spec,
    resources: Resources,
    *,
    weights: Path | None = None,
    flips: int | None = None,
    device: str = "auto",
    compiled: bool = False,
) -> Backend:
    """The backend that a spec asks for; torch is imported only for networks.

    Raises:
        InputError: torch or the device is missing.
    """
    if spec.preset is None:
        from image_embeddings.descriptor_backend import DescriptorBackend  # noqa: PLC0415 - scikit-learn is slow to load

        return DescriptorBackend(resources, seed=spec.seed, clahe=spec.clahe)
    from image_embeddings.networks.device import Device  # noqa: PLC0415 - torch is an optional extra
    from image_embeddings.networks.recipe import Recipe  # noqa: PLC0415

    recipe = Recipe(
        spec.preset if flips is None else spec.preset.model_copy(update={"flips": flips}),
        spec.class_list,
        n_sites=spec.n_sites,
        seed=spec.seed,
        repeats=spec.repeats,
        weights=weights,
        download=spec.download,
        reduce_to=spec.reduce_to,
        crops_sha256=spec.crops_sha256,
        device=Device.choose(device, compiled=compiled),
    )
    if spec.preset.head_alone:
        from image_embeddings.frozen.backend import FrozenBackend  # noqa: PLC0415

        return FrozenBackend(resources, recipe)
    from image_embeddings.networks.backend import NetworkBackend  # noqa: PLC0415

    return NetworkBackend(resources, recipe)


def apply_models(folders: Sequence[Path], backends: Sequence[Backend], ids: Sequence[str], out: Path) -> dict[str, Any]:
    """Score `ids` and write isic_id, score and embeddings as Parquet, a chunk at a time.

    A single model gives its own score, and a column of embeddings for each of its networks (see `embedding_column`),
    since embeddings of different networks are not comparable. Several models are combined (see `combined`), and no
    embedding is written.

    Args:
        folders: Folders of the models.
        backends: Backends of the models, in the same order.
        ids: At least one id.
        out: The Parquet file.

    Returns:
        Ready for JSON: `crops`, how many were asked for; `missing`, by id, why a crop could not be read (its score is
        null); `shift`, new scores against the out-of-fold scores of training, see `shift`.

    Raises:
        InputError: No crops.
        CropError: A crop cannot be read, and that is to stop the work.
    """
    if not ids:
        raise InputError("no crops", where="images", remedy="give a store with at least one image")
    references = [_reference(folder, alone=len(folders) == 1) for folder in folders]
    chunks = [list(ids[start : start + CHUNK]) for start in range(0, len(ids), CHUNK)]
    said = [backend.score(_parts(Spec.read(folder)), ids) for folder, backend in zip(folders, backends, strict=True)]
    scored: list[NDArray[np.float64]] = []
    faults: dict[str, str] = {}
    with atomic_path(out) as temporary:
        writer: pq.ParquetWriter | None = None
        for chunk, *results in zip(chunks, *said, strict=True):
            scores = [expit(result.log_odds) for result in results]
            score = scores[0] if len(scores) == 1 else combined(references, scores)
            named = {embedding_column(name): values for name, values in results[0].embeddings.items()}
            frame = embedding_table(chunk, named if len(results) == 1 else {})
            table = frame.insert_column(1, pl.Series("score", score).fill_nan(None)).to_arrow()
            writer = writer or pq.ParquetWriter(temporary, table.schema, compression="zstd")
            writer.write_table(table)
            scored.append(score)
            for result in results:
                faults |= result.faults
        if writer is not None:
            writer.close()
    reference = references[0] if len(references) == 1 else combined(references, references)
    return {"crops": len(ids), "missing": faults, "shift": shift(reference, np.concatenate(scored))}


def plain_log_odds(folder: Path, backend: Backend, ids: Sequence[str]) -> NDArray[np.float64]:
    """Log-odds of crops that no part of a model has seen; NaN where unreadable."""
    return np.concatenate([scores.log_odds for scores in backend.score(_parts(Spec.read(folder)), ids)])


def _reference(folder: Path, *, alone: bool) -> NDArray[np.float64]:
    """Out-of-fold scores of training; empty if a model was passed on without its training lesions.

    Raises:
        InputError: There are none, and combining models needs them.
    """
    if (folder / OOF).is_file():
        return pl.read_parquet(checked_table(folder, OOF))["score"].fill_null(np.nan).to_numpy()
    if not alone:
        raise InputError("no out-of-fold scores", where=str(folder / OOF), remedy="combine models where they were made")
    return np.empty(0)


def _parts(spec: Spec) -> list[str]:
    return [ALL] if spec.policy == "refit" else [fold_part(fold) for fold in range(spec.n_folds)]
