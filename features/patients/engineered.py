"""Engineered numbers: ratios, contrasts and indices of one lesion, each written as the formula that runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from features.patients.formula import Formula
from features.patients.measures import COLUMN_OF


@dataclass(frozen=True)
class Engineered:
    """A number computed from one lesion's measures.

    Attributes:
        name: Column name.
        formula: The formula, over short names.
        unit: Unit; empty for a pure number.
        source: Who published it.
        twin: Another feature that orders lesions in the same or the opposite way, so that trees gain nothing from
            both; empty if none.
        relative: Whether it is compared within the patient too.
    """

    name: str
    formula: Formula
    unit: str
    source: str
    twin: str
    relative: bool

    @property
    def needs(self) -> tuple[str, ...]:
        """Columns of the canonical frame it reads."""
        return tuple(COLUMN_OF[name] for name in self.formula.names)


def _parse(text: str, source: str, *, relative: bool = False) -> Iterator[Engineered]:
    """Read lines `name = formula [unit] ~ twin`, the last two optional; a twin is not compared within the patient."""
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, rest = line.partition(" = ")
        rest, _, twin = rest.partition(" ~ ")
        formula, _, unit = rest.partition(" [")
        yield Engineered(
            name, Formula(formula.strip()), unit.strip().removesuffix("]"), source, twin, relative and not twin
        )


_GREYSKY_TEXT = """
lesion_size_ratio = minor / diam
lesion_shape_index = area / perim**2
hue_contrast = abs(H - Hext) [degrees]
luminance_contrast = abs(L - Lext) [CIELAB L*]
lesion_color_difference = sqrt(dA**2 + dB**2 + dL**2) [CIELAB]
border_complexity = norm_border + symm
color_uniformity = color_std_mean / (radial + 1e-5)
position_distance_3d = sqrt(x**2 + y**2 + z**2) [mm]
perimeter_to_area_ratio = perim / area [1/mm]
area_to_perimeter_ratio = area / perim [mm] ~ perimeter_to_area_ratio
lesion_visibility_score = dLBnorm + norm_color
symmetry_border_consistency = symm * norm_border
consistency_symmetry_border = symm * norm_border / (symm + norm_border)
color_consistency = stdL / Lext
consistency_color = stdL * Lext / (stdL + Lext) [CIELAB L*]
size_age_interaction = diam * age [mm years]
hue_color_std_interaction = H * color_std_mean [degrees]
lesion_severity_index = (norm_border + norm_color + ecc) / 3
shape_complexity_index = norm_border + symm + area / perim**2
color_contrast_index = dA + dB + dL + dLBnorm [CIELAB]
log_lesion_area = ln(area + 1) ~ tbp_lv_areaMM2
normalized_lesion_size = diam / age [mm/year]
mean_hue_difference = (H + Hext) / 2 [degrees]
std_dev_contrast = sqrt((dA**2 + dB**2 + dL**2) / 3) [CIELAB] ~ lesion_color_difference
color_shape_composite_index = (color_std_mean + area_perim_ratio + symm) / 3
lesion_orientation_3d = atan2(y, x) [radians]
overall_color_difference = (dA + dB + dL) / 3 [CIELAB]
symmetry_perimeter_interaction = symm * perim [mm]
comprehensive_lesion_index = (area_perim_ratio + ecc + norm_color + symm) / 4
color_variance_ratio = color_std_mean / stdLExt
border_color_interaction = norm_border * norm_color
border_color_interaction_2 = norm_border * norm_color / (norm_border + norm_color)
size_color_contrast_ratio = diam / dLBnorm [mm]
age_normalized_nevi_confidence = nevi / age [%/year]
age_normalized_nevi_confidence_2 = sqrt(diam**2 + age**2)
color_asymmetry_index = radial * symm
volume_approximation_3d = area * sqrt(x**2 + y**2 + z**2) [mm³]
color_range = abs(L - Lext) + abs(A - Aext) + abs(B - Bext) [CIELAB]
shape_color_consistency = ecc * color_std_mean
border_length_ratio = perim / (2 * pi * sqrt(area / pi)) ~ lesion_shape_index
age_size_symmetry_index = age * diam * symm [mm years]
index_age_size_symmetry = age * area * symm [mm² years]
"""

_SECOND_TEXT = """
asymmetry_ratio = symm / (perim + 1e-5) [1/mm]
asymmetry_area_ratio = symm / (area + 1e-5) [1/mm²]
color_variation_intensity = norm_color * dLBnorm
color_contrast_ratio = dLBnorm / (L + 1e-5)
shape_irregularity = perim / (2 * sqrt(pi * area + 1e-5)) ~ lesion_shape_index
border_density = norm_border / (perim + 1e-5) [1/mm]
size_age_ratio = diam / (age + 1e-5) [mm/year] ~ normalized_lesion_size
area_diameter_ratio = area / (diam**2 + 1e-5)
position_norm_3d = sqrt(x**2 + y**2 + z**2) [mm] ~ position_distance_3d
position_angle_3d_xz = atan2(z, x) [radians]
lab_chroma = sqrt(A**2 + B**2) [CIELAB chroma] ~ tbp_lv_C
lab_hue = atan2(B, A) [radians] ~ tbp_lv_H
texture_contrast = stdL / (L + 1e-5)
texture_uniformity = 1 / (1 + color_std_mean) ~ tbp_lv_color_std_mean
color_difference_AB = sqrt(dA**2 + dB**2) [CIELAB]
color_difference_total = sqrt(dA**2 + dB**2 + dL**2) [CIELAB] ~ lesion_color_difference
relative_depth_3d = z / sqrt(x**2 + y**2)
lesion_aspect_ratio = perim / diam
symmetry_color_index = symm * norm_color
color_gradient_intensity = sqrt(dA**2 + dB**2 + dL**2) / diam [CIELAB/mm]
lesion_density_index = area / (x**2 + y**2 + z**2)
color_diversity_index = color_std_mean * radial
border_irregularity_size_ratio = norm_border / area [1/mm²]
estimated_growth_rate = area / (age + 1)**2 [mm²/year²]
color_asymmetry_ratio = radial / color_std_mean ~ color_uniformity
sphericity_3d = cbrt(perim**3 / (6 * pi * area**2)) [mm^(-1/3)]
"""

_TENTH_TEXT = """
age_normalized_area = area / age [mm²/year]
symmetry_eccentricity = symm * ecc
border_per_size = norm_border / (sqrt(area) + 1e-5) [1/mm]
lesion_flatness = sqrt(x**2 + y**2) / (z + 1e-5) ~ relative_depth_3d
relative_hue_difference = abs(H - Hext) / (H + Hext + 1e-5)
color_volume_root = cbrt(L * A * B) [CIELAB]
color_per_log_size = norm_color / ln(diam + 1)
normalized_texture_L = (stdL + color_std_mean) / L
normalized_texture_A = (stdL + color_std_mean) / abs(A + 1e-5)
normalized_texture_B = (stdL + color_std_mean) / abs(B + 1e-5)
disc_area_ratio = pi * (diam / 2)**2 / area ~ area_diameter_ratio
log_disc_area = ln(1 + pi * (diam / 2)**2) ~ clin_size_long_diam_mm
"""

_OTHERS_TEXT = """
hue_difference = H - Hext [degrees]
border_perimeter_interaction = norm_border * perim [mm]
perimeter_root_area_ratio = perim / sqrt(area) ~ lesion_shape_index
axis_ratio = diam / minor ~ lesion_size_ratio
total_contrast = abs(dA) + abs(dB) + abs(dL) [CIELAB]
contrast_size_interaction = dLBnorm * diam [mm]
eccentric_symmetry = ecc * (1 - symm)
circularity = 4 * pi * area / perim**2 ~ lesion_shape_index
red_ratio = A / Aext
yellow_ratio = B / Bext
chroma_ratio = C / Cext
hue_ratio = H / Hext
lightness_ratio = L / Lext
chroma_difference = C - Cext [CIELAB chroma]
red_yellow_ratio = A / B ~ tbp_lv_H
position_angle_3d_yz = atan2(z, y) [radians]
texture_ratio = stdL / stdLExt
"""

_OWN_TEXT = """
ellipse_fill = area / (pi / 4 * diam * minor)
size_geometric_mean = sqrt(diam * minor) [mm]
border_residual = norm_border - 0.1807 * area_perim_ratio - 7.43 * symm
contrast_normaliser = dLBnorm / dLB
lesion_ita = degrees(atan2(L - 50, B)) [degrees]
"""

ENGINEERED: tuple[Engineered, ...] = (
    *_parse(_GREYSKY_TEXT, "greysky, ISIC 2024 'Only Tabular Data'", relative=True),
    *_parse(_SECOND_TEXT, "ISIC 2024, second place"),
    *_parse(_TENTH_TEXT, "ISIC 2024, tenth place"),
    *_parse(_OTHERS_TEXT, "ISIC 2024, other published solutions"),
    *_parse(_OWN_TEXT, "uglyduck", relative=True),
)
"""Every engineered number."""
