"""Weights from local files, without running anything in them."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from timm.layers import resample_abs_pos_embed
from torch import Tensor

from engine.errors import InputError
from engine.files import atomic_path
from image_embeddings.networks import efficientnet_lite0
from image_embeddings.networks.mobilenet import from_keras
from image_embeddings.presets import Preset

#: What a reader raises on a damaged file.
_DAMAGED = (OSError, RuntimeError, ValueError, KeyError, EOFError)


_HISTORY = "history"


def save_weights(network: torch.nn.Module, path: Path, history: Sequence[Mapping[str, float]]) -> None:
    """Write a trained network and an entry per epoch of its training, atomically: there is never one without the other.

    Args:
        network: Network whose state is written.
        path: A `.safetensors` file.
        history: Entries for the file's header.
    """
    state = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    with atomic_path(path) as temporary:
        safetensors.torch.save_file(state, temporary, metadata={_HISTORY: json.dumps(history)})


def read_history(path: Path) -> list[dict[str, float]]:
    """An entry per epoch of a trained network; empty if an earlier version wrote the file.

    Raises:
        InputError: The file is damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            found: list[dict[str, float]] = json.loads((file.metadata() or {}).get(_HISTORY, "[]"))
    except (SafetensorError, *_DAMAGED) as error:
        raise InputError(
            "not a network's weights", where=str(path), remedy="delete it and train the model again"
        ) from error
    return found


def read_weights(path: Path, preset: Preset) -> dict[str, Tensor]:
    """The tensors of a weights file, by name.

    Args:
        path: `.safetensors`; `.npz` with Keras's MobileNet arrays; anything else as a torch checkpoint, which is opened
            with `weights_only`, so that it can hold only tensors, and no code.
        preset: Says where to get weights if the file is missing.

    Raises:
        InputError: No such file, damaged, or a checkpoint that holds more than tensors.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(
            "no such weights file",
            where=str(path),
            remedy=f"{preset.name} can start from {preset.backbone}: {preset.weights}; or train from scratch",
        )
    try:
        if path.suffix == ".safetensors":
            return dict(safetensors.torch.load_file(path))
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                return {f"backbone.{name}": value for name, value in from_keras(dict(arrays)).items()}
        return _tensors(_checkpoint(path))
    except (SafetensorError, *_DAMAGED) as error:
        raise InputError("not a weights file", where=str(path), remedy="give safetensors or a state dict") from error


def _checkpoint(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    with warnings.catch_warnings():
        # torch warns of unusual protocols; it refuses what it cannot read safely.
        warnings.simplefilter("ignore")
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except (*_DAMAGED, MemoryError):
            raise
        except Exception as error:  # neither damaged nor too large, so refused for what it holds
            raise InputError(
                "this checkpoint holds more than tensors and is not opened",
                where=str(path),
                remedy="convert it to safetensors where you trust it",
            ) from error


def _tensors(checkpoint: Any) -> dict[str, Tensor]:  # noqa: ANN401 - whatever the file holds
    """The state dict in a checkpoint, wherever common trainers put it, without their prefixes."""
    if isinstance(checkpoint, dict):
        for key in ("state_dict_ema", "state_dict", "model_ema", "model", "net"):
            if isinstance(checkpoint.get(key), dict):
                checkpoint = checkpoint[key]
                break
    if not isinstance(checkpoint, dict) or not any(isinstance(value, Tensor) for value in checkpoint.values()):
        raise ValueError("no state dict")
    tensors = {
        name.removeprefix("module.").removeprefix("model."): value
        for name, value in checkpoint.items()
        if isinstance(value, Tensor)
    }
    return efficientnet_lite0.from_published(tensors) if efficientnet_lite0.is_published(tensors) else tensors


def load_into(module: torch.nn.Module, state: dict[str, Tensor], *, where: Path) -> int:
    """Copy every tensor that fits by name and shape; heads with a different number of classes stay as they are.

    Returns:
        How many tensors were copied.

    Raises:
        InputError: Fewer than half of the backbone's tensors fit: the file is another network's.
    """
    own = module.state_dict()
    named = {name if name in own else f"backbone.{name}": value for name, value in state.items()}
    _resample_positions(named, module)
    fitting = {name: value for name, value in named.items() if name in own and own[name].shape == value.shape}
    backbone = [name for name in own if name.startswith("backbone.")]
    if sum(name in fitting for name in backbone) * 2 < len(backbone):
        raise InputError(
            f"only {len(fitting)} of {len(own)} tensors fit", where=str(where), remedy="give weights of this backbone"
        )
    module.load_state_dict(fitting, strict=False)
    return len(fitting)


def _resample_positions(named: dict[str, Tensor], module: torch.nn.Module) -> None:
    """Make position embeddings of another image size fit, as timm does with the weights it fetches."""
    name, backbone = "backbone.pos_embed", getattr(module, "backbone", None)
    own = getattr(backbone, "pos_embed", None)
    if backbone is None or own is None or name not in named or named[name].shape == own.shape:
        return
    prefix = 0 if getattr(backbone, "no_embed_class", False) else backbone.num_prefix_tokens
    named[name] = resample_abs_pos_embed(
        named[name].float(), new_size=list(backbone.patch_embed.grid_size), num_prefix_tokens=prefix
    )


def load_whole(backbone: torch.nn.Module, state: dict[str, Tensor], *, where: Path) -> None:
    """Copy every tensor of a backbone without its classifier; the file's classifier, if any, is left out.

    Raises:
        InputError: A tensor is missing, superfluous, or of another shape.
    """
    kept = {name: value for name, value in state.items() if not name.startswith("classifier.")}
    try:
        backbone.load_state_dict(kept)
    except RuntimeError as error:
        raise InputError("not this backbone's weights", where=str(where), remedy="install the package again") from error
