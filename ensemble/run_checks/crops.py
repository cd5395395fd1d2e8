"""Does the mere presence of a crop give the label away?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import fisher_exact

from cohort.findings import Check, Finding

PRESENCE = Check("UD216", "crops whose presence tells the label", "warning")
#: Significance level: chance alone gives a warning in one of a hundred runs.
LEVEL = 0.01


def telling_presence(has_crop: npt.NDArray[np.bool_], target: npt.NDArray[np.int8]) -> Finding:
    """Compare the share of lesions with a crop between malignant and benign ones, by Fisher's exact test.

    If it differs, a model that sees images learns what "no crop" means in this table, and its figures say nothing
    about a table whose crops were chosen differently. The units of the test are lesions, not patients.

    Args:
        has_crop: Which lesions have one, shape (lesions,).
        target: 0 benign, 1 malignant, shape (lesions,).
    """
    counts = [[int((has_crop[target == label] == seen).sum()) for seen in (True, False)] for label in (1, 0)]
    (malignant, _), (benign, _) = counts
    of_malignant, of_benign = (sum(row) for row in counts)
    if not of_malignant or not of_benign:
        return PRESENCE.not_applicable("the lesions are of one class")
    p = float(fisher_exact(counts).pvalue)
    measured = (
        f"{malignant:,} of {of_malignant:,} malignant lesions ({malignant / of_malignant:.1%}) have a crop, "
        f"and {benign:,} of {of_benign:,} benign ones ({benign / of_benign:.1%}); Fisher's exact test: p = {p:.2g}"
    )
    ask = PRESENCE.found if p < LEVEL else PRESENCE.clear
    return ask(measured, malignant=malignant / of_malignant, benign=benign / of_benign, p=p)
