"""One contract that every image store passes, and what each store refuses."""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import h5py
import numpy as np
import polars as pl
import pytest
from PIL import Image

from cohort.stores import decoding
from cohort.stores.dicom import DicomStore, differences
from cohort.stores.folder import FolderStore
from cohort.stores.hdf5 import Hdf5Store
from cohort.stores.naming import absent_crops
from cohort.stores.opening import open_store
from cohort.stores.protocol import Crop, CropError, ImageStore, Pixels, try_read
from engine.errors import InputError

IDS = ["ISIC_0000001", "ISIC_0000002", "ISIC_0000010"]


def painted(place: int, width: int = 12, height: int = 9) -> Pixels:
    """A flat colour that survives JPEG, another for each place."""
    return np.full((height, width, 3), (200, 40 + 50 * place, 90), np.uint8)


def encoded(pixels: Pixels, kind: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **({"quality": 95} if kind == "JPEG" else {}))
    return buffer.getvalue()


def write_hdf5(path: Path, entries: dict[str, bytes]) -> Path:
    with h5py.File(path, "w") as file:
        for name, data in entries.items():
            file[name] = np.bytes_(data)
    return path


def write_folder(path: Path, entries: dict[str, bytes]) -> Path:
    path.mkdir()
    for name, data in entries.items():
        (path / f"{name}.jpg").write_bytes(data)
    return path


def dicom_bytes(pixels: Pixels, **fields: str) -> bytes:
    pydicom = pytest.importorskip("pydicom")
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

    record = pydicom.Dataset()
    record.file_meta = pydicom.dataset.FileMetaDataset()
    record.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    record.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    record.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    record.SOPClassUID = SecondaryCaptureImageStorage
    record.SOPInstanceUID = record.file_meta.MediaStorageSOPInstanceUID
    record.Rows, record.Columns, record.SamplesPerPixel = *pixels.shape[:2], 3
    record.PhotometricInterpretation, record.PlanarConfiguration = "RGB", 0
    record.BitsAllocated = record.BitsStored = 8
    record.HighBit, record.PixelRepresentation = 7, 0
    raw = pixels.tobytes()
    record.PixelData = raw + b"\0" * (len(raw) % 2)
    record["PixelData"].VR = "OB"
    for name, value in fields.items():
        setattr(record, name, value)
    buffer = io.BytesIO()
    record.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def write_dicom(path: Path, entries: dict[str, bytes]) -> Path:
    path.mkdir()
    for name, data in entries.items():
        (path / f"{name}.dcm").write_bytes(data)
    return path


