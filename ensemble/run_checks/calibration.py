"""Do the risks mean what they say?"""

from __future__ import annotations

import numpy as np
import polars as pl

from cohort.findings import Check, Finding
from ensemble.calibration import Calibration

MISCALIBRATED = Check("UD213", "risks that are out of range, or that are too high or too low on the whole", "warning")
FACTOR = 1.25


def calibrated(oof: pl.DataFrame, calibration: Calibration) -> Finding:
    """Compare the number of malignant lesions expected from the out-of-fold risks with the actual number.

    Lesions are weighted so that the share malignant is the prevalence for which risks are stated. The interval of
    the ratio is Poisson's for the number of malignant lesions only, so it is rather narrow.

    Args:
        oof: target and risk.
        calibration: The run's calibration.
    """
    risk, malignant = oof["risk"].to_numpy(), oof["target"].to_numpy() == 1
    outside = int((~((risk >= 0) & (risk <= 1))).sum())
    if outside:
        return MISCALIBRATED.found(f"{outside} risks are not between 0 and 1", outside=outside)
    stated, fitted = calibration.prevalence, calibration.fitted_prevalence
    weight = np.where(malignant, stated / fitted, (1 - stated) / (1 - fitted))
    ratio = float(weight[malignant].sum() / (weight * risk).sum())
    slack = float(np.exp(1.96 / np.sqrt(malignant.sum())))
    low, high = ratio / slack, ratio * slack
    measured = f"{ratio:.2f} malignant lesions ({low:.2f} to {high:.2f}) for each that the risks foretell"
    ask = MISCALIBRATED.found if low > FACTOR or high < 1 / FACTOR else MISCALIBRATED.clear
    return ask(f"{measured}, at a prevalence of {stated:.4%}", outside=0, observed_to_expected=[ratio, low, high])
