from pathlib import Path

from engine.files import TEMPORARY
from engine.locks import locked


def test_what_a_killed_process_left_is_swept_out(tmp_path: Path) -> None:
    (tmp_path / f"{TEMPORARY}folder" / "inside").mkdir(parents=True)
    (tmp_path / f"{TEMPORARY}folder" / f"{TEMPORARY}file").touch()
    (tmp_path / "models" / "kept").mkdir(parents=True)
    (tmp_path / "models" / f"{TEMPORARY}file.npy").touch()
    with locked(tmp_path):
        pass
    assert sorted(path.name for path in tmp_path.rglob("*")) == [".lock", "kept", "models"]
