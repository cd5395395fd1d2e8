"""What the networks of a model, or the heads on its frozen backbone, have in common."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from image_embeddings.labels import Classes
from image_embeddings.networks.device import Device
from image_embeddings.presets import Preset


@dataclass(frozen=True)
class Recipe:
    """What the networks of a model, or the heads on its frozen backbone, have in common.

    Attributes:
        preset: How each is built, fed and trained.
        classes: Classes of the main head.
        n_sites: Number of sites of the body-site head.
        seed: Seed of every draw; a repeat adds to it.
        repeats: Networks of each part, which differ in their seed; their scores are averaged.
        weights: First weights from a local file.
        download: Let timm fetch first weights.
        reduce_to: Length that embeddings are reduced to by components fitted on the part's training rows; None keeps
            them as they are.
        crops_sha256: SHA-256 of the training crops.
        device: Where they run.
    """

    preset: Preset
    classes: Classes
    n_sites: int
    seed: int
    repeats: int
    weights: Path | None
    download: bool
    reduce_to: int | None
    crops_sha256: str
    device: Device
