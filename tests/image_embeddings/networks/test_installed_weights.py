"""EfficientNet-Lite0 starts from ImageNet's weights that an installed package brings."""

from __future__ import annotations

import shutil
from importlib import import_module
from pathlib import Path

import pytest
import safetensors.torch
import torch
from sklearn.datasets import load_sample_images
from torch.nn import functional

from engine.errors import InputError
from image_embeddings.installed_weights import installed_weights
from image_embeddings.labels import Classes
from image_embeddings.networks.efficientnet_lite0 import from_published
from image_embeddings.networks.network import build
from image_embeddings.networks.weights import load_whole, read_weights
from image_embeddings.presets import PRESETS

timm = import_module("timm")
TWO = Classes(("benign", "malignant"), (False, True))
LITE = PRESETS["efficientnet_lite0"]
FILE = installed_weights(LITE.backbone)
assert FILE is not None, "the lock file holds the package"
PALACE, DAISY = 698, 985


def test_the_packages_tensors_are_the_whole_network_and_nothing_else() -> None:
    whole = timm.create_model(LITE.backbone)
    assert list(whole.load_state_dict(read_weights(FILE, LITE))) == [[], []]


def test_the_network_and_its_normalisation_know_a_palace_and_a_daisy() -> None:
    whole = timm.create_model(LITE.backbone).eval()
    whole.load_state_dict(read_weights(FILE, LITE))
    mean, std = (255 * torch.tensor(values).reshape(1, 3, 1, 1) for values in (LITE.mean, LITE.std))
    said = []
    for picture in load_sample_images().images:
        pixels = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float()
        pixels = functional.interpolate(pixels, (256, 384), mode="bilinear", antialias=True)[:, :, 16:240, 80:304]
        with torch.inference_mode():
            said.append(int(whole((pixels - mean) / std).argmax()))
    assert said == [PALACE, DAISY]


def test_the_reference_file_holds_the_same_tensors(real_data: Path) -> None:
    expected = safetensors.torch.load_file(real_data / "imagenet_efficientnet_lite0" / f"{LITE.backbone}.safetensors")
    found = read_weights(FILE, LITE)
    assert set(found) == set(expected)
    # The file has counters of batches as arrays of one number.
    assert all(torch.equal(found[name], expected[name].reshape(found[name].shape)) for name in expected)


def test_a_network_takes_every_tensor_of_its_backbone() -> None:
    published = read_weights(FILE, LITE)
    own = build(LITE, TWO, weights=FILE).backbone.state_dict()
    assert set(published) - set(own) == {"classifier.weight", "classifier.bias"}
    assert all(torch.equal(own[name], published[name]) for name in own)


def test_weights_are_loaded_whole_or_refused() -> None:
    backbone = build(LITE, TWO, weights=FILE).backbone
    published = read_weights(FILE, LITE)
    without = {name: value for name, value in published.items() if name != "blocks.3.1.bn2.bias"}
    wrong = published | {"conv_head.weight": published["conv_head.weight"][:, :7]}
    for state in (without, wrong, published | {"blocks.7.0.bn1.bias": torch.zeros(1)}):
        with pytest.raises(InputError, match="not this backbone's weights"):
            load_whole(backbone, state, where=FILE)


@pytest.mark.parametrize("name", ["_blocks.16._bn2.bias", "_blocks.3._bn3.bias", "_swish.weight"])
def test_a_tensor_that_the_network_does_not_have_is_no_tensor_of_it(name: str) -> None:
    with pytest.raises(KeyError):
        from_published({name: torch.zeros(1)})


def test_a_copy_of_the_file_given_by_hand_is_read_too(tmp_path: Path) -> None:
    shutil.copy(FILE, tmp_path / "mine.pth")
    copied, installed = (build(LITE, TWO, weights=path).backbone.state_dict() for path in (tmp_path / "mine.pth", FILE))
    assert all(torch.equal(copied[name], installed[name]) for name in installed)


def test_no_other_backbone_has_installed_weights() -> None:
    assert installed_weights("resnet50") is None
