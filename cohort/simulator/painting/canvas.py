"""The square of skin that a crop shows, in millimetres and in cycles per millimetre, and random fields on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Field = NDArray[np.float32]
Spectrum = NDArray[np.float32]

WIDTH_MM = 15.0


@dataclass(frozen=True, slots=True)
class Canvas:
    """Coordinates of one side length; shared by every crop of that side, so never written to.

    Attributes:
        side: Pixels along an edge.
        period: Pixels along an edge of the periodic square that fields are made on, `side` or a little more.
        x: Millimetres right of the centre, shape (side, side).
        y: Millimetres below the centre, shape (side, side).
        fx: Cycles per millimetre along x, shape (1, columns): all of the half plane, or its start on a coarse canvas.
        fy: Cycles per millimetre along y, shape (period, 1).
        shares: How often each coefficient of the half plane counts in the whole plane, shape of `fx`.
        blur_mm: Standard deviation of the camera's blur.
    """

    side: int
    period: int
    x: Field
    y: Field
    fx: Spectrum
    fy: Spectrum
    shares: Spectrum
    blur_mm: float = 0.0

    @property
    def pitch(self) -> float:
        """Millimetres per pixel."""
        return WIDTH_MM / self.side

    def coarse(self) -> Canvas:
        """The same canvas for fields without detail above about 2 cycles per millimetre, three times as quick."""
        return replace(_coarse(self.side), blur_mm=self.blur_mm)


@cache
def canvas(side: int) -> Canvas:
    """The canvas of `side` pixels."""
    period = int(fft.next_fast_len(side, real=True))
    pitch = WIDTH_MM / side
    line = ((np.arange(side) - (side - 1) / 2) * pitch).astype(np.float32)
    x, y = np.meshgrid(line, line)
    fx = np.fft.rfftfreq(period, pitch).astype(np.float32)[None, :]
    fy = np.fft.fftfreq(period, pitch).astype(np.float32)[:, None]
    shares = np.full(fx.shape, 2, np.float32)
    shares[0, 0] = 1
    if period % 2 == 0:
        shares[0, -1] = 1
    for array in (x, y, fx, fy, shares):
        array.setflags(write=False)
    return Canvas(side, period, x, y, fx, fy, shares)


@cache
def _coarse(side: int) -> Canvas:
    whole = canvas(side)
    columns = min(int(np.searchsorted(whole.fx[0], 2.0)) + 1, whole.fx.shape[1])
    return replace(whole, fx=whole.fx[:, :columns], shares=np.full((1, columns), 2, np.float32))


def stream(seed: int, isic_id: str, stage: str) -> np.random.Generator:
    """The random numbers of one stage of one crop: they depend on nothing but these three."""
    digest = blake2b(f"{seed}/{isic_id}/{stage}".encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))


def squared_frequency(on: Canvas, *, angle: float = 0.0, stretch: float = 1.0) -> Spectrum:
    """Squared cycles per millimetre; a pattern of `stretch` times the length along `angle` (radians) counts as one."""
    if stretch == 1.0:
        plain: Spectrum = on.fx**2 + on.fy**2
        return plain
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    along, across = c * on.fx + s * on.fy, c * on.fy - s * on.fx
    squared: Spectrum = (np.float32(stretch) * along) ** 2 + across**2
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


def lens(on: Canvas) -> Spectrum:
    """Transfer of the camera's Gaussian blur."""
    transfer: Spectrum = np.exp((on.fx**2 + on.fy**2) * np.float32(-2 * (np.pi * on.blur_mm) ** 2))
    return transfer


def fields(on: Canvas, rng: np.random.Generator, spectra: Sequence[Spectrum]) -> Field:
    """Independent random fields of mean 0 and expected variance 1, one per amplitude spectrum.

    The coefficients are uniform bytes, eight times quicker than normal numbers; every pixel sums so many that it is
    normal all the same.

    Args:
        on: The canvas.
        rng: Source of two bytes per coefficient.
        spectra: Amplitudes on the canvas's part of the half plane, shape (period, columns) each.

    Returns:
        Array of shape (len(spectra), side, side).
    """
    shape = (len(spectra), on.period, on.fx.shape[1])
    raw = np.frombuffer(rng.bytes(2 * int(np.prod(shape))), np.int8).astype(np.float32)
    coefficients = raw.view(np.complex64).reshape(shape)
    for index, spectrum in enumerate(spectra):
        squared = spectrum * spectrum
        power = float((squared.sum(0) * on.shares[0]).sum() - squared[0, 0])
        coefficients[index] *= spectrum * np.float32(1 / (_BYTE_SD * np.sqrt(2 * power)))
    coefficients[:, 0, 0] = 0
    columns = fft.ifft(coefficients, axis=1, norm="forward", overwrite_x=True)[:, : on.side]
    whole: Field = fft.irfft(columns, on.period, axis=2, norm="forward")
    return whole[:, :, : on.side]


def tint(lab: Field, shade: Sequence[float] | Field, amount: Field) -> None:
    """Add `amount` times the CIELAB `shade` to `lab`, in place; shapes (3, ...), (3,) and (...)."""
    for plane, part in zip(lab, shade, strict=True):
        if part:
            np.add(plane, amount * np.float32(part), out=plane)


def sigmoid(value: Field) -> Field:
    """1 / (1 + exp(-value)), without overflow."""
    share: Field = np.float32(0.5) * (1 + np.tanh(np.float32(0.5) * value))
    return share


_BYTE_SD = float(np.sqrt((256**2 - 1) / 12))
