"""Do new scores look like the out-of-fold scores the later stages were fitted on?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


def shift(out_of_fold: NDArray[np.float64], new: NDArray[np.float64]) -> dict[str, Any]:
    """Compare two sets of scores.

    The mean of several folds' models varies less than one model, and new patients may differ: both show here. The
    Kolmogorov-Smirnov statistic is the largest gap between the two distribution functions, 0 to 1.

    Args:
        out_of_fold: Scores of the training lesions; NaN is ignored.
        new: Scores of the new lesions; NaN is ignored.

    Returns:
        Ready for JSON: counts, ks, ks_p, quantiles of both by level, and the ratio of their standard deviations. The
        last four are None if either side has fewer than 2 scores.
    """
    first, second = out_of_fold[np.isfinite(out_of_fold)], new[np.isfinite(new)]
    counts = {"out_of_fold": len(first), "new": len(second)}
    if min(len(first), len(second)) < 2:
        return {"counts": counts, "ks": None, "ks_p": None, "quantiles": None, "std_ratio": None}
    test = stats.ks_2samp(first, second, method="asymp")
    levels = {
        str(level): {"out_of_fold": float(np.quantile(first, level)), "new": float(np.quantile(second, level))}
        for level in QUANTILES
    }
    spread = float(first.std())
    return {
        "counts": counts,
        "ks": float(test.statistic),
        "ks_p": float(test.pvalue),
        "quantiles": levels,
        "std_ratio": float(second.std()) / spread if spread else None,
    }