class StoreContract:
    """What holds for every store; a subclass says how to write one."""

    cut = 0.5

    def encode(self, pixels: Pixels) -> bytes:
        return encoded(pixels)

    def write(self, path: Path, entries: dict[str, bytes]) -> Path:
        raise NotImplementedError

    def open(self, path: Path) -> ImageStore:
        raise NotImplementedError

    @pytest.fixture
    def build(self, tmp_path: Path) -> Iterator[Callable[..., ImageStore]]:
        opened: list[ImageStore] = []

        def make(entries: dict[str, bytes]) -> ImageStore:
            store = self.open(self.write(tmp_path / "store", entries))
            opened.append(store)
            return store

        yield make
        for store in opened:
            store.close()

    @pytest.fixture
    def three(self, build: Callable[..., ImageStore]) -> ImageStore:
        # Written in another order than the ids'.
        return build({name: self.encode(painted(IDS.index(name))) for name in (IDS[2], IDS[0], IDS[1])})

    def test_is_an_image_store(self, three: ImageStore) -> None:
        assert isinstance(three, ImageStore)

    def test_ids_are_ascending(self, three: ImageStore) -> None:
        assert list(three.ids) == IDS

    def test_each_id_gives_its_own_pixels(self, three: ImageStore) -> None:
        for place, isic_id in enumerate(IDS):
            crop = three.read(isic_id)
            assert crop.isic_id == isic_id
            assert crop.pixels.dtype == np.uint8
            assert crop.pixels.shape == (9, 12, 3)
            np.testing.assert_allclose(crop.pixels.astype(int), painted(place).astype(int), atol=4)
            assert crop.n_bytes > 0

    def test_opening_reads_nothing(self, tmp_path: Path) -> None:
        self.open(tmp_path / "absent")

    def test_a_missing_place_is_an_input_error(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no such"):
            _ = self.open(tmp_path / "absent").ids

    def test_an_unknown_id_is_named(self, three: ImageStore) -> None:
        with pytest.raises(CropError, match="ISIC_9999999: no crop of this id") as caught:
            three.read("ISIC_9999999")
        assert caught.value.isic_id == "ISIC_9999999"

    @pytest.mark.parametrize("name", ["../ISIC_0000001", "/etc/passwd", "", "a/b", ".", "ISIC_1\n"])
    def test_an_id_is_never_a_path(self, three: ImageStore, name: str) -> None:
        with pytest.raises(CropError, match="not a valid id"):
            three.read(name)

    def test_a_truncated_crop_is_named_and_the_others_still_read(self, build: Callable[..., ImageStore]) -> None:
        noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
        whole = self.encode(noise)
        store = build({IDS[0]: whole[: int(len(whole) * self.cut)], IDS[1]: self.encode(painted(1))})
        result = try_read(store, IDS[0])
        assert isinstance(result, CropError)
        assert result.isic_id == IDS[0]
        assert isinstance(try_read(store, IDS[1]), Crop)

    def test_something_else_than_an_image_is_refused(self, build: Callable[..., ImageStore]) -> None:
        with pytest.raises(CropError, match="not a whole"):
            build({IDS[0]: b"<html>not found</html>" * 20}).read(IDS[0])

    def test_the_byte_cap(self, build: Callable[..., ImageStore], monkeypatch: pytest.MonkeyPatch) -> None:
        data = self.encode(painted(0))
        monkeypatch.setattr(decoding, "MAX_BYTES", len(data) - 40)
        with pytest.raises(CropError, match="bytes, more than the cap of"):
            build({IDS[0]: data}).read(IDS[0])

    def test_the_pixel_cap(self, build: Callable[..., ImageStore], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(decoding, "MAX_PIXELS", 107)
        with pytest.raises(CropError, match="12 x 9 pixels, more than the cap of 107"):
            build({IDS[0]: self.encode(painted(0))}).read(IDS[0])

    def test_an_image_at_the_pixel_cap_is_read(
        self, build: Callable[..., ImageStore], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(decoding, "MAX_PIXELS", 108)
        assert build({IDS[0]: self.encode(painted(0))}).read(IDS[0]).pixels.shape == (9, 12, 3)

    def test_a_pickled_store_reads_in_another_process(self, three: ImageStore) -> None:
        before = three.read(IDS[1])
        with get_context("spawn").Pool(1) as pool:
            after = pool.apply(pickle.loads(pickle.dumps(three)).read, (IDS[1],))  # noqa: S301 - our own object
        np.testing.assert_array_equal(after.pixels, before.pixels)

    def test_closing_twice_and_reading_again(self, three: ImageStore) -> None:
        three.read(IDS[0])
        three.close()
        three.close()
        assert three.read(IDS[0]).isic_id == IDS[0]

    def test_the_error_travels_between_processes(self, three: ImageStore) -> None:
        error = try_read(three, "ISIC_9999999")
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own object
        assert isinstance(copy, CropError)
        assert (str(copy), copy.isic_id) == (str(error), "ISIC_9999999")


class TestHdf5Store(StoreContract):
    def write(self, path: Path, entries: dict[str, bytes]) -> Path:
        return write_hdf5(path.with_suffix(".hdf5"), entries)

    def open(self, path: Path) -> ImageStore:
        return Hdf5Store(path)


class TestFolderStore(StoreContract):
    def write(self, path: Path, entries: dict[str, bytes]) -> Path:
        return write_folder(path, entries)

    def open(self, path: Path) -> ImageStore:
        return FolderStore(path)


class TestDicomStore(StoreContract):
    def encode(self, pixels: Pixels) -> bytes:
        return dicom_bytes(pixels)

    def write(self, path: Path, entries: dict[str, bytes]) -> Path:
        return write_dicom(path, entries)

    def open(self, path: Path) -> ImageStore:
        pytest.importorskip("pydicom")
        return DicomStore(path)


# What the HDF5 format can do besides holding a byte string.


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """Another file that a hostile store tries to read."""
    return write_hdf5(tmp_path / "secret.hdf5", {"ISIC_1": encoded(painted(0))})


@contextmanager
def opened(path: Path) -> Iterator[Hdf5Store]:
    store = Hdf5Store(path)
    yield store
    store.close()


def refused(path: Path, match: str) -> None:
    store = Hdf5Store(path)
    with pytest.raises(CropError, match=match):
        store.read("ISIC_1")
    store.close()


def test_an_external_link_is_refused(tmp_path: Path, secret: Path) -> None:
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        file["ISIC_1"] = h5py.ExternalLink(str(secret), "/ISIC_1")
    refused(tmp_path / "x.hdf5", "a soft or external link")


def test_a_soft_link_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        file["ISIC_2"] = np.bytes_(encoded(painted(0)))
        file["ISIC_1"] = h5py.SoftLink("/ISIC_2")
    refused(tmp_path / "x.hdf5", "a soft or external link")


def test_a_virtual_dataset_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "source.hdf5", "w") as file:
        file["data"] = np.zeros(4, np.uint8)
    layout = h5py.VirtualLayout(shape=(4,), dtype=np.uint8)
    layout[:] = h5py.VirtualSource(tmp_path / "source.hdf5", "data", shape=(4,))
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        file.create_virtual_dataset("ISIC_1", layout)
    refused(tmp_path / "x.hdf5", "stored in other files")


def test_external_storage_is_refused(tmp_path: Path) -> None:
    (tmp_path / "raw.bin").write_bytes(b"12345678")
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        file.create_dataset("ISIC_1", (8,), np.uint8, external=[(str(tmp_path / "raw.bin"), 0, 8)])
    refused(tmp_path / "x.hdf5", "stored in other files")


@pytest.mark.parametrize(
    "value",
    [
        np.arange(4),
        np.float64(1.5),
        np.array([b"a", b"b"], dtype="S1"),
        np.array((1, 2), dtype=[("a", int), ("b", int)]),
    ],
    ids=["array", "number", "strings", "record"],
)
def test_another_type_than_one_byte_string_is_refused(tmp_path: Path, value: object) -> None:
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        file["ISIC_1"] = value
    refused(tmp_path / "x.hdf5", "not one byte string")


def test_a_group_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        file.create_group("ISIC_1")
    refused(tmp_path / "x.hdf5", "a group")


@pytest.mark.parametrize("kind", ["fixed", "opaque"])
def test_each_way_to_store_a_byte_string_reads_the_same(tmp_path: Path, kind: str) -> None:
    data = encoded(painted(1), "PNG")
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        file["ISIC_1"] = np.bytes_(data) if kind == "fixed" else np.void(data)
    store = Hdf5Store(tmp_path / "x.hdf5")
    np.testing.assert_array_equal(store.read("ISIC_1").pixels, painted(1))
    store.close()


def test_a_file_that_is_not_hdf5(tmp_path: Path) -> None:
    (tmp_path / "x.hdf5").write_bytes(b"PK" * 50)
    with pytest.raises(InputError, match="not a readable HDF5 file"):
        _ = Hdf5Store(tmp_path / "x.hdf5").ids


@pytest.mark.parametrize("name", ["ISIC_1.jpg", "train/ISIC_1", "train/p1/ISIC_1.PNG", "ISIC_1/image", "a/ISIC_1/jpg"])
def test_an_hdf5_entry_with_a_suffix_or_in_groups(tmp_path: Path, name: str) -> None:
    with opened(write_hdf5(tmp_path / "x.hdf5", {name: encoded(painted(1), "PNG"), "other/ISIC_2": b"x"})) as store:
        assert list(store.ids) == ["ISIC_1", "ISIC_2"]
        assert sorted(store.names) == sorted([name, "other/ISIC_2"])
        assert [store.has(isic_id) for isic_id in ("ISIC_1", "ISIC_3", "../x")] == [True, False, False]
        np.testing.assert_array_equal(store.read("ISIC_1").pixels, painted(1))


def test_two_hdf5_entries_of_one_id(tmp_path: Path) -> None:
    with (
        opened(write_hdf5(tmp_path / "x.hdf5", {"a/ISIC_1": b"x", "b/ISIC_1.jpg": b"x"})) as store,
        pytest.raises(InputError, match=r"a/ISIC_1 and b/ISIC_1\.jpg have one id"),
    ):
        _ = store.ids


def test_an_hdf5_entry_that_names_no_lesion(tmp_path: Path) -> None:
    with (
        opened(write_hdf5(tmp_path / "x.hdf5", {"ISIC 1": b"x"})) as store,
        pytest.raises(InputError, match="'ISIC 1' is not named by an id"),
    ):
        _ = store.ids


@pytest.mark.parametrize("kind", ["bytes", "grey", "colours", "packed"])
def test_arrays_of_bytes_and_of_pixels_are_read(tmp_path: Path, kind: str) -> None:
    grey = np.repeat(painted(1)[:, :, :1], 3, axis=2)
    values = {"bytes": np.frombuffer(encoded(painted(1), "PNG"), np.uint8), "grey": grey[:, :, 0]}
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        file.create_dataset(
            "ISIC_1", data=values.get(kind, painted(1)), compression="gzip" if kind == "packed" else None
        )
    with opened(tmp_path / "x.hdf5") as store:
        crop = store.read("ISIC_1")
        np.testing.assert_array_equal(crop.pixels, grey if kind == "grey" else painted(1))
        assert crop.pixels.shape == (9, 12, 3)
        assert store.encoded("ISIC_1")


def test_a_shape_or_a_chunk_that_would_fill_the_memory_is_refused_unread(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        file.create_dataset("ISIC_1", (2**40,), np.uint8, chunks=(1024,))
        file.create_dataset("ISIC_2", (2**20, 2**20, 3), np.uint8, chunks=(64, 64, 3))
        file.create_dataset("ISIC_3", (10,), np.uint8, maxshape=(None,), chunks=(2**31,), compression="gzip")
    with opened(tmp_path / "x.hdf5") as store:
        for isic_id in store.ids:
            with pytest.raises(CropError, match="more than the cap of"):
                store.read(isic_id)


# How files may be named and where they may lie.


@pytest.mark.parametrize("place", ["ISIC_1_downsampled.jpg", "a/ISIC_1.JPG", "a/b/c/ISIC_1_cropped.JPEG"])
def test_sub_folders_capitals_and_suffixes_of_tools(tmp_path: Path, place: str) -> None:
    path = tmp_path / "f" / place
    path.parent.mkdir(parents=True)
    path.write_bytes(encoded(painted(0)))
    store = open_store(tmp_path / "f")
    assert store.has("ISIC_1")
    assert store.read("ISIC_1").pixels.shape == (9, 12, 3)
    assert list(store.names) == [place]


def test_the_exact_name_comes_before_one_with_a_suffix(tmp_path: Path) -> None:
    # The table of ISIC 2019 has ids that end so; both may lie in a folder.
    folder = write_folder(tmp_path / "f", {"ISIC_1": encoded(painted(0)), "ISIC_1_downsampled": encoded(painted(1))})
    store = FolderStore(folder)
    assert store.encoded("ISIC_1") == encoded(painted(0))
    assert store.encoded("ISIC_1_downsampled") == encoded(painted(1))
    (folder / "ISIC_1_downsampled.jpg").unlink()
    assert FolderStore(folder).encoded("ISIC_1_downsampled") == encoded(painted(0))


def test_two_files_of_one_id_in_two_folders(tmp_path: Path) -> None:
    write_folder(tmp_path / "f", {})
    for name in ("a", "b"):
        write_folder(tmp_path / "f" / name, {"ISIC_1": encoded(painted(0))})
    with pytest.raises(InputError, match=r"a/ISIC_1\.jpg and b/ISIC_1\.jpg have one id"):
        FolderStore(tmp_path / "f").has("ISIC_1")


def test_no_link_to_a_folder_is_followed(tmp_path: Path) -> None:
    write_folder(tmp_path / "outside", {"ISIC_2": encoded(painted(0))})
    folder = write_folder(tmp_path / "f", {"ISIC_1": encoded(painted(0))})
    (folder / "more").symlink_to(tmp_path / "outside")
    (folder / "round").symlink_to(folder)
    assert FolderStore(folder).ids == ["ISIC_1"]


def test_absent_crops_are_counted_and_the_nearest_names_shown(tmp_path: Path) -> None:
    store = FolderStore(write_folder(tmp_path / "f", {f"isic-{place:04}": b"x" for place in range(300)}))
    assert absent_crops(store, ["isic-0001"], "stop") is None
    ids = ["ISIC_0250", "isic-0001", *(f"ISIC_{place:04}" for place in range(2000, 2009))]
    found = absent_crops(store, ids, "missing")
    assert found is not None
    expected = "10 of 11 lesions have no crop (ISIC_0250, ISIC_2000, ISIC_2001 and 7 more); the nearest names there are"
    assert found.what.startswith(expected)
    assert "isic-0" in found.what
    with pytest.raises(InputError, match="10 of 11 lesions have no crop"):
        absent_crops(store, ids, "stop")


# What a folder can hold besides images.


def test_a_symbolic_link_in_a_folder_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "f", {})
    outside = tmp_path / "outside.jpg"
    outside.write_bytes(encoded(painted(0)))
    (folder / "ISIC_1.jpg").symlink_to(outside)
    with pytest.raises(CropError, match="ISIC_1: a link"):
        FolderStore(folder).read("ISIC_1")


def test_a_named_pipe_does_not_hang_the_reader(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "f", {})
    os.mkfifo(folder / "ISIC_1.jpg")
    with pytest.raises(CropError, match="not a regular file"):
        FolderStore(folder).read("ISIC_1")


def test_png_and_upper_case_names_are_read_and_other_files_ignored(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "f", {"ISIC_1": encoded(painted(0))})
    (folder / "ISIC_2.PNG").write_bytes(encoded(painted(1), "PNG"))
    (folder / "attribution.txt").write_text("CC-0")
    store = FolderStore(folder)
    assert list(store.ids) == ["ISIC_1", "ISIC_2"]
    np.testing.assert_array_equal(store.read("ISIC_2").pixels, painted(1))


def test_two_files_of_one_id(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "f", {"ISIC_1": encoded(painted(0))})
    (folder / "ISIC_1.png").write_bytes(encoded(painted(0), "PNG"))
    with pytest.raises(InputError, match=r"ISIC_1\.jpg and ISIC_1\.png have one id"):
        _ = FolderStore(folder).ids


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "LA", "1"])
def test_other_eight_bit_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    folder = write_folder(tmp_path / "f", {})
    Image.new(mode, (5, 4)).save(folder / "ISIC_1.png")
    assert FolderStore(folder).read("ISIC_1").pixels.shape == (4, 5, 3)


