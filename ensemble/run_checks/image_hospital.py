"""Does an image score know the hospital, or the camera, rather than the lesion?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cohort.findings import Check, Finding
from cv_folds.hospital_share import FEWEST, in_words

IMAGE_HOSPITAL = Check("UD217", "an image model that knows the hospital", "warning")
#: Share of what the pooled AUC has above chance.
LIMIT = 0.05


def knows_hospital(found: Mapping[str, dict[str, Any] | None]) -> Finding:
    """Whether the hospital explains a part of an image score's AUC that is distinguishable from 0 and above `LIMIT`.

    Args:
        found: `cv_folds.hospital_share.hospital_share` of each image score, by name.
    """
    measured = {name: share for name, share in found.items() if share is not None}
    if not measured:
        return IMAGE_HOSPITAL.not_applicable(
            f"fewer than two known hospitals have {FEWEST} malignant and {FEWEST} benign lesions with an image score"
        )
    knowing = [
        name for name, share in measured.items() if (share["difference"]["low"] or 0) > 0 and share["share"] > LIMIT
    ]
    ask = IMAGE_HOSPITAL.found if knowing else IMAGE_HOSPITAL.clear
    said = {name: in_words(measured[name]) for name in knowing or measured}
    return ask("; ".join(f"{name}: {words}" for name, words in said.items()), images=measured)
