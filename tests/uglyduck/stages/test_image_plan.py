"""What a run says of its image models before it trains them."""

from __future__ import annotations

import numpy as np
import pytest

from uglyduck.run.image_config import ImageModelConfig
from uglyduck.stages.image_plan import announced

#: As many crops as there are real ones, and as many malignant ones.
TARGET = np.repeat([1, 0], [302, 9_624]).astype(np.int8)
LITE0 = {"preset": "efficientnet_lite0"}


def said(settings: dict[str, object] | None = None, **models: dict[str, object]) -> str:
    configured = {name: ImageModelConfig.model_validate(given) for name, given in models.items()}
    given = [settings or {} if "preset" in model else {} for model in models.values()]
    return announced(configured, given, TARGET, 5, 1)


def test_nothing_said_is_descriptors() -> None:
    assert said(descriptors={}) == "descriptors; about 1 minute on 1 core, unless trained before"


@pytest.mark.parametrize(
    ("measured", "minutes"),
    [
        ({"size": 112, "epochs": 6, "benign_ratio": 4, "flips": 2, "frozen_stages": 0}, 36),
        ({"flips": 4}, 91),  # five times the 9 minutes that one fold took on two cores
    ],
)
def test_a_measured_training_takes_as_long_as_it_took(measured: dict[str, object], minutes: int) -> None:
    # Five folds of these crops were trained and scored in this time.
    assert said(measured, descriptors={}, net=LITE0) == (
        f"descriptors and efficientnet_lite0 (fine-tuned); about {minutes} minutes on 1 core, unless trained before"
    )


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ({"preset": "convnextv2_nano"}, "convnextv2_nano (fine-tuned)"),
        ({"preset": "frozen", "backbone": "vit_tiny"}, "vit_tiny (frozen)"),
        ({"preset": "frozen"}, "tf_efficientnet_lite0 (frozen)"),
        ({"backbone": "resnet18"}, "resnet18 (fine-tuned)"),
        (LITE0 | {"device": "cuda"}, "efficientnet_lite0 (fine-tuned)"),
        (LITE0 | {"extra": {"x": {"metadata": "x", "images": "x"}}}, "efficientnet_lite0 (fine-tuned)"),
        ({"model": "older"}, "net (made elsewhere)"),
    ],
)
def test_what_was_not_measured_has_no_time(model: dict[str, object], words: str) -> None:
    assert said(net=model) == words
    assert said(descriptors={}, net=model).endswith(
        "1 core, not counting models whose speed is not known, unless trained before"
    )