def test_sixteen_bits_a_channel_are_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "f", {})
    Image.fromarray(np.full((4, 5), 40_000, np.uint16)).save(folder / "ISIC_1.png")
    with pytest.raises(CropError, match="colour mode I;16"):
        FolderStore(folder).read("ISIC_1")


# DICOM metadata against the table.


def test_embedded_metadata_and_its_differences_from_the_table(tmp_path: Path) -> None:
    files = {
        "ISIC_1": dicom_bytes(
            painted(0), PatientID="IP_1", PatientAge="055Y", PatientSex="F", BodyPartExamined="LOWER EXTREMITY"
        ),
        "ISIC_2": dicom_bytes(painted(1), PatientID="IP_2", PatientAge="018M", PatientSex="M"),
    }
    embedded = DicomStore(write_dicom(tmp_path / "d", files)).metadata()
    assert embedded.rows() == [
        ("ISIC_1", "IP_1", 55.0, "female", "lower extremity"),
        ("ISIC_2", "IP_2", 1.5, "male", None),
    ]
    table = pl.DataFrame(
        {
            "isic_id": ["ISIC_2", "ISIC_1", "ISIC_3"],
            "patient_id": ["IP_2", "IP_9", "IP_3"],
            "age_approx": [1.5, 60.0, 40.0],
            "sex": ["male", None, "male"],
            "anatom_site_general": ["torso", "lower extremity", "torso"],
        }
    )
    # ISIC_1: patient and age differ, sex is not in the table. ISIC_2 agrees, its site is not embedded. ISIC_3: no file.
    assert differences(embedded, table).rows() == [
        ("ISIC_1", "age_approx", "55.0", "60.0"),
        ("ISIC_1", "patient_id", "IP_1", "IP_9"),
    ]


