"""A network says the same of a crop, to the last bit, alone and with any other crops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch

from cohort.stores.protocol import Crop, CropError
from image_embeddings.labels import Classes
from image_embeddings.networks.device import Device
from image_embeddings.networks.network import build
from image_embeddings.networks.scoring import BATCH, ScoringOptions, score
from image_embeddings.presets import PRESETS

THREE = Classes(("benign", "tagged", "melanoma"), (False, False, True))
CROPS = BATCH + 6
BACKBONES = (
    *("test_efficientnet", "mobilenet_v1_025", "tf_efficientnet_lite0"),
    *("resnet18", "vit_tiny_patch16_224", "convnext_atto"),
)


@dataclass
class Noise:
    """Crops of noise, some of which cannot be read."""

    unreadable: set[int] = field(default_factory=set)
    path: Path = Path("noise")
    ids: list[str] = field(default_factory=lambda: [f"ISIC_{row}" for row in range(CROPS)])

    def read(self, isic_id: str) -> Crop:
        row = int(isic_id[5:])
        if row in self.unreadable:
            raise CropError(isic_id, "damaged", where="noise", remedy="leave it out")
        return Crop(isic_id, np.random.default_rng(row).integers(0, 255, (32, 32, 3), dtype=np.uint8), 1000)

    def encoded(self, isic_id: str) -> bytes:
        return isic_id.encode()

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture(autouse=True)
def own_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("width", [192, 1024, 1280, 6272])
def test_long_sums_have_the_same_bits_at_any_number_of_threads(width: int) -> None:
    """Where they do not, MKL was used before `image_embeddings.networks` could speak to it."""
    chance = torch.Generator().manual_seed(0)
    values, wide = torch.randn(BATCH, width, generator=chance), torch.randn(width, 512, generator=chance)
    for outputs in (1, 2, 3, 7, 64, 512):
        weights = wide[:, :outputs].contiguous()
        found = []
        for threads in (1, 2, 3, 4):
            torch.set_num_threads(threads)
            found.append(values @ weights)
        assert all(torch.equal(each, found[0]) for each in found), outputs


@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_crop_has_the_same_bits_in_any_company(backbone: str) -> None:
    changes = {"backbone": backbone, "size": 32, "flips": 2, "fixed_size": backbone.startswith("vit")}
    preset = PRESETS["tiny"].model_copy(update=changes)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    networks = [build(preset, THREE)]
    options = ScoringOptions(preset, Device("cpu"), embeddings=True)
    whole = score(networks, Noise(), Noise().ids, np.arange(CROPS), options)
    chance = np.random.default_rng(0)
    settings = (
        ([5], set(), 1),
        ([CROPS - 1], set(), 2),
        (chance.permutation(CROPS)[:3], set(), 1),
        (chance.permutation(CROPS)[:41], set(range(0, CROPS, 3)), 2),
    )
    for rows, unreadable, threads in settings:
        torch.set_num_threads(threads)
        chosen = np.array(rows)
        some = score(networks, Noise(unreadable), Noise().ids, chosen, options)
        readable = np.array([row not in unreadable for row in chosen])
        assert np.isnan(some.log_odds[~readable]).all()
        assert np.isnan(some.embeddings[:, ~readable]).all()
        seen = chosen[readable]
        np.testing.assert_array_equal(some.log_odds[readable], whole.log_odds[seen])
        np.testing.assert_array_equal(some.probabilities[readable], whole.probabilities[seen])
        np.testing.assert_array_equal(some.embeddings[:, readable], whole.embeddings[:, seen])
