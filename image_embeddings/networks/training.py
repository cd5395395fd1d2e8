"""The training loop of one network, read from top to bottom."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from cohort.stores.protocol import CropReader, OnBad
from cv_folds.metrics import partial_auc
from image_embeddings.labels import Labels
from image_embeddings.networks import checkpoint
from image_embeddings.networks.batches import CropBatch, Crops, Sampling, Steps, loader
from image_embeddings.networks.device import Device
from image_embeddings.networks.network import Network, Output
from image_embeddings.networks.scoring import ScoringOptions, loaders_for, score
from image_embeddings.presets import Preset


@dataclass
class Training:
    """What one network is trained on, and what identifies it.

    Attributes:
        preset: The recipe.
        store: Where the crops are.
        ids: isic_id of every row of the labels.
        labels: What is known about every row.
        rows: Rows to train on.
        inner: Rows that decide early stopping; empty without `preset.patience`.
        seed: Seed of every draw.
        device: Where it runs.
        checkpoint: File that holds the state of the training.
        identity: Fingerprint of all this.
        on_bad: Whether a crop that cannot be read stops the training or is left out.
        loaders: Processes that decode, in addition to this one.
        checkpoint_seconds: Time between two checkpoints; one is also written at the end of each epoch.
        on_step: Called after each step with the number of crops done and that of the whole training.
        faults: Why crops could not be read, by id; filled while training.
    """

    preset: Preset
    store: CropReader
    ids: list[str]
    labels: Labels
    rows: NDArray[np.int64]
    inner: NDArray[np.int64]
    seed: int
    device: Device
    checkpoint: Path
    identity: str
    on_bad: OnBad = "stop"
    loaders: int = 0
    checkpoint_seconds: float = 60.0
    on_step: Callable[[int, int], None] = field(default=lambda _done, _total: None)
    faults: dict[str, str] = field(default_factory=dict)


def train(network: Network, training: Training) -> tuple[Network, list[dict[str, float]]]:
    """Train a network, resuming where a killed training stopped.

    Every draw is a function of (seed, epoch, step), so a training that was killed at any step and started again ends
    with the same weights on a CPU as one that was not.

    Args:
        network: The network with its first weights.
        training: What to train on.

    Returns:
        The network to score with (the moving average of the weights, if kept), and an entry per epoch.

    Raises:
        CropError: A crop cannot be read and `on_bad` is "stop".
        InputError: The checkpoint is another training's.
    """
    preset, device = training.preset, training.device
    sampling = Sampling.of(training.rows, training.labels.target, preset, training.seed)
    total = preset.epochs * sampling.steps
    network = device.place(network)
    average = copy.deepcopy(network)
    optimizer = make_optimizer(network, preset)
    modules: dict[str, nn.Module] = {"network": network, "average": average}
    done = checkpoint.restore(training.checkpoint, modules, optimizer, training.identity) or checkpoint.Progress(0, [])
    run = device.compile(network)
    crops = Crops(training.store, training.ids, preset, training.on_bad)
    batches = iter(
        loader(crops, Steps(sampling, preset.epochs, done.step), workers=training.loaders, pin=device.is_cuda)
    )
    saved, losses = time.monotonic(), []
    while done.step < total and not stopped(done, preset):
        batch = next(batches)
        training.faults |= {fault.isic_id: fault.reason for fault in batch.faults}
        # Dropout, stochastic depth and mixup draw from here, whatever the loader drew before.
        chance = torch.Generator().manual_seed(hash_of(training.seed, done.step))
        torch.manual_seed(hash_of(training.seed, done.step) + 1)
        for group in optimizer.param_groups:
            group["lr"] = group["base_lr"] * rate_at(done.step, total, preset)
        network.train()
        with device.autocast():
            loss = loss_of(run, batch, training, chance)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if preset.clip_norm is not None:
            nn.utils.clip_grad_norm_(network.parameters(), preset.clip_norm)
        optimizer.step()
        done.step += 1
        follow(average, network, min(preset.ema, (1 + done.step) / (10 + done.step)))
        losses.append(float(loss.detach()))
        training.on_step(done.step * preset.batch_size, total * preset.batch_size)
        if done.step % sampling.steps == 0:
            entry = {"epoch": float(done.step // sampling.steps), "loss": float(np.mean(losses))}
            done.history.append(entry | rates_of(optimizer) | judged(average, training, done))
            losses = []
        if not losses or time.monotonic() - saved > training.checkpoint_seconds:
            checkpoint.save(training.checkpoint, modules, optimizer, done, training.identity)
            saved = time.monotonic()
    if done.step < total:
        training.on_step(total * preset.batch_size, total * preset.batch_size)  # stopped early, but done
    best = training.checkpoint.with_suffix(".best.safetensors")
    if preset.patience and best.exists():
        checkpoint.restore(best, {"average": average}, make_optimizer(network, preset), training.identity)
    return average, done.history


def make_optimizer(network: Network, preset: Preset) -> torch.optim.Optimizer:
    """Adam or AdamW; heads learn `head_rate` times faster; biases and norms are not decayed."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            groups.setdefault((name.startswith("backbone."), parameter.ndim > 1), []).append(parameter)
    settings = [
        {
            "params": parameters,
            "name": "backbone" if backbone else "head",
            "base_lr": preset.learning_rate * (1 if backbone else preset.head_rate),
            "weight_decay": preset.weight_decay if decayed else 0.0,
        }
        for (backbone, decayed), parameters in groups.items()
    ]
    kind = torch.optim.AdamW if preset.optimizer == "adamw" else torch.optim.Adam
    return kind(settings, lr=preset.learning_rate)


