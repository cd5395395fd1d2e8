"""Tables that are none, are damaged, or hold what no lesion has."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import socket
import zipfile
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tests.uglyduck.bad_inputs.case import Case, Content

HEADER = "isic_id,patient_id,target,age_approx,clin_size_long_diam_mm,sex"
ROWS = [f"ISIC_{place},IP_{place % 3},{place % 2},{40 + place},{2.5 + place},male" for place in range(6)]
WHOLE = "\n".join([HEADER, *ROWS]) + "\n"
FRAME = pl.read_csv(io.StringIO(WHOLE))


def training(content: Content, says: str, *, name: str = "table.csv", more: str = "") -> Case:
    """A table that a run is to be trained on."""
    config = f'[data]\nmetadata = "{name}"\n{more}\n[ensemble]\nlearners = ["logistic"]\n'
    return Case("run run.toml --out run", says, {"run.toml": config, name: content})


def cell(column: str, value: str, says: str, *, row: int = 2) -> Case:
    """A whole table but for one cell."""
    cells = ROWS[row].split(",")
    cells[HEADER.split(",").index(column)] = value
    return training("\n".join([HEADER, *ROWS[:row], ",".join(cells), *ROWS[row + 1 :]]) + "\n", says)


def parquet(frame: pl.DataFrame) -> bytes:
    """A table as a Parquet file."""
    stream = io.BytesIO()
    frame.write_parquet(stream)
    return stream.getvalue()


def not_in_utf_8(frame: pl.DataFrame, column: str) -> bytes:
    """A table as a Parquet file, the text of a column in Latin-1."""
    table, stream = frame.to_arrow(), io.BytesIO()
    text = pa.array(["ü".encode("latin-1")] * frame.height).view(pa.string())
    pq.write_table(table.set_column(table.column_names.index(column), column, text), stream)
    return stream.getvalue()


def zipped(name: str = "table.csv") -> bytes:
    """The table in a zip archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, WHOLE)
    return stream.getvalue()


def _socket(path: Path) -> None:
    place = Path.cwd()
    os.chdir(path.parent)  # the path of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(place)


PACKED = gzip.compress(WHOLE.encode(), mtime=0)
PARQUET = parquet(FRAME)
BOMB = gzip.compress(gzip.compress(b"0" * 2**28))

