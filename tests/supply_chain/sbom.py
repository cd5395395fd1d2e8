"""A CycloneDX SBOM of the locked packages, put into a wheel (PEP 770): `python -m tests.supply_chain.sbom WHEEL`."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
import zipfile
from importlib.metadata import requires, version
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from tests.supply_chain.locked import Locked, installed, locked, normalised, table

OURS = "uglyduck-triage"


def sbom() -> dict[str, Any]:
    """CycloneDX 1.6, ready for JSON: what an installation needs is required, what development alone needs excluded."""
    needed, licences, packages = _closure(OURS), table(), locked()
    own = {"type": "library", "name": OURS, "version": version(OURS), "bom-ref": _purl(OURS, version(OURS))}
    parts = [_component(each, licences[each.name], required=each.name in needed) for each in packages]
    content = {
        "metadata": {"component": own | {"licenses": [{"license": {"id": "Apache-2.0"}}]}},
        "components": parts,
        "dependencies": [
            {"ref": own["bom-ref"], "dependsOn": [part["bom-ref"] for part in parts if part["scope"] == "required"]}
        ],
    }
    number = uuid5(NAMESPACE_URL, json.dumps(content, sort_keys=True))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{number}",
        "version": 1,
        **content,
    }


def add_to(wheel: Path) -> str:
    """Put the SBOM into a wheel and its record; returns its name in there."""
    text = json.dumps(sbom(), indent=1).encode()
    digest = base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode()
    with zipfile.ZipFile(wheel) as archive:
        files = {entry: archive.read(entry) for entry in archive.infolist()}
    record = next(entry for entry in files if entry.filename.endswith(".dist-info/RECORD"))
    name = record.filename.replace("RECORD", "sboms/uglyduck.cdx.json")
    files[record] += f"{name},sha256={digest},{len(text)}\n".encode()
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name, date_time=record.date_time), text, zipfile.ZIP_DEFLATED)
        for entry, content in files.items():
            archive.writestr(entry, content)
    return name


def _component(each: Locked, licence: str, *, required: bool) -> dict[str, Any]:
    properties = [{"name": "marker", "value": each.marker}] if each.marker else []
    return {
        "type": "library",
        "name": each.name,
        "version": each.version,
        "bom-ref": _purl(each.name, each.version),
        "purl": _purl(each.name, each.version),
        "scope": "required" if required else "excluded",
        "licenses": [{"expression": licence}],
        "properties": properties + [{"name": "file:sha256", "value": sha256} for sha256 in each.sha256],
    }


def _closure(name: str) -> set[str]:
    found: set[str] = set()
    wanted, there = {name}, installed()
    while wanted:
        found.add(one := wanted.pop())
        lines = requires(one) if one in there else ()
        kept = {normalised(re.split(r"[^\w.-]", line)[0]) for line in lines or () if _is_taken(line, of=one)}
        wanted |= kept - found
    return found - {name}


def _is_taken(line: str, *, of: str) -> bool:
    return "extra ==" not in line or (of == OURS and re.search(r"extra == .images", line) is not None)


def _purl(name: str, number: str) -> str:
    return f"pkg:pypi/{name}@{number}"


if __name__ == "__main__":
    print(add_to(Path(sys.argv[1])))  # noqa: T201 - what it did
