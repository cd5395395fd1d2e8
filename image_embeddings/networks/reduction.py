"""Shorter embeddings: principal components fitted on a part's training rows, so held-out rows have no influence."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from image_embeddings.networks.network import Network
from image_embeddings.networks.scoring import ScoringOptions, score
from image_embeddings.networks.training import Training

_MOST = 10_000


class Reduction(nn.Module):
    """(batch, width) embeddings to (batch, components); kept with the network's weights."""

    def __init__(self, width: int, components: int) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(width))
        self.register_buffer("axes", torch.zeros(width, components))

    def forward(self, embedding: Tensor) -> Tensor:
        """Project embeddings onto the components."""
        return (embedding.float() - self.centre) @ self.axes


def reduce_embeddings(network: Network, training: Training, options: ScoringOptions, components: int) -> Reduction:
    """Fit the leading principal components of the embeddings of at most 10,000 training rows.

    Each axis points so that its largest entry is positive: the sign of a component is otherwise arbitrary.
    """
    rows = training.rows
    if len(rows) > _MOST:
        rows = np.sort(np.random.default_rng(training.seed).choice(rows, _MOST, replace=False))
    scored = score([network], training.store, training.ids, rows, options)
    seen = scored.embeddings[0][np.isfinite(scored.log_odds[:, 0])].astype(np.float64)
    centre = seen.mean(0)
    axes = np.linalg.svd(seen - centre, full_matrices=False)[2][:components].T
    axes = axes * np.sign(axes[np.abs(axes).argmax(0), np.arange(axes.shape[1])])
    reduction = Reduction(network.width, axes.shape[1])
    reduction.centre.copy_(torch.from_numpy(centre))
    reduction.axes.copy_(torch.from_numpy(axes))
    return reduction
