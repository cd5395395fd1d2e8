"""The group `context`: what the patient's other lesions say about this one without measuring a difference to them."""

from __future__ import annotations

from features.counts import COUNTS, VISITS
from features.facts import fact_group
from features.surroundings import SURROUNDINGS
from features.unusual import UNUSUAL

CONTEXT = fact_group(
    "context",
    "Counts, visits, area, skin tone and spread of the patient's lesions; how unusual the patient and the lesion are.",
    (*COUNTS, *VISITS, *SURROUNDINGS, *UNUSUAL),
)
