"""Crops: HDF5 files, folders of JPEG, PNG and DICOM files."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset, Sequence
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from tests.uglyduck.bad_inputs.case import Case, Content

PIXELS = np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8)


def picture(kind: str = "JPEG", pixels: NDArray[np.generic] = PIXELS) -> bytes:
    """An image file."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def described(name: str, content: Content, says: str) -> Case:
    """Crops to describe: a file, or one file of a folder where the name has one."""
    store = name.split("/", maxsplit=1)[0]
    return Case(f"images describe --images {store} --out d.parquet --cores 1", says, {name: content})


def hdf5(make: Callable[[h5py.File], object], says: str) -> Case:
    """Crops in an HDF5 file."""

    def write(path: Path) -> None:
        (path.parent / "raw.bin").write_bytes(b"12345678")
        with h5py.File(path, "w") as file:
            make(file)

    return described("x.hdf5", write, says)


def whole_hdf5(change: Callable[[bytes], bytes], says: str) -> Case:
    """An HDF5 file of one crop, its bytes changed."""

    def write(path: Path) -> None:
        with h5py.File(path, "w") as file:
            file["ISIC_1"] = np.bytes_(picture())
        path.write_bytes(change(path.read_bytes()))

    return described("x.hdf5", write, says)


def entry(value: object, says: str, **options: object) -> Case:
    """An HDF5 file with one entry."""
    return hdf5(lambda file: file.create_dataset("ISIC_1", data=value, **options), says)


def virtual(file: h5py.File) -> None:
    """An entry made of another file."""
    layout = h5py.VirtualLayout(shape=(4,), dtype=np.uint8)
    layout[:] = h5py.VirtualSource("other.hdf5", "data", shape=(4,))
    file.create_virtual_dataset("ISIC_1", layout)


def unknown_filter(file: h5py.File) -> None:
    """An entry packed by a filter that nobody has."""
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((16,))
    plist.set_filter(32_768, h5py.h5z.FLAG_OPTIONAL, (0,))
    space = h5py.h5s.create_simple((16,))
    data = h5py.h5d.create(file.id, b"ISIC_1", h5py.h5t.NATIVE_UINT8, space, plist)
    data.write_direct_chunk((0,), b"0123456789abcdef", filter_mask=0)


