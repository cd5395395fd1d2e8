"""The group `context`: what the patient's other lesions say about this one without measuring a difference to them."""

from __future__ import annotations

from features.groups.body import BODY
from features.groups.counts import COUNTS, VISITS
from features.groups.feature import feature_group
from features.groups.unusual import UNUSUAL

CONTEXT = feature_group(
    "context",
    "Counts, visits, area, skin tone and spread of the patient's lesions; how unusual the patient and the lesion are.",
    (*COUNTS, *VISITS, *BODY, *UNUSUAL),
)
