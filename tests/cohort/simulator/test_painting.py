"""The painter's parts against hand-worked values."""

import numpy as np
import pytest

from cohort.simulator.painting.canvas import (
    band_pass,
    between,
    canvas,
    fields,
    low_pass,
    sigmoid,
    squared_frequency,
    stream,
)
from cohort.simulator.painting.light import to_srgb
from cohort.simulator.painting.strokes import coverage


def colour(L: float, a: float, b: float, light: float = 1.0) -> np.ndarray:
    lab = np.full((3, 1, 1), 0, np.float32) + np.array([L, a, b], np.float32)[:, None, None]
    return to_srgb(lab, np.full((1, 1), light, np.float32))[:, 0, 0]


@pytest.mark.parametrize(
    ("lab", "rgb"),
    [
        ((100.0, 0.0, 0.0), (255, 255, 255)),
        ((53.585, 0.0, 0.0), (128, 128, 128)),
        ((53.241, 80.092, 67.203), (255, 0, 0)),  # sRGB red
        ((87.735, -86.183, 83.179), (0, 255, 0)),  # green
        ((32.297, 79.188, -107.860), (0, 0, 255)),  # blue
        ((65.0, 15.0, 25.0), (198, 146, 113)),  # skin, by CIE 15:2004 with a calculator
    ],
)
def test_lab_becomes_srgb(lab: tuple[float, float, float], rgb: tuple[int, int, int]) -> None:
    assert np.clip(colour(*lab), 0, 255) == pytest.approx(rgb, abs=1.5)


def test_light_scales_the_linear_values() -> None:
    # Half of the light of white is linear 0.5: 1.055 · 0.5^(1/2.4) - 0.055 = 0.7354, level 187.5.
    assert colour(100, 0, 0, 0.5) == pytest.approx(187.5, abs=0.2)


def test_canvas_is_15_mm_wide_and_centred() -> None:
    on = canvas(75)
    assert on.pitch == pytest.approx(0.2)
    assert on.x[0, 37] == on.y[37, 0] == 0
    assert on.x[0, -1] == pytest.approx(7.4)
    assert on.y[-1, 0] == pytest.approx(7.4)
    assert on.period >= 75
    # One cycle over the period of 75 · 0.2 = 15 mm.
    assert on.fx[0, 1] == pytest.approx(1 / 15)


@pytest.mark.parametrize("side", [51, 127, 239])
@pytest.mark.parametrize("coarse", [False, True])
def test_fields_have_mean_0_and_variance_1(side: int, coarse: bool) -> None:
    on = canvas(side).coarse if coarse else canvas(side)
    # Points between those of a coarse canvas are means, which costs fine detail variance.
    spectrum = band_pass(squared_frequency(on), 0.3 if coarse else 1.0, 0.2)
    made = fields(on, np.random.default_rng(0), [spectrum] * 16)
    made = between(made) if coarse else made
    assert made.shape == (16, side, side)
    assert made.dtype == np.float32
    assert made.mean() == pytest.approx(0, abs=0.02)
    assert made.std() == pytest.approx(1, abs=0.1 if coarse else 0.06)
    # Independent of each other: 120 pairs, each known to about 1 / sqrt(100 grains) at least.
    assert np.abs(np.corrcoef(made.reshape(16, -1))[np.triu_indices(16, 1)]).mean() < 0.15


def test_a_stretched_field_is_longer_along_its_angle() -> None:
    on = canvas(127)
    long = low_pass(squared_frequency(on, angle=0.0, stretch=4.0), 0.8, 2.0)
    field = fields(on, np.random.default_rng(1), [long])[0]
    along, across = np.diff(field, axis=1).std(), np.diff(field, axis=0).std()
    assert across / along == pytest.approx(4, rel=0.3)


def test_streams_differ_by_seed_lesion_and_stage() -> None:
    first = [
        stream(*key).random() for key in ((0, "a", "scene"), (1, "a", "scene"), (0, "b", "scene"), (0, "a", "signs"))
    ]
    assert len(set(first)) == 4
    assert stream(0, "a", "scene").random() == first[0]


def test_sigmoid_without_overflow() -> None:
    value = np.array([-1e6, -np.log(3), 0, np.log(3), 1e6], np.float32)
    assert sigmoid(value) == pytest.approx([0, 0.25, 0.5, 0.75, 1])


def test_a_stroke_covers_its_length_times_its_width() -> None:
    on = canvas(150)  # 0.1 mm a pixel
    path = np.array([[[-5.0, 0.0], [5.0, 0.0]]], np.float32)
    mask = coverage(on, path, np.array([0.6], np.float32), np.array([1.0], np.float32), blur_mm=0.1)
    # 10 mm · 0.6 mm = 600 pixels.
    assert mask.sum() == pytest.approx(600, rel=0.06)
    assert mask[75, 75] == pytest.approx(1, abs=0.02)
    assert mask[100, 75] == 0
