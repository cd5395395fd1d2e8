"""Every locked package is listed under an allowed licence, and the wheel's SBOM names them all."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from base64 import urlsafe_b64decode
from pathlib import Path

from tests.supply_chain.locked import ALLOWED, installed, is_allowed, licence_of, locked, table
from tests.supply_chain.sbom import add_to


def test_every_locked_package_is_listed_as_it_states_itself_under_an_allowed_licence() -> None:
    listed, there = table(), installed()
    versions = {entry.name: entry.version for entry in locked()}
    assert set(listed) == set(versions), "run `make licences`"
    for name, licence in listed.items():
        assert is_allowed(licence, name), f"{name}: {licence} is not among {sorted(ALLOWED)}"
        if name in there and there[name].version == versions[name]:  # `make test-oldest` has older ones
            assert licence_of(name, there[name]) == licence, f"{name}: run `make licences`, and read its licence"


def test_what_must_be_kept_must_be_allowed() -> None:
    assert is_allowed("MIT AND (Apache-2.0 OR GPL-2.0-only)", "x")
    assert not is_allowed("MIT AND GPL-3.0-or-later", "x")
    assert not is_allowed("LicenseRef-NVIDIA-Proprietary", "x")
    assert not is_allowed("?", "x")


def test_the_wheel_holds_an_sbom_of_the_locked_packages(tmp_path: Path) -> None:
    wheel = tmp_path / "uglyduck_triage-0.1.0-py3-none-any.whl"
    record = "uglyduck_triage-0.1.0.dist-info/RECORD"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("a.py", "")
        archive.writestr(record, f"a.py,,\n{record},,\n")
    name = add_to(wheel)
    with zipfile.ZipFile(wheel) as archive:
        text, rows = archive.read(name), list(csv.reader(io.StringIO(archive.read(record).decode())))
    (stated,) = [row for row in rows if row[0] == name]
    assert urlsafe_b64decode(stated[1].removeprefix("sha256=") + "=") == hashlib.sha256(text).digest()
    assert int(stated[2]) == len(text)
    content = json.loads(text)
    assert (content["bomFormat"], content["specVersion"]) == ("CycloneDX", "1.6")
    parts = {(part["name"], part["version"]): part for part in content["components"]}
    assert set(parts) == {(entry.name, entry.version) for entry in locked()}
    scope = {part["name"]: part["scope"] for part in content["components"]}
    assert (scope["polars"], scope["narwhals"], scope["pytest"]) == ("required", "required", "excluded")
    assert all(part["properties"] for part in content["components"])
    references = {part["bom-ref"] for part in content["components"]}
    assert set(content["dependencies"][0]["dependsOn"]) <= references
