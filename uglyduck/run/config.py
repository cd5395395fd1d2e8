"""The run configuration: TOML in, frozen and checked settings out. Every default lives here, once."""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from cohort.mapping import ColumnSource, check_mapping
from cohort.official_files import companions, resolve_table
from engine.errors import InputError, within
from engine.files import refuse_special, write_text
from features import DEFAULT_GROUPS, OwnFeature
from uglyduck.run.columns_config import ColumnConfig, mapping_of
from uglyduck.run.image_config import (
    DESCRIPTORS,
    ExtraConfig,
    ImageModelConfig,
    UserPath,
    check_image_models,
    with_named_model,
)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataConfig(_Section):
    """`[data]`: which tables. Paths are relative to the configuration file."""

    metadata: UserPath  # training table with labels; see docs/data.md for what is read
    join: tuple[UserPath, ...] = ()  # more tables of these lesions or patients; official ones are found next to it
    columns: dict[str, ColumnConfig] = {}  # what your table calls our columns, and further ones, below
    images: UserPath | None = None  # crops of the training lesions: HDF5 file, or a folder of JPEG, PNG or DICOM files
    image_scores: UserPath | None = None  # in place of images: isic_id, score[, embedding], out of fold
    crops: Literal["optional", "required"] = "optional"  # whether lesions without a crop are left out of the run
    benign_share: float = Field(1, gt=0, le=1)  # share of the benign lesions to draw; docs/tuning.md says when
    duplicates: UserPath | None = None  # ISIC 2020's list of duplicate image pairs
    duplicate_policy: Literal["drop", "group"] = "drop"  # keep one image of each pair, or both in one fold
    groups: UserPath | None = None  # image -> lesion table for ISIC 2018, which names no patients
    ungrouped: bool = False  # treat every image as a patient of its own; intervals are then too narrow
    truth: UserPath | None = None  # simulated cohorts: truth.parquet, for the distance to the best possible score

    @property
    def mapping(self) -> dict[str, ColumnSource]:
        """`columns`, in the form that table readers take."""
        return mapping_of(self.columns)


class FoldsConfig(_Section):
    """`[folds]`: how patients are split."""

    scheme: str = "stratified"  # stratified, repeated, leave-one-hospital-out, balanced-size
    n_folds: int = Field(5, ge=2, le=100)  # parts that the patients are split into
    n_repeats: int = Field(1, ge=1, le=20)  # for the scheme "repeated"
    without_malignant: Literal["refuse", "merge"] = "refuse"  # a hospital with none: refuse, or hold out with another
    seed: int = Field(0, ge=0)  # same seed, same folds


class OwnFeatureConfig(_Section):
    """`[features.own.NAME]`: a number of your own; NAME = "FORMULA" in `[features.own]` is the short form."""

    formula: str  # see docs/own-features.md
    unit: str = ""  # of the number; empty if it has none
    source: str = "own"  # who thought of it


