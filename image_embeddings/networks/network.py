"""A backbone with its preprocessing and heads: its input is raw pixels, so that preprocessing cannot drift."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from engine.errors import InputError
from image_embeddings.installed_weights import installed_weights
from image_embeddings.labels import Classes
from image_embeddings.networks.mobilenet import MobileNetV1
from image_embeddings.networks.resnet50_vgg import ResNet50Vgg, from_resnet50
from image_embeddings.networks.weights import load_into, load_whole, read_weights
from image_embeddings.presets import Preset

_BUFFERS = ("mean", "std", "malignant")
# What comes before the first stage in timm's backbones: modules, and what a transformer adds to its patches.
_BEFORE_STAGES = ("stem", "conv_stem", "bn1", "patch_embed", "norm_pre")
_TOKENS = ("cls_token", "reg_token", "dist_token", "pos_embed")


@dataclass(frozen=True)
class Output:
    """A network's output for a batch.

    Attributes:
        logits: (batch, classes).
        embedding: (batch, width) what the heads see.
        log_diameter: (batch,) or None.
        site: (batch, sites) logits, or None.
    """

    logits: Tensor
    embedding: Tensor
    log_diameter: Tensor | None
    site: Tensor | None


class Network(nn.Module):
    """(batch, 3, size, size) uint8 sRGB to `Output`."""

    def __init__(self, preset: Preset, classes: Classes, n_sites: int = 0, *, download: bool = False) -> None:
        super().__init__()
        self.frozen_stages, self.frozen_statistics = preset.frozen_stages, preset.frozen_statistics
        self.backbone = _backbone(preset, download=download)
        # timm's name for the output width without a classifier; VGG's is wider than its feature maps.
        width = int(getattr(self.backbone, "head_hidden_size", self.backbone.num_features))
        # Buffers, so that the normalisation is saved with the weights.
        self.register_buffer("mean", 255 * torch.tensor(preset.mean).reshape(1, 3, 1, 1))
        self.register_buffer("std", 255 * torch.tensor(preset.std).reshape(1, 3, 1, 1))
        self.register_buffer("malignant", torch.tensor(classes.malignant))
        self.dropout = nn.Dropout(preset.drop_rate)
        self.head = nn.Linear(width, len(classes.names))
        self.size_head = nn.Linear(width, 1) if preset.size_weight else None
        self.site_head = nn.Linear(width, n_sites) if preset.site_weight and n_sites else None
        # Set after training if shorter embeddings are asked for.
        self.reduction: nn.Module | None = None
        for part in (*self._frozen(), *self._frozen_tokens()):
            part.requires_grad_(requires_grad=False)

    @property
    def width(self) -> int:
        """Length of an embedding."""
        return int(self.head.in_features)

    def forward(self, pixels: Tensor) -> Output:
        """Apply the network to a batch of crops."""
        embedding = self.backbone((pixels.to(self.mean.dtype) - self.mean) / self.std)
        features = self.dropout(embedding)
        return Output(
            self.head(features),
            embedding if self.reduction is None or self.training else self.reduction(embedding),
            self.size_head(features).squeeze(1) if self.size_head is not None else None,
            self.site_head(features) if self.site_head is not None else None,
        )

    def log_odds(self, logits: Tensor) -> Tensor:
        """(batch,) log-odds of malignant against benign from (batch, classes) logits."""
        return torch.logsumexp(logits[:, self.malignant], 1) - torch.logsumexp(logits[:, ~self.malignant], 1)

    def train(self, mode: bool = True) -> Network:
        """Like torch's, but frozen parts keep the batch statistics that they were loaded with."""
        super().train(mode)
        norms = [each for each in self.modules() if isinstance(each, nn.BatchNorm2d)] if self.frozen_statistics else []
        for module in (*self._frozen(), *norms):
            module.eval()
        return self

    def _frozen(self) -> list[nn.Module]:
        """The first stages of the backbone (transformers call them blocks) and what comes before them."""
        if not self.frozen_stages:
            return []
        stem = [getattr(self.backbone, name) for name in _BEFORE_STAGES if hasattr(self.backbone, name)]
        stages = getattr(self.backbone, "stages", getattr(self.backbone, "blocks", None))
        if stages is None or len(stages) < self.frozen_stages:
            raise InputError(
                "this backbone has no list of stages to freeze", where="frozen_stages", remedy="set frozen_stages to 0"
            )
        return [*stem, *stages[: self.frozen_stages]]

    def _frozen_tokens(self) -> list[nn.Parameter]:
        found = (getattr(self.backbone, name, None) for name in _TOKENS if self.frozen_stages)
        return [each for each in found if each is not None]


def build(
    preset: Preset, classes: Classes, n_sites: int = 0, *, weights: Path | None = None, download: bool = False
) -> Network:
    """Make a network, from random weights, a local file, or the hub if asked.

    Args:
        preset: The recipe.
        classes: Classes of the main head.
        n_sites: Number of sites of the body-site head.
        weights: A local weights file.
        download: Let timm fetch the backbone's weights; otherwise nothing accesses the network.

    Raises:
        InputError: No such backbone, or the weights are missing, damaged, another network's or cannot be fetched.
    """
    network = Network(preset, classes, n_sites, download=download)
    if weights is not None:
        state = read_weights(weights, preset)
        if weights == installed_weights(preset.backbone):
            load_whole(network.backbone, state, where=weights)
            return network
        if preset.backbone == "resnet50_vgg" and not any(name.startswith("backbone.") for name in state):
            state = from_resnet50(state)
        # Another model's file describes its own classes and pixels, not this model's.
        load_into(network, {name: value for name, value in state.items() if name not in _BUFFERS}, where=weights)
    return network


def _backbone(preset: Preset, *, download: bool) -> Any:  # noqa: ANN401 - timm is untyped
    name = preset.backbone
    if name == "mobilenet_v1_025":
        if download:
            raise InputError(
                "these weights cannot be downloaded",
                where="download",
                remedy=f"give {preset.weights} as weights",
            )
        return MobileNetV1()
    options: dict[str, Any] = {"img_size": preset.size} if preset.fixed_size else {}
    if preset.drop_path:
        options["drop_path_rate"] = preset.drop_path
    try:
        if name == "resnet50_vgg":
            return ResNet50Vgg(preset.drop_rate, size=preset.size, download=download)
        return timm.create_model(name, pretrained=download, num_classes=0, **options)
    except RuntimeError as error:
        what = "weights for the" if download and timm.is_model(name) else "backbone"
        raise InputError(f"timm has no {what} {name!r}", where="backbone", remedy="see timm.list_models()") from error
    except OSError as error:
        raise InputError(
            f"the weights of {name} could not be fetched ({type(error).__name__})",
            where="download",
            remedy="check the network, or give a file as weights",
        ) from error
