"""A run's folder: where each artifact lies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.console import logging_to
from engine.errors import InputError
from engine.files import atomic_path
from engine.locks import locked


@dataclass(frozen=True)
class RunFolder:
    """Paths inside a run."""

    root: Path

    @property
    def config(self) -> Path:
        """The resolved configuration."""
        return self.root / "config.toml"

    @property
    def log(self) -> Path:
        """What each command that worked in the folder said, and when."""
        return self.root / "run.log"

    @property
    def manifest(self) -> Path:
        """Versions, seeds, git state, SHA-256 of every input and artifact."""
        return self.root / "manifest.json"

    @property
    def lesions(self) -> Path:
        """The canonical table; its rows and their order are those of every table below."""
        return self.root / "lesions.parquet"

    @property
    def folds(self) -> Path:
        """The frozen folds."""
        return self.root / "folds.parquet"

    @property
    def images(self) -> Path:
        """The image models, each in a folder of its name."""
        return self.root / "images"

    @property
    def image_models(self) -> Path:
        """Which image models the run applies, in which order; absent in a run without crops."""
        return self.images / "models.json"

    @property
    def kept_images(self) -> Path:
        """Image models that the run does not want now, each under the first digits of its identity."""
        return self.root / "images.kept"

    @property
    def image_scores(self) -> Path:
        """What several image models say of each training lesion, out of fold."""
        return self.images / "scores.parquet"

    @property
    def image_blend(self) -> Path:
        """How the scores of several image models become the one that is shown."""
        return self.root / "image-blend.json"

    @property
    def features(self) -> Path:
        """One row a lesion."""
        return self.root / "features.parquet"

    @property
    def dictionary(self) -> Path:
        """The feature dictionary, and the state that features of new lesions need."""
        return self.root / "features.json"

    @property
    def results(self) -> Path:
        """The result store: scores of every job ever asked of this run."""
        return self.root / "results"

    @property
    def models(self) -> Path:
        """Models in native formats and their manifest."""
        return self.root / "models"

    @property
    def oof(self) -> Path:
        """Out-of-fold scores."""
        return self.root / "oof.parquet"

    @property
    def blend(self) -> Path:
        """Method, weights and intercept of the blend; of a fusion, of both its blends."""
        return self.root / "blend.json"

    @property
    def calibration(self) -> Path:
        """From blended score to risk."""
        return self.root / "calibration.json"

    @property
    def table_alone(self) -> Path:
        """Blend and calibration of the learners that see the table alone, in runs with images."""
        return self.root / "table-alone.json"

    @property
    def metrics(self) -> Path:
        """Every number, with its interval."""
        return self.root / "metrics.json"

    @property
    def nested(self) -> Path:
        """Fully nested scores."""
        return self.root / "nested.parquet"

    @property
    def nested_metrics(self) -> Path:
        """Figures of the fully nested scores, next to the usual ones."""
        return self.root / "nested.json"

    @property
    def explanation(self) -> Path:
        """What moves the scores: shares of feature groups, and reasons lesion by lesion."""
        return self.root / "explanation"

    @property
    def patients(self) -> Path:
        """Pages of the run's own patients, out of fold."""
        return self.root / "patients"

    @property
    def hospitals(self) -> Path:
        """Figures of each hospital by models that never saw it."""
        return self.root / "hospitals.json"

    @contextmanager
    def filled(self) -> Iterator[None]:
        """Hold the folder while a run fills it; one refused before it made anything leaves what was there."""
        with self.locked(), self._config_kept_if_refused():
            yield

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for one process, which adds to the run's log; see `engine.locks.locked`."""
        with locked(self.root, {self.config.name, self.log.name}), logging_to(self.log):
            yield

    @contextmanager
    def _config_kept_if_refused(self) -> Iterator[None]:
        """Put the configuration back that was there where a run with another is refused before it made anything."""
        before = {path: path.read_bytes() for path in (self.config, self.manifest) if path.is_file()}
        try:
            yield
        except InputError:
            unmade = before.get(self.manifest) == (self.manifest.read_bytes() if self.manifest.is_file() else None)
            if self.config in before and unmade:
                with atomic_path(self.config) as temporary:
                    temporary.write_bytes(before[self.config])
            raise
