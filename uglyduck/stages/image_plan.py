"""Which image models a run is about to train, and roughly how long that takes, in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from image_embeddings.presets import PRESETS, Preset, changed
from uglyduck.run.image_config import DESCRIPTORS, ImageModelConfig

#: Measured on one core, per second: crops described, and pixels that EfficientNet-Lite0 scores and trains on, whole or
#: with its first stages as they were.
_DESCRIBED, _SEEN, _TRAINED, _TRAINED_IN_PART = 500, 76 * 112**2, 19 * 112**2, 45 * 112**2
_LITE0 = "efficientnet_lite0"


def announced(
    models: Mapping[str, ImageModelConfig],
    settings: Sequence[Mapping[str, object]],
    target: npt.NDArray[np.int8],
    n_folds: int,
    cores: int,
) -> str:
    """Such as "descriptors and efficientnet_lite0 (fine-tuned); about 20 minutes on 2 cores, unless trained before".

    Args:
        models: By name.
        settings: Changed settings of each model's preset.
        target: Labels of the run's lesions; each counts as a crop.
        n_folds: Folds of the run.
        cores: Cores that work on it.
    """
    names = [_words(name, model) for name, model in models.items()]
    seconds = [_seconds(model, given, target, n_folds) for model, given in zip(models.values(), settings, strict=True)]
    known = [value for value in seconds if value is not None]
    minutes = max(1, round(sum(known) / cores / 60))
    took = f"about {minutes:,} minute{'s' * (minutes > 1)} on {cores} core{'s' * (cores > 1)}"
    missing = "" if len(known) == len(seconds) else ", not counting models whose speed is not known"
    return f"{' and '.join(names)}; {took}{missing}, unless trained before" if known else " and ".join(names)


def _words(name: str, model: ImageModelConfig) -> str:
    if model.model is not None:
        return f"{name} (made elsewhere)"
    if model.backbone is None and model.preset == DESCRIPTORS:
        return DESCRIPTORS
    known = PRESETS.get(model.preset)
    if known is not None and known.head_alone:
        return f"{model.backbone or known.backbone} (frozen)"
    return f"{model.backbone or model.preset} (fine-tuned)"


def _seconds(
    model: ImageModelConfig, given: Mapping[str, object], target: npt.NDArray[np.int8], n_folds: int
) -> float | None:
    """On one core; None if nothing was measured: other networks, extra tables, and devices other than the CPU."""
    measured = model.model is None and model.backbone is None and model.preset in {DESCRIPTORS, _LITE0}
    if not measured or model.extra or model.device not in {"auto", "cpu"}:
        return None
    if model.preset == DESCRIPTORS:
        return len(target) / _DESCRIBED
    # Each fold's model is trained on the other folds.
    rounds = n_folds - 1 + (model.policy == "refit")
    return _of_lite0(changed(PRESETS[_LITE0], given), target, rounds) * model.repeats


def _of_lite0(preset: Preset, target: npt.NDArray[np.int8], rounds: int) -> float:
    malignant = int(target.sum())
    drawn = malignant * preset.malignant_copies + min(preset.benign_ratio * malignant, len(target) - malignant)
    trained = rounds * preset.epochs * drawn / (_TRAINED_IN_PART if preset.frozen_stages > 1 else _TRAINED)
    return float(preset.size**2 * (trained + len(target) * preset.flips / _SEEN))
