"""The canonical table of a run, and the order of its rows, which every other table of the run keeps.

Each table carries a checksum of its ids; it is checked on reading, so that rows never need to be joined again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from cohort.frames import ID
from engine.errors import InputError
from engine.files import atomic_path

CHECKSUM = "uglyduck.ids"
"""Key of the checksum in a Parquet file's metadata."""
_FACTS = "uglyduck.lesions"


@dataclass(frozen=True)
class Lesions:
    """A canonical table as a run keeps it.

    Attributes:
        frame: As `cohort.reading.Cohort.frame`, sorted by (patient_id, isic_id).
        facts: What else is known about it, ready for JSON: `dataset`, and where it comes from.
    """

    frame: pl.DataFrame
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def checksum(self) -> str:
        """See `checksum_of`."""
        return checksum_of(self.frame[ID])

    def write(self, path: Path) -> None:
        """Write it as Parquet, atomically."""
        _write(self.frame, path, {_FACTS: json.dumps(dict(self.facts), sort_keys=True)})

    @classmethod
    def read(cls, path: Path) -> Lesions:
        """Read it back.

        Raises:
            InputError: The file is missing, or is not one that `write` wrote.
        """
        frame = _read(path, None)
        stored = pl.read_parquet_metadata(path)
        if _FACTS not in stored or stored.get(CHECKSUM) != checksum_of(frame[ID]):
            raise _foreign(path)
        return cls(frame, json.loads(stored[_FACTS]))


class Checksum:
    """Hex SHA-256 of ids in their order, added as they come."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, ids: Iterable[str]) -> None:
        """Add the next ids."""
        self._digest.update("".join(f"{one}\n" for one in ids).encode())

    @property
    def value(self) -> str:
        """The checksum so far."""
        return self._digest.hexdigest()


def checksum_of(ids: pl.Series) -> str:
    """See `Checksum`."""
    checksum = Checksum()
    checksum.add(ids)
    return checksum.value


def write_rows(frame: pl.DataFrame, path: Path) -> None:
    """Write a table that has `isic_id` and the rows of a run's lesions, in their order, as Parquet, atomically."""
    _write(frame, path, {})


def read_rows(path: Path, checksum: str, *, columns: list[str] | None = None) -> pl.DataFrame:
    """Read a table whose rows are those of a run's lesions, in their order.

    Args:
        path: The Parquet file.
        checksum: That of the run's lesions.
        columns: Which to read; None for all.

    Raises:
        InputError: The file is missing or damaged, or has other rows.
    """
    frame = _read(path, columns)
    if pl.read_parquet_metadata(path).get(CHECKSUM) != checksum:
        raise _foreign(path)
    return frame


def _write(frame: pl.DataFrame, path: Path, facts: Mapping[str, str]) -> None:
    metadata = {CHECKSUM: checksum_of(frame[ID]), **facts}
    with atomic_path(path) as temporary:
        frame.write_parquet(temporary, compression="zstd", compression_level=1, metadata=metadata)


def _read(path: Path, columns: list[str] | None) -> pl.DataFrame:
    try:
        return pl.read_parquet(path, columns=columns)
    except FileNotFoundError as error:
        raise InputError("the run is not finished", where=str(path), remedy="finish it with `uglyduck run`") from error
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(
            f"not a readable Parquet file ({' '.join(str(error).split())})",
            where=str(path),
            remedy="delete it and start `uglyduck run` again",
        ) from error


def _foreign(path: Path) -> InputError:
    return InputError(
        "its rows are not those of the run's lesions.parquet",
        where=str(path),
        remedy="delete it and start `uglyduck run` again",
    )
