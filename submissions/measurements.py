"""The measurements that a reason may name, and how to say each in plain words."""

from __future__ import annotations

from dataclasses import dataclass

from features.patients.image_tables import SCORE_PREFIX


@dataclass(frozen=True)
class Words:
    """The words for one side of a measurement.

    Attributes:
        than: To be followed by "than 97 % of this patient's lesions".
        most: To be followed by "of this patient's 34 lesions".
    """

    than: str
    most: str


@dataclass(frozen=True)
class Measurement:
    """One number of a lesion, in words.

    Attributes:
        column: Column of the canonical frame, or `image:score` for the score of a network.
        about: What it is about; of two measurements about the same thing, a reason names the more unusual one.
        high: Words for a high value.
        low: Words for a low value.
        label: Said before a value.
        unit: Said after a value. Without label and unit the number would mean nothing to a reader and is left out.
    """

    column: str
    about: str
    high: Words
    low: Words
    label: str = ""
    unit: str = ""

    def in_words(self, value: float, median: float) -> str:
        """The value and the patient's median in brackets, or nothing; one decimal, as on a ruler."""
        if not self.label and not self.unit:
            return ""
        return f" ({self.label}{value:.1f}{self.unit}, median {median:.1f}{self.unit})"


IMAGE = f"{SCORE_PREFIX}score"

MEASUREMENTS: tuple[Measurement, ...] = (
    Measurement(
        "clin_size_long_diam_mm", "size", Words("larger", "the largest"), Words("smaller", "the smallest"), unit=" mm"
    ),
    Measurement(
        "tbp_lv_deltaL",
        "contrast",
        Words("lighter against the surrounding skin", "the lightest against the surrounding skin"),
        Words("darker against the surrounding skin", "the darkest against the surrounding skin"),
        label="lightness against the skin ",
    ),
    Measurement(
        "tbp_lv_deltaLBnorm",
        "contrast",
        Words("more different from the surrounding skin", "the most different from the surrounding skin"),
        Words("fainter on the surrounding skin", "the faintest on the surrounding skin"),
    ),
    Measurement(
        "tbp_lv_color_std_mean",
        "colours",
        Words("more uneven in colour", "the most uneven in colour"),
        Words("more even in colour", "the most even in colour"),
    ),
    Measurement(
        "tbp_lv_radial_color_std_max",
        "colours",
        Words("less symmetric in colour", "the least symmetric in colour"),
        Words("more symmetric in colour", "the most symmetric in colour"),
    ),
    Measurement(
        "tbp_lv_norm_border",
        "border",
        Words("more irregular in its border", "the most irregular in its border"),
        Words("more regular in its border", "the most regular in its border"),
        unit=" of 10",
    ),
    Measurement(
        "tbp_lv_symm_2axis",
        "border",
        Words("more asymmetric in outline", "the most asymmetric in outline"),
        Words("more symmetric in outline", "the most symmetric in outline"),
    ),
    Measurement(
        "tbp_lv_eccentricity",
        "shape",
        Words("more elongated", "the most elongated"),
        Words("rounder", "the roundest"),
    ),
    Measurement(
        "tbp_lv_H", "hue", Words("browner", "the brownest"), Words("redder", "the reddest"), label="hue ", unit="°"
    ),
    Measurement(
        IMAGE,
        "image",
        Words("more suspicious to the image model", "the most suspicious to the image model"),
        Words("less suspicious to the image model", "the least suspicious to the image model"),
    ),
)
"""Equally unusual measurements are named in this order."""