def rates_of(optimizer: torch.optim.Optimizer) -> dict[str, float]:
    """The current learning rates: `backbone_rate`, if the backbone learns, and `head_rate`."""
    return {f"{group['name']}_rate": float(group["lr"]) for group in optimizer.param_groups}


def rate_at(step: int, total: int, preset: Preset) -> float:
    """Share of the learning rate at a step: a linear rise, then a half cosine down to 0, or constant."""
    rise = min(1.0, (step + 1) / max(preset.warmup * total, 1))
    return rise * (0.5 * (1 + math.cos(math.pi * step / total)) if preset.schedule == "cosine" else 1.0)


def loss_of(run: Callable[[Tensor], Output], batch: CropBatch, training: Training, chance: torch.Generator) -> Tensor:
    """Weighted cross-entropy of smoothed, mixed labels, plus the auxiliary heads if the labels are known."""
    preset, labels, device = training.preset, training.labels, training.device
    rows = batch.rows.numpy()
    classes = len(labels.classes.names)
    truth = functional.one_hot(torch.from_numpy(labels.index[rows]), classes).float()
    truth = truth * (1 - preset.label_smoothing) + preset.label_smoothing / classes
    weight = 1 + (preset.malignant_weight - 1) * torch.from_numpy(labels.target[rows]).float()
    weight = weight * batch.readable
    pixels = device.pixels(batch.pixels)
    share = 1.0
    if preset.mixup:
        share = float(np.random.default_rng(chance.initial_seed()).beta(preset.mixup, preset.mixup))
        partner = torch.randperm(len(rows), generator=chance)
        pixels = share * pixels.float() + (1 - share) * pixels[device.send(partner)].float()
        truth, weight = share * truth + (1 - share) * truth[partner], share * weight + (1 - share) * weight[partner]
    output = run(pixels)
    each = -(device.send(truth) * torch.log_softmax(output.logits.float(), 1)).sum(1)
    weight = device.send(weight)
    loss = (weight * each).sum() / weight.sum().clamp_min(1e-6)
    return loss + share * auxiliary(output, rows, training)


def auxiliary(output: Output, rows: NDArray[np.int64], training: Training) -> Tensor:
    """Losses of the size and site heads over the rows whose labels are known; 0 if there are none."""
    preset, labels, device = training.preset, training.labels, training.device
    loss = output.logits.new_zeros(())
    size, site = torch.from_numpy(labels.log_diameter[rows]), torch.from_numpy(labels.site[rows])
    if output.log_diameter is not None and not size.isnan().all():
        known = device.send(~size.isnan())
        loss = loss + preset.size_weight * functional.smooth_l1_loss(
            output.log_diameter.float()[known], device.send(size)[known]
        )
    if output.site is not None and bool((site >= 0).any()):
        loss = loss + preset.site_weight * functional.cross_entropy(
            output.site.float(), device.send(site), ignore_index=-1
        )
    return loss


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move the average towards the network; counters and other whole numbers are copied."""
    own, new = average.state_dict(), network.state_dict()
    floats = [name for name, value in own.items() if value.dtype.is_floating_point]
    torch._foreach_lerp_([own[name] for name in floats], [new[name] for name in floats], 1 - decay)
    for name, value in own.items():
        if not value.dtype.is_floating_point:
            value.copy_(new[name])


def judged(average: Network, training: Training, done: checkpoint.Progress) -> dict[str, float]:
    """The inner split's pAUC after an epoch, if there is one; saves the best weights so far."""
    if not len(training.inner):
        return {}
    loaders = loaders_for(training.loaders + 1, len(training.inner))
    options = ScoringOptions(training.preset, training.device, training.on_bad, loaders)
    scored = score([average], training.store, training.ids, training.inner, options)
    usable = np.isfinite(scored.log_odds[:, 0])
    value = partial_auc(training.labels.target[training.inner][usable], scored.log_odds[usable, 0])
    if done.best is None or value > done.best[0]:
        done.best = (value, len(done.history) + 1)
        best = training.checkpoint.with_suffix(".best.safetensors")
        checkpoint.save(best, {"average": average}, make_optimizer(average, training.preset), done, training.identity)
    return {"inner_pauc": value}


def stopped(done: checkpoint.Progress, preset: Preset) -> bool:
    """Whether the inner score has not risen for `patience` epochs."""
    return bool(preset.patience and done.best and len(done.history) - done.best[1] >= preset.patience)


def hash_of(seed: int, step: int) -> int:
    """A seed for one step, far from its neighbours'."""
    return int(np.random.SeedSequence([seed, step]).generate_state(1, np.uint32)[0])