class FeaturesConfig(_Section):
    """`[features]`: which groups of features are built."""

    groups: tuple[str, ...] = DEFAULT_GROUPS  # see docs/features.md; a group ("patient") or a part of one ("patient.z")
    own: dict[str, OwnFeatureConfig] = {}  # numbers of your own, below

    @field_validator("own", mode="before")
    @classmethod
    def _from_formulas(cls, given: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        if not isinstance(given, dict):
            return given
        return {name: {"formula": value} if isinstance(value, str) else value for name, value in given.items()}

    @property
    def own_features(self) -> list[OwnFeature]:
        """The user's own features."""
        return [OwnFeature(name, " ".join(one.formula.split()), one.unit, one.source) for name, one in self.own.items()]


FusionName = Literal["late", "early", "both"]


class MemberConfig(_Section):
    """`[ensemble.members.NAME]`: a learner under a name of its own, to be listed in `learners`."""

    learner: str  # lightgbm, xgboost, catboost, logistic, or one that another package brings
    groups: tuple[str, ...] | None = None  # the run's feature groups (or parts of them) that it sees; all if left out
    images: bool | None = None  # whether it sees the group "image"; as `fusion` says if left out
    parameters: dict[str, Any] = {}  # of the learner, in place of the preset's


class EnsembleConfig(_Section):
    """`[ensemble]`: which learners, on which rows, and how their scores become one."""

    learners: tuple[str, ...] = Field(("lightgbm", "xgboost", "catboost"), min_length=1)  # see docs/ensemble.md
    preset: Literal["tuned", "documented"] = "tuned"  # of parameters: ours, or those the public solutions share
    seeds: tuple[int, ...] = Field((0,), min_length=1)  # a model for each fold and seed; each seed samples anew
    benign_per_malignant: float = Field(60.0, gt=0)  # benign training rows for each malignant one; inf keeps all
    blend: Literal["mean", "greedy", "stack"] = "mean"  # of log-odds; all three are measured
    indeterminate_weight: float = Field(1.0, gt=0)  # training weight of benign rows whose iddx_1 is Indeterminate
    image_noise: float = Field(0.0, ge=0)  # noise on image features in training, in their standard deviations
    fusion: FusionName = "late"  # crops: a score that joins the blend (late), columns for the learners (early), or both
    table_alone: bool = True  # with image features: train each learner without them too, to show what they add
    parameters: dict[str, dict[str, Any]] = {}  # [ensemble.parameters.lightgbm] n_trees = 400 ...
    members: dict[str, MemberConfig] = {}  # learners under names of their own, below


class CalibrationConfig(_Section):
    """`[calibration]`: from the blended score to a risk."""

    method: Literal["beta", "platt", "isotonic"] = "beta"  # beta, platt or isotonic; all three are measured
    prevalence: float | None = Field(None, gt=0, lt=1)  # share malignant where risks are used; the cohort's if left out


class MetricsConfig(_Section):
    """`[metrics]`: the patient bootstrap behind every interval."""

    replicates: int = Field(10_000, ge=100)  # draws of all patients
    seed: int = Field(0, ge=0)  # same seed, same draws


class ComputeConfig(_Section):
    """`[compute]`: which resources to use. Changes no score."""

    threads: int = Field(0, ge=0)  # 0: every core
    engine: Literal["local", "ray"] = "local"  # this machine, or a Ray cluster; see docs/scale.md
    address: str | None = None  # of the cluster, host:port or auto; if left out, one is started on this machine


class Config(_Section):
    """Everything a run depends on besides the data and the code."""

    data: DataConfig
    folds: FoldsConfig = FoldsConfig()
    images: dict[str, ImageModelConfig] = {}
    features: FeaturesConfig = FeaturesConfig()
    ensemble: EnsembleConfig = EnsembleConfig()
    calibration: CalibrationConfig = CalibrationConfig()
    metrics: MetricsConfig = MetricsConfig()
    compute: ComputeConfig = ComputeConfig()

    @property
    def image_models(self) -> dict[str, ImageModelConfig]:
        """The image models of the run, by name; none without crops, descriptors by default."""
        return (self.images or {DESCRIPTORS: ImageModelConfig()}) if self.data.images is not None else {}


_Table = TypeVar("_Table", DataConfig, ExtraConfig)


def load_config(path: Path) -> Config:
    """Read a TOML configuration; relative paths become absolute.

    Raises:
        InputError: The file is missing or not TOML, a key is unknown or a value is out of range.
    """
    refuse_special(Path(path))
    try:
        content = tomllib.loads(Path(path).read_text("utf-8"))
    except (FileNotFoundError, IsADirectoryError) as error:
        raise InputError("no such configuration file", where=str(path), remedy="check the path") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"not valid TOML ({error})", where=str(path), remedy="fix this line") from error
    try:
        config = Config.model_validate(with_named_model(content, path), context=Path(path).resolve().parent)
    except ValidationError as error:
        raise _explain(error, path) from error
    if config.data.images and config.data.image_scores:
        raise InputError(
            "both images and image_scores", where=f"{path}, data", remedy="give the crops or a table of their scores"
        )
    if config.data.crops == "required" and config.data.images is None and config.data.image_scores is None:
        raise InputError("crops are required, and none are given", where=f"{path}, data", remedy="give images")
    for name, given in input_paths(config).items():
        if "\0" in str(given):
            raise InputError("a path with a zero byte", where=f"{path}, {name}", remedy="write the path without it")
    for one in config.features.own_features:
        with within(f"{path}, features.own.{one.name}"):
            one.check()
    check_image_models(config.images, path, crops=config.data.images is not None)
    with within("[data.columns]"):
        check_mapping(config.data.mapping)
    return _with_companions(config)


