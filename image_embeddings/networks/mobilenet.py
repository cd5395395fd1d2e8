"""MobileNetV1 at width 0.25 as Keras Applications built it, so that its published arrays load and can be fine-tuned."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from timm.layers import create_conv2d
from torch import Tensor, nn

from engine.errors import InputError

WIDTH = 256
_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
_CHANNELS = (16, 32, 32, 64, 64, 128, 128, 128, 128, 128, 128, 256, 256)


def _block(inputs: int, outputs: int, kernel: int, stride: int, groups: int) -> nn.Sequential:
    # Padded like TensorFlow's SAME: if the padding is odd, the extra pixel is below and to the right.
    convolution = create_conv2d(inputs, outputs, kernel, stride=stride, padding="same", groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs, eps=1e-3), nn.ReLU6(inplace=True))


class MobileNetV1(nn.Module):
    """The convolutional part and global average pooling: (batch, 3, size, size) to (batch, 256)."""

    num_features = WIDTH

    def __init__(self) -> None:
        super().__init__()
        blocks: dict[str, nn.Module] = {"conv1": _block(3, 8, 3, 2, 1)}
        channels = 8
        for place, (stride, outputs) in enumerate(zip(_STRIDES, _CHANNELS, strict=True), start=1):
            blocks[f"conv_dw_{place}"] = _block(channels, channels, 3, stride, channels)
            blocks[f"conv_pw_{place}"] = _block(channels, outputs, 1, 1, 1)
            channels = outputs
        self.blocks = nn.ModuleDict(blocks)

    def forward(self, images: Tensor) -> Tensor:
        """Pooled features of normalised images."""
        for block in self.blocks.values():
            images = block(images)
        return images.mean((2, 3))


def from_keras(arrays: Mapping[str, NDArray[np.float32]]) -> dict[str, Tensor]:
    """The state of `MobileNetV1` from Keras's arrays (height, width, in, out; depthwise: height, width, in, 1).

    Raises:
        InputError: An array is missing.
    """
    state: dict[str, Tensor] = {}
    batch_norm = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
    for name in MobileNetV1().blocks:
        depthwise = name.startswith("conv_dw")
        kernel = f"{name}/depthwise_kernel" if depthwise else f"{name}/kernel"
        wanted = [kernel, *(f"{name}_bn/{theirs}" for theirs in batch_norm.values())]
        absent = [key for key in wanted if key not in arrays]
        if absent:
            raise InputError(f"no array {absent[0]}", where="weights", remedy="give Keras's MobileNet 0.25 arrays")
        order = (2, 3, 0, 1) if depthwise else (3, 2, 0, 1)
        state[f"blocks.{name}.0.weight"] = torch.from_numpy(np.ascontiguousarray(arrays[kernel].transpose(order)))
        for ours, theirs in batch_norm.items():
            state[f"blocks.{name}.1.{ours}"] = torch.from_numpy(np.array(arrays[f"{name}_bn/{theirs}"]))
        state[f"blocks.{name}.1.num_batches_tracked"] = torch.tensor(0)
    return state
