"""Names of features in a reader's words: "lightness inside, against the patient"."""

from __future__ import annotations

from cohort.columns import SLICE3D
from features.groups.scopes import SCOPES

_DESCRIBED = {column.name: column.description.partition(";")[0].partition(":")[0] for column in SLICE3D}
_SCOPES = {scope.name: scope.words for scope in SCOPES} | {
    "hospital": "the hospital",
    "neighbours": "the nearest lesions",
}
_FORMS = {"context_level": "the patient's average", "context_spread": "how much it varies within the patient"}


def plain_name(feature: str) -> str:
    """A feature in plain words; if it is not known, its name without underscores.

    Args:
        feature: Column of the feature table, such as "tbp_lv_L__patient_z".
    """
    number, _, suffix = feature.partition("__")
    described = _DESCRIBED.get(number, number.removeprefix("context_").replace("_", " "))
    scope, _, form = suffix.partition("_")
    if suffix in _FORMS:
        return f"{described}, {_FORMS[suffix]}"
    if scope in _SCOPES:
        return f"{described}, {'place among' if form == 'rank' else 'against'} {_SCOPES[scope]}"
    return f"{described}, {suffix.replace('_', ' ')}" if suffix else described
