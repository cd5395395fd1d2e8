"""Thread caps first: the numeric libraries read them when they are imported."""

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ.setdefault(_variable, "2")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # two test processes share two cores; see uglyduck/cli.py

from pathlib import Path  # noqa: E402

import pytest  # noqa: E402


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data (`UGLYDUCK_DATA`, or `../shared/data` next to the checkout); skips where it is absent."""
    folder = Path(os.environ.get("UGLYDUCK_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set UGLYDUCK_DATA")
    return folder


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Full-size benchmarks run only where they are asked for."""
    if "bench" in (config.getoption("-m") or ""):
        return
    skip = pytest.mark.skip(reason="full size: `make bench`")
    for item in items:
        if item.get_closest_marker("bench"):
            item.add_marker(skip)
