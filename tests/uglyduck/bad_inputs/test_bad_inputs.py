"""Whatever is wrong with an input is one line and status 2, and nothing is written."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from tests.uglyduck.bad_inputs.case import Case, write
from tests.uglyduck.bad_inputs.images import IMAGES
from tests.uglyduck.bad_inputs.predictions import PREDICTIONS
from tests.uglyduck.bad_inputs.runs import FOLDERS
from tests.uglyduck.bad_inputs.settings import SETTINGS
from tests.uglyduck.bad_inputs.tables import TABLES
from tests.uglyduck.conftest import Command

CASES = TABLES | PREDICTIONS | SETTINGS | IMAGES | FOLDERS


def contents(folder: Path) -> dict[str, str]:
    """What lies in a folder, links and special files by their kind; but for logs, which tell of what was refused."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file() and not path.is_symlink()
        else str(path.lstat().st_mode)
        for path in sorted(folder.rglob("*"))
        if path.name != "run.log"
    }


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_one_line_and_status_2_and_nothing_written(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command, request: pytest.FixtureRequest
) -> None:
    places = {
        name: str(request.getfixturevalue(name)) for name in ("finished", "pictured") if f"{{{name}}}" in case.call
    }
    if "{copied}" in case.call:
        shutil.copytree(request.getfixturevalue("finished"), tmp_path / "copied")
    if any(name.startswith("model/") for name in case.files):
        shutil.copytree(Path(places["pictured"], "run/images/descriptors"), tmp_path / "model")
    write(tmp_path, case.files)
    monkeypatch.chdir(tmp_path)
    before = contents(tmp_path)
    done = command(*case.call.format(copied="copied", **places).split(), check=False)
    *_, line = done.stderr.splitlines() or [""]
    assert (done.returncode, line[:10]) == (2, "uglyduck: "), done.stderr
    assert case.says in line
    assert line.isprintable()
    assert contents(tmp_path) == before
