"""Descriptors against crops whose numbers follow from how they were drawn."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from cohort.skin_tone import individual_typology_angle
from cohort.stores.protocol import Crop
from image_embeddings.descriptors.colour import lab
from image_embeddings.descriptors.numbers import describe_crops
from image_embeddings.descriptors.region import Region
from image_embeddings.descriptors.segmentation import segment


def described(*pictures: np.ndarray) -> dict[str, np.ndarray]:
    return describe_crops([Crop("ISIC_1", picture, 3000) for picture in pictures])


# sRGB to CIELAB (D65), from the formulas of IEC 61966-2-1 and CIE 15: white, black, mid grey, the primaries.
@pytest.mark.parametrize(
    ("rgb", "expected"),
    [
        ((255, 255, 255), (100.0, 0.0, 0.0)),
        ((0, 0, 0), (0.0, 0.0, 0.0)),
        ((119, 119, 119), (50.03, 0.0, 0.0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
    ],
)
def test_lab_of_known_colours(rgb: tuple[int, int, int], expected: tuple[float, float, float]) -> None:
    np.testing.assert_allclose(lab(np.array([[rgb]], np.uint8)).ravel(), expected, atol=0.3)


def test_lab_keeps_planes_first() -> None:
    assert lab(np.zeros((2, 5, 7, 3), np.uint8)).shape == (3, 2, 5, 7)


def test_typology_angle_of_light_and_dark_skin() -> None:
    # atan2(70 - 50, 15) = 53.13 degrees; atan2(35 - 50, 15) = -45 degrees.
    angle = individual_typology_angle(np.array([70, 35], np.float32), np.array([15, 15], np.float32))
    np.testing.assert_allclose(angle, [53.13, -45.0], atol=0.01)


def test_names_and_finiteness_do_not_depend_on_the_crop(draw: SimpleNamespace) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (70, 90, 3), dtype=np.uint8)
    pictures = [
        draw.disc(0.3, (90, 50, 40)),
        np.zeros((51, 51, 3), np.uint8),
        np.full((239, 239, 3), 255, np.uint8),
        noise,
    ]
    together = described(*pictures)
    assert len(together) > 200
    for place, picture in enumerate(pictures):
        alone = described(picture)
        assert list(alone) == list(together)
        assert all(np.isfinite(value).all() and value.shape == (1,) for value in alone.values())
        # The same crop alone and in a batch, to the rounding of float32 sums.
        for name, value in alone.items():
            np.testing.assert_allclose(together[name][place], value[0], rtol=1e-4, atol=1e-4, err_msg=name)


def test_a_disc_has_the_size_it_was_drawn_with(draw: SimpleNamespace) -> None:
    # Radius 0.4 of 7.5 mm is 3 mm: area 28.27, perimeter 18.85, diameter 6.
    numbers = described(draw.disc(0.4, (100, 50, 40)))
    assert numbers["shape_area_mm2"][0] == pytest.approx(28.27, rel=0.06)
    assert numbers["shape_perimeter_mm"][0] == pytest.approx(18.85, rel=0.06)
    assert numbers["shape_diameter_mm"][0] == pytest.approx(6.0, rel=0.04)
    assert numbers["shape_minor_axis_mm"][0] == pytest.approx(6.0, rel=0.04)
    assert numbers["shape_compactness"][0] == pytest.approx(1.0, abs=0.08)
    assert numbers["shape_eccentricity"][0] < 0.2
    assert numbers["shape_asymmetry_major"][0] < 0.08
    assert numbers["shape_centre_offset_mm"][0] < 0.1


def test_an_ellipse_twice_as_wide_as_high(draw: SimpleNamespace) -> None:
    # Eccentricity sqrt(1 - 1/4) = 0.866.
    numbers = described(draw.disc(0.25, (100, 50, 40), stretch=2))
    assert numbers["shape_eccentricity"][0] == pytest.approx(0.866, abs=0.03)
    assert numbers["shape_diameter_mm"][0] == pytest.approx(2 * numbers["shape_minor_axis_mm"][0], rel=0.08)


def test_colours_inside_and_around(draw: SimpleNamespace) -> None:
    lesion = (120, 60, 50)
    numbers = described(draw.disc(0.45, lesion))
    inside = lab(np.array([[lesion]], np.uint8)).ravel()
    skin = lab(np.array([[draw.skin]], np.uint8)).ravel()
    for axis, own, around in zip("lab", inside, skin, strict=True):
        assert numbers[f"skin_{axis}"][0] == pytest.approx(around, abs=0.5)
        assert numbers[f"inside_{axis}_median"][0] == pytest.approx(own - around, abs=1.0)
        assert numbers[f"ring0_{axis}_mean"][0] == pytest.approx(own, abs=0.5)
        assert numbers[f"crop_{axis}_p98"][0] == pytest.approx(max(own, around), abs=0.6)


def test_half_a_lesion_in_another_colour_is_asymmetric_in_colour_only(draw: SimpleNamespace) -> None:
    even = draw.disc(0.45, (120, 60, 50), stretch=1.5)
    odd = even.copy()
    odd[:, :64][even[:, :64, 0] == 120] = (60, 40, 60)
    plain, split = described(even), described(odd)
    # Mirroring along the long axis (about the minor axis) swaps the halves.
    worst = max(split["colour_asymmetry_major"][0], split["colour_asymmetry_minor"][0])
    assert worst > 10 + max(plain["colour_asymmetry_major"][0], plain["colour_asymmetry_minor"][0])
    assert split["shape_asymmetry_major"][0] < 0.1


def test_a_disc_changes_outwards_and_a_star_also_around() -> None:
    axis = (np.arange(128) + 0.5) / 128 * 2 - 1
    distance, angle = np.hypot(axis[:, None], axis), np.arctan2(axis[:, None], axis)
    disc, star = (
        np.where((distance < edge)[:, :, None], (90, 50, 40), (205, 160, 135)).astype(np.uint8)
        for edge in (0.38, 0.38 + 0.07 * np.cos(6 * angle))
    )
    numbers = described(disc, star, np.full((128, 128, 3), 200, np.uint8))
    # The outline lies in the third ring, 0.3 to 0.45; it is lighter outside, and an even crop changes nowhere.
    assert numbers["gradient2_l_outwards"][0] > 5
    assert numbers["gradient2_l_outwards"][2] == pytest.approx(0, abs=1e-4)
    for scale in ("fine", "coarse"):
        around = numbers[f"gradient2_l_around_{scale}"]
        assert around[0] < -1.5
        assert around[1] > around[0] + 0.8
        assert around[2] == pytest.approx(0, abs=1e-4)


def test_gradients_do_not_depend_on_how_the_crop_is_turned(draw: SimpleNamespace) -> None:
    # At the size that colour is measured at: resizing rounds first along the rows.
    picture = draw.disc(0.4, (90, 50, 40), size=64, centre=(0.1, 0.05), stretch=1.4, noise=6)
    numbers = described(picture, np.rot90(picture), picture[:, ::-1])
    for name, values in numbers.items():
        if name.startswith("gradient"):
            np.testing.assert_allclose(values, values[0], atol=1e-4, err_msg=name)


def test_noise_shows_in_the_finest_band_only_where_it_is(draw: SimpleNamespace) -> None:
    numbers = described(draw.disc(0.3, (120, 60, 50)), draw.disc(0.3, (120, 60, 50), noise=20))
    fine = numbers["texture_l_band0_rim"]
    assert fine[1] > fine[0] + 2


def test_parallel_lines_are_coherent_and_noise_is_not() -> None:
    lines = np.broadcast_to((np.arange(128) // 8 % 2 * 90 + 80)[None, :, None], (128, 128, 3)).astype(np.uint8)
    noise = np.random.default_rng(1).integers(60, 200, (128, 128, 3), dtype=np.uint8)
    coherence = described(lines, noise)["texture_coherence_rim"]
    assert coherence[0] > 0.95
    assert coherence[1] < 0.2


def test_pattern_shares_sum_to_one(draw: SimpleNamespace) -> None:
    numbers = described(draw.disc(0.3, (120, 60, 50), noise=5))
    for zone in ("fine_centre", "fine_around", "coarse_centre", "coarse_around"):
        assert sum(numbers[f"lbp_{zone}_{code}"][0] for code in range(10)) == pytest.approx(1)


def test_file_numbers() -> None:
    numbers = describe_crops([Crop("ISIC_1", np.zeros((50, 100, 3), np.uint8), 1000)])
    assert (numbers["crop_width_px"][0], numbers["crop_bytes"][0]) == (100, 1000)
    assert numbers["crop_bytes_per_px"][0] == pytest.approx(0.2)


def test_segmentation_keeps_the_central_part_and_fills_holes(draw: SimpleNamespace) -> None:
    picture = draw.disc(0.4, (100, 50, 40), size=64)
    picture[30:34, 30:34] = draw.skin  # a hole in the middle
    picture[2:6, 2:6] = (90, 40, 30)  # another lesion in the corner
    mask = segment(lab(picture[None])).mask[0]
    assert mask[31, 31]
    assert not mask[3, 3]
    assert mask.sum() == pytest.approx(np.pi * (0.4 * 32) ** 2, rel=0.08)


def test_segmentation_of_a_flat_crop_is_never_empty() -> None:
    assert segment(lab(np.full((2, 64, 64, 3), 128, np.uint8))).mask.any(axis=(1, 2)).all()


def test_region_statistics_against_loops() -> None:
    chance = np.random.default_rng(3)
    mask = chance.random((4, 8, 8)) < 0.4
    plane = chance.normal(size=(4, 8, 8)).astype(np.float32)
    region = Region(mask)
    values = region.values(plane)
    mean = region.mean(values)
    for place in range(4):
        own = plane[place][mask[place]].astype(float)
        assert mean[place] == pytest.approx(own.mean())
        assert region.std(values, mean)[place] == pytest.approx(own.std())
        # Nearest rank: the floor(0.5 n)-th of the sorted values, counted from 0.
        assert region.quantiles(values, (0.5,))[0][place] == pytest.approx(np.sort(own)[len(own) // 2])
