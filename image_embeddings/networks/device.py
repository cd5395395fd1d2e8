"""Where a network runs: a GPU if there is one, else the CPU."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.errors import InputError
from image_embeddings.networks.network import Network, Output


@dataclass(frozen=True)
class Device:
    """A device and the precision used on it.

    Attributes:
        name: As torch names it: "cpu", "cuda", "cuda:1", "mps".
        compiled: Let torch.compile translate the network.
    """

    name: str
    compiled: bool = False

    @classmethod
    def choose(cls, name: str = "auto", *, compiled: bool = False) -> Device:
        """`name`, or with "auto" the GPU if there is one.

        Raises:
            InputError: The named device is not available.
        """
        if name == "auto":
            name = "cuda" if torch.cuda.is_available() else "cpu"
        if name.startswith("cuda") and not torch.cuda.is_available():
            raise InputError("no CUDA device here", where="device", remedy="use cpu, or install torch for CUDA")
        return cls(name, compiled)

    @property
    def is_cuda(self) -> bool:
        """Whether it is an NVIDIA or AMD GPU."""
        return self.name.startswith("cuda")

    def place(self, network: Network) -> Network:
        """Move a network here, channels last, for which convolutions are fastest."""
        network.to(self.name, memory_format=torch.channels_last)
        return network

    def pixels(self, batch: Tensor) -> Tensor:
        """Send (batch, 3, size, size) uint8 here, channels last."""
        return batch.to(self.name, non_blocking=True).contiguous(memory_format=torch.channels_last)

    def send(self, tensor: Tensor) -> Tensor:
        """Send any tensor here."""
        return tensor.to(self.name, non_blocking=True)

    def compile(self, network: Network) -> Callable[[Tensor], Output]:
        """The network itself, or its compiled form, which shares its weights."""
        return torch.compile(network) if self.compiled else network

    def autocast(self) -> AbstractContextManager[Any]:
        """Mixed precision (bfloat16, which needs no loss scaling) on a GPU; float32 on a CPU."""
        return torch.autocast("cuda", torch.bfloat16) if self.is_cuda else nullcontext()
