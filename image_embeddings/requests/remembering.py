"""Earlier scores of the same crops, so that a second command that asks need not wait."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cohort.stores.protocol import ImageStore
from engine.console import log
from engine.errors import InputError
from engine.executors import Executor
from engine.files import atomic_path, fingerprint, read_sealed, sha256_of, write_sealed
from image_embeddings.identity import CropsIdentity, code_sha256, libraries
from image_embeddings.requests.models import ApplyRequest
from image_embeddings.spec import Spec, check_files

_FOLDER = "scored"
#: Besides the libraries that train: these decode crops and measure them.
_NUMBERS = ("numpy", "scipy", "pillow")
#: On Linux one of these exists if there is a driver from NVIDIA (for a card, a board, or WSL) or AMD.
_GPU_FILES = ("nvidiactl", "nvmap", "dxg", "kfd")


@dataclass(frozen=True)
class Memory:
    """The scores of some crops in a model's folder, named by everything that determines them.

    Attributes:
        folder: Where they are kept, with those of other crops.
        name: SHA-256 of model, crops, their order, views, device, code, libraries, and whether embeddings are wanted.
        crops: Identity of the crops, so that their files need not be read again while none has changed.
    """

    folder: Path
    name: str
    crops: CropsIdentity

    @classmethod
    def of(cls, request: ApplyRequest, store: ImageStore, ids: Sequence[str], executor: Executor) -> Memory:
        """The memory for a request to one model.

        Raises:
            InputError: The model was changed.
        """
        model = request.models[0]
        spec = Spec.read(model)
        check_files(model, spec)
        crops = CropsIdentity.of(store, ids, model / _FOLDER, executor)
        made_by = [code_sha256(spec.kind), libraries(spec.kind), {name: version(name) for name in _NUMBERS}]
        asked = [list(ids), request.flips, request.embeddings, request.on_bad]
        where = _device(request.device, spec)
        name = fingerprint([spec.model_dump(mode="json"), made_by, crops.sha256, asked, where])
        return cls(model / _FOLDER, name, crops)

    def recall(self, out: Path) -> dict[str, Any] | None:
        """The earlier answer, with its table written to `out`; None if there is none, or it is incomplete."""
        _write_down(lambda: self.crops.write(self.folder))
        try:
            known = read_sealed(self._entry, remedy="")
        except (InputError, OSError):
            return None
        if not self._table.is_file() or known.get("table") != sha256_of(self._table):
            return None
        with atomic_path(out) as temporary:
            shutil.copyfile(self._table, temporary)
        answer: dict[str, Any] = known["answer"]
        log.info("score     %s crops there already", f"{answer['crops']:,}")
        return answer

    def keep(self, out: Path, answer: dict[str, Any]) -> None:
        """Remember an answer and its table; if the folder cannot be written, nothing is remembered."""
        _write_down(lambda: self._put(out, answer))

    def _put(self, out: Path, answer: dict[str, Any]) -> None:
        with atomic_path(self._table) as temporary:
            shutil.copyfile(out, temporary)
        write_sealed({"answer": answer, "table": sha256_of(out)}, self._entry)

    @property
    def _entry(self) -> Path:
        return self.folder / f"{self.name}.json"

    @property
    def _table(self) -> Path:
        return self.folder / f"{self.name}.parquet"


def _write_down(write: Callable[[], None]) -> None:
    """Write, ignoring failures: what is written only saves time."""
    with suppress(OSError, InputError):
        write()


def _device(asked: str, spec: Spec) -> str:
    """Where a network runs: a GPU rounds differently from a CPU."""
    if spec.kind == "descriptors" or asked == "cpu" or (asked == "auto" and not _may_have_gpu()):
        return "cpu"
    from image_embeddings.networks.device import Device  # noqa: PLC0415 - torch is slow to load

    return Device.choose(asked).name


def _may_have_gpu() -> bool:
    """Whether asking torch for a GPU is worth the seconds it takes to load."""
    return sys.platform != "linux" or any(Path("/dev", name).exists() for name in _GPU_FILES)
