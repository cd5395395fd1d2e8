"""A frozen backbone's features of crops: the same to the last bit for a crop alone or in any batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path

import safetensors.torch
import timm
import torch
from torch import Tensor, nn

from engine.errors import InputError
from engine.files import atomic_path
from image_embeddings.backend import Resources
from image_embeddings.labels import BINARY
from image_embeddings.networks.chunks import score_chunks
from image_embeddings.networks.network import Network, build
from image_embeddings.networks.recipe import Recipe
from image_embeddings.networks.scoring import CropScores
from image_embeddings.networks.weights import load_into, read_weights
from image_embeddings.presets import Preset


class Tokens(nn.Module):
    """A patch-based backbone: its class token and the mean of its patch tokens, side by side."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.num_features = 2 * int(backbone.num_features)

    def forward(self, images: Tensor) -> Tensor:
        """(batch, 2 * width) features of normalised images."""
        tokens = self.backbone.forward_features(images)
        return torch.cat([tokens[:, 0], tokens[:, self.backbone.num_prefix_tokens :].mean(1)], 1)


def normalised(preset: Preset) -> Preset:
    """The preset with the normalisation that its backbone was pretrained with, as timm knows it."""
    known = timm.get_pretrained_cfg(preset.backbone) if timm.is_model(preset.backbone) else None
    if known is None:
        return preset
    return preset.model_copy(update={"mean": known.mean, "std": known.std, "fixed_size": known.fixed_input_size})


def save_pretrained(preset: Preset, path: Path, *, weights: Path | None, download: bool, seed: int) -> None:
    """Write the backbone's first weights and its normalisation, atomically; random if none are given.

    Raises:
        InputError: As in `build`.
    """
    torch.manual_seed(seed)
    network = _asked_for_tokens(build(preset, BINARY, weights=weights, download=download))
    state = {name: value.contiguous() for name, value in _without_head(network).items()}
    with atomic_path(path) as temporary:
        safetensors.torch.save_file(state, temporary)


def _without_head(network: Network) -> dict[str, Tensor]:
    return {name: value for name, value in network.state_dict().items() if not name.startswith("head.")}


def _asked_for_tokens(network: Network) -> Network:
    if getattr(network.backbone, "num_prefix_tokens", 0) and not isinstance(network.backbone, Tokens):
        network.backbone = Tokens(network.backbone)
        network.head = nn.Linear(network.backbone.num_features, len(BINARY.names))
    network.requires_grad_(requires_grad=False)
    return network


def look(path: Path, ids: Sequence[str], recipe: Recipe, resources: Resources) -> Iterator[CropScores]:
    """Scores of crops by the backbone in a file, `CHUNK` crops at a time; the only embedding is the features."""
    load = partial(_load, recipe.preset, path)
    return score_chunks("features", load, ids, recipe, resources, embeddings=True)


def _load(preset: Preset, path: Path) -> list[Network]:
    return [_kept(preset, path, path.stat().st_mtime_ns)]


@lru_cache(maxsize=1)
def _kept(preset: Preset, path: Path, _changed_at: int) -> Network:
    """The backbone in a file; kept for the next crops."""
    network = _asked_for_tokens(Network(preset, BINARY))
    if load_into(network, read_weights(path, preset), where=path) != len(_without_head(network)):
        raise InputError("weights of another backbone", where=str(path), remedy="train the model again")
    return network
