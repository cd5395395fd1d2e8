"""A folder of DICOM files (ISIC 2020), and the patient metadata embedded in them."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import polars as pl

from cohort.frames import ID, collect
from cohort.stores.decoding import check_pixels
from cohort.stores.folder import FileStore
from cohort.stores.protocol import Crop, CropError, OnBad, Pixels
from engine.errors import InputError

METADATA_SCHEMA = {
    ID: pl.String,
    "patient_id": pl.String,
    "age_approx": pl.Float64,
    "sex": pl.String,
    "anatom_site_general": pl.String,
}
_SEX = {"M": "male", "F": "female"}
# pydicom raises whatever its decoders raise; these are those seen with damaged or unsupported files.
_DAMAGED = (
    OSError,
    ValueError,
    AttributeError,
    LookupError,
    TypeError,
    RuntimeError,
    NotImplementedError,
    struct.error,
)


class DicomStore(FileStore):
    """DICOM files; needs pydicom (the `dicom` extra)."""

    suffixes = (".dcm",)

    def read(self, isic_id: str) -> Crop:
        """Decode one crop; see `ImageStore.read`."""
        record = self._record(isic_id, with_pixels=True)
        with self._damage_named(isic_id):
            width, height, frames = (int(record.get(name) or 1) for name in ("Columns", "Rows", "NumberOfFrames"))
            encoded = len(record.PixelData)
        check_pixels(isic_id, width, height * frames, where=self.path)
        with self._damage_named(isic_id), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pixels = _rgb(record)
        return Crop(isic_id, pixels, encoded)

    def metadata(self, *, on_bad: OnBad = "stop") -> pl.DataFrame:
        """Patient, age, sex and site as the files themselves state them, one row per id.

        Args:
            on_bad: "stop" raises at the first file that cannot be read, "missing" leaves it out.

        Raises:
            CropError: With "stop", a file is not DICOM.
        """
        rows = []
        for isic_id in self.ids:
            try:
                record = self._record(isic_id, with_pixels=False)
                with self._damage_named(isic_id):
                    rows.append(_fields(isic_id, record))
            except CropError:
                if on_bad == "stop":
                    raise
        return pl.DataFrame(rows, schema=METADATA_SCHEMA, orient="row")

    def _record(self, isic_id: str, *, with_pixels: bool) -> Any:  # noqa: ANN401 - pydicom is an optional extra
        pydicom = _pydicom(self.path)
        with self.opened(isic_id) as stream, self._damage_named(isic_id), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom warns about odd values; unusable ones are refused here
            if _is_deflated(stream, pydicom):
                raise ValueError("deflated, which may unpack to any size")
            return pydicom.dcmread(stream, stop_before_pixels=not with_pixels)

    @contextmanager
    def _damage_named(self, isic_id: str) -> Iterator[None]:
        """Report what pydicom says of a damaged file in one line."""
        errors = _pydicom(self.path).errors
        try:
            yield
        except (*_DAMAGED, errors.InvalidDicomError, errors.BytesLengthException) as error:
            line = (str(error).splitlines() or [type(error).__name__])[0]
            raise CropError(
                isic_id, f"not a whole DICOM image ({line})", where=str(self.path), remedy="replace or remove this file"
            ) from error


def differences(embedded: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """Where the metadata embedded in the images contradicts the table.

    Args:
        embedded: From `DicomStore.metadata`.
        table: The canonical frame; ids that only one side has are left out, as are values that either side lacks.

    Returns:
        isic_id, column, embedded, table: one row per contradiction, both values as text, by id and column.
    """
    columns = [name for name in METADATA_SCHEMA if name != ID and name in table.columns]
    both = collect(
        embedded.lazy()
        .select(ID, *columns)
        .join(table.lazy().select(ID, *columns), on=ID, how="inner", validate="1:1", suffix="_table")
        .sort(ID)
    )
    parts = [
        both.filter(pl.col(name) != pl.col(f"{name}_table")).select(
            ID,
            column=pl.lit(name),
            embedded=pl.col(name).cast(pl.String),
            table=pl.col(f"{name}_table").cast(pl.String),
        )
        for name in columns
    ]
    empty = pl.DataFrame(schema={ID: pl.String, "column": pl.String, "embedded": pl.String, "table": pl.String})
    return pl.concat([empty, *parts]).sort(ID, "column")


def _pydicom(path: Path) -> Any:  # noqa: ANN401 - an optional extra without types here
    try:
        import_module("pydicom.errors")
        import_module("pydicom.filereader")
        return import_module("pydicom")
    except ImportError as error:
        raise InputError(
            "DICOM files need pydicom", where=str(path), remedy="install it: pip install pydicom"
        ) from error


def _is_deflated(stream: BinaryIO, pydicom: Any) -> bool:  # noqa: ANN401 - an optional extra
    """Whether all of the file but its header is compressed, which pydicom would unpack whole; rewinds it."""
    pydicom.filereader.read_preamble(stream, force=False)
    about = pydicom.filereader._read_file_meta_info(stream)
    stream.seek(0)
    return bool(about.get("TransferSyntaxUID") == pydicom.uid.DeflatedExplicitVRLittleEndian)


def _rgb(record: Any) -> Pixels:  # noqa: ANN401 - pydicom is an optional extra
    """(height, width, 3) uint8; pydicom turns YBR into RGB itself."""
    pixels = np.asarray(record.pixel_array)
    if pixels.dtype != np.uint8:
        raise ValueError(f"{pixels.dtype} pixels, not 8 bits a channel")
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, None], 3, axis=2)
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f"pixels of shape {pixels.shape}, not one RGB frame")
    return np.ascontiguousarray(pixels)


def _fields(isic_id: str, record: Any) -> tuple[str, str | None, float | None, str | None, str | None]:  # noqa: ANN401
    sex = str(record.get("PatientSex") or "").strip().upper()
    site = str(record.get("BodyPartExamined") or "").strip().lower()
    patient = str(record.get("PatientID") or "").strip()
    return isic_id, patient or None, _years(str(record.get("PatientAge") or "")), _SEX.get(sex), site or None


def _years(text: str) -> float | None:
    """Years of a DICOM age string: three digits and a unit, `055Y`, `018M`, `006W`, `010D`."""
    years = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
    number, unit = text.strip()[:-1], text.strip()[-1:].upper()
    return int(number) * years[unit] if number.isdigit() and unit in years else None
