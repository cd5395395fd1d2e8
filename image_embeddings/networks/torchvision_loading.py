"""Import torchvision even if its compiled operators do not fit the installed torch.

The registry's torchvision wheels link against CUDA. Next to a CPU-only torch their library does not load, and importing
torchvision, and so timm, fails on two missing operators. Only its transforms are used here, which are plain Python:
declaring those operators, without an implementation, is enough.
"""

from __future__ import annotations

import importlib
import warnings
from importlib.util import find_spec
from pathlib import Path

import torch

_OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
# torch forgets a declaration when its library object is collected.
_declared: list[torch.library.Library] = []


def load() -> None:
    """Import torchvision; does nothing the second time."""
    found = find_spec("torchvision")
    if found is None or found.origin is None:
        return  # timm itself says what is missing
    operators = next(Path(found.origin).parent.glob("_C*"), None)
    if operators is not None and not _declared:
        try:
            torch.ops.load_library(str(operators))
        except OSError:
            library = torch.library.Library("torchvision", "DEF")
            for operator in _OPERATORS:
                library.define(operator)
            _declared.append(library)
    with warnings.catch_warnings():
        # It warns that its image decoders do not load either; crops are decoded by Pillow.
        warnings.simplefilter("ignore")
        importlib.import_module("torchvision")
