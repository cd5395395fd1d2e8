"""Crops: the file format, what depends on what, and that each shows the lesion of its row."""

import io
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import polars as pl
import pytest
from PIL import Image

from cohort.simulator import simulate
from cohort.simulator.crops import paint, write_hdf5
from cohort.simulator.painting.canvas import canvas
from cohort.simulator.painting.mole import lay_out
from cohort.simulator.painting.scene import side
from cohort.simulator.painting.subject import subjects
from engine.errors import InputError

PLAIN: dict[str, Any] = {
    "clin_size_long_diam_mm": 4.0,
    "tbp_lv_minorAxisMM": 3.0,
    "tbp_lv_symm_2axis_angle": 0.0,
    "tbp_lv_symm_2axis": 0.2,
    "tbp_lv_area_perim_ratio": 15.0,
    "tbp_lv_color_std_mean": 0.5,
    "tbp_lv_radial_color_std_max": 0.5,
    "tbp_lv_stdL": 1.5,
    "tbp_lv_stdLExt": 1.2,
    "tbp_lv_L": 35.0,
    "tbp_lv_A": 20.0,
    "tbp_lv_B": 28.0,
    "tbp_lv_Lext": 50.0,
    "tbp_lv_Aext": 15.0,
    "tbp_lv_Bext": 27.0,
    "crop_sign": -3.0,
    "tbp_tile_type": "3D: XP",
    "sex": "female",
    "anatom_site_general": "posterior torso",
    "attribution": "Memorial Sloan Kettering Cancer Center",
}


def lesions(count: int = 24, **changes: Any) -> pl.DataFrame:  # noqa: ANN401 - a value of any column
    ids = [f"ISIC_{number:07d}" for number in range(count)]
    return pl.DataFrame({"isic_id": ids, **{name: [value] * count for name, value in (PLAIN | changes).items()}})


def jpegs(rows: pl.DataFrame, seed: int = 0) -> dict[str, bytes]:
    return dict(paint(rows, seed=seed, workers=1))