FILES = {
    "empty": training("", "the file is empty"),
    "blank": training(" \n\n \n", "the file is empty"),
    "a header alone": training(HEADER + "\n", "a header and no rows"),
    "empty rows alone": training(HEADER + "\n,,,,,\n,,,,,\n", "a header and no rows"),
    "UTF-16": training(WHOLE.encode("utf-16"), "UTF-16 text"),
    "UTF-16, big end first": training(b"\xfe\xff" + WHOLE.encode("utf-16-be"), "UTF-16 text"),
    "UTF-16 without a mark": training(WHOLE.encode("utf-16-le"), "binary data"),
    "UTF-32": training(WHOLE.encode("utf-32-be"), "binary data"),
    "EBCDIC": training(WHOLE.encode("cp500"), "not text in UTF-8"),
    "Latin-1 in a cell": training(
        WHOLE.encode() + b"ISIC_9,IP_9,1,40,2.5,m\xe4nnlich\n", "line 8: this line is not text"
    ),
    "Latin-1 in the header": training(b"\xe9tat," + WHOLE.encode(), "not text in UTF-8"),
    "a zero byte in a cell": training(WHOLE.replace("male", "ma\0le", 1), "binary data"),
    "a zip archive": training(zipped(), "a zip archive or a spreadsheet"),
    "a spreadsheet": training(zipped("xl/workbook.xml"), "a zip archive or a spreadsheet", name="table.xlsx"),
    "an old spreadsheet": training(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "binary data", name="table.xls"),
    "a PDF": training("%PDF-1.7\n", "a PDF document"),
    "a login page": training("<!doctype html><title>Log in</title>", "a web page"),
    "JSON": training('[{"isic_id": "ISIC_1"}]', "not a table but JSON"),
    "JSON lines": training('{"isic_id": "ISIC_1"}\n{"isic_id": "ISIC_2"}\n', "not a table but JSON"),
    "bzip2": training(bz2.compress(WHOLE.encode()), "a bzip2 archive"),
    "xz": training(lzma.compress(WHOLE.encode()), "an xz archive"),
    "zstd": training(b"\x28\xb5\x2f\xfd" + bytes(20), "a zstd archive"),
    "7z": training(b"7z\xbc\xaf\x27\x1c" + bytes(20), "a 7z archive"),
    "an HDF5 file": training(b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file"),
    "a JPEG": training(b"\xff\xd8\xff\xe0" + bytes(99), "a JPEG image"),
    "a PNG": training(b"\x89PNG\r\n\x1a\n" + bytes(99), "a PNG image"),
    "a pickle": training(b"\x80\x05\x95" + bytes(20), "binary data"),
    "SQLite": training(b"SQLite format 3\0" + bytes(99), "binary data"),
    "Arrow": training(b"ARROW1\0\0" + bytes(99), "an Arrow file"),
    "a Git LFS pointer": training("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer"),
    "gzip cut off": training(PACKED[:-20], "gzip file is damaged or cut off"),
    "gzip with a wrong sum": training(PACKED[:-8] + bytes(8), "gzip file is damaged or cut off"),
    "gzip of a zip archive": training(gzip.compress(zipped()), "a zip archive"),
    "gzip of nothing": training(gzip.compress(b""), "the file is empty"),
    "gzip with nothing but its mark": training(b"\x1f\x8b", "gzip file is damaged or cut off"),
    "gzip that grows a thousandfold": training(gzip.compress(b"0" * 2**28), "unpacks to more than"),
    "gzip in gzip": training(BOMB, "gzip"),
    "Parquet cut off": training(PARQUET[:-30], "Parquet file is damaged or cut off"),
    "Parquet with a mark alone": training(b"PAR1", "Parquet file is damaged or cut off"),
    "Parquet with a footer longer than the file": training(
        PARQUET[:-8] + b"\xff\xff\xff\x7f" + PARQUET[-4:], "Parquet file is damaged or cut off"
    ),
    "Parquet with a broken footer": training(
        PARQUET[:-220] + b"\xff" * 200 + PARQUET[-20:], "Parquet file is damaged or cut off"
    ),
    "Parquet, encrypted": training(PARQUET[:-4] + b"PARE", "Parquet file is damaged or cut off"),
    "Parquet with zeros in its pages": training(
        b"PAR1" + bytes(400) + PARQUET[404:], "Parquet file is damaged or cut off"
    ),
    "Parquet with text in another encoding": training(
        not_in_utf_8(FRAME, "sex"), "Parquet file is damaged or cut off (Column"
    ),
    "Parquet with the name of a column in another encoding": training(
        PARQUET.replace(b"patient_id", b"patient\xffid"), "Parquet file is damaged or cut off"
    ),
    "Parquet with a column called *": training(parquet(FRAME.with_columns(pl.lit(1).alias("*"))), "is called '*'"),
    "a column called like a pattern": training(WHOLE.replace("age_approx", "^a.*$", 1), "is called '^a.*$'"),
    "Parquet without rows": training(parquet(FRAME.clear()), "a header and no rows"),
    "Parquet without columns": training(parquet(pl.DataFrame()), "the columns of no known dataset"),
    "a folder of nothing": training(lambda path: path.mkdir(), "no known table in this folder", name="folder"),
    "no such file": Case("run run.toml --out run", "none.csv", {"run.toml": '[data]\nmetadata = "none.csv"'}),
    "a named pipe": training(os.mkfifo, "not a regular file"),
    "a socket": training(_socket, "not a regular file"),
    "a device": training(lambda path: path.symlink_to("/dev/zero"), "not a regular file"),
    "a link to itself": training(lambda path: path.symlink_to(path), "table.csv"),
    "a link to nothing": training(lambda path: path.symlink_to("gone.csv"), "table.csv"),
}

SHAPES = {
    "a column twice": training(WHOLE.replace("sex", "target", 1), "column target appears twice"),
    "a line too short": training(WHOLE + "ISIC_9,IP_9,1\n", "line 8: this line has 3 fields, the header 6"),
    "a line too long": training(WHOLE + "ISIC_9,IP_9,1,2,3,male,7\n", "line 8: this line has 7 fields, the header 6"),
    "a quote never closed": training(WHOLE + '"ISIC_9,IP_9,1,2,3,male\n', "line 8"),
    "cut off in the last line": training(WHOLE[:-9], "cut off"),
    "an empty first line": training("\n" + WHOLE, "the first line is empty"),
    "a field of a million letters": training(WHOLE.replace("IP_0", "x" * 2**20 + '"', 1), "cannot be read as CSV"),
    "columns of nothing known": training("name,size\nx,1\n", "the columns of no known dataset"),
    "a header of a hundred thousand names": training(
        ",".join(f"c{place}" for place in range(10**5)) + "\n1\n", "the columns of no known dataset"
    ),
    "escape sequences as names": training("\x1b[31mred,\x07\n1,2\n", "the columns of no known dataset"),
    "no ids": training(WHOLE.replace("isic_id", "row_number", 1), "the columns of no known dataset"),
    "no patients": training(WHOLE.replace("patient_id", "ward", 1), "column patient_id is missing"),
    "no labels": training(WHOLE.replace("target", "remark", 1), "there is no column target"),
    "a misspelt name": training(WHOLE.replace("age_approx", "Age approx", 1), "'Age approx'"),
    "spaces around names": training(WHOLE.replace("sex", " sex ", 1), "spaces around column names"),
    "one class": training(WHOLE.replace(",1,", ",0,"), "all 6 lesions are benign"),
    "one row": training("\n".join([HEADER, ROWS[0]]), "all 1 lesions are benign"),
    "ids alone": training("isic_id,patient_id,target\nISIC_1,IP_1,0\nISIC_2,IP_2,1\n", "nothing to learn from"),
    "lists as ids": training(parquet(FRAME.with_columns(isic_id=[["a"]] * 6)), "is not text"),
    "bytes as ids": training(parquet(FRAME.with_columns(pl.col("isic_id").cast(pl.Binary))), "is not text"),
    "structs as labels": training(parquet(FRAME.with_columns(target=pl.struct("sex"))), "is not a number"),
    "dates as numbers": training(
        parquet(FRAME.with_columns(age_approx=pl.lit("2020-01-01").str.to_date())), "is not a number"
    ),
    "labels in words": training(parquet(FRAME.with_columns(target=pl.lit("benign"))), "'benign' is not a number"),
    "duplicates of another dataset": training(WHOLE, "belongs to ISIC 2020", more='duplicates = "table.csv"'),
    "groups of another dataset": training(WHOLE, "belong to the ISIC 2018", more='groups = "table.csv"'),
}

CELLS = {
    "an id with a path": cell("isic_id", "../ISIC_1", "holds odd characters"),
    "an absolute path as id": cell("isic_id", "/etc/passwd", "holds odd characters"),
    "a path of Windows as id": cell("isic_id", "C:\\x", "holds odd characters"),
    "an id with a suffix": cell("isic_id", "ISIC_1.jpg", "holds odd characters"),
    "a formula as id": cell("isic_id", "=1+1", "holds odd characters"),
    "a command as id": cell("isic_id", "@SUM(A1)", "holds odd characters"),
    "an escape sequence in an id": cell("isic_id", "\x1b[31mred\x1b[0m", "holds odd characters"),
    "a bell in an id": cell("isic_id", "ISIC\x07", "holds odd characters"),
    "a mark from right to left in an id": cell("isic_id", "ISIC_\u202e1", "holds odd characters"),
    "a space of no width in an id": cell("isic_id", "ISIC_\u200b1", "holds odd characters"),
    "letters that look alike in an id": cell("isic_id", "ІЅІС_1", "holds odd characters"),
    "a line break in an id": cell("isic_id", '"ISIC_1\nISIC_2"', "holds odd characters"),
    "a tag as id": cell("isic_id", "<script>alert(1)</script>", "holds odd characters"),
    "a bar in an id": cell("isic_id", "a|b", "holds odd characters"),
    "a space in an id": cell("isic_id", "ISIC 1", "holds odd characters"),
    "an id of spaces": cell("isic_id", "  ", "holds odd characters"),
    "no id": cell("isic_id", "", "the image id is missing"),
    "NA as id": cell("isic_id", "NA", "the image id is missing"),
    "an id twice": cell("isic_id", "ISIC_0", "appears 2 times"),
    "no patient": cell("patient_id", "", "has no patient"),
    "spaces as patient": cell("patient_id", "  ", "is blank, has spaces around it"),
    "spaces around a patient": cell("patient_id", " IP_1", "is blank, has spaces around it"),
    "a label of 2": cell("target", "2", "the target is '2.0'"),
    "a label of a half": cell("target", "0.5", "the target is '0.5'"),
    "a label below zero": cell("target", "-1", "the target is '-1.0'"),
    "no label": cell("target", "", "the target is missing"),
    "a label in words": cell("target", "malignant", "'malignant' is not a number"),
    "an infinite age": cell("age_approx", "inf", "the value is infinite"),
    "an age below all": cell("age_approx", "-Infinity", "the value is infinite"),
    "a number beyond floats": cell("age_approx", "1e999", "the value is infinite"),
    "a size below zero": cell("clin_size_long_diam_mm", "-1", "is below zero"),
    "a hexadecimal number": cell("age_approx", "0x10", "is not a number"),
    "a number with underscores": cell("age_approx", "1_000", "is not a number"),
    "a decimal comma": cell("age_approx", '"4,5"', "is not a number"),
    "full-width digits": cell("age_approx", "４５", "is not a number"),
    "Arabic digits": cell("age_approx", "٤٥", "is not a number"),
    "a number with its unit": cell("clin_size_long_diam_mm", "3 mm", "is not a number"),
    "a date": cell("age_approx", "2020-01-01", "is not a number"),
    "an error of a spreadsheet": cell("age_approx", "#DIV/0!", "is not a number"),
    "a formula as number": cell("age_approx", "=A1", "is not a number"),
    "an escape sequence as number": cell("age_approx", "\x1b[2J", "is not a number"),
    "a number of a thousand digits": cell("age_approx", "9" * 1000, "the value is infinite"),
}

TABLES = FILES | SHAPES | CELLS
