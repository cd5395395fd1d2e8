"""What the painter knows of a lesion. Worker processes load this module: it needs no table library."""

from __future__ import annotations

from dataclasses import dataclass

Lab = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Subject:
    """One lesion as the painter sees it; lengths in mm, colours in CIELAB as the table gives them.

    Attributes:
        isic_id: Key.
        diameter: Longest diameter.
        minor_axis: Smallest diameter.
        angle: Direction of the long axis, degrees from the right, 0 to 180.
        asymmetry: Border asymmetry about the second axis, 0 to 1.
        jaggedness: Perimeter² / area.
        colour_spread: Spread of colour inside.
        colour_asymmetry: Spread of colour in concentric rings.
        spread_inside: Standard deviation of L* inside.
        spread_outside: Standard deviation of L* outside.
        inside: Mean colour inside.
        outside: Mean colour outside.
        sign: Latent strength of what only the crop shows, about standard normal for benign lesions.
        tile: Lighting of the tile.
        sex: "male", "female" or "".
        site: Body site or "".
        hospital: Institution or "".
    """

    isic_id: str
    diameter: float
    minor_axis: float
    angle: float
    asymmetry: float
    jaggedness: float
    colour_spread: float
    colour_asymmetry: float
    spread_inside: float
    spread_outside: float
    inside: Lab
    outside: Lab
    sign: float
    tile: str
    sex: str
    site: str
    hospital: str

    @property
    def contrast(self) -> Lab:
        """Colour inside minus outside."""
        (L, A, B), (Lext, Aext, Bext) = self.inside, self.outside
        return L - Lext, A - Aext, B - Bext
