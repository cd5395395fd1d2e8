"""Score crops with trained networks, streaming: memory does not grow with the number of crops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cohort.stores.protocol import CropReader, OnBad
from engine.errors import InputError
from image_embeddings.networks.batches import Crops, loader
from image_embeddings.networks.device import Device
from image_embeddings.networks.network import Network
from image_embeddings.presets import Preset

# Every batch has this many crops; the last one is padded with blanks. The last bits of a crop's score depend on how
# many crops there are in its batch (torch chooses other kernels), but not on its place among them or on the others.
BATCH = 64
# A decoding process takes as long to start (it imports torch again) as it needs to decode about this many crops.
_CROPS_A_LOADER = 5_000


@dataclass(frozen=True)
class CropScores:
    """Networks' scores of crops, in the order of the rows asked for.

    Attributes:
        log_odds: (crops, networks) float64 of malignant against benign, mean over the views; NaN where unreadable.
        probabilities: (crops, classes) float64, geometric mean over views and networks, scaled to sum to 1.
        embeddings: (networks, crops, width) float16, mean over views; width 0 if not asked for.
        faults: Why a crop could not be read, by id.
    """

    log_odds: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    embeddings: NDArray[np.float16]
    faults: dict[str, str]


@dataclass(frozen=True)
class ScoringOptions:
    """How networks see crops.

    Attributes:
        preset: Preprocessing and views.
        device: Where the networks run.
        on_bad: "stop" raises at a crop that cannot be read, "missing" scores it as NaN.
        loaders: Processes that decode, in addition to this one.
        embeddings: Whether to keep embeddings.
        on_batch: Called after each batch with its number of crops.
    """

    preset: Preset
    device: Device
    on_bad: OnBad = "missing"
    loaders: int = 0
    embeddings: bool = False
    on_batch: Callable[[int], None] = lambda _: None


def score(
    networks: Sequence[Network],
    store: CropReader,
    ids: Sequence[str],
    rows: NDArray[np.int64],
    options: ScoringOptions,
) -> CropScores:
    """Score the crops of `rows`; on a CPU a crop's bits are the same alone or with any other crops.

    Args:
        networks: All with the same classes.
        store: Where the crops are.
        ids: isic_id of every row.
        rows: Rows to score.
        options: Preprocessing, device and views.

    Raises:
        CropError: With "stop", a crop cannot be read.
        InputError: No rows.
    """
    preset, device = options.preset, options.device
    crops = Crops(store, ids, preset, options.on_bad)
    batches = [[(int(row), -1) for row in rows[start : start + BATCH]] for start in range(0, len(rows), BATCH)]
    # Filled in place: a list of small tensors would keep the memory of the pixels between them from being reused.
    whole: tuple[Tensor, Tensor, Tensor] | None = None
    done = 0
    faults: dict[str, str] = {}
    networks = [device.place(network).eval() for network in networks]
    with torch.inference_mode():
        for batch in loader(crops, batches, workers=options.loaders, pin=device.is_cuda):
            count = len(batch.rows)
            pixels = functional.pad(batch.pixels, (0, 0, 0, 0, 0, 0, 0, BATCH - count))
            log_odds, log_shares, embeddings = _predict(networks, device.pixels(pixels), preset.flips, device)
            unreadable = functional.pad(~batch.readable, (0, BATCH - count))
            log_odds[unreadable], log_shares[unreadable], embeddings[unreadable] = torch.nan, torch.nan, torch.nan
            parts = log_odds, log_shares, (embeddings if options.embeddings else embeddings[:, :, :0]).half()
            whole = whole or tuple(part.new_empty((len(rows), *part.shape[1:])) for part in parts)
            for all_, part in zip(whole, parts, strict=True):
                all_[done : done + count] = part[:count]
            done += count
            faults |= {fault.isic_id: fault.reason for fault in batch.faults}
            options.on_batch(count)
    if whole is None:
        raise InputError("no crops", where=str(store.path), remedy="give at least one")
    log_odds, shares, embeddings = whole
    return CropScores(log_odds.numpy(), shares.numpy(), embeddings.movedim(1, 0).numpy(), faults)


def _predict(networks: Sequence[Network], pixels: Tensor, views: int, device: Device) -> tuple[Tensor, Tensor, Tensor]:
    """Log-odds (batch, networks), class shares (batch, classes) and embeddings (batch, networks, width), on the CPU."""
    log_odds, log_shares, embeddings = [], [], []
    for network in networks:
        own, seen = [], []
        for view in range(views):
            with device.autocast():
                output = network(seen_as(pixels, view, views))
            logits = output.logits.double()
            own.append(network.log_odds(logits))
            log_shares.append(torch.log_softmax(logits, 1))
            seen.append(output.embedding.float())
        log_odds.append(torch.stack(own).mean(0))
        embeddings.append(torch.stack(seen).mean(0))
    shares = torch.softmax(torch.stack(log_shares).mean(0), 1)
    return torch.stack(log_odds, 1).cpu(), shares.cpu(), torch.stack(embeddings, 1).cpu()


def loaders_for(cores: int, crops: int) -> int:
    """Processes that decode, in addition to the calling one."""
    return min(cores - 1, crops // _CROPS_A_LOADER)


def seen_as(pixels: Tensor, view: int, views: int) -> Tensor:
    """One of the views of a batch: as it is, mirrored, and with 4 or 8 views also rotated by quarter turns."""
    if views <= 2:
        return pixels.flip(3) if view else pixels
    turned = torch.rot90(pixels, view % 4, (2, 3))
    return turned.flip(3) if view >= 4 else turned
