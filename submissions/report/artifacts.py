"""The files of a run's folder that the report reads; those that later commands add are optional."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from engine.files import read_json
from features import FeatureState

_OPTIONAL = ("curves", "hospitals", "findings", "nested")


@dataclass(frozen=True)
class Artifacts:
    """The files of a run, read.

    Attributes:
        name: Name of the run's folder.
        config: Resolved configuration.
        manifest: Versions, git state, SHA-256 sums.
        metrics: Every figure with its interval.
        blend: How the learners are combined.
        features: The feature dictionary's entries.
        state: The constants that features were computed with.
        oof: isic_id, patient_id, target, fold, a column for each learner, `blend`, perhaps `risk`.
        optional: By name (`curves`, `hospitals`, `findings`, `nested`, `groups`), those that exist.
        ablations: Each `ablation/NAME/ablation.json`, by name.
        drivers: `explanation/lesions.parquet`, or None.
        stale: Which of these were left out because the run was retrained after they were made.
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
    stale: frozenset[str] = frozenset()

    @classmethod
    def read(cls, root: Path) -> Artifacts:
        """Read a run's folder; what was made before the run was retrained is left out.

        Args:
            root: The folder of a run whose stages are all finished; the caller has checked its SHA-256 sums, and read
                its configuration.

        Raises:
            InputError: A file that every finished run has is missing or cannot be read.
        """
        root = Path(root)
        manifest = read_json(root / "manifest.json")
        files = {name: root / f"{name}.json" for name in _OPTIONAL} | {"groups": root / "explanation" / "groups.json"}
        optional, stale = _current(files, manifest)
        studies = {path.parent.name: path for path in sorted(root.glob("ablation/*/ablation.json"))}
        ablations, stale_ablations = _current(studies, manifest)
        dictionary = read_json(root / "features.json")
        lesions = root / "explanation" / "lesions.parquet"
        return cls(
            name=root.resolve().name,
            config=tomllib.loads((root / "config.toml").read_text("utf-8")),
            manifest=manifest,
            metrics=read_json(root / "metrics.json"),
            blend=read_json(root / "blend.json"),
            features=dictionary["features"],
            state=FeatureState.from_dict(dictionary["state"]),
            oof=pl.read_parquet(root / "oof.parquet"),
            optional=optional,
            ablations=ablations,
            drivers=pl.read_parquet(lesions) if "groups" in optional and lesions.is_file() else None,
            stale=stale | ({"ablations"} if stale_ablations else frozenset()),
        )

    @property
    def learners(self) -> list[str]:
        """The learners' columns, in the order of the metrics."""
        return [name for name in self.metrics["scores"] if name in self.blend["weights"]]

    @property
    def replicates(self) -> int:
        """Replicates of the run's bootstrap; the report's own intervals use as many."""
        return int(self.config["metrics"]["replicates"])

    @property
    def seed(self) -> int:
        """Seed of the run's bootstrap; the report's own intervals use the same."""
        return int(self.config["metrics"]["seed"])


def _current(files: Mapping[str, Path], manifest: dict[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
    """The existing files that were made from the run as it is now, and the names of the outdated ones."""
    there = {name: read_json(path) for name, path in files.items() if path.is_file()}
    recorded = {name: sha256 for stage in manifest["stages"].values() for name, sha256 in stage["outputs"].items()}
    stale = frozenset(
        name
        for name, content in there.items()
        if not (made_from := content.get("made_from"))
        or any(recorded.get(part) != sha256 for part, sha256 in made_from.items())
    )
    return {name: content for name, content in there.items() if name not in stale}, stale