def _with_companions(config: Config) -> Config:
    """The configuration, joined by the official companions of its tables if it names none."""
    images = {
        name: model.model_copy(update={"extra": {table: _joined(extra) for table, extra in model.extra.items()}})
        for name, model in config.images.items()
    }
    return config.model_copy(update={"data": _joined(config.data), "images": images})


def _joined(section: _Table) -> _Table:
    """A section that names a table, joined by the official companions of that table if it names none."""
    if section.join or not section.metadata.exists():
        return section
    return section.model_copy(update={"join": companions(resolve_table(section.metadata))})


def with_compute(config: Config, **changes: str | None) -> Config:
    """The configuration with some settings of `[compute]` replaced; None changes nothing."""
    said = {name: value for name, value in changes.items() if value is not None}
    return config.model_copy(update={"compute": config.compute.model_copy(update=said)})


def input_paths(config: Config) -> dict[str, Path]:
    """Every file and folder that the configuration names, by its dotted key; without the prefix for `[data]`."""
    found = {name: path for name in DataConfig.model_fields if isinstance(path := getattr(config.data, name), Path)}
    found |= {f"join[{place}]": path for place, path in enumerate(config.data.join)}
    for name, model in config.image_models.items():
        given = {"model": model.model, "weights": model.weights}
        found |= {f"images.{name}.{key}": path for key, path in given.items() if path is not None}
        for table, extra in model.extra.items():
            paths = {"metadata": extra.metadata, "images": extra.images}
            paths |= {f"join[{place}]": path for place, path in enumerate(extra.join)}
            found |= {f"images.{name}.extra.{table}.{key}": path for key, path in paths.items()}
    return found


def input_key(name: str) -> str:
    """A key of `input_paths` as it is written in the file."""
    section, _, key = name.rpartition(".")
    return f"[{section or 'data'}] {key}"


def write_config(config: Config, path: Path) -> None:
    """Write the resolved configuration, every default spelled out, as TOML, atomically."""
    write_text(tomli_w.dumps(config.model_dump(exclude_none=True)), path)


def _explain(error: ValidationError, path: Path) -> InputError:
    # A misspelt key may also be reported as missing: the misspelling says more.
    first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    keys = [str(key) for key in first["loc"]]
    where = f"{path}, {'.'.join(keys)}"
    if first["type"] == "extra_forbidden":
        known = _known_keys(keys[:-1])
        nearest = get_close_matches(keys[-1], known, n=1)
        remedy = f"did you mean {nearest[0]!r}" if nearest else f"known here: {', '.join(known)}"
        return InputError(f"unknown key {keys[-1]!r}", where=where, remedy=remedy)
    if first["type"] == "missing":
        return InputError(f"{keys[-1]!r} is missing", where=where, remedy="add it")
    return InputError(f"{first['msg']} (given: {first['input']!r})", where=where, remedy="change the value")


def _known_keys(section: list[str]) -> list[str]:
    found: Any = Config
    for key in section:
        # The keys of a dict are the user's names; its second type argument says what each may hold.
        found = found.model_fields[key].annotation if _is_section(found) else get_args(found)[1]
    return list(found.model_fields) if _is_section(found) else []


def _is_section(found: Any) -> bool:  # noqa: ANN401 - an annotation
    return isinstance(found, type) and issubclass(found, BaseModel)
