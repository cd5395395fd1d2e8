"""`[images]` of the run configuration: one image model or several, each with settings of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeGuard

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, ValidationInfo

from cohort.columns import NEVER_FEATURES
from cohort.mapping import ColumnSource, check_mapping
from engine.errors import InputError, within
from uglyduck.run.columns_config import ColumnConfig, mapping_of

DESCRIPTORS = "descriptors"
"""The preset without a network; also the name of the only model if none is configured."""


def _from_its_folder(path: Path, info: ValidationInfo) -> Path:
    return path if info.context is None else Path(info.context / path)


UserPath = Annotated[Path, AfterValidator(_from_its_folder), PlainSerializer(str)]
"""A path in the configuration, relative to the folder of the file, which is the validation context."""


class ExtraConfig(BaseModel):
    """`[images.NAME.extra.TABLE]`: lesions of another archive that the model learns from but never scores."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metadata: UserPath  # their table, with labels; lesions and patients of the run are left out
    images: UserPath  # their crops: HDF5 file, or a folder of JPEG, PNG or DICOM files
    join: tuple[UserPath, ...] = ()  # more tables of these lesions
    columns: dict[str, ColumnConfig] = {}  # what this table calls our columns, as in [data.columns]

    @property
    def mapping(self) -> dict[str, ColumnSource]:
        """`columns`, as the table is read with it."""
        return mapping_of(self.columns)


class ImageModelConfig(BaseModel):
    """`[images.NAME]`: a model that scores the crops of `[data] images`, fold by fold; see docs/images.md."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: UserPath | None = None  # folder of a model made elsewhere by `uglyduck images train`, which is only applied
    preset: str = DESCRIPTORS  # descriptors, or a network's preset
    backbone: str | None = None  # any timm backbone, in place of a preset, or of the preset "frozen"
    weights: UserPath | None = None  # first weights of a network, from a local file or another model's folder
    download: bool = False  # let timm fetch first weights
    set: dict[str, str | int | float | bool] = {}  # settings of the preset to change: epochs, size ...
    labels: Literal["target", "diagnosis"] | None = None  # what a network learns to predict, in place of the preset's
    views: Literal[1, 2, 4, 8] | None = None  # mirrored and turned views of a crop to average; the preset's if left out
    policy: Literal["mean", "refit"] = "mean"  # new crops: mean of the folds' models, or one fitted on all lesions
    repeats: int = Field(1, ge=1)  # networks of each fold, with other seeds
    reduce_to: int | None = Field(None, ge=1)  # length of embeddings
    clahe: bool = False  # equalise each crop's local contrast first
    seed: int = Field(0, ge=0)  # same seed, same model
    device: str = "auto"  # where a network runs: auto, cpu, cuda ...
    on_bad: Literal["stop", "missing"] = "missing"  # what to do with a training crop that cannot be read
    extra: dict[str, ExtraConfig] = {}  # further tables to learn from, below


#: Settings that apply to a model made elsewhere; all others matter only in training.
_APPLIED = frozenset({"model", "views", "device"})
#: A name becomes a folder and part of column and feature names, which must not clash with others.
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
#: Settings of a model that are tables themselves.
_TABLES = frozenset({"set", "extra"})
_TAKEN = re.compile(r"score|.*embedding.*|.*_(logit|over_mean|over_rest|z|loo|robust|rank|gap|fold\d+|seed\d+)")


def is_plain(images: Any) -> TypeGuard[dict[str, Any]]:  # noqa: ANN401 - whatever the file holds
    """Whether `[images]` holds the settings of a single model rather than models by name."""
    if not isinstance(images, dict) or not images:
        return False
    return set(images) <= _TABLES or not all(isinstance(value, dict) for value in images.values())


def with_named_model(content: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The configuration, with the settings of a single model in `[images]` itself moved under a name.

    In `[images]` itself, `model` is a preset, and `epochs` one of its settings.

    Raises:
        InputError: `[images]` holds both settings and named models.
    """
    given = content.get("images")
    if not is_plain(given):
        return dict(content)
    names = [key for key, value in given.items() if isinstance(value, dict) and key not in _TABLES]
    if names:
        raise InputError(
            f"settings of one model and the model {names[0]!r}",
            where=f"{path}, images",
            remedy="give each model a table of its own, [images.NAME]",
        )
    return {**content, "images": _named(given)}


def _named(given: dict[str, Any]) -> dict[str, Any]:
    settings = dict(given)
    if "model" in settings:
        settings["preset"] = settings.pop("model")
    if "epochs" in settings and isinstance(settings.get("set", {}), dict):
        settings["set"] = {**settings.get("set", {}), "epochs": settings.pop("epochs")}
    called = str(settings.get("backbone", settings.get("preset", DESCRIPTORS)))
    return {re.sub("[^a-z0-9]+", "_", called.lower()).strip("_") or DESCRIPTORS: settings}


def check_image_models(models: Mapping[str, ImageModelConfig], path: Path, *, crops: bool) -> None:
    """Refuse image models that contradict the rest of the configuration or themselves.

    Args:
        models: By name.
        path: Of the configuration.
        crops: Whether the run has any.

    Raises:
        InputError: There are no crops, a name is not allowed, or a model made elsewhere has training settings.
    """
    if models and not crops:
        raise InputError("image models without crops", where=f"{path}, images", remedy="give [data] images")
    for name, model in models.items():
        where = f"{path}, images.{name}"
        if not _NAME.fullmatch(name) or _TAKEN.fullmatch(name) or name in NEVER_FEATURES:
            raise InputError(
                "not a name for an image model",
                where=where,
                remedy="use small letters, digits, _ and -, and no name that a column or feature has",
            )
        odd = next((table for table in model.extra if not _NAME.fullmatch(table)), None)
        if odd is not None:
            raise InputError(
                "not a name for a table", where=f"{where}.extra.{odd}", remedy="use small letters, digits, _ and -"
            )
        for table, extra in model.extra.items():
            _check_extra_columns(extra, f"[images.{name}.extra.{table}.columns]")
        changed = _changed(model)
        if model.model is not None and changed:
            raise InputError(
                f"a model made elsewhere is only applied: {changed[0]} changes nothing",
                where=where,
                remedy=f"leave {changed[0]} out, or leave model out and train one here",
            )


def _check_extra_columns(extra: ExtraConfig, where: str) -> None:
    with within(where):
        check_mapping(extra.mapping)
    further = next((name for name, source in extra.mapping.items() if source.kind is not None), None)
    if further is not None:
        raise InputError(
            f"{further} would become a feature, which no image model reads", where=where, remedy="leave it out"
        )


def _changed(model: ImageModelConfig) -> list[str]:
    """Training settings that are not at their default; the resolved file spells every default out."""
    fields = ImageModelConfig.model_fields
    return [name for name in fields if name not in _APPLIED and getattr(model, name) != fields[name].default]