# Recognising a store.


def test_open_store_recognises_each_kind(tmp_path: Path) -> None:
    data = encoded(painted(0))
    assert isinstance(open_store(write_hdf5(tmp_path / "a.hdf5", {"ISIC_1": data})), Hdf5Store)
    assert isinstance(open_store(write_folder(tmp_path / "b", {"ISIC_1": data})), FolderStore)
    assert isinstance(open_store(write_dicom(tmp_path / "c", {"ISIC_1": b"x"})), DicomStore)


@pytest.mark.parametrize("kind", ["absent", "text", "empty", "mixed"])
def test_open_store_says_what_it_takes(tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    if kind == "text":
        path.write_text("x")
    elif kind != "absent":
        path.mkdir()
    if kind == "mixed":
        (path / "ISIC_1.jpg").write_bytes(b"x")
        (path / "ISIC_2.dcm").write_bytes(b"x")
    with pytest.raises(InputError):
        open_store(path)


def test_every_real_crop_reads(real_data: Path) -> None:
    store = open_store(real_data / "slice3d" / "train-image.hdf5")
    sizes = {store.read(isic_id).pixels.shape for isic_id in list(store.ids)[::40]}
    store.close()
    assert all(height == width and 51 <= width <= 239 for height, width, _ in sizes)


def test_a_dicom_file_with_a_jpeg_inside_is_rgb(tmp_path: Path) -> None:
    # As ISIC 2020 has them: baseline JPEG, luma and chroma, which must come out as red, green and blue.
    pydicom = pytest.importorskip("pydicom")
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEGBaseline8Bit

    record = pydicom.dcmread(io.BytesIO(dicom_bytes(painted(1, 16, 16))))
    record.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    record.PhotometricInterpretation = "YBR_FULL_422"
    record.PixelData = encapsulate([encoded(painted(1, 16, 16))])
    record["PixelData"].is_undefined_length = True
    buffer = io.BytesIO()
    record.save_as(buffer, enforce_file_format=True)
    crop = DicomStore(write_dicom(tmp_path / "d", {"ISIC_1": buffer.getvalue()})).read("ISIC_1")
    np.testing.assert_allclose(crop.pixels.astype(int), painted(1, 16, 16).astype(int), atol=5)


def test_a_dicom_file_with_many_frames_counts_all_their_pixels(tmp_path: Path) -> None:
    pydicom = pytest.importorskip("pydicom")
    record = pydicom.dcmread(io.BytesIO(dicom_bytes(painted(0))))
    record.NumberOfFrames = 1_000_000
    buffer = io.BytesIO()
    record.save_as(buffer)
    with pytest.raises(CropError, match="more than the cap"):
        DicomStore(write_dicom(tmp_path / "d", {"ISIC_1": buffer.getvalue()})).read("ISIC_1")


@pytest.mark.parametrize("kind", ["WebP", "GIF", "BMP", "TIFF"])
def test_another_kind_of_image_under_the_name_of_a_jpeg_is_named(tmp_path: Path, kind: str) -> None:
    store = FolderStore(write_folder(tmp_path / "crops", {IDS[0]: encoded(painted(0), kind)}))
    with pytest.raises(CropError, match=rf"not a whole JPEG or PNG image \(it is a {kind} image\)"):
        store.read(IDS[0])


def test_no_reason_holds_an_address_in_memory(tmp_path: Path) -> None:
    store = FolderStore(write_folder(tmp_path / "crops", {IDS[0]: b"no image at all"}))
    with pytest.raises(CropError, match=r"not a whole JPEG or PNG image \(no such image is recognised\)"):
        store.read(IDS[0])


def test_what_a_mac_leaves_next_to_files_is_no_image(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "crops", {IDS[0]: encoded(painted(0))})
    (folder / f"._{IDS[0]}.jpg").write_bytes(b"\0\5\x16\7")
    (folder / ".DS_Store").write_bytes(b"\0")
    assert FolderStore(folder).ids == [IDS[0]]
    assert open_store(folder).ids == [IDS[0]]
