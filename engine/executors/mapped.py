"""What processes of one machine share: its large arrays are written once and mapped by each, never copied."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

#: Smaller arrays are cheaper to copy than to open.
_SMALL = 1 << 16


def pack(value: Any, folder: Path) -> tuple[bytes, list[Path]]:  # noqa: ANN401 - any value
    """A value as a pickle whose large arrays lie in files of `folder`, which must outlast all that `unpack` gives.

    Returns:
        The pickle, and the files.
    """
    files: list[Path] = []

    def stays(buffer: pickle.PickleBuffer) -> bool:
        """Whether an array's memory stays in the pickle."""
        memory = buffer.raw()
        if memory.nbytes < _SMALL:
            return True
        files.append(folder / f"{len(files)}.array")
        files[-1].write_bytes(memory)
        return False

    return pickle.dumps(value, protocol=5, buffer_callback=stays), files


def unpack(packed: bytes, files: Sequence[Path]) -> Any:  # noqa: ANN401
    """The value again; its large arrays are mapped and read-only."""
    return pickle.loads(packed, buffers=[np.memmap(file, np.uint8, "r") for file in files])  # noqa: S301 - by `pack`