def pixels(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"), np.float64)


def middle(picture: np.ndarray, share: float) -> np.ndarray:
    """The centred square of `share` of the side."""
    margin = round(len(picture) * (1 - share) / 2)
    return picture[margin : len(picture) - margin, margin : len(picture) - margin]


def darkness(picture: np.ndarray) -> np.ndarray:
    """How much darker than the median of the whole crop each pixel is."""
    grey = picture.mean(axis=2)
    return np.median(grey) - grey


def average(rows: pl.DataFrame, size: int = 101) -> np.ndarray:
    """The mean crop of `rows`, all scaled to one size: textures and hairs average out, the lesion stays."""
    scaled = [Image.open(io.BytesIO(jpeg)).convert("RGB").resize((size, size)) for jpeg in jpegs(rows).values()]
    return np.mean([np.asarray(picture, np.float64) for picture in scaled], axis=0)


class TestFormat:
    def test_is_the_published_kind_of_jpeg(self) -> None:
        for jpeg in jpegs(lesions(6)).values():
            picture = Image.open(io.BytesIO(jpeg))
            assert picture.format == "JPEG"
            assert picture.mode == "RGB"
            assert picture.info["jfif"] == 0x0101
            # Quality 75: half of the example luminance table of the JPEG standard, 16 11 10 16 24 40 51 61, rounded up.
            assert list(picture.quantization[0][:8]) == [8, 6, 5, 8, 12, 20, 26, 31]
            # Baseline frame; luminance sampled 2 × 2, both chromas 1 × 1.
            frame = jpeg[jpeg.index(b"\xff\xc0") :]
            assert frame[10:19].hex() == "012200021101031101"
            # The four standard Huffman tables, not optimised ones: two of 12 and two of 162 symbols.
            assert jpeg.count(b"\xff\xc4") == 4
            assert b"\xff\xc4\x00\xb5\x10" in jpeg

    def test_is_square_with_an_odd_side(self) -> None:
        for jpeg in jpegs(lesions(12)).values():
            wide, high = Image.open(io.BytesIO(jpeg)).size
            assert wide == high
            assert wide % 2 == 1

    def test_sides_are_as_published(self) -> None:
        subject = next(subjects(lesions(1)))
        rng = np.random.default_rng(0)
        sides = np.array([side(subject, rng) for _ in range(20_000)])
        assert np.all(sides % 2 == 1)
        assert (sides.min(), sides.max()) >= (51, 230)
        assert sides.max() <= 239
        assert list(np.quantile(sides, [0.05, 0.25, 0.5, 0.75, 0.95])) == pytest.approx(
            [105, 117, 127, 137, 153], abs=2
        )

    def test_crops_of_vienna_are_finer(self) -> None:
        vienna = "ViDIR Group, Department of Dermatology, Medical University of Vienna"
        here, there = (next(subjects(lesions(1, **name))) for name in ({}, {"attribution": vienna}))
        assert side(there, np.random.default_rng(0)) / side(here, np.random.default_rng(0)) == pytest.approx(
            1.16, abs=0.02
        )


class TestDependence:
    def test_same_seed_same_bits_other_seed_other_picture(self) -> None:
        rows = lesions(3)
        assert jpegs(rows, 5) == jpegs(rows, 5)
        assert all(jpegs(rows, 5)[isic_id] != jpeg for isic_id, jpeg in jpegs(rows, 6).items())

    def test_a_crop_depends_on_its_own_row_alone(self) -> None:
        rows = lesions(8)
        alone = jpegs(rows)
        assert jpegs(rows.reverse()) == alone
        assert jpegs(rows.slice(5, 1)) == {"ISIC_0000005": alone["ISIC_0000005"]}

    def test_labels_are_not_looked_at(self) -> None:
        rows = lesions(4)
        labelled = rows.with_columns(target=pl.Series([0, 1, 0, 1]), iddx_full=pl.lit("Malignant"), p_crop=pl.lit(0.9))
        assert jpegs(labelled) == jpegs(rows)

    def test_any_number_of_workers_paints_the_same_in_the_same_order(self) -> None:
        rows = lesions(70)  # more than two batches of 32, the last one part full
        assert list(paint(rows, seed=1, workers=2)) == list(paint(rows, seed=1, workers=1))

    def test_a_reader_may_stop_early(self) -> None:
        crops = paint(lesions(40), seed=0, workers=2)
        assert next(crops)[0] == "ISIC_0000000"
        crops.close()  # type: ignore[attr-defined] - a generator
        assert list(crops) == []


class TestLesion:
    def test_contrast_is_painted(self) -> None:
        # The lesion is 20 L* darker than the skin: about 45 levels on this skin, times the crops' own contrast.
        drop = middle(darkness(average(lesions(tbp_lv_L=30.0))), 0.1).mean()
        assert 35 < drop < 80
        assert drop > 1.6 * middle(darkness(average(lesions(tbp_lv_L=40.0))), 0.1).mean()

    def test_a_red_lesion_is_red_and_a_brown_one_yellower(self) -> None:
        red = average(lesions(tbp_lv_L=45.0, tbp_lv_A=30.0, tbp_lv_B=25.0))
        brown = average(lesions(tbp_lv_L=45.0, tbp_lv_A=18.0, tbp_lv_B=33.0))
        (r1, g1, b1), (r2, g2, b2) = (middle(picture, 0.1).mean((0, 1)) for picture in (red, brown))
        assert r1 - g1 > r2 - g2 + 15
        assert g2 - b2 > g1 - b1 + 15

    @pytest.mark.parametrize(("diameter", "minor"), [(3.0, 3.0), (6.0, 4.5), (11.0, 8.0)])
    def test_size_is_that_of_the_row(self, diameter: float, minor: float) -> None:
        dark = darkness(average(lesions(clin_size_long_diam_mm=diameter, tbp_lv_minorAxisMM=minor)))
        dark -= np.median(dark[:8])
        area = (dark > 0.5 * middle(dark, 0.1).mean()).mean() * 15**2
        assert area == pytest.approx(np.pi / 4 * diameter * minor, rel=0.25)

    @pytest.mark.parametrize("angle", [0.0, 35.0, 90.0, 150.0])
    def test_the_long_axis_lies_at_the_angle(self, angle: float) -> None:
        shape = {"clin_size_long_diam_mm": 8.0, "tbp_lv_minorAxisMM": 3.0}
        dark = darkness(average(lesions(tbp_lv_symm_2axis_angle=angle, **shape)))
        y, x = np.nonzero(dark > 0.5 * middle(dark, 0.1).mean())
        (xx, xy), (_, yy) = np.cov(x, y)
        found = np.degrees(0.5 * np.arctan2(2 * xy, xx - yy))
        assert abs((found - angle + 90) % 180 - 90) < 8

    @pytest.mark.parametrize("diameter", [2.0, 8.0, 12.0, 30.0])
    def test_the_window_keeps_its_shape_on_the_canvas_and_is_all_of_it_for_what_fills_the_crop(
        self, diameter: float
    ) -> None:
        rows = lesions(40, clin_size_long_diam_mm=diameter, tbp_lv_minorAxisMM=diameter, crop_sign=2.0)
        for number, subject in enumerate(subjects(rows)):
            on = canvas(101)
            mole = lay_out(subject, np.array([-9.0, 3.0, 1.0]), on, np.random.default_rng(number), growth=1.0)
            shape = tuple(line.stop - line.start for line in mole.window)
            assert shape == mole.cover.shape
            assert all(0 <= line.start < line.stop <= on.side for line in mole.window)
            assert diameter < 30 or shape == (on.side, on.side)

    def test_the_skin_has_the_colour_outside(self) -> None:
        pale, dark = (
            average(lesions(tbp_lv_Lext=65.0, tbp_lv_L=55.0)),
            average(lesions(tbp_lv_Lext=35.0, tbp_lv_L=25.0)),
        )
        assert (pale[:20].mean((0, 1)) - dark[:20].mean((0, 1)) > 40).all()

    def test_rough_skin_is_rougher(self) -> None:
        def roughness(rows: pl.DataFrame) -> float:
            return float(np.median([pixels(jpeg)[:30].std((0, 1)).mean() for jpeg in jpegs(rows).values()]))

        assert roughness(lesions(40, tbp_lv_stdLExt=4.0)) > 1.4 * roughness(lesions(40, tbp_lv_stdLExt=1.2))

    def test_a_jagged_border_strays_from_the_ellipse(self) -> None:
        def straying(rows: pl.DataFrame) -> float:
            """Mean over crops of the share of dark pixels outside the disc of the same area."""
            shares = []
            for jpeg in jpegs(rows).values():
                dark = darkness(pixels(jpeg))
                inside = dark > 0.5 * middle(dark, 0.1).mean()
                y, x = np.indices(inside.shape) - len(inside) // 2
                shares.append(float(inside[np.hypot(x, y) > 1.1 * np.sqrt(inside.sum() / np.pi)].sum() / inside.sum()))
            return float(np.median(shares))

        disc = {"clin_size_long_diam_mm": 6.0, "tbp_lv_minorAxisMM": 6.0, "tbp_lv_L": 25.0}
        smooth = straying(lesions(tbp_lv_area_perim_ratio=12.6, tbp_lv_symm_2axis=0.05, **disc))
        jagged = straying(lesions(tbp_lv_area_perim_ratio=40.0, tbp_lv_symm_2axis=0.7, **disc))
        assert jagged > smooth + 0.05


class TestLighting:
    def test_white_light_is_brighter_and_bluer(self) -> None:
        white = average(lesions(tbp_tile_type="3D: white", tbp_lv_Lext=61.0, tbp_lv_L=50.0))[:20].mean((0, 1))
        polarised = average(lesions(tbp_tile_type="3D: XP", tbp_lv_Lext=46.0, tbp_lv_L=35.0))[:20].mean((0, 1))
        assert white.mean() > polarised.mean() + 5
        assert white[2] / white[0] > polarised[2] / polarised[0] + 0.05

    def test_an_unseen_hospital_has_its_own_cast(self) -> None:
        known, same, unseen = (
            average(lesions(40, attribution=name))[:20].mean((0, 1))
            for name in ("ACEMID MIA", "University Hospital of Basel", "Hospital of Nowhere")
        )
        assert np.abs(known - same).max() == 0
        assert np.abs(known - unseen).max() > 3


class TestSigns:
    def test_no_sign_no_difference(self) -> None:
        assert jpegs(lesions(6, crop_sign=-3.0)) == jpegs(lesions(6, crop_sign=-1.0))

    def test_signs_grow_with_their_latent(self) -> None:
        plain = jpegs(lesions(16, crop_sign=-3.0))

        def change(sign: float) -> float:
            signed = jpegs(lesions(16, crop_sign=sign))
            return float(np.mean([np.abs(pixels(jpeg) - pixels(plain[key])).mean() for key, jpeg in signed.items()]))

        assert 0 < change(0.5) < change(1.5) < change(3.0)

    def test_signs_stay_near_the_lesion(self) -> None:
        small = {"clin_size_long_diam_mm": 2.5, "tbp_lv_minorAxisMM": 2.0}
        plain, signed = jpegs(lesions(8, crop_sign=-3.0, **small)), jpegs(lesions(8, crop_sign=2.0, **small))
        for isic_id, jpeg in signed.items():
            difference = np.abs(pixels(jpeg) - pixels(plain[isic_id])).mean(axis=2)
            assert difference[:12].mean() < 1 < middle(difference, 0.2).mean()


class TestPublished:
    """Means of the 10,294 published crops of the permissive subset (benign unless said) and of what is painted."""

    def test_colours_and_sizes(self) -> None:
        simulated = simulate(20_000, seed=3)
        rows = simulated.metadata.join(simulated.truth.drop("target"), on="isic_id", how="left", maintain_order="left")
        permissive = rows.filter((pl.col("target") == 0) & (pl.col("copyright_license") != "CC-BY-NC"))
        crops = list(jpegs(permissive.sample(300, seed=0)).values())
        pictures = [pixels(jpeg) for jpeg in crops]
        colour = np.mean([picture.mean((0, 1)) for picture in pictures], axis=0)
        centre = np.mean([middle(picture, 0.2).mean((0, 1)) for picture in pictures], axis=0)
        spread = np.mean([picture.std((0, 1)) for picture in pictures], axis=0)
        # 20,000 lesions are of about 50 patients, and patients differ in skin and light: hence the tolerance.
        assert np.abs(colour - [177, 133, 112]).max() < 15
        assert np.abs(centre - [161, 110, 89]).max() < 15
        assert np.abs(spread - [12.0, 13.3, 13.1]).max() < 3
        # 2.7 kB, from 1 to 6.5.
        assert np.median([len(jpeg) for jpeg in crops]) == pytest.approx(2700, rel=0.15)


class TestHdf5:
    def test_official_layout(self, tmp_path: Path) -> None:
        rows = lesions(5)
        write_hdf5(rows, tmp_path / "deep" / "train-image.hdf5", seed=2, workers=1)
        with h5py.File(tmp_path / "deep" / "train-image.hdf5") as file:
            assert list(file) == rows["isic_id"].to_list()
            for isic_id, jpeg in jpegs(rows, 2).items():
                dataset = file[isic_id]
                assert dataset.shape == ()
                assert dataset.dtype == np.dtype(f"S{len(jpeg)}")
                assert dataset[()] == jpeg

    def test_same_seed_same_file(self, tmp_path: Path) -> None:
        write_hdf5(lesions(5), tmp_path / "a", seed=2, workers=1)
        time.sleep(1.01)  # HDF5 can store the second of writing
        write_hdf5(lesions(5), tmp_path / "b", seed=2, workers=1)
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()

    def test_whole_or_absent(self, tmp_path: Path) -> None:
        path = tmp_path / "train-image.hdf5"
        with pytest.raises(InputError):
            write_hdf5(lesions(3).with_columns(tbp_lv_L=pl.lit(None)), path, seed=0)
        assert list(tmp_path.iterdir()) == []


class TestRefusals:
    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            (lesions(2).drop("crop_sign", "sex"), "no column crop_sign, sex"),
            (lesions(2, tbp_lv_A=float("nan")), "tbp_lv_A of ISIC_0000000 is nan"),
            (lesions(2, tbp_lv_A=None), "tbp_lv_A of ISIC_0000000 is nan"),
            (lesions(2, clin_size_long_diam_mm=0.0), "clin_size_long_diam_mm of ISIC_0000000 is 0.0"),
            (pl.concat([lesions(2), lesions(1)]), "isic_id 'ISIC_0000000' is there twice"),
            (lesions(1).with_columns(isic_id=pl.lit("a/b")), "isic_id 'a/b' is not an id"),
        ],
        ids=["missing", "nan", "null", "zero", "repeated", "malformed"],
    )
    def test_says_what_and_where(self, rows: pl.DataFrame, message: str) -> None:
        with pytest.raises(InputError, match=r"^rows to paint: ") as caught:
            paint(rows, seed=0, workers=1)
        assert message in str(caught.value)
