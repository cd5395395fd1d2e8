"""Which crops make up each step, and how they reach the network; depends only on seed, epoch and step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from cohort.stores.protocol import CropError, CropReader, OnBad, try_read
from image_embeddings.networks.augmentation import as_tensor, augmentation, prepare
from image_embeddings.presets import Preset

# (row of the frame, seed of its augmentation)
Item = tuple[int, int]


@dataclass(frozen=True)
class Sampling:
    """How the lesions of each epoch are drawn.

    Attributes:
        malignant: Rows seen in every epoch, `copies` times.
        benign: Rows of which `n_benign` are drawn anew each epoch.
        copies: Copies of each malignant row.
        n_benign: Benign rows per epoch, at most all of `benign`.
        batch_size: Rows of every step; the remaining rows at the end of an epoch are left out.
        seed: Seed of every draw.
    """

    malignant: NDArray[np.int64]
    benign: NDArray[np.int64]
    copies: int
    n_benign: int
    batch_size: int
    seed: int

    @classmethod
    def of(cls, rows: NDArray[np.int64], target: NDArray[np.int8], preset: Preset, seed: int) -> Sampling:
        """Sampling of the training `rows` by a preset's ratio."""
        malignant, benign = rows[target[rows] == 1], rows[target[rows] == 0]
        wanted = round(preset.benign_ratio * len(malignant))
        drawn = max(min(wanted, len(benign)), min(len(benign), preset.batch_size))
        return cls(malignant, benign, preset.malignant_copies, drawn, preset.batch_size, seed)

    @property
    def steps(self) -> int:
        """Steps of one epoch; at least 1."""
        return max((len(self.malignant) * self.copies + self.n_benign) // self.batch_size, 1)

    @property
    def crops(self) -> int:
        """Crops of one epoch."""
        return self.steps * self.batch_size

    def epoch(self, epoch: int) -> list[list[Item]]:
        """The batches of one epoch, the same whenever asked."""
        chance = np.random.default_rng([self.seed, epoch])
        benign = chance.choice(self.benign, self.n_benign, replace=False)
        rows = chance.permutation(np.concatenate([np.repeat(self.malignant, self.copies), benign]))
        seeds = chance.integers(2**62, size=len(rows))
        items = list(zip(rows.tolist(), seeds.tolist(), strict=True))
        return [items[step * self.batch_size : (step + 1) * self.batch_size] for step in range(self.steps)]


class Steps(Sampler[list[Item]]):
    """The batches from one step of the training to its end."""

    def __init__(self, sampling: Sampling, epochs: int, first_step: int) -> None:
        self.sampling, self.epochs, self.first_step = sampling, epochs, first_step

    def __iter__(self) -> Iterator[list[Item]]:
        start, skip = divmod(self.first_step, self.sampling.steps)
        for epoch in range(start, self.epochs):
            yield from self.sampling.epoch(epoch)[skip if epoch == start else 0 :]

    def __len__(self) -> int:
        return self.sampling.steps * self.epochs - self.first_step


@dataclass(frozen=True)
class CropBatch:
    """Crops on their way to the network.

    Attributes:
        pixels: (batch, 3, size, size) uint8.
        rows: (batch,) their rows in the frame.
        readable: (batch,) False if the crop could not be read and its pixels are blank.
        faults: Why crops could not be read.
    """

    pixels: Tensor
    rows: Tensor
    readable: Tensor
    faults: list[CropError]


# A crop's pixels, or why there are none, and its row.
Sample = tuple[NDArray[np.uint8] | CropError, int]


class Crops(Dataset[Sample]):
    """Crops by row, augmented if an item has a seed of 0 or more.

    It holds the store's path, not its open file: each worker process opens its own.
    """

    def __init__(self, store: CropReader, ids: Sequence[str], preset: Preset, on_bad: OnBad) -> None:
        self.store, self.ids, self.preset, self.on_bad = store, ids, preset, on_bad
        self.augment = augmentation(preset.augmentation)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, item: Item) -> Sample:
        row, seed = item
        crop = try_read(self.store, self.ids[row])
        if isinstance(crop, CropError):
            if self.on_bad == "stop":
                raise crop
            return crop, row
        pixels = prepare(crop.pixels, self.preset)
        if seed >= 0:
            # A seed for each crop: what it looks like depends neither on its place in a batch nor on the worker.
            # Only the default generator: torch.manual_seed also visits every accelerator, a millisecond each time.
            torch.default_generator.manual_seed(seed)
            pixels = self.augment(as_tensor(pixels)).permute(1, 2, 0).numpy()
        return pixels, row

    def collate(self, items: list[Sample]) -> CropBatch:
        """Stack crops; blank if one could not be read."""
        blank = np.zeros((self.preset.size, self.preset.size, 3), np.uint8)
        pixels = np.stack([blank if isinstance(value, CropError) else value for value, _ in items])
        readable = [not isinstance(value, CropError) for value, _ in items]
        faults = [value for value, _ in items if isinstance(value, CropError)]
        # With colours last in memory, which torch calls channels last, no copy is needed on the way to the network.
        seen = torch.from_numpy(pixels).permute(0, 3, 1, 2)
        return CropBatch(seen, torch.tensor([row for _, row in items]), torch.tensor(readable), faults)


def loader(
    crops: Crops, batches: Sampler[list[Item]] | list[list[Item]], *, workers: int, pin: bool
) -> DataLoader[CropBatch]:
    """Batches in order, decoded in `workers` processes besides this one (0: in this one)."""
    options = {"prefetch_factor": 4, "multiprocessing_context": "spawn"} if workers else {}
    return DataLoader(
        crops, batch_sampler=batches, collate_fn=crops.collate, num_workers=workers, pin_memory=pin, **options
    )
