"""Assembles a bundle: a run's models, wheels, a kernel, and what the upload client asks for."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cohort.mapping import ColumnSource
from engine.errors import InputError
from engine.files import sha256_of, temporary_prefix, write_json
from ensemble.run_checks.new_lesions import ScoreScale
from submissions.bundle import kernel
from submissions.bundle.notebook import notebook
from submissions.bundle.requirements import requirements

_ABOUT = """Answers the competition without network from the attached bundle, whose models `uglyduck` trained.

It first writes a valid submission that gives every lesion the same score, and replaces it once every lesion is scored.
A research tool: a score is no diagnosis."""
_KERNEL = "-submission"
_SHORTEST, _LONGEST = 6, 50  # characters of a title
_SLUG = re.compile(r"[a-z0-9](-?[a-z0-9])*")


@dataclass(frozen=True)
class Upload:
    """Where a bundle goes.

    Attributes:
        user: Account that owns the data set and the kernel.
        name: Name of the data set and, with `-submission`, of the kernel: small letters, digits and single dashes, 6 to
            39 characters (the client takes titles of 6 to 50).
        competition: The competition whose data the kernel reads.
        gpu: Whether the kernel asks for a GPU.

    Raises:
        InputError: The upload client would refuse a name.
    """

    user: str
    name: str
    competition: str
    gpu: bool = False

    def __post_init__(self) -> None:
        for option, value in (("--user", self.user), ("--name", self.name), ("--competition", self.competition)):
            if not _SLUG.fullmatch(value.lower() if option == "--user" else value):
                raise InputError(
                    f"{value!r} cannot be part of an address",
                    where=option,
                    remedy="use small letters, digits and single dashes",
                )
        if not _SHORTEST <= len(self.name) <= _LONGEST - len(_KERNEL):
            raise InputError(
                f"{self.name!r} has {len(self.name)} characters, which the upload client refuses",
                where="--name",
                remedy=f"use {_SHORTEST} to {_LONGEST - len(_KERNEL)} characters",
            )


@dataclass(frozen=True)
class Content:
    """What a bundle is made of.

    Attributes:
        run: File by its path in the run folder.
        prior: Score of every lesion until the real scores are written: the share malignant among the training lesions.
        image_models: The image models packed: by name, whether it is a network, which needs torch.
        left_out: Image models of the run that are not packed.
        image_seconds: How long table and crops may take before the table alone is scored.
        ungrouped: Whether each lesion counts as its own patient if no patient is known.
        columns: The mapping of a table's columns, as for the run's own table.
        scales: Distribution of out-of-fold scores, by column.
    """

    run: Mapping[str, Path]
    prior: float
    image_models: Mapping[str, bool]
    left_out: Sequence[str]
    image_seconds: float
    ungrouped: bool
    columns: Mapping[str, ColumnSource] = field(default_factory=dict)
    scales: Mapping[str, ScoreScale] = field(default_factory=dict)

    @cached_property
    def requirements(self) -> dict[str, str]:
        """What scoring needs; see `requirements`."""
        return requirements(networks=any(self.image_models.values()))


def refuse_occupied(out: Path) -> None:
    """Refuse a path that is taken, except by an empty folder.

    Raises:
        InputError: It is taken.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError("something is there already", where=str(out), remedy="choose another --out or remove it")


def write_bundle(out: Path, content: Content, wheels: Sequence[Path], upload: Upload) -> list[str]:
    """Write the folder, whole or not at all.

    Args:
        out: Folder that does not exist yet, or is empty.
        content: What goes in.
        wheels: Ours, and those that the target machine lacks.
        upload: Where it goes.

    Returns:
        The names of its files, ascending.

    Raises:
        InputError: The folder is not empty.
    """
    refuse_occupied(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out.parent, prefix=temporary_prefix(out)) as scratch:
        draft = Path(scratch, "bundle")
        _copy(draft, content, wheels)
        _write_descriptions(draft, content, upload)
        if out.exists():
            out.rmdir()
        draft.rename(out)
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())


def _copy(draft: Path, content: Content, wheels: Sequence[Path]) -> None:
    sources = {f"run/{name}": path for name, path in content.run.items()}
    sources |= {f"wheels/{path.name}": path for path in wheels}
    for name, path in sources.items():
        (draft / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, draft / name)


def _write_descriptions(draft: Path, content: Content, upload: Upload) -> None:
    wanted = content.requirements
    files = {path.relative_to(draft).as_posix(): sha256_of(path) for path in sorted(draft.rglob("*")) if path.is_file()}
    manifest = {
        "kind": "uglyduck bundle",
        "format": 1,
        "prior": content.prior,
        "images": bool(content.image_models),
        "left_out": list(content.left_out),
        "image_seconds": content.image_seconds,
        "ungrouped": content.ungrouped,
        "columns": {name: asdict(source) for name, source in content.columns.items()},
        "scales": {name: asdict(scale) for name, scale in content.scales.items()},
        "requirements": wanted,
        "files": files,
    }
    write_json(manifest, draft / "MANIFEST.json")
    lines = [f"{name}=={version}\n" for name, version in wanted.items()]
    (draft / "requirements.txt").write_text("".join(lines), "utf-8")
    write_json(_data_set(upload), draft / "dataset-metadata.json")
    program = Path(kernel.__file__).read_text("utf-8")
    write_json(_kernel(upload), draft / "kernel" / "kernel-metadata.json")
    (draft / "kernel" / "submit.py").write_text(program, "utf-8")
    write_json(notebook("Offline submission", _ABOUT, program), draft / "kernel" / "submit.ipynb")


def _data_set(upload: Upload) -> dict[str, Any]:
    """What the client's `datasets create` reads."""
    return {"title": upload.name, "id": f"{upload.user}/{upload.name}", "licenses": [{"name": "other"}]}


def _kernel(upload: Upload) -> dict[str, Any]:
    """What the client's `kernels push` reads."""
    title = f"{upload.name}{_KERNEL}"
    return {
        "id": f"{upload.user}/{title}",
        "title": title,
        "code_file": "submit.ipynb",
        "language": "python",
        "kernel_type": "notebook",
        "is_private": True,
        "enable_gpu": upload.gpu,
        "enable_internet": False,
        "dataset_sources": [f"{upload.user}/{upload.name}"],
        "competition_sources": [upload.competition],
        "kernel_sources": [],
        "model_sources": [],
    }
