"""Every check of a run, one after the other; what cannot be measured is reported as such."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
from polars.exceptions import PolarsError

from cohort.findings import Check, Finding, as_report
from cohort.frames import ID, join_by_id
from cohort.reading import Cohort
from engine.errors import InputError
from engine.files import read_json, write_json
from ensemble.calibration import Calibration
from ensemble.fusion import read_blend
from ensemble.model_store import ModelStore
from ensemble.run_checks import RUN_CHECKS
from ensemble.run_checks.baseline import NOT_BETTER, PLAIN_GROUPS, against_baseline, logistic_scores
from ensemble.run_checks.calibration import MISCALIBRATED, calibrated
from ensemble.run_checks.crops import PRESENCE, telling_presence
from ensemble.run_checks.files import CHANGED, NO_MODEL, changed_files, missing_models
from ensemble.run_checks.hospital import TELLTALE, telltale_hospital
from ensemble.run_checks.image_hospital import IMAGE_HOSPITAL, knows_hospital
from ensemble.run_checks.leaks import (
    FORBIDDEN,
    SPLIT_PATIENT,
    WRONG_LESIONS,
    forbidden_features,
    scored_lesions,
    split_patients,
)
from ensemble.run_checks.new_lesions import OTHER_SCALE, SHIFTED, ScoreScale, shifted_features
from ensemble.run_checks.single_feature import (
    DOMINANT,
    SMALL_LESIONS,
    contribution_shares,
    dominant_feature,
    small_lesions,
)
from ensemble.run_checks.stability import BY_FOLD, BY_SEED, between_folds, between_seeds, scores_by_seed
from ensemble.run_checks.weights import EDGE_WEIGHT, edge_weights
from submissions.fitted_run import FittedRun
from uglyduck.run.run import Run, open_run
from uglyduck.studies.new_lesions import NewTable

_SIZE, _HOSPITAL = "clin_size_long_diam_mm", "attribution"
_NO_TABLE = "give new lesions with --metadata"


def check_run(root: Path, metadata: Path | None = None) -> list[Finding]:
    """Answer every check of a run, and write them to findings.json in its folder.

    Args:
        root: The run folder.
        metadata: A table of new lesions to compare with training.

    Raises:
        InputError: The run's configuration cannot be read.
    """
    run = open_run(root)
    findings = RunChecks(run, metadata).findings()
    report = {**as_report(str(root), findings), "made_from": run.state}
    write_json(report, run.folder.root / "findings.json")
    return findings


class _DoesNotApplyError(Exception):
    """The check does not apply; the message says why."""


@dataclass(frozen=True)
class RunChecks:
    """The checks of one run.

    Attributes:
        run: The run.
        metadata: A table of new lesions, for the checks that compare with them.
    """

    run: Run
    metadata: Path | None = None

    def findings(self) -> list[Finding]:
        """The answer to every check, in the order of the codes."""
        return [self.answer(check) for check in RUN_CHECKS]

    def answer(self, check: Check) -> Finding:
        """The answer to one check; "not applicable" if it cannot be measured."""
        try:
            return self._questions()[check]()
        except _DoesNotApplyError as reason:
            return check.not_applicable(str(reason))
        except (InputError, PolarsError, OSError) as error:
            return check.not_applicable(f"could not be measured ({' '.join(str(error).split())})")

    def _questions(self) -> dict[Check, Callable[[], Finding]]:
        run, replicates = self.run, self.run.config.metrics.replicates
        return {
            SPLIT_PATIENT: lambda: split_patients(pl.read_parquet(run.folder.folds)),
            FORBIDDEN: self._features,
            WRONG_LESIONS: lambda: scored_lesions(run.folds.frame, self._oof),
            CHANGED: lambda: changed_files(run.folder.root, run.manifest.recorded),
            NO_MODEL: self._models,
            DOMINANT: self._dominant,
            SMALL_LESIONS: lambda: small_lesions(
                self._column(_SIZE).to_numpy(),
                run.target,
                self._scored["blend"].to_numpy(),
                run.folds.frame["patient_id"],
                replicates=replicates,
            ),
            NOT_BETTER: self._baseline,
            BY_FOLD: lambda: between_folds(self._scored, replicates=replicates),
            BY_SEED: self._seeds,
            EDGE_WEIGHT: lambda: edge_weights(read_blend(read_json(self._finished(run.folder.blend)))),
            TELLTALE: self._hospital,
            MISCALIBRATED: lambda: calibrated(
                self._scored, Calibration.from_dict(read_json(self._finished(run.folder.calibration)))
            ),
            SHIFTED: self._shift,
            OTHER_SCALE: self._scale,
            PRESENCE: self._presence,
            IMAGE_HOSPITAL: self._image_hospital,
        }

    @cached_property
    def _oof(self) -> pl.DataFrame:
        return pl.read_parquet(self._finished(self.run.folder.oof))

    @cached_property
    def _scored(self) -> pl.DataFrame:
        """Out-of-fold scores in the order of the folds."""
        return join_by_id(self.run.folds.frame.select(ID), self._oof)

    @cached_property
    def _store(self) -> ModelStore:
        return ModelStore(self._finished(self.run.folder.models))

    @cached_property
    def _new(self) -> tuple[Cohort, FittedRun]:
        if self.metadata is None:
            raise _DoesNotApplyError(_NO_TABLE)
        self._finished(self.run.folder.blend)
        return NewTable(self.metadata).read(self.run), self.run.fitted()

    def _finished(self, path: Path) -> Path:
        if not path.exists():
            raise _DoesNotApplyError(f"the run has no {path.name} yet")
        return path

    def _column(self, name: str) -> pl.Series:
        """A column of the training table."""
        frame = self.run.lesions.frame
        if name not in frame.columns:
            raise _DoesNotApplyError(f"the table has no column {name}")
        return frame[name]

    def _features(self) -> Finding:
        built = pl.read_parquet_schema(self._finished(self.run.folder.features))
        space = self._store.space if self.run.folder.models.exists() else None
        return forbidden_features(sorted({*built, *(space.names if space else ())} - {ID}))

    def _models(self) -> Finding:
        return missing_models(self._store, self.run.plan.slots())

    def _dominant(self) -> Finding:
        run = self.run
        plan = replace(run.plan, learners=run.learners)
        shares = contribution_shares(plan, self._store, run.matrix, threads=run.threads)
        return dominant_feature(run.matrix, run.target, shares)

    def _baseline(self) -> Finding:
        run = self.run
        plain = [spec["name"] for spec in run.specs if spec["group"] in PLAIN_GROUPS]
        if not plain:
            raise _DoesNotApplyError(f"the run builds none of the groups {', '.join(PLAIN_GROUPS)}")
        baseline = logistic_scores(run.plan, run.table, plain, run.runner)
        return against_baseline(self._scored, baseline, replicates=run.config.metrics.replicates)

    def _seeds(self) -> Finding:
        run = self.run
        if len(run.plan.seeds) < 2:
            raise _DoesNotApplyError("the run has one seed")
        scores = scores_by_seed(run.plan, list(run.learners), run.table, run.runner)
        patient = run.folds.frame["patient_id"]
        return between_seeds(scores, run.target, patient, replicates=run.config.metrics.replicates)

    def _hospital(self) -> Finding:
        run = self.run
        names = [spec["name"] for spec in run.specs if _HOSPITAL not in spec["needs"]]
        patient, fold = run.folds.frame["patient_id"], run.plan.assignments[0]
        return telltale_hospital(run.matrix, names, self._column(_HOSPITAL), patient, fold, runner=run.runner)

    def _shift(self) -> Finding:
        (cohort, fitted), run = self._new, self.run
        names = [name for name in run.matrix.space.names if name not in run.image_features]
        train = run.matrix.part(np.arange(len(run.matrix)), names)
        new = train.space.encode(pl.concat(fitted.features(cohort.frame)))
        return shifted_features(train, run.folds.frame["patient_id"], new, cohort.frame["patient_id"].n_unique())

    def _presence(self) -> Finding:
        run = self.run
        if run.image_table is None:
            raise _DoesNotApplyError("the run has no images")
        self._finished(run.image_table)
        return telling_presence(run.has_crop, run.target)

    def _image_hospital(self) -> Finding:
        metrics = read_json(self._finished(self.run.folder.metrics))
        if self.run.image_table is None:
            raise _DoesNotApplyError("the run has no images")
        return knows_hospital(metrics.get("hospital", {}))

    def _scale(self) -> Finding:
        cohort, fitted = self._new
        new = fitted.score(cohort.frame, anyway=True, warn=False)["blend"].to_numpy()
        column = "table" if "table" in self._scored.columns else "blend"  # new lesions are scored without images here
        patients = cohort.frame["patient_id"].n_unique()
        known, patient = self._scored[column].to_numpy(), self.run.folds.frame["patient_id"]
        return ScoreScale.of(known, patient, patients).compare(new, patients)
