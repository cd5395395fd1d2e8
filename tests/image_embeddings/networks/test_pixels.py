"""Pixels on their way to the network."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from image_embeddings.clahe import clahe
from image_embeddings.networks.augmentation import RandomView, as_tensor, augmentation, prepare
from image_embeddings.networks.scoring import seen_as
from image_embeddings.presets import PRESETS

TINY = PRESETS["tiny"]


@pytest.fixture(scope="module")
def picture(draw: SimpleNamespace) -> np.ndarray:
    return draw.disc(0.4, (110, 60, 50), size=64, centre=(0.2, 0.1), noise=4)


def test_a_crop_of_the_right_size_passes_unchanged(picture: np.ndarray) -> None:
    np.testing.assert_array_equal(prepare(picture, TINY), picture)


@pytest.mark.parametrize("shape", [(51, 51), (239, 239), (40, 90)])
def test_a_crop_of_any_size_fits(shape: tuple[int, int]) -> None:
    result = prepare(np.full((*shape, 3), 77, np.uint8), TINY)
    assert result.shape == (64, 64, 3)
    assert np.unique(result).tolist() == [77]


def test_a_share_of_the_crop_is_its_middle(picture: np.ndarray) -> None:
    preset = TINY.model_copy(update={"size": 32, "view": 0.5})
    np.testing.assert_array_equal(prepare(picture, preset), picture[16:48, 16:48])
    assert prepare(picture[:1, :3], preset.model_copy(update={"view": 0.1})).shape == (32, 32, 3)


@pytest.mark.parametrize("name", ["none", "flips", "standard", "strong", "report"])
def test_each_augmentation_keeps_shape_and_type_and_follows_its_seed(name: str, picture: np.ndarray) -> None:
    pixels, transform = as_tensor(prepare(picture, TINY)), augmentation(name)
    seen = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        seen.append(transform(pixels))
    assert seen[0].shape == (3, 64, 64)
    assert seen[0].dtype == torch.uint8
    assert torch.equal(seen[0], seen[1])
    assert torch.equal(seen[0], seen[2]) == (name == "none")


def test_a_view_without_room_is_the_crop_or_its_mirror_image(picture: np.ndarray) -> None:
    pixels = as_tensor(prepare(picture, TINY))
    view = RandomView(degrees=0, scale=(1, 1), shift=0)
    kept = 0
    for seed in range(8):
        torch.manual_seed(seed)
        seen = view(pixels)
        kept += int(torch.equal(seen, pixels))
        assert torch.equal(seen, pixels) or torch.equal(seen, pixels.flip(2))
    assert 0 < kept < 8


def test_a_rotated_view_has_no_black_corners() -> None:
    torch.manual_seed(0)
    seen = RandomView(degrees=180, scale=(0.8, 1.3), shift=0.1)(torch.full((3, 64, 64), 140, dtype=torch.uint8))
    assert seen.unique().tolist() == [140]


def test_the_eight_views_are_all_different_and_the_first_is_the_crop(picture: np.ndarray) -> None:
    batch = as_tensor(prepare(picture, TINY))[None]
    views = [seen_as(batch, view, 8) for view in range(8)]
    assert torch.equal(views[0], batch)
    assert all(not torch.equal(views[a], views[b]) for a in range(8) for b in range(a))
    assert torch.equal(seen_as(batch, 1, 2), batch.flip(3))


def test_clahe_with_one_tile_and_no_limit_is_plain_equalisation() -> None:
    # A grey ramp of four levels in equal parts: the cumulated shares are 1/4, 1/2, 3/4, 1.
    ramp = np.repeat(np.array([100, 110, 120, 130], np.uint8), 16).reshape(8, 8)
    result = clahe(np.repeat(ramp[:, :, None], 3, axis=2), tiles=1, limit=1e9)
    assert sorted(set(result[:, :, 0].ravel().tolist())) == [64, 128, 191, 255]


def test_clahe_raises_low_contrast_but_not_without_limit() -> None:
    faint = np.random.default_rng(0).integers(120, 130, (64, 64), dtype=np.uint8)
    faint = np.repeat(faint[:, :, None], 3, axis=2)
    limited, unlimited = clahe(faint, limit=2.0).std(), clahe(faint, limit=1e9).std()
    assert faint.std() < limited < unlimited


def test_clahe_of_an_even_crop_stays_even() -> None:
    assert len(np.unique(clahe(np.full((40, 40, 3), 90, np.uint8)))) == 1
