"""Models that score a lesion together: whose scores are blended, how, and the resulting risk."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ensemble.blend import METHODS, Method
from ensemble.calibration import Calibration, calibrated_out_of_fold
from ensemble.calibration import Method as Calibrating
from ensemble.fusion import AnyBlend, blended_out_of_fold, fit_blend, read_blend

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Panel:
    """The models, blend and calibration that score a lesion.

    Attributes:
        models: For each learner of the blend, the name its models are stored under: its own, or that of its twin that
            sees only the table.
        blend: How the learners' scores become one.
        calibration: How that score becomes a risk.
    """

    models: Mapping[str, str]
    blend: AnyBlend
    calibration: Calibration

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "models": dict(self.models),
            "blend": self.blend.as_dict(),
            "calibration": self.calibration.as_dict(),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Panel:
        """Read the JSON form back."""
        return cls(dict(value["models"]), read_blend(value["blend"]), Calibration.from_dict(value["calibration"]))


@dataclass(frozen=True)
class FittedPanel:
    """A panel and its out-of-fold scores.

    Attributes:
        panel: For new lesions, fitted on all folds.
        blends: By method, the blended score of each fold as learned from the others; each of shape (lesions,).
        blended: The one of the chosen method.
        risk: The risk for it, calibrated likewise.
    """

    panel: Panel
    blends: Mapping[Method, Scores]
    blended: Scores
    risk: Scores

    @classmethod
    def fit(
        cls,
        models: Mapping[str, str],
        scores: Mapping[str, Scores],
        target: npt.NDArray[np.int8],
        fold: npt.NDArray[np.int8],
        *,
        blend: Method,
        calibration: Calibrating,
        prevalence: float | None,
        images: Collection[str] = (),
    ) -> FittedPanel:
        """Fit on out-of-fold scores.

        Args:
            models: See `Panel`.
            scores: Out-of-fold scores by learner, each of shape (lesions,).
            target: 0 benign, 1 malignant, shape (lesions,).
            fold: Patient fold of each lesion, shape (lesions,).
            blend: The method for new lesions.
            calibration: The method of calibration.
            prevalence: Share malignant where risks are used; None for the share in `target`.
            images: Names of the learners that see only images.
        """
        blends = {method: blended_out_of_fold(scores, target, fold, method=method, images=images) for method in METHODS}
        risk = calibrated_out_of_fold(blends[blend], target, fold, method=calibration, prevalence=prevalence)
        panel = Panel(
            models,
            fit_blend(scores, target, method=blend, images=images),
            Calibration.fit(blends[blend], target, method=calibration, prevalence=prevalence),
        )
        return cls(panel, blends, blends[blend], risk)
