"""The program that answers an offline code competition: `uglyduck bundle` copies this file verbatim.

It needs no network, writes nothing into the input folder, and uses only the standard library. First it writes a valid
submission that gives every lesion the same score. Then it checks the bundle, unpacks its wheels and runs
`submissions.bundle.scoring` from them, which replaces that submission if, and only if, every lesion is scored. If the
crops cannot be scored, or take too long, lesions are scored from the table alone. If that fails as well, the program
ends with an error and the first submission stands.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

INPUT = Path(os.environ.get("UGLYDUCK_INPUT", "/kaggle/input"))  # the bundle and the competition's files lie below
OUTPUT = Path(os.environ.get("UGLYDUCK_OUTPUT", "/kaggle/working"))  # where submission.csv is written
DEEPEST = 4  # levels below INPUT where files are looked for


def log(text: str) -> None:
    """Print a line to the log."""
    print(text, flush=True)  # noqa: T201 - the log of a kernel is what it prints


def find(name: str) -> Path:
    """The file of this name that is the fewest folders below INPUT."""
    for depth in range(DEEPEST):
        found = sorted(INPUT.glob("*/" * depth + name))
        if len(found) > 1:
            message = f"{name} is there more than once: {', '.join(map(str, found))}; attach one"
            raise RuntimeError(message)
        if found:
            return found[0]
    message = f"no {name} below {INPUT}: attach the bundle and the competition's data"
    raise FileNotFoundError(message)


def write_prior(sample: Path, prior: float, out: Path) -> int:
    """Give every lesion of the sample submission the same score; returns how many there are."""
    unfinished = out.with_name(f".{out.name}.unfinished")
    with sample.open(newline="", encoding="utf-8") as given, unfinished.open("w", newline="", encoding="utf-8") as to:
        rows, writer = csv.reader(given), csv.writer(to, lineterminator="\n")
        writer.writerow(next(rows))
        count = 0
        for row in rows:
            writer.writerow([row[0], prior])
            count += 1
    unfinished.replace(out)
    return count


def check(bundle: Path, files: dict[str, str]) -> None:
    """Refuse a bundle in which a file is missing or has changed."""
    for name, sha256 in files.items():
        with (bundle / name).open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != sha256:
                message = f"{name} was changed since the bundle was made; upload it again"
                raise RuntimeError(message)


def usable(wheels: list[Path]) -> list[Path]:
    """The wheels; if some are compiled for another version of Python, log a line and return only ours."""
    own = f"cp{sys.version_info.major}{sys.version_info.minor}"
    foreign = [wheel.name for wheel in wheels if wheel.stem.split("-")[-2] not in {"none", "abi3", own}]
    if not foreign:
        return wheels
    log(f"{foreign[0]} is for another Python than {own}: make the bundle again with --python; going on without wheels")
    return [wheel for wheel in wheels if wheel.name.startswith("uglyduck_triage-")]


def unpack_wheels(wheels: list[Path], target: Path) -> None:
    """Unpack wheels so that Python finds them in `target`; no installer is needed."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(target)
    for library in [*target.glob("*.data/purelib"), *target.glob("*.data/platlib")]:
        for entry in library.iterdir():
            entry.rename(target / entry.name)


def check_libraries(wanted: dict[str, str], target: Path) -> None:
    """Log libraries that are missing, and those whose version differs from the one the run was made with."""
    there: dict[str, str] = {}
    for found in distributions(path=[str(target), *sys.path]):
        there.setdefault(re.sub(r"[-_.]+", "-", found.metadata["Name"] or "").lower(), found.version)
    missing = [f"{name}=={version}" for name, version in wanted.items() if name not in there]
    if missing:
        log(f"missing here: {', '.join(missing)}; if scoring fails, make the bundle again with --download-wheels")
    other = [
        f"{name} {there[name]}, not {version}"
        for name, version in wanted.items()
        if there.get(name, version) != version
    ]
    if other:
        log(f"other versions than in the run, so the last bits of scores may differ: {'; '.join(other)}")


def predict(arguments: list[str], target: Path, seconds: float | None = None) -> bool:
    """Score with the unpacked wheels; returns whether that succeeded in time."""
    environment = {**os.environ, "PYTHONPATH": str(target), "PYTHONDONTWRITEBYTECODE": "1"}
    call = [sys.executable, "-m", "submissions.bundle.scoring", *arguments]
    # A session of its own: when the time is up, the processes it started end with it.
    with subprocess.Popen(call, env=environment, start_new_session=True) as process:
        try:
            return process.wait(seconds) == 0
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            log(f"stopped after {seconds:,.0f} s")
            return False


def main() -> None:
    """Write the prior submission, then the real one over it."""
    manifest = find("MANIFEST.json")
    bundle, about = manifest.parent, json.loads(manifest.read_text("utf-8"))
    out, sample = OUTPUT / "submission.csv", find("sample_submission.csv")
    log(f"{write_prior(sample, about['prior'], out):,} lesions, each with the score {about['prior']}, in {out}")
    check(bundle, about["files"])
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch)
        unpack_wheels(usable(sorted((bundle / "wheels").glob("*.whl"))), target)
        check_libraries(about["requirements"], target)
        answer(bundle, about, sample.parent, target, out)


def answer(bundle: Path, about: dict[str, Any], data: Path, target: Path, out: Path) -> None:
    """Score the lesions, with their crops if possible."""
    images = data / "test-image.hdf5"
    arguments = [str(bundle / "run"), "--metadata", str(data / "test-metadata.csv"), "--out", str(out)]
    if about["images"] and images.exists():
        without = [part for name in about["left_out"] for part in ("--without", name)]
        if predict([*arguments, "--images", str(images), *without], target, about["image_seconds"]):
            return log("scored from table and crops")
        log("the crops could not be scored; going on with the table alone")
    if not predict(arguments, target):
        raise RuntimeError("scoring failed, see above; the submission with the same score everywhere stands")
    return log("scored from the table alone")


if __name__ == "__main__":
    main()
