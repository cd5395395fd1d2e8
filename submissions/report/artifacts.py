"""What lies in a run's folder for the report to read; later commands add files, and none of them must be there."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from cohort.errors import InputError
from cohort.files import read_json
from features import FeatureState

_OPTIONAL = ("curves", "hospitals", "findings", "nested")
_OTHER_SCORES = ("blend", "table", "image")


@dataclass(frozen=True)
class Artifacts:
    """The files of a run, read.

    Attributes:
        name: Name of the run's folder.
        config: Resolved configuration.
        manifest: Versions, git state, SHA-256 sums.
        metrics: Every figure with its interval.
        blend: How the learners are put together.
        features: The feature dictionary's entries.
        state: The constants that features were computed with.
        oof: isic_id, patient_id, target, fold, a column for each learner, `blend`, perhaps `risk`.
        optional: By name (`curves`, `hospitals`, `findings`, `nested`, `groups`), those that are there.
        ablations: Each `ablation/NAME/ablation.json`, by name.
        drivers: `explanation/lesions.parquet`, or None.
    """

    name: str
    config: dict[str, Any]
    manifest: dict[str, Any]
    metrics: dict[str, Any]
    blend: dict[str, Any]
    features: list[dict[str, Any]]
    state: FeatureState
    oof: pl.DataFrame
    optional: dict[str, Any] = field(default_factory=dict)
    ablations: dict[str, dict[str, Any]] = field(default_factory=dict)
    drivers: pl.DataFrame | None = None

    @classmethod
    def read(cls, root: Path) -> Artifacts:
        """Read a run's folder.

        Args:
            root: The folder of a run whose stages are all finished; the caller has checked its SHA-256 sums.

        Raises:
            InputError: A file that every finished run has is missing or can not be read.
        """
        root = Path(root)
        optional = {name: read_json(root / f"{name}.json") for name in _OPTIONAL if (root / f"{name}.json").is_file()}
        groups = root / "explanation" / "groups.json"
        if groups.is_file():
            optional["groups"] = read_json(groups)
        dictionary = read_json(root / "features.json")
        lesions = root / "explanation" / "lesions.parquet"
        return cls(
            name=root.resolve().name,
            config=_read_toml(root / "config.toml"),
            manifest=read_json(root / "manifest.json"),
            metrics=read_json(root / "metrics.json"),
            blend=read_json(root / "blend.json"),
            features=dictionary["features"],
            state=FeatureState.from_dict(dictionary["state"]),
            oof=pl.read_parquet(root / "oof.parquet"),
            optional=optional,
            ablations={path.parent.name: read_json(path) for path in sorted(root.glob("ablation/*/ablation.json"))},
            drivers=pl.read_parquet(lesions) if lesions.is_file() else None,
        )

    @property
    def learners(self) -> list[str]:
        """The learners' columns, in the order of the metrics."""
        return [name for name in self.metrics["scores"] if name not in _OTHER_SCORES]

    @property
    def replicates(self) -> int:
        """Of the run's bootstrap; the report's own intervals use as many."""
        return int(self.config["metrics"]["replicates"])

    @property
    def seed(self) -> int:
        """Of the run's bootstrap; the report's own intervals use the same."""
        return int(self.config["metrics"]["seed"])


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"cannot read the run's configuration ({error})", where=str(path), remedy="run `uglyduck run` again"
        ) from error