HDF5 = {
    "HDF5: empty": described("x.hdf5", b"", "not a readable HDF5 file"),
    "HDF5: something else": described("x.hdf5", b"PK" * 50, "not a readable HDF5 file"),
    "HDF5: a mark alone": described("x.hdf5", b"\x89HDF\r\n\x1a\n", "not a readable HDF5 file"),
    "HDF5: cut off": whole_hdf5(lambda content: content[: len(content) // 2], "not a readable HDF5 file"),
    "HDF5: zeros in its middle": whole_hdf5(
        lambda content: content[:96] + bytes(700) + content[796:], "not a readable HDF5 file"
    ),
    "HDF5: no crops": hdf5(lambda _: None, "no crops"),
    "HDF5: an external link": hdf5(
        lambda file: file.update({"ISIC_1": h5py.ExternalLink("/etc/passwd", "/")}), "a soft or external link"
    ),
    "HDF5: a soft link": hdf5(lambda file: file.update({"ISIC_1": h5py.SoftLink("/x")}), "a soft or external link"),
    "HDF5: a link to itself": hdf5(
        lambda file: file.update({"ISIC_1": h5py.SoftLink("/ISIC_1")}), "a soft or external link"
    ),
    "HDF5: a virtual data set": hdf5(virtual, "stored in other files"),
    "HDF5: external storage": hdf5(
        lambda file: file.create_dataset("ISIC_1", (8,), np.uint8, external=[("raw.bin", 0, 8)]),
        "stored in other files",
    ),
    "HDF5: external storage of a secret": hdf5(
        lambda file: file.create_dataset("ISIC_1", (8,), np.uint8, external=[("/etc/passwd", 0, 8)]),
        "stored in other files",
    ),
    "HDF5: a terabyte declared": hdf5(
        lambda file: file.create_dataset("ISIC_1", (2**40,), np.uint8, chunks=(1024,)), "more than the cap"
    ),
    "HDF5: a trillion pixels declared": hdf5(
        lambda file: file.create_dataset("ISIC_1", (2**20, 2**20, 3), np.uint8, chunks=(64, 64, 3)), "more than the cap"
    ),
    "HDF5: a chunk of gigabytes": hdf5(
        lambda file: file.create_dataset("ISIC_1", (10,), np.uint8, maxshape=(None,), chunks=(2**31,)),
        "more than the cap",
    ),
    "HDF5: a string of gigabytes": hdf5(
        lambda file: h5py.h5d.create(file.id, b"ISIC_1", _string_type(2**31), h5py.h5s.create(h5py.h5s.SCALAR)),
        "more than the cap",
    ),
    "HDF5: an unknown filter": hdf5(unknown_filter, "a damaged entry"),
    "HDF5: a group": hdf5(lambda file: file.create_group("ISIC_1"), "a group"),
    "HDF5: a group in itself": hdf5(
        lambda file: file.create_group("ISIC_1").update({"image": file["ISIC_1"]}), "a damaged entry"
    ),
    "HDF5: a type": hdf5(lambda file: file.update({"ISIC_1": np.dtype("f8")}), "not an image"),
    "HDF5: numbers": entry(np.arange(4.0), "not one byte string"),
    "HDF5: signed bytes": entry(np.arange(4, dtype=np.int8), "not one byte string"),
    "HDF5: pixels of four colours": entry(np.zeros((4, 4, 4), np.uint8), "not one byte string"),
    "HDF5: many strings": entry(np.array([b"a", b"b"]), "not one byte string"),
    "HDF5: text": entry("image", "text of variable length"),
    "HDF5: bytes of variable length": hdf5(
        lambda file: file.create_dataset("ISIC_1", (1,), h5py.vlen_dtype(np.uint8)), "not one byte string"
    ),
    "HDF5: a link in a group": hdf5(
        lambda file: file.update({"a/ISIC_1": h5py.SoftLink("/x")}), "a soft or external link"
    ),
    "HDF5: nothing": hdf5(lambda file: file.update({"ISIC_1": h5py.Empty("S10")}), "not one byte string"),
    "HDF5: an empty string": entry(np.void(b"\0"), "not a whole JPEG or PNG image"),
    "HDF5: no bytes": entry(np.zeros(0, np.uint8), "an empty crop"),
    "HDF5: no pixels": entry(np.zeros((0, 5, 3), np.uint8), "an empty crop"),
    "HDF5: a record": entry(np.array((1, 2), dtype=[("a", int), ("b", int)]), "not one byte string"),
    "HDF5: a name with a path": hdf5(lambda file: file.update({"..": np.bytes_(b"x")}), "not named by an id"),
    "HDF5: a name with an escape sequence": hdf5(
        lambda file: file.update({"\x1b[31m": np.bytes_(b"x")}), "not named by an id"
    ),
    "HDF5: two of one name": hdf5(
        lambda file: file.update({"a/ISIC_1": np.bytes_(b"x"), "b/ISIC_1": np.bytes_(b"x")}), "have one id"
    ),
    "HDF5: an image cut off": entry(np.bytes_(picture()[:300]), "not a whole JPEG or PNG image"),
    "HDF5: a page in place of an image": entry(np.bytes_(b"<html>"), "not a whole JPEG or PNG image"),
    "HDF5: a zip archive in its place": described("x.zip", b"PK\3\4" + bytes(99), "not an image store"),
    "HDF5: a named pipe": described("x.hdf5", os.mkfifo, "no such file or folder"),
}


def _string_type(size: int) -> h5py.h5t.TypeStringID:
    kind = h5py.h5t.C_S1.copy()
    kind.set_size(size)
    return kind


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG file of chunks."""
    packed = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def png_header(width: int, height: int, depth: int = 8, colours: int = 2) -> tuple[bytes, bytes]:
    """Its first chunk."""
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0)


def jpeg_of(width: int, height: int) -> bytes:
    """A JPEG file that declares another size than it has."""
    data = picture()
    place = data.index(b"\xff\xc0") + 5
    return data[:place] + struct.pack(">HH", height, width) + data[place + 4 :]


END = (b"IEND", b"")
FOLDER = {
    "JPEG: empty": described("f/ISIC_1.jpg", b"", "an empty crop"),
    "JPEG: a mark alone": described("f/ISIC_1.jpg", b"\xff\xd8\xff", "not a whole JPEG or PNG image"),
    "JPEG: cut off": described("f/ISIC_1.jpg", picture()[:400], "not a whole JPEG or PNG image"),
    "JPEG: without its last bytes": described("f/ISIC_1.jpg", picture()[:-50], "not a whole JPEG or PNG image"),
    "JPEG: billions of pixels": described("f/ISIC_1.jpg", jpeg_of(65_500, 65_500), "exceeds limit"),
    "JPEG: no width": described("f/ISIC_1.jpg", jpeg_of(0, 40), "not a whole JPEG or PNG image"),
    "JPEG: a page": described("f/ISIC_1.jpg", b"<!doctype html>", "not a whole JPEG or PNG image"),
    "JPEG: a GIF": described("f/ISIC_1.jpg", picture("GIF"), "it is a GIF image"),
    "JPEG: a WebP": described("f/ISIC_1.jpg", picture("WEBP"), "it is a WebP image"),
    "JPEG: a TIFF": described("f/ISIC_1.jpg", picture("TIFF"), "it is a TIFF image"),
    "JPEG: a BMP": described("f/ISIC_1.jpg", picture("BMP"), "it is a BMP image"),
    "JPEG: PostScript": described("f/ISIC_1.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n", "not a whole JPEG or PNG image"),
    "JPEG: SVG": described("f/ISIC_1.jpg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a whole JPEG"),
    "PNG: cut off": described("f/ISIC_1.png", picture("PNG")[:400], "not a whole JPEG or PNG image"),
    "PNG: billions of pixels": described(
        "f/ISIC_1.png", png(png_header(100_000, 100_000), (b"IDAT", zlib.compress(bytes(99))), END), "exceeds limit"
    ),
    "PNG: more pixels than there are": described(
        "f/ISIC_1.png", png(png_header(6_000, 6_000), (b"IDAT", zlib.compress(bytes(99))), END), "not a whole"
    ),
    "PNG: data that are no zlib": described(
        "f/ISIC_1.png", png(png_header(9, 9), (b"IDAT", b"123456"), END), "not a whole JPEG or PNG image"
    ),
    "PNG: text that unpacks to gigabytes": described(
        "f/ISIC_1.png",
        png(png_header(9, 9), (b"zTXt", b"a\0\0" + zlib.compress(bytes(2**27))), (b"IDAT", b""), END),
        "not a whole JPEG or PNG image",
    ),
    "PNG: a wrong sum": described("f/ISIC_1.png", picture("PNG")[:-20] + bytes(20), "not a whole JPEG or PNG image"),
    "PNG: 16 bits": described(
        "f/ISIC_1.png", picture("PNG", PIXELS[:, :, 0].astype(np.uint16) * 200), "colour mode I;16"
    ),
    "PNG: a chunk longer than the file": described(
        "f/ISIC_1.png", png(png_header(9, 9)) + b"\x7f\xff\xff\xffIDATx", "not a whole JPEG or PNG image"
    ),
    "a file above the cap": described("f/ISIC_1.jpg", lambda path: _sparse(path, 2**26), "more than the cap"),
    "a link to an image": described("f/ISIC_1.jpg", lambda path: path.symlink_to("/etc/passwd"), "a link"),
    "a named pipe as image": described("f/ISIC_1.jpg", os.mkfifo, "not a regular file"),
    "a folder called like an image": described("f/ISIC_1.jpg", lambda path: path.mkdir(), "no images in this folder"),
    "a folder of no images": described("f/readme.txt", "none", "no images in this folder"),
    "a name that is no id": described("f/ISIC 1.jpg", picture(), "is not named by an id"),
    "a name with an escape sequence": described("f/\x1b[31m.jpg", picture(), "is not named by an id"),
    "a name from right to left": described("f/\u202egpj.1.jpg", picture(), "is not named by an id"),
    "a name of bytes that are no text": described("f/\udce9.jpg", picture(), "is not named by an id"),
    "two images of one id": Case(
        "images describe --images f --out d.parquet",
        "have one id",
        {"f/a/ISIC_1.jpg": picture(), "f/b/ISIC_1.png": picture("PNG")},
    ),
    "DICOM next to JPEG": Case(
        "images describe --images f --out d.parquet",
        "DICOM files and JPEG or PNG files in one folder",
        {"f/ISIC_1.jpg": picture(), "f/ISIC_2.dcm": b"x"},
    ),
}


def _sparse(path: Path, size: int) -> None:
    with path.open("wb") as stream:
        stream.truncate(size)


def dicom(change: Callable[[Dataset], object], says: str, *, cut: Callable[[bytes], bytes] = bytes) -> Case:
    """A DICOM file, changed as a record and then as bytes."""

    def write(path: Path) -> None:
        record = Dataset()
        record.file_meta = FileMetaDataset()
        record.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        record.file_meta.MediaStorageSOPClassUID = record.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
        record.file_meta.MediaStorageSOPInstanceUID = record.SOPInstanceUID = "1.2.3"
        record.Rows, record.Columns, record.SamplesPerPixel = 40, 40, 3
        record.PhotometricInterpretation, record.PlanarConfiguration = "RGB", 0
        record.BitsAllocated = record.BitsStored = 8
        record.HighBit, record.PixelRepresentation = 7, 0
        record.PixelData = PIXELS.tobytes()
        record["PixelData"].VR = "OB"
        change(record)
        stream = io.BytesIO()
        record.save_as(stream, enforce_file_format=True)
        path.write_bytes(cut(stream.getvalue()))

    return described("f/ISIC_1.dcm", write, says)


def with_field(name: str, value: object, says: str) -> Case:
    """A DICOM file with one field changed."""
    return dicom(lambda record: setattr(record, name, value), says)


def as_syntax(uid: str, data: bytes | None, says: str) -> Case:
    """A DICOM file in another transfer syntax."""

    def change(record: Dataset) -> None:
        record.file_meta.TransferSyntaxUID = uid
        if data is not None:
            record.PixelData = encapsulate([data])
            record["PixelData"].is_undefined_length = True

    return dicom(change, says)


def nested(record: Dataset) -> None:
    """Sequences in sequences, as deep as can be written."""
    for _ in range(120):
        inner = Dataset()
        inner.ReferencedImageSequence = Sequence(
            [Dataset() if "ReferencedImageSequence" not in record else record.ReferencedImageSequence[0]]
        )
        record.ReferencedImageSequence = Sequence([inner])
    del record.PixelData


DICOM = {
    "DICOM: something else": described("f/ISIC_1.dcm", b"x" * 200, "not a whole DICOM image"),
    "DICOM: empty": described("f/ISIC_1.dcm", b"", "an empty crop"),
    "DICOM: a mark alone": described("f/ISIC_1.dcm", bytes(128) + b"DICM", "not a whole DICOM image"),
    "DICOM: cut off in its pixels": dicom(lambda _: None, "not a whole DICOM image", cut=lambda data: data[:-3000]),
    "DICOM: cut off in its header": dicom(lambda _: None, "not a whole DICOM image", cut=lambda data: data[:300]),
    "DICOM: a length that is no multiple of its numbers'": dicom(
        lambda _: None,
        "not a whole DICOM image",
        cut=lambda data: data.replace(b"\x02\x00\x00\x00UL\x04\x00", b"\x02\x00\x00\x00UL\x05\x00"),
    ),
    "DICOM: no pixels": dicom(lambda record: record.pop("PixelData"), "not a whole DICOM image"),
    "DICOM: no rows": dicom(lambda record: record.pop("Rows"), "not a whole DICOM image"),
    "DICOM: rows of nothing": with_field("Rows", 0, "not a whole DICOM image"),
    "DICOM: more rows than pixels": with_field("Rows", 41, "not a whole DICOM image"),
    "DICOM: billions of pixels": dicom(
        lambda record: record.update({"Rows": 65_535, "Columns": 65_535}), "more than the cap"
    ),
    "DICOM: a million frames": with_field("NumberOfFrames", 1_000_000, "more than the cap"),
    "DICOM: frames below zero": with_field("NumberOfFrames", -1, "not a whole DICOM image"),
    "DICOM: two frames": with_field("NumberOfFrames", 2, "not a whole DICOM image"),
    "DICOM: 16 bits": dicom(
        lambda record: [setattr(record, name, 16) for name in ("BitsAllocated", "BitsStored")],
        "not a whole DICOM image",
    ),
    "DICOM: five colours": with_field("SamplesPerPixel", 5, "not a whole DICOM image"),
    "DICOM: colours of no name": with_field("PhotometricInterpretation", "MOOD", "not a whole DICOM image"),
    "DICOM: JPEG 2000 that is none": as_syntax(JPEG2000Lossless, b"no image", "not a whole DICOM image"),
    "DICOM: JPEG-LS": as_syntax(JPEGLSLossless, b"no image", "not a whole DICOM image"),
    "DICOM: a film": as_syntax(MPEG2MPML, b"no film", "not a whole DICOM image"),
    "DICOM: JPEG that is none": as_syntax(JPEGBaseline8Bit, b"no image", "not a whole DICOM image"),
    "DICOM: JPEG of billions of pixels": as_syntax(
        JPEGBaseline8Bit, jpeg_of(65_500, 65_500), "not a whole DICOM image"
    ),
    "DICOM: JPEG cut off": as_syntax(JPEGBaseline8Bit, picture()[:400], "not a whole DICOM image"),
    "DICOM: runs that are none": as_syntax(RLELossless, b"no runs of lengths", "not a whole DICOM image"),
    "DICOM: deflated to gigabytes": dicom(
        lambda record: [
            setattr(record.file_meta, "TransferSyntaxUID", DeflatedExplicitVRLittleEndian),
            setattr(record, "PixelData", bytes(2**27)),
        ],
        "deflated",
    ),
}

IMAGES = HDF5 | FOLDER | DICOM
