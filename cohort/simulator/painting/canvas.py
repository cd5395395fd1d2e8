"""The square of skin that a crop shows, in millimetres and in cycles per millimetre, and random fields on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from hashlib import blake2b
from math import cos, prod, sin, sqrt

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import DTypeLike, NDArray
from scipy import fft

Field = NDArray[np.float32]
Spectrum = NDArray[np.float32]

WIDTH_MM = 15.0
BYTE_SD = float(np.sqrt((256**2 - 1) / 12))


@dataclass(frozen=True)
class Canvas:
    """Coordinates of one side length; shared by every crop of that side, so never written to.

    Attributes:
        side: Pixels along an edge, odd.
        step: Pixels between the points that fields are made on: 1, or 2 on a coarse canvas.
        period: Points along an edge of the periodic square that fields are made on.
        x: Millimetres right of the centre, shape (1, side).
        y: Millimetres below the centre, shape (side, 1).
        fx: Cycles per millimetre along x, shape (1, period // 2 + 1).
        fy: Cycles per millimetre along y, shape (period, 1).
        squared: Squared cycles per millimetre, shape (period, period // 2 + 1).
        shares: How often each coefficient of the half plane counts in the whole plane, shape of `fx`.
        blur_mm: Standard deviation of the camera's blur.
    """

    side: int
    step: int
    period: int
    x: Field
    y: Field
    fx: Spectrum
    fy: Spectrum
    squared: Spectrum
    shares: Spectrum
    blur_mm: float = 0.0

    @property
    def pitch(self) -> float:
        """Millimetres per pixel."""
        return WIDTH_MM / self.side

    @cached_property
    def coarse(self) -> Canvas:
        """The same canvas for fields without fine detail, made on every other pixel: three times as fast."""
        return replace(canvas(self.side, 2), blur_mm=self.blur_mm)

    @cached_property
    def lens(self) -> Spectrum:
        """Transfer of the camera's Gaussian blur, shape of `squared`."""
        transfer: Spectrum = np.exp(self.squared * np.float32(-2 * (np.pi * self.blur_mm) ** 2))
        return transfer


@cache
def canvas(side: int, step: int = 1) -> Canvas:
    """The canvas of `side` pixels, an odd number."""
    period = int(fft.next_fast_len((side - 1) // step + 1, real=True))
    pitch = WIDTH_MM / side
    line = ((np.arange(side) - (side - 1) / 2) * pitch).astype(np.float32)
    x, y = line[None, :], line[:, None]
    fx = np.fft.rfftfreq(period, step * pitch).astype(np.float32)[None, :]
    fy = np.fft.fftfreq(period, step * pitch).astype(np.float32)[:, None]
    shares = np.full(fx.shape, 2, np.float32)
    shares[0, 0] = 1
    if period % 2 == 0:
        shares[0, -1] = 1
    squared = fx**2 + fy**2
    for array in (x, y, fx, fy, squared, shares):
        array.setflags(write=False)
    return Canvas(side, step, period, x, y, fx, fy, squared, shares)


def random_bytes(rng: np.random.Generator, count: int) -> NDArray[np.int8]:
    """`count` uniform signed bytes: mean -0.5, standard deviation `BYTE_SD`; the fastest noise there is."""
    return rng.bit_generator.random_raw(-(-count // 8)).view(np.int8)[:count]


class _Key(ISeedSequence):
    """A text as a seed: its hash is as good as numpy's own mixing of a seed, which takes five times as long."""

    def __init__(self, text: str) -> None:
        self._text = text

    def generate_state(self, n_words: int, dtype: DTypeLike = np.uint32) -> NDArray[np.unsignedinteger]:
        """The first `n_words` of the hash, at most 64 bytes."""
        return np.frombuffer(blake2b(self._text.encode()).digest(), dtype)[:n_words]


def stream(seed: int, isic_id: str, stage: str) -> np.random.Generator:
    """The random numbers of one stage of one crop: they depend on nothing but these three."""
    key = _Key(f"{seed}/{isic_id}/{stage}")
    return np.random.Generator(np.random.SFC64(key))  # type: ignore[arg-type]  # the stubs lack it


def squared_frequency(on: Canvas, *, angle: float = 0.0, stretch: float = 1.0) -> Spectrum:
    """Squared cycles per millimetre, for patterns `stretch` times as long along `angle` (radians) as across."""
    if stretch == 1.0:
        return on.squared
    # (stretch · along)² + across², with along = c fx + s fy and across = c fy - s fx, in powers of fx and fy.
    c, s, more = cos(angle), sin(angle), stretch**2
    squared = on.fx * np.float32(2 * c * s * (more - 1)) + on.fy * np.float32(more * s * s + c * c)
    squared *= on.fy
    squared += on.fx**2 * np.float32(more * c * c + s * s)
    return squared


def low_pass(squared: Spectrum, cutoff: float, steepness: float) -> Spectrum:
    """Amplitude 1 / (1 + (f / cutoff)²)^steepness."""
    amplitude: Spectrum = (1 + squared / np.float32(cutoff**2)) ** np.float32(-steepness)
    return amplitude


def band_pass(squared: Spectrum, centre: float, width: float) -> Spectrum:
    """Amplitude that is a Gaussian of log f around `centre` cycles per millimetre, `width` in natural log units."""
    log = np.log(squared + np.float32(1e-6)) - np.float32(2 * np.log(centre))
    amplitude: Spectrum = np.exp(log * log * np.float32(-1 / (8 * width**2)))
    return amplitude


def fields(on: Canvas, rng: np.random.Generator, spectra: Sequence[Spectrum]) -> Field:
    """Independent random fields of mean 0 and expected variance 1, one per amplitude spectrum.

    The coefficients are uniform bytes, eight times faster than normal numbers; every pixel sums so many that it is
    still normal.

    Args:
        on: The canvas.
        rng: Source of two bytes per coefficient.
        spectra: Amplitudes on the canvas's half plane, shape (period, period // 2 + 1) each.

    Returns:
        Array of shape (len(spectra), n, n) with n = (side - 1) // step + 1: on a coarse canvas, every other pixel.
    """
    shape = (len(spectra), on.period, on.period // 2 + 1)
    raw = random_bytes(rng, 2 * prod(shape)).astype(np.float32)
    coefficients = raw.view(np.complex64).reshape(shape)
    for field, spectrum in zip(coefficients, spectra, strict=True):
        squared = spectrum * spectrum
        power = float((squared.sum(0) * on.shares[0]).sum() - squared[0, 0])
        np.multiply(field, spectrum * np.float32(1 / (BYTE_SD * sqrt(2 * power))), out=field)
    coefficients[:, 0, 0] = 0
    many = (on.side - 1) // on.step + 1
    made: Field = fft.irfft2(coefficients, s=(on.period, on.period), axes=(1, 2), norm="forward")[:, :many, :many]
    return made


def between(points: Field) -> Field:
    """Put the means of neighbouring points between them: shape (count, n, n) to (count, 2n - 1, 2n - 1)."""
    count, high, wide = points.shape
    half = points * np.float32(0.5)
    rows = np.empty((count, high, 2 * wide - 1), np.float32)
    rows[..., ::2] = points
    np.add(half[..., 1:], half[..., :-1], out=rows[..., 1::2])
    whole = np.empty((count, 2 * high - 1, 2 * wide - 1), np.float32)
    whole[:, ::2] = rows
    rows *= np.float32(0.5)
    np.add(rows[:, 1:], rows[:, :-1], out=whole[:, 1::2])
    return whole


def tint(lab: Field, shade: Sequence[float] | Field, amount: Field) -> None:
    """Add `amount` times the CIELAB `shade` to `lab`, in place; shapes (3, ...), (3,) and (...)."""
    for plane, part in zip(lab, shade, strict=True):
        if part:
            np.add(plane, amount * np.float32(part), out=plane)


def sigmoid(value: Field) -> Field:
    """1 / (1 + exp(-value)), without overflow."""
    share: Field = np.float32(0.5) * (1 + np.tanh(np.float32(0.5) * value))
    return share
