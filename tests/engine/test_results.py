"""The result store: what is put comes back; what is damaged counts as absent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.results import ResultStore

NAME = "ab" + "0" * 62


def names(store: ResultStore) -> set[str]:
    return {path.stem for path in store.folder.glob("??/*.result")}


def test_arrays_come_back_bit_for_bit(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    assert store.get(NAME) is None
    store.put(NAME, {"scores": np.array([0.1, np.nan]), "gain": np.zeros(0)})
    found = store.get(NAME)
    assert found is not None
    np.testing.assert_array_equal(found["scores"], [0.1, np.nan])
    assert found["gain"].shape == (0,)
    assert names(store) == {NAME}
    store.path(NAME).unlink()
    assert store.get(NAME) is None


def test_every_flipped_byte_and_every_cut_is_noticed(tmp_path: Path) -> None:
    store, values = ResultStore(tmp_path), np.linspace(0, 1, 40)
    store.put(NAME, {"scores": values})
    whole = store.path(NAME).read_bytes()
    for place in range(len(whole)):
        store.path(NAME).write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert store.get(NAME) is None
    for size in range(0, len(whole), 7):
        store.path(NAME).write_bytes(whole[:size])
        assert store.get(NAME) is None
    other = "ab" + "1" * 62  # a whole result, but of something else
    store.path(other).write_bytes(whole)
    assert store.get(other) is None


@pytest.mark.parametrize("size", [0, 5])
def test_a_result_is_the_same_file_whenever_it_is_written(tmp_path: Path, size: int) -> None:
    first, second = ResultStore(tmp_path / "a"), ResultStore(tmp_path / "b")
    for store in (first, second):
        store.put(NAME, {"scores": np.arange(size)})
    assert first.path(NAME).read_bytes() == second.path(NAME).read_bytes()


def test_outdated_is_what_was_asked_for_on_other_bases_only(tmp_path: Path) -> None:
    old, both, new, unlisted = (f"{place}{'0' * 63}" for place in range(4))
    for name in (old, both, new, unlisted):
        ResultStore(tmp_path).put(name, {"scores": np.zeros(1)})
    before, now = ResultStore(tmp_path, "before"), ResultStore(tmp_path, "now")
    before.note([old, both])
    assert now.outdated() == []  # nothing was asked for yet: nobody knows what is needed
    now.note([both])
    with (tmp_path / "asked/now").open("a") as stream:
        stream.write(new[:9])  # killed while writing
    now.note([both, new])
    assert now.outdated() == [now.path(old), tmp_path / "asked/before"]
    assert (tmp_path / "asked/now").read_text().split() == [both, new[:9], new]
    assert ResultStore(tmp_path).outdated() == []
    assert names(now) == {old, both, new, unlisted}
