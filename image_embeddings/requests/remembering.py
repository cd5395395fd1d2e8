"""What was said of the same crops before, so that a second command that asks need not wait."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cohort.stores.protocol import ImageStore
from engine.console import log
from engine.errors import InputError
from engine.executors import Executor
from engine.files import atomic_path, fingerprint, read_json, sha256_of, write_json
from image_embeddings.identity import CropsIdentity, code_sha256, libraries
from image_embeddings.requests.models import ApplyRequest
from image_embeddings.spec import Spec, check_files

_FOLDER = "scored"


@dataclass(frozen=True)
class Memory:
    """The scores of some crops in a model's folder, under the name of all that decides them.

    Attributes:
        folder: Where they lie, with those of other crops.
        name: SHA-256 of model, crops, their order, views, device, code, libraries, and whether embeddings are wanted.
        crops: Of their files, so that they need not be read again while none has changed.
    """

    folder: Path
    name: str
    crops: CropsIdentity

    @classmethod
    def of(cls, request: ApplyRequest, store: ImageStore, ids: Sequence[str], executor: Executor) -> Memory:
        """The memory of a request of one model.

        Raises:
            InputError: The model was changed.
        """
        model = request.models[0]
        spec = Spec.read(model)
        check_files(model, spec)
        folder = model / _FOLDER
        crops = CropsIdentity.of(store, ids, folder, executor)
        decisive = [spec.model_dump(mode="json"), code_sha256(spec.kind), libraries(spec.kind)]
        asked = [crops.sha256, list(ids), request.flips, request.device, request.embeddings]
        return cls(folder, fingerprint([decisive, asked]), crops)

    def recall(self, out: Path) -> dict[str, Any] | None:
        """The answer given before, its table written to `out`; None where there is none, or not a whole one."""
        try:
            known = read_json(self.folder / f"{self.name}.json")
        except InputError:
            return None
        if not self._table.is_file() or sha256_of(self._table) != known["sha256"]:
            return None
        with atomic_path(out) as temporary:
            shutil.copyfile(self._table, temporary)
        answer: dict[str, Any] = known["answer"]
        log.info("score     %s crops there already", f"{answer['crops']:,}")
        return answer

    def keep(self, out: Path, answer: dict[str, Any]) -> None:
        """Remember an answer and its table; where the folder cannot be written, nothing is remembered."""
        with suppress(OSError):
            self.crops.write(self.folder)
            with atomic_path(self._table) as temporary:
                shutil.copyfile(out, temporary)
            write_json({"answer": answer, "sha256": sha256_of(out)}, self.folder / f"{self.name}.json")

    @property
    def _table(self) -> Path:
        return self.folder / f"{self.name}.parquet"
