"""The requests themselves: frozen, checked, and JSON."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from cohort.mapping import ColumnSource
from cohort.stores.protocol import OnBad
from engine.executors import Executor, open_executor
from image_embeddings.spec import Policy

Engine = Literal["local", "ray"]


class _Common(BaseModel):
    """The crops, and where the work is done, which changes no answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    images: Path  # HDF5 file, or a folder of JPEG, PNG or DICOM files
    device: str = "auto"  # where networks run: auto, cpu, cuda ...
    engine: Engine = "local"  # what distributes the work
    address: str | None = None  # of a Ray cluster
    cores: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)

    def open_executor(self) -> AbstractContextManager[Executor]:
        """This machine's cores, or a Ray cluster, to be used in a `with` statement.

        Raises:
            InputError: Ray is not installed, or no cluster answers.
        """
        return open_executor(self.engine, address=self.address, cores=self.cores)


class ExtraTable(BaseModel):
    """Further lesions that a model learns from but never scores."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metadata: Path  # lesion table with labels, in any layout that is known
    images: Path  # their crops
    join: tuple[Path, ...] = ()  # more tables of these lesions
    columns: dict[str, ColumnSource] = {}  # what the table calls our columns


class TrainRequest(_Common):
    """Train a model on the crops of a table, fold by fold, and score each lesion by the part that never saw it."""

    command: Literal["train"] = "train"
    metadata: Path | None = None  # lesion table with labels, in any layout that is known
    lesions: Path | None = None  # instead: the canonical table, as Parquet
    join: tuple[Path, ...] = ()  # more tables of these lesions or patients
    groups: Path | None = None  # ISIC 2018: which images show one lesion
    ungrouped: bool = False  # the table has no patients: each image is one
    extra: dict[str, ExtraTable] = {}  # further tables to learn from, by name
    out: Path  # folder of the model
    kept: Path | None = None  # where another model found in `out` is moved to; None refuses
    preset: str | None = None  # a network's; descriptors by default
    backbone: str | None = None  # any timm backbone, in place of a preset, or with the preset "frozen"
    size: int = 224  # with a backbone: pixels each side
    settings: dict[str, str | int | float | bool] = {}  # settings of the preset to change
    clahe: bool = False  # equalise each crop's local contrast first
    weights: Path | None = None  # first weights from a local file, or from the folder of another network
    download: bool = False  # let timm fetch first weights
    folds: Path | None = None  # frozen folds; by default made from the seed
    n_folds: int = 5
    repeats: int = Field(1, ge=1)  # networks of each fold, with other seeds
    policy: Policy = "mean"
    reduce_to: int | None = None  # length of embeddings
    on_bad: OnBad = "stop"
    seed: int = 0
    compiled: bool = False  # use torch.compile
    replicates: int = Field(10_000, ge=100)  # of the patient bootstrap
    only_check: bool = False  # only check that recipe, first weights and device are valid


class ApplyRequest(_Common):
    """Score crops that no model of the folders has seen, into a Parquet file."""

    command: Literal["apply"] = "apply"
    models: tuple[Path, ...] = Field(min_length=1)  # one, or several to combine
    out: Path  # isic_id, score and, for one model, embeddings
    ids: tuple[str, ...] | None = None  # which crops, in this order; by default all
    flips: Literal[1, 2, 4, 8] | None = None  # views averaged; by default the preset's
    embeddings: bool = False
    on_bad: OnBad = "missing"
    remember: bool = False  # look for these scores in the model's folder first, and store them there; one model only


class PerturbRequest(_Common):
    """Score a model's training crops out of fold, as they are and perturbed, into a Parquet file."""

    command: Literal["perturb"] = "perturb"
    model: Path
    out: Path  # isic_id, unchanged, and a column for each perturbation
    ids: tuple[str, ...] | None = None  # which lesions of its folds; by default all


Request = TrainRequest | ApplyRequest | PerturbRequest
_ADAPTER: TypeAdapter[Any] = TypeAdapter(Annotated[Request, Field(discriminator="command")])


def read_request(text: str) -> Request:
    """The request that a line of JSON holds.

    Raises:
        ValueError: It holds none.
    """
    request: Request = _ADAPTER.validate_json(text)
    return request
