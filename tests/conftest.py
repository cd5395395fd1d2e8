"""Thread caps first: the numeric libraries read them when they are imported."""

import os

for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ.setdefault(_variable, "2")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its threads spin, also where a matrix has three columns
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # two test processes share two cores; see uglyduck/cli.py

from collections.abc import Iterator  # noqa: E402
from pathlib import Path  # noqa: E402

import pytest  # noqa: E402


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data (`UGLYDUCK_DATA`, or `../shared/data` next to the checkout); skips where it is absent."""
    folder = Path(os.environ.get("UGLYDUCK_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set UGLYDUCK_DATA")
    return folder


@pytest.fixture(scope="session")
def one_image_process() -> Iterator[None]:
    """Tests share an image process as questions do: that pytest names each test in a variable asks for no other one."""
    from image_embeddings import process

    plain = process._surroundings

    def without_test() -> tuple[str, dict[str, str]]:
        folder, variables = plain()
        variables.pop("PYTEST_CURRENT_TEST", None)
        return folder, variables

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "_surroundings", without_test)
        yield


#: Their modules take longest: none of them should run alone at the end, while the other core has nothing to do.
_FIRST = ("uglyduck", "image_embeddings", "engine", "faults", "ensemble")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long modules first; full-size benchmarks run only where they are asked for."""
    items.sort(key=lambda item: item.path.relative_to(Path(__file__).parent).parts[0] not in _FIRST)
    if "bench" in (config.getoption("-m") or ""):
        return
    skip = pytest.mark.skip(reason="full size: `make bench`")
    for item in items:
        if item.get_closest_marker("bench"):
            item.add_marker(skip)
