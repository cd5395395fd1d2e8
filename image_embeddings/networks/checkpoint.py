"""The state of a training, as one safetensors file: tensors, and the rest as JSON in its header."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.optim import Optimizer

from engine.errors import InputError
from engine.files import atomic_path


@dataclass
class Progress:
    """How far a training has come.

    Attributes:
        step: Steps done.
        history: One entry per epoch done.
        best: Best inner score so far, and its epoch; None without an inner split.
    """

    step: int
    history: list[dict[str, float]]
    best: tuple[float, int] | None = None


def save(path: Path, modules: dict[str, nn.Module], optimizer: Optimizer, progress: Progress, identity: str) -> None:
    """Write a checkpoint, atomically.

    Args:
        path: The file.
        modules: Modules by name.
        optimizer: Optimizer with its moments.
        progress: How far the training has come.
        identity: Fingerprint of what is trained on what; another training will not mistake the file for its own.
    """
    tensors = {f"{name}/{key}": value for name, module in modules.items() for key, value in module.state_dict().items()}
    for place, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{place}/{key}": value for key, value in state.items()}
    # Clones: safetensors refuses tensors that share memory.
    tensors = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
    header = {"identity": identity, "progress": json.dumps(vars(progress))}
    with atomic_path(path) as temporary:
        safetensors.torch.save_file(tensors, temporary, metadata=header)


def restore(path: Path, modules: dict[str, nn.Module], optimizer: Optimizer, identity: str) -> Progress | None:
    """Put everything back as it was; None if there is no checkpoint.

    Raises:
        InputError: The checkpoint is damaged or of another training.
    """
    if not path.exists():
        return None
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError) as error:
        raise InputError("a damaged checkpoint", where=str(path), remedy="delete it to start over") from error
    if header.get("identity") != identity:
        raise InputError(
            "a checkpoint of another training", where=str(path), remedy="delete it, or choose another folder"
        )
    for name, module in modules.items():
        module.load_state_dict(_under(tensors, f"{name}/"))
    _restore_moments(optimizer, _under(tensors, "optimizer/"))
    found = json.loads(header["progress"])
    return Progress(found["step"], found["history"], tuple(found["best"]) if found["best"] else None)


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _restore_moments(optimizer: Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Any]] = {}
    for name, value in tensors.items():
        place, key = name.split("/", 1)
        state.setdefault(int(place), {})[key] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
