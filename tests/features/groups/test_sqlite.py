"""The patient scope against SQLite's window functions, an implementation that shares nothing with ours."""

import sqlite3

import polars as pl
import pytest

from features import FeatureState, build
from features.patients.measures import MEASURED

_QUERY = """
with one as (select isic_id, patient_id, x from lesions where x is not null),
moments as (
  select isic_id, x,
    count(*) over patient as n,
    avg(x) over patient as mean,
    rank() over (partition by patient_id order by x) as lowest,
    count(*) over (partition by patient_id, x) as same
  from one window patient as (partition by patient_id)
),
squares as (
  select m.*, sum((m.x - m.mean) * (m.x - m.mean)) over (partition by o.patient_id) as ss
  from moments m join one o using (isic_id)
)
select l.isic_id,
  case when s.n < 2 or s.ss = 0 then 0 * s.x else (s.x - s.mean) / sqrt(s.ss / (s.n - 1)) end as z,
  (s.lowest - 1 + s.same / 2.0) / s.n as rank
from lesions l left join squares s using (isic_id) order by l.isic_id
"""


@pytest.mark.parametrize("number", MEASURED)
def test_z_and_rank(number: str, awkward: pl.DataFrame) -> None:
    finite = pl.when(pl.col(number).is_finite()).then(pl.col(number)).alias("x")
    connection = sqlite3.connect(":memory:")
    connection.create_function("sqrt", 1, lambda value: None if value is None else value**0.5)
    connection.execute("create table lesions (isic_id text, patient_id text, x real)")
    rows = awkward.select("isic_id", "patient_id", finite).rows()
    connection.executemany("insert into lesions values (?, ?, ?)", rows)
    expected = connection.execute(_QUERY).fetchall()
    connection.close()
    built = build(awkward, ["patient.z", "patient.rank"], state=FeatureState()).sort("isic_id")
    assert built["isic_id"].to_list() == [row[0] for row in expected]
    for place, part in ((1, "z"), (2, "rank")):
        found = built[f"{number}__patient_{part}"].to_list()
        want = [row[place] for row in expected]
        assert [value is None for value in found] == [value is None for value in want]
        assert [v for v in found if v is not None] == pytest.approx(
            [v for v in want if v is not None], abs=2e-6, rel=1e-5
        )
