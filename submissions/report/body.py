"""Where a patient's lesions are on a body seen from the front and from behind.

Coordinates of total body photography (`tbp_lv_x`, `_y`, `_z`) are millimetres; y runs from the feet to the head, z from
front to back. The direction of x differs between patients, so it is inferred from lesions on the left and on the right.
If coordinates are missing, the location or body site gives the region, and lesions are spread over it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
View = Literal["front", "back"]
POSITION = ("tbp_lv_x", "tbp_lv_y", "tbp_lv_z")
LOCATION, SITE = "tbp_lv_location", "anatom_site_general"


@dataclass(frozen=True)
class Region:
    """A part of the body.

    Attributes:
        x: Middle, mm towards the patient's left.
        y: Middle, mm above the feet.
        z: Depth that divides front from back, mm.
        wide: Half the width that lesions without coordinates are spread over, mm.
        tall: Half the height, mm.
        view: The side it is seen from, if its name says so.
    """

    x: float
    y: float
    z: float
    wide: float
    tall: float
    view: View | None = None


def _limbs() -> dict[str, Region]:
    found: dict[str, Region] = {}
    for side, sign in (("Left", 1), ("Right", -1)):
        found |= {
            f"{side} Arm - Upper": Region(sign * 255, 1230, 37, 25, 110),
            f"{side} Arm - Lower": Region(sign * 340, 1000, 2, 25, 110),
            f"{side} Arm": Region(sign * 290, 1130, 22, 20, 200),
            f"{side} Leg - Upper": Region(sign * 120, 690, 67, 45, 150),
            f"{side} Leg - Lower": Region(sign * 132, 280, 92, 35, 170),
            f"{side} Leg": Region(sign * 130, 480, 77, 35, 330),
        }
    return found


#: The locations of SLICE-3D; middles and depths near their published means.
REGIONS: dict[str, Region] = _limbs() | {
    "Head & Neck": Region(0, 1620, 55, 70, 100),
    "Torso Front": Region(0, 1200, 30, 130, 220, "front"),
    "Torso Front Top Half": Region(0, 1320, 30, 140, 90, "front"),
    "Torso Front Bottom Half": Region(0, 1060, 30, 120, 110, "front"),
    "Torso Back": Region(0, 1200, 30, 130, 220, "back"),
    "Torso Back Top Third": Region(0, 1360, 30, 140, 70, "back"),
    "Torso Back Middle Third": Region(0, 1190, 30, 120, 70, "back"),
    "Torso Back Bottom Third": Region(0, 1030, 30, 130, 70, "back"),
}
#: Regions of body sites, used if nothing finer is known; the side of a limb is then unknown.
SITES = {
    "head/neck": "Head & Neck",
    "anterior torso": "Torso Front",
    "posterior torso": "Torso Back",
    "torso": "Torso Front",
    "lateral torso": "Torso Front",
    "upper extremity": "Left Arm",
    "lower extremity": "Left Leg",
}
LOWEST, HIGHEST, WIDEST = -60.0, 1900.0, 560.0
"""Ends of the drawing, mm; nothing beyond them is a position on a body."""
_OTHER_ORIGIN = 500.0  # a few patients' coordinates begin at the hips, a metre above the feet
_PULL = 10.0  # how many of the patient's own lesions the published depth of a region counts for
_GOLDEN = np.pi * (3 - np.sqrt(5))


def places(lesions: pl.DataFrame) -> pl.DataFrame:
    """Where to draw the lesions of one patient.

    Args:
        lesions: `isic_id` and, as far as they are known, coordinates, `tbp_lv_location` and `anatom_site_general`.

    Returns:
        In the same order, `isic_id`, `view` ("front" or "back"), `x` (mm towards the patient's left), `y` (mm above the
        feet) and `measured`, whether that comes from coordinates; null if nothing is known.
    """
    names = _region_names(lesions)
    regions = [REGIONS.get(name) for name in names]
    x, y, z = _coordinates(lesions, names, regions)
    inside = np.isfinite(x) & (np.abs(x) < WIDEST) & (y > LOWEST) & (y < HIGHEST)
    spread_x, spread_y = _spread(names, ~inside)
    views = _views(z, names, regions, inside)
    columns = {"x": np.where(inside, x, spread_x), "y": np.where(inside, y, spread_y)}
    known = pl.Series(inside | np.isfinite(spread_x))
    return lesions.select(
        "isic_id",
        view=pl.when(known).then(pl.Series(views)),
        **{name: pl.Series(values.round(1)).fill_nan(None) for name, values in columns.items()},
        measured=pl.when(known).then(pl.Series(inside)),
    )


def _region_names(lesions: pl.DataFrame) -> list[str]:
    """The finest known region of each lesion; empty if none is known."""
    nothing = pl.Series([None] * len(lesions), dtype=pl.String)
    location, site = (lesions.get_column(name, default=nothing) for name in (LOCATION, SITE))
    pairs = zip(location, site, strict=True)
    return [fine if fine in REGIONS else SITES.get(coarse, "") for fine, coarse in pairs]


def _coordinates(
    lesions: pl.DataFrame, names: list[str], regions: list[Region | None]
) -> tuple[Floats, Floats, Floats]:
    """X towards the patient's left, y above the feet, z; each (n,), NaN where missing."""
    if not set(POSITION) <= set(lesions.columns):
        missing = np.full(len(lesions), np.nan)
        return missing, missing, missing
    x, y, z = (lesions[name].cast(pl.Float64).to_numpy().copy() for name in POSITION)
    side = np.array([name.startswith("Left") * 1.0 - name.startswith("Right") * 1.0 for name in names])
    if np.nansum(x * side) < 0:
        x = -x
    off = y - np.array([np.nan if region is None else region.y for region in regions])
    if np.isfinite(off).any() and abs(shift := float(np.nanmedian(off))) > _OTHER_ORIGIN:
        y = y - shift
    return x, y, z


def _spread(names: list[str], wanted: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Spread lesions without coordinates evenly over their region, like sunflower seeds; NaN for the others."""
    x, y = np.full(len(names), np.nan), np.full(len(names), np.nan)
    for name in dict.fromkeys(names):
        rows = np.flatnonzero(np.array([each == name for each in names]) & wanted)
        if (region := REGIONS.get(name)) is None or not len(rows):
            continue
        place = np.arange(len(rows))
        distance, angle = np.sqrt((place + 0.5) / max(len(rows), 6)), place * _GOLDEN
        x[rows] = region.x + region.wide * distance * np.cos(angle)
        y[rows] = region.y + region.tall * distance * np.sin(angle)
    return x, y


def _views(z: Floats, names: list[str], regions: list[Region | None], inside: npt.NDArray[np.bool_]) -> list[str]:
    """Front or back: as the region says, else by depth relative to the middle of the patient's lesions there."""
    middles = {}
    for name in set(names):
        rows = np.array([each == name for each in names]) & inside & np.isfinite(z)
        usual = region.z if (region := REGIONS.get(name)) else 50.0
        middles[name] = (float(z[rows].sum()) + _PULL * usual) / (rows.sum() + _PULL)
    return [
        region.view
        if region and region.view
        else "front"
        if not np.isfinite(depth) or depth < middles[name]
        else "back"
        for depth, name, region in zip(z, names, regions, strict=True)
    ]
