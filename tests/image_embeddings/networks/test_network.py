"""What the networks are made of, and which weights they take."""

from __future__ import annotations

import pickle
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from engine.errors import InputError
from image_embeddings.labels import Classes
from image_embeddings.networks.mobilenet import MobileNetV1, from_keras
from image_embeddings.networks.network import build
from image_embeddings.networks.resnet50_vgg import ResNet50Vgg, from_resnet50
from image_embeddings.networks.weights import read_weights
from image_embeddings.presets import PRESETS, Preset

# After the package, which makes torchvision importable next to a CPU-only torch.
timm = import_module("timm")
TWO = Classes(("benign", "malignant"), (False, True))
THREE = Classes(("benign", "tagged", "melanoma"), (False, False, True))
TINY = PRESETS["tiny"]


def parameters(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_report_network_has_the_layer_counts_of_the_report() -> None:
    network = build(PRESETS["resnet50_vgg"], TWO)
    own = network.backbone
    convolutions = [layer for layer in own.convolutions if isinstance(layer, torch.nn.Conv2d)]
    assert [parameters(layer) for layer in convolutions] == [294_944, 18_496, 36_928, 73_856]
    dense = [layer for layer in own.dense if isinstance(layer, torch.nn.Linear)]
    assert [parameters(layer) for layer in dense] == [3_211_776]
    assert dense[0].in_features == 6_272
    assert parameters(network.head) == 1_026


def test_the_report_network_sees_fourteen_then_seven_pixels() -> None:
    network = ResNet50Vgg().eval()
    seen: list[tuple[int, ...]] = []
    network.stages[-1].register_forward_hook(lambda _module, _inputs, output: seen.append(tuple(output.shape)))
    network.convolutions.register_forward_hook(lambda _module, _inputs, output: seen.append(tuple(output.shape)))
    with torch.inference_mode():
        assert network(torch.zeros(1, 3, 224, 224)).shape == (1, 512)
    assert seen == [(1, 1024, 14, 14), (1, 128, 7, 7)]


@pytest.mark.parametrize("size", [32, 96, 100, 129])
def test_the_report_network_takes_crops_of_another_size(size: int) -> None:
    network = build(PRESETS["resnet50_vgg"].model_copy(update={"size": size}), TWO).eval()
    with torch.inference_mode():
        assert network(torch.zeros(1, 3, size, size, dtype=torch.uint8)).embedding.shape == (1, 512)


def test_frozen_stages_neither_learn_nor_drift() -> None:
    network = build(PRESETS["resnet50_vgg"], TWO)
    network.train()
    free = {
        name.split(".")[2] for name, value in network.named_parameters() if ".stages." in name and value.requires_grad
    }
    assert free == {"3"}
    assert [stage.training for stage in network.backbone.stages] == [False, False, False, True]


def test_frozen_stages_of_an_efficientnet_are_its_stem_and_first_blocks() -> None:
    network = build(TINY.model_copy(update={"frozen_stages": 2}), TWO).train()
    own = network.backbone
    frozen = [own.conv_stem, own.bn1, *own.blocks[:2]]
    assert not [part for part in frozen if part.training or any(each.requires_grad for each in part.parameters())]
    assert all(part.training for part in (*own.blocks[2:], own.conv_head))
    assert all(each.requires_grad for each in own.blocks[2].parameters())


def test_frozen_stages_of_a_transformer_are_its_patches_and_first_blocks() -> None:
    preset = TINY.model_copy(update={"backbone": "test_vit", "fixed_size": True, "frozen_stages": 3})
    network = build(preset, TWO).train()
    own = network.backbone
    first = [own.patch_embed, *own.blocks[:3]]
    frozen = {id(each) for part in first for each in part.parameters()} | {id(own.cls_token), id(own.pos_embed)}
    assert {id(each) for each in own.parameters() if not each.requires_grad} == frozen
    assert not any(part.training for part in first)
    network(torch.zeros(2, 3, TINY.size, TINY.size, dtype=torch.uint8)).logits.sum().backward()
    assert all((each.grad is None) == (id(each) in frozen) for each in own.parameters())


def test_frozen_statistics_do_not_drift_though_the_weights_learn() -> None:
    network = build(TINY.model_copy(update={"frozen_statistics": True}), TWO).train()
    before = {name: value.clone() for name, value in network.named_buffers()}
    output = network(torch.randint(0, 256, (4, 3, 64, 64), dtype=torch.uint8))
    output.logits.sum().backward()
    assert all(torch.equal(value, before[name]) for name, value in network.named_buffers())
    assert network.backbone.bn1.weight.grad is not None


def test_position_embeddings_of_another_size_are_resampled(tmp_path: Path) -> None:
    preset = TINY.model_copy(update={"backbone": "test_vit", "fixed_size": True})
    larger = build(preset.model_copy(update={"size": 96}), TWO)
    safetensors.torch.save_file(larger.backbone.state_dict(), tmp_path / "larger.safetensors")
    network = build(preset.model_copy(update={"size": 48}), TWO, weights=tmp_path / "larger.safetensors")
    own, theirs = network.backbone.pos_embed, larger.backbone.pos_embed
    assert (own.shape[1], theirs.shape[1]) == (1 + 3 * 3, 1 + 6 * 6)
    assert torch.equal(own[:, 0], theirs[:, 0])
    # The mean over all places stays about the same, which random embeddings would not have.
    assert torch.corrcoef(torch.stack([own[0, 1:].mean(0), theirs[0, 1:].mean(0)]))[0, 1] > 0.5


def test_a_resnet50_checkpoint_fits_the_report_network() -> None:
    theirs = timm.create_model("resnet50", pretrained=False).state_dict()
    ours = ResNet50Vgg().state_dict()
    kept = from_resnet50(theirs)
    assert set(kept) == {name for name in ours if name.startswith("stages.")}
    assert all(kept[name].shape == ours[name].shape for name in kept)


@pytest.mark.parametrize("size", [4, 5, 8, 9])
def test_same_padding_is_tensorflows(size: int) -> None:
    # TensorFlow: the output is ceil(size / 2) wide; of the padding, floor(half) goes before and the rest after.
    chance = np.random.default_rng(size)
    image, kernel = chance.normal(size=(size, size)), chance.normal(size=(3, 3))
    outputs = -(-size // 2)
    padding = max((outputs - 1) * 2 + 3 - size, 0)
    padded = np.pad(image, (padding // 2, padding - padding // 2))
    expected = [
        [(padded[2 * row : 2 * row + 3, 2 * column : 2 * column + 3] * kernel).sum() for column in range(outputs)]
        for row in range(outputs)
    ]
    layer = MobileNetV1().blocks["conv1"][0].double()
    seen = torch.zeros(1, 3, size, size, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[0, 0], seen[0, 0] = torch.from_numpy(kernel), torch.from_numpy(image)
        result = layer(seen)[0, 0]
    np.testing.assert_allclose(result.numpy(), expected)


def keras_arrays() -> dict[str, np.ndarray]:
    """Random arrays of the shapes that Keras has."""
    chance = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {}
    for name, block in MobileNetV1().blocks.items():
        shape = tuple(block[0].weight.shape)
        kernel = "depthwise_kernel" if "dw" in name else "kernel"
        order = (2, 3, 0, 1) if "dw" in name else (2, 3, 1, 0)
        arrays[f"{name}/{kernel}"] = chance.normal(size=[shape[place] for place in order]).astype(np.float32)
        for part in ("gamma", "beta", "moving_mean", "moving_variance"):
            arrays[f"{name}_bn/{part}"] = chance.random(shape[0]).astype(np.float32) + 0.5
    return arrays


def test_keras_arrays_become_the_whole_state(tmp_path: Path) -> None:
    arrays = keras_arrays()
    state = from_keras(arrays)
    assert set(state) == set(MobileNetV1().state_dict())
    # Height, width, in, out becomes out, in, height, width.
    assert state["blocks.conv1.0.weight"][5, 2, 0, 1] == arrays["conv1/kernel"][0, 1, 2, 5]
    assert state["blocks.conv_dw_3.0.weight"][7, 0, 2, 1] == arrays["conv_dw_3/depthwise_kernel"][2, 1, 7, 0]
    assert state["blocks.conv_pw_2.1.running_var"][4] == arrays["conv_pw_2_bn/moving_variance"][4]
    np.savez(tmp_path / "w.npz", **arrays)
    network = build(PRESETS["mobilenet_v1_025"], TWO, weights=tmp_path / "w.npz")
    assert torch.equal(network.backbone.blocks["conv1"][0].weight, state["blocks.conv1.0.weight"])


def test_the_real_pretrained_arrays_load(real_data: Path) -> None:
    path = real_data / "imagenet_mobilenet_v1_025" / "mobilenet_v1_025_224.npz"
    network = build(PRESETS["mobilenet_v1_025"], TWO, weights=path).eval()
    with np.load(path) as arrays:
        classifier = arrays["conv_preds/kernel"].size + arrays["conv_preds/bias"].size
        counters = sum(name.endswith("num_batches_tracked") for name in network.backbone.state_dict())
        held = sum(value.numel() for value in network.backbone.state_dict().values())
        assert held - counters + classifier == sum(arrays[name].size for name in arrays)
    with torch.inference_mode():
        picture = torch.randint(0, 255, (2, 3, 128, 128), dtype=torch.uint8)
        # ReLU6 and pooling keep features within 0 and 6.
        assert 0 <= float(network(picture).embedding.min()) <= float(network(picture).embedding.max()) <= 6


@pytest.mark.parametrize("name", ["tiny", "mobilenet_v1_025", "efficientnet_b0"])
def test_a_network_takes_pixels_and_gives_logits_and_an_embedding(name: str) -> None:
    preset = PRESETS[name]
    network = build(preset, THREE).eval()
    with torch.inference_mode():
        output = network(torch.zeros(2, 3, preset.size, preset.size, dtype=torch.uint8))
    assert output.logits.shape == (2, 3)
    assert output.embedding.shape == (2, network.width)
    assert output.log_diameter is None
    assert output.site is None


def test_auxiliary_heads_are_there_when_asked_for() -> None:
    preset = TINY.model_copy(update={"size_weight": 0.1, "site_weight": 0.1})
    output = build(preset, TWO, 4)(torch.zeros(2, 3, 64, 64, dtype=torch.uint8))
    assert output.log_diameter is not None
    assert output.log_diameter.shape == (2,)
    assert output.site is not None
    assert output.site.shape == (2, 4)


def test_log_odds_sum_over_the_classes_of_each_side() -> None:
    # Shares 1/8, 3/8 and 4/8: malignant 4 to benign 4, log-odds 0. With the middle one gone: 4 to 1.
    network = build(TINY, THREE)
    logits = torch.log(torch.tensor([[1.0, 3.0, 4.0], [1.0, 1e-30, 4.0]]))
    torch.testing.assert_close(network.log_odds(logits), torch.tensor([0.0, float(np.log(4))]))


def test_preprocessing_is_saved_with_the_weights() -> None:
    state = build(PRESETS["vit_tiny"].model_copy(update={"backbone": "test_vit", "size": 160}), TWO).state_dict()
    torch.testing.assert_close(state["mean"].flatten(), torch.full((3,), 127.5))


@pytest.mark.parametrize(
    "preset", [each for each in PRESETS.values() if timm.is_model(each.backbone)], ids=lambda each: each.name
)
def test_pixels_are_normalised_as_the_backbone_was_pretrained(preset: Preset) -> None:
    published = timm.models.get_pretrained_cfg(preset.backbone)
    assert (preset.mean, preset.std) == (published.mean, published.std)
    assert preset.fixed_size == published.fixed_input_size


def test_any_timm_backbone_by_name_and_a_clear_error_for_none() -> None:
    build(TINY.model_copy(update={"backbone": "test_resnet"}), TWO)
    with pytest.raises(InputError, match="no backbone 'resnet5000'"):
        build(TINY.model_copy(update={"backbone": "resnet5000"}), TWO)


# Weights files.


def test_a_missing_file_says_where_weights_can_be_had(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such weights file.*edgenext_base\.in21k_ft_in1k: the timm model hub"):
        read_weights(tmp_path / "absent.safetensors", PRESETS["edgenext_base"])


def test_a_network_without_a_download_says_so() -> None:
    with pytest.raises(InputError, match="cannot be downloaded"):
        build(PRESETS["mobilenet_v1_025"], TWO, download=True)


def test_a_checkpoint_with_code_in_it_is_not_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path(tmp_path / "sprung").write_text, ("x",)

    (tmp_path / "w.pt").write_bytes(pickle.dumps({"state_dict": Trap()}))
    with pytest.raises(InputError):
        build(TINY, TWO, weights=tmp_path / "w.pt")
    torch.save({"state_dict": Trap()}, tmp_path / "v.pt")
    with pytest.raises(InputError, match="more than tensors"):
        build(TINY, TWO, weights=tmp_path / "v.pt")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("prefix", ["", "module.", "model."])
def test_a_foreign_checkpoint_of_the_backbone_loads(tmp_path: Path, prefix: str) -> None:
    theirs = timm.create_model("test_efficientnet", pretrained=False, num_classes=7)
    torch.save(
        {"epoch": 3, "state_dict": {prefix + name: value for name, value in theirs.state_dict().items()}},
        tmp_path / "w.pth",
    )
    network = build(TINY, TWO, weights=tmp_path / "w.pth")
    assert torch.equal(network.backbone.conv_stem.weight, theirs.conv_stem.weight)
    assert network.head.out_features == 2


def test_our_own_weights_of_another_number_of_classes_give_the_backbone(tmp_path: Path) -> None:
    first = build(TINY, THREE)
    safetensors.torch.save_file(first.state_dict(), tmp_path / "w.safetensors")
    second = build(TINY, TWO, weights=tmp_path / "w.safetensors")
    assert torch.equal(second.backbone.conv_stem.weight, first.backbone.conv_stem.weight)


def test_weights_of_another_network_and_damaged_files_are_refused(tmp_path: Path) -> None:
    other = timm.create_model("test_resnet", pretrained=False)
    safetensors.torch.save_file(other.state_dict(), tmp_path / "w.safetensors")
    with pytest.raises(InputError, match="tensors fit"):
        build(TINY, TWO, weights=tmp_path / "w.safetensors")
    for name in ("d.safetensors", "d.pth", "d.npz"):
        (tmp_path / name).write_bytes(b"\x08broken")
        with pytest.raises(InputError):
            build(TINY, TWO, weights=tmp_path / name)
