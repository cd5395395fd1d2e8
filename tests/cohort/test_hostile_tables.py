"""Any text in any cell: a table is read into plain rows or refused in one line."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cohort.reading import read_cohort
from engine.errors import InputError

COLUMNS = ("isic_id", "patient_id", "target", "age_approx", "tbp_lv_areaMM2", "sex")
ODD = ("", "NA", "inf", "-1", "1e999", "=1+1", "../x", "\x1b[2J", "\u202e", 'a"b', "a,b", "a\nb", "\r", "\0", " ", "４")
WHOLE = {
    "isic_id": st.integers(0, 99).map(lambda number: f"ISIC_{number}"),
    "patient_id": st.integers(0, 3).map(lambda number: f"IP_{number}"),
    "target": st.sampled_from(["0", "1"]),
    "age_approx": st.integers(5, 85).map(str),
    "tbp_lv_areaMM2": st.floats(0, 50).map(str),
    "sex": st.sampled_from(["male", "female", "unknown", "NA"]),
}
CELL = {name: whole | st.sampled_from(ODD) | st.text(max_size=6) for name, whole in WHOLE.items()}
TABLE = st.lists(
    st.tuples(*(WHOLE[name] for name in COLUMNS)) | st.tuples(*(CELL[name] for name in COLUMNS)), max_size=6
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=TABLE, mark=st.sampled_from(["", "\ufeff"]), end=st.sampled_from(["\n", "\r\n"]))
def test_any_text_in_any_cell_is_read_or_refused(
    rows: list[tuple[str, ...]], mark: str, end: str, tmp_path: Path
) -> None:
    stream = io.StringIO()
    csv.writer(stream, lineterminator=end).writerows([COLUMNS, *rows])
    path = tmp_path / "table.csv"
    path.write_text(mark + stream.getvalue(), "utf-8", errors="surrogatepass", newline="")
    kept, refused = [], []
    for odd in ("refuse", "missing"):
        try:
            kept.append(read_cohort(path, odd=odd).frame)  # type: ignore[arg-type]
        except InputError as error:
            refused.append(str(error))
    assert all(line.isprintable() for line in refused)
    for frame in kept:
        assert frame["isic_id"].str.contains(r"^[A-Za-z0-9_-]+$").all()
        assert frame["isic_id"].n_unique() == frame.height <= len(rows)
        assert all(value.isprintable() for value in frame["patient_id"] if value.isascii())
        numbers = frame.select(pl.col(pl.Float64))
        assert numbers.select((pl.all().is_finite() | pl.all().is_null()).all()).row(0) == (True,) * numbers.width
