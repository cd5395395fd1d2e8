"""What a model folder says about itself: what it was trained on, and how to apply it without that."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.errors import InputError
from engine.files import fingerprint, read_json, sha256_of, write_json
from engine.manifest import require_format
from image_embeddings.labels import Classes
from image_embeddings.presets import Preset

FILE = "spec.json"
FORMAT = 1
"""Format of a model folder's files: raised by a change after which code could misread an older one."""
Policy = Literal["mean", "refit"]
_WORDS = {
    "crops_sha256": "crops differ",
    "labels_sha256": "labels differ",
    "folds_sha256": "folds differ",
    "weights_sha256": "first weights differ",
    "code_sha256": "code differs",
    "libraries": "libraries differ",
}


class Spec(BaseModel):
    """Everything that determines the model; two trainings with the same spec give the same model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    crops_sha256: str  # of the crops of the lesions it is trained on, byte by byte
    labels_sha256: str  # of their ids, classes and auxiliary labels
    kind: Literal["descriptors", "network", "frozen"]
    preset: Preset | None  # None for descriptors
    classes: tuple[str, ...]
    malignant: tuple[bool, ...]
    n_sites: int
    n_folds: int
    folds_sha256: str
    ungrouped: bool  # no patient was known: figures are flattered if a patient's lesions are in several folds
    policy: Policy  # what scores a new crop: the mean of the folds' models, or one fitted on all lesions
    repeats: int
    seed: int
    weights_sha256: str | None  # of the file the networks started from
    download: bool
    reduce_to: int | None
    clahe: bool = False  # for descriptors: crops' contrast was equalised; a network's preset says so itself
    code_sha256: str  # of what trains and scores; comments do not count
    libraries: dict[str, str]  # versions of those that train
    files: dict[str, str] = {}  # SHA-256 of each file of the model, once it is trained
    tables: dict[str, str] = {}  # likewise for each table about the lesions it was trained on

    @property
    def class_list(self) -> Classes:
        """The classes of the main head."""
        return Classes(self.classes, self.malignant)

    @property
    def identity(self) -> str:
        """SHA-256 of everything that determines the model."""
        return fingerprint(self.model_dump(mode="json", exclude={"files", "tables"}))

    def write(self, folder: Path) -> None:
        """Write `spec.json`."""
        write_json({"format": FORMAT, **self.model_dump(mode="json")}, folder / FILE)

    @classmethod
    def read(cls, folder: Path) -> Spec:
        """Read `spec.json`.

        Raises:
            InputError: There is none, or it is not valid.
        """
        if not (folder / FILE).is_file():
            raise InputError("not a model folder", where=str(folder), remedy="give what `images train --out` wrote")
        content = read_json(folder / FILE)
        if isinstance(content, dict):
            require_format(content, FORMAT, folder / FILE)
            content.pop("format", None)
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "all of it"
            raise InputError(f"{place}: {first['msg']}", where=str(folder / FILE), remedy="train it again") from error

    def require_same(self, other: Spec, folder: Path) -> None:
        """Refuse to continue in a folder that holds another model.

        Raises:
            InputError: The specs differ in more than what was already trained.
        """
        mine, theirs = (spec.model_dump(exclude={"files", "tables"}) for spec in (self, other))
        differing = [name for name in mine if mine[name] != theirs[name]]
        if differing:
            raise InputError(
                f"this folder holds another model (its {_WORDS.get(differing[0], f'{differing[0]} differs')})",
                where=str(folder),
                remedy="choose another --out",
            )


def checksums(folder: Path, files: list[Path]) -> dict[str, str]:
    """SHA-256 of files by name relative to the folder."""
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}


def check_files(folder: Path, spec: Spec) -> None:
    """Refuse a model whose files are missing or were changed.

    Raises:
        InputError: One is.
    """
    if not spec.files:
        raise InputError("training has not ended", where=str(folder), remedy="start the same training again")
    for name, sha256 in spec.files.items():
        if (
            ".." in Path(name).parts
            or Path(name).is_absolute()
            or not (folder / name).is_file()
            or sha256_of(folder / name) != sha256
        ):
            raise InputError("missing or changed since training", where=str(folder / name), remedy="train it again")


def checked_table(folder: Path, name: str) -> Path:
    """The path of a trained model's table.

    Raises:
        InputError: It is missing, or was changed since training.
    """
    path, spec = folder / name, Spec.read(folder)
    if not path.is_file():
        what = "missing" if spec.files else "training has not ended"
        raise InputError(what, where=str(path), remedy="start the same training again")
    known = spec.tables.get(name)
    if known is not None and sha256_of(path) != known:
        raise InputError("changed since training", where=str(path), remedy="train the model again")
    return path
