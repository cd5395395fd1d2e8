"""Test cohorts that differ from the train cohort, for measuring robustness."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from cohort.simulator.calibration import WorldCalibration, parse
from cohort.simulator.patients import TILES
from engine.errors import InputError

NEW_HOSPITAL = "Simulated Teaching Hospital"
SHIFTS = ("hospital", "prevalence", "both")
"""`hospital`: every patient comes from a hospital that train does not have, mostly under white lighting, a third of
them with darker skin; `prevalence`: three times the published share of malignant lesions; `both`: both."""
_PREVALENCE = 3.0
_WHITE_SHARE = 0.8
_SKIN: tuple[dict[str, Any], ...] = (
    {"lesions": 65_000, "malignant": 80, "tagged": 3500, "offset": {"tbp_lv_Lext": 0.3, "tbp_lv_Aext": 0.3}},
    {"lesions": 35_000, "malignant": 20, "tagged": 1500, "offset": {"tbp_lv_Lext": -1.3, "tbp_lv_Bext": 0.3}},
)


def shifted(calibration: WorldCalibration, shift: str | None) -> tuple[WorldCalibration, float]:
    """The calibration of a shifted population, and the factor on the share of malignant lesions.

    Raises:
        InputError: There is no such shift.
    """
    if shift is None:
        return calibration, 1.0
    if shift not in SHIFTS:
        raise InputError(f"no shift named {shift!r}", remedy=f"choose one of {', '.join(SHIFTS)}")
    factor = 1.0 if shift == "hospital" else _PREVALENCE
    return (calibration if shift == "prevalence" else _new_hospital(calibration)), factor


def _new_hospital(calibration: WorldCalibration) -> WorldCalibration:
    """One hospital in two entries of the same name, one a skin tone."""
    facts = deepcopy(dict(calibration.facts)) | {"shifted": True}
    common = {"name": NEW_HOSPITAL, "licence": "CC-BY", "white_share": _WHITE_SHARE}
    facts["hospitals"] = [{**common, **tone} for tone in _SKIN]
    for name, share in zip(TILES, (1 - _WHITE_SHARE, _WHITE_SHARE), strict=True):
        rate = facts["tiles"][name]["malignant"] / facts["tiles"][name]["lesions"]
        facts["tiles"][name] = {"lesions": 1e5 * share, "malignant": 1e5 * share * rate}
    return parse(facts)
