"""The result store: what is put comes back; what is damaged counts as absent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.results import ResultStore

NAME = "ab" + "0" * 62


def test_arrays_come_back_bit_for_bit(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    assert store.get(NAME) is None
    store.put(NAME, {"scores": np.array([0.1, np.nan]), "gain": np.zeros(0)})
    found = store.get(NAME)
    assert found is not None
    np.testing.assert_array_equal(found["scores"], [0.1, np.nan])
    assert found["gain"].shape == (0,)
    assert list(store.names()) == [NAME]
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


@pytest.mark.parametrize("size", [0, 5])
def test_a_result_is_the_same_file_whenever_it_is_written(tmp_path: Path, size: int) -> None:
    first, second = ResultStore(tmp_path / "a"), ResultStore(tmp_path / "b")
    for store in (first, second):
        store.put(NAME, {"scores": np.arange(size)})
    assert first.path(NAME).read_bytes() == second.path(NAME).read_bytes()
