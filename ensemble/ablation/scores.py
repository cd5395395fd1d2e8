"""A variant's out-of-fold scores on disk, under the fingerprint of everything that they depend on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from engine.files import atomic_path
from ensemble.out_of_fold import Scores

_KEY = "uglyduck.studies.ablation"


@dataclass(frozen=True)
class ScoreFile:
    """One Parquet file: isic_id and a column of scores for each learner.

    Attributes:
        folder: The ablation's folder.
        variant: The variant's name.
        identity: Fingerprint of parameters, features, folds, samples and code.
    """

    folder: Path
    variant: str
    identity: str

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.folder / "scores" / f"{re.sub(r'[^a-z0-9.]+', '-', self.variant.lower())}.parquet"

    def exists(self) -> bool:
        """Whether it is there and holds the scores of this very training."""
        return self.path.is_file() and pl.read_parquet_metadata(self.path).get(_KEY) == self.identity

    def write(self, ids: Sequence[str], scores: Mapping[str, Scores]) -> None:
        """Write it, atomically."""
        frame = pl.DataFrame({"isic_id": ids, **scores})
        with atomic_path(self.path) as temporary:
            frame.write_parquet(temporary, compression="zstd", compression_level=1, metadata={_KEY: self.identity})

    def read(self) -> dict[str, Scores]:
        """Scores by learner, in the order written."""
        frame = pl.read_parquet(self.path)
        return {name: frame[name].to_numpy() for name in frame.columns[1:]}
