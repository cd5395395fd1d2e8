"""A run's folder: where each artifact lies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.console import logging_to
from engine.errors import InputError
from engine.files import atomic_path
from engine.locks import locked


class RunFolder:
    """Paths inside a run.

    Attributes:
        root: The folder.
        config: The resolved configuration.
        log: Log lines, with times, of every command that worked in the folder.
        manifest: Versions, seeds, git state, SHA-256 of every input and artifact.
        lesions: The canonical table; its rows and their order are those of every table below.
        folds: The frozen folds.
        images: The image models, each in a folder of its name.
        image_models: The image models that the run applies, in order; absent in a run without crops.
        kept_images: Image models that the run does not currently want, each under the first digits of its identity.
        image_scores: Out-of-fold scores of each training lesion by several image models.
        image_blend: How the scores of several image models become the one shown.
        features: Features, one row per lesion.
        dictionary: The feature dictionary, and the state that features of new lesions need.
        results: The result store: scores of every job that this run ever asked for.
        models: Models in native formats and their manifest.
        oof: Out-of-fold scores.
        blend: Method, weights and intercept of the blend; for a fusion, those of both its blends.
        calibration: From blended score to risk.
        table_alone: Blend and calibration of the learners that see only the table, in runs with images.
        metrics: Every number, with its interval.
        nested: Fully nested scores.
        nested_metrics: Figures of the fully nested scores, next to the usual ones.
        explanation: What moves the scores: shares of feature groups, and reasons lesion by lesion.
        patients: Pages of the run's own patients, out of fold.
        hospitals: Figures of each hospital by models that never saw it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = root / "config.toml"
        self.log = root / "run.log"
        self.manifest = root / "manifest.json"
        self.lesions = root / "lesions.parquet"
        self.folds = root / "folds.parquet"
        self.images = root / "images"
        self.image_models = self.images / "models.json"
        self.kept_images = root / "images.kept"
        self.image_scores = self.images / "scores.parquet"
        self.image_blend = root / "image-blend.json"
        self.features = root / "features.parquet"
        self.dictionary = root / "features.json"
        self.results = root / "results"
        self.models = root / "models"
        self.oof = root / "oof.parquet"
        self.blend = root / "blend.json"
        self.calibration = root / "calibration.json"
        self.table_alone = root / "table-alone.json"
        self.metrics = root / "metrics.json"
        self.nested = root / "nested.parquet"
        self.nested_metrics = root / "nested.json"
        self.explanation = root / "explanation"
        self.patients = root / "patients"
        self.hospitals = root / "hospitals.json"

    @contextmanager
    def filled(self) -> Iterator[None]:
        """Hold the folder while a run fills it; a run refused before it made anything leaves it as it was."""
        with self.locked(), self._config_kept_if_refused():
            yield

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for one process, which appends to the run's log; see `engine.locks.locked`."""
        with locked(self.root, {self.config.name, self.log.name}), logging_to(self.log):
            yield

    @contextmanager
    def _config_kept_if_refused(self) -> Iterator[None]:
        """Restore the previous configuration if a run with another one is refused before it made anything."""
        before = {path: path.read_bytes() for path in (self.config, self.manifest) if path.is_file()}
        try:
            yield
        except InputError:
            unmade = before.get(self.manifest) == (self.manifest.read_bytes() if self.manifest.is_file() else None)
            if self.config in before and unmade:
                with atomic_path(self.config) as temporary:
                    temporary.write_bytes(before[self.config])
            raise
