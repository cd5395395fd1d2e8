"""The table of codes in `docs/checks.md`, generated from the checks so that the two cannot differ.

`python -m ensemble.run_checks.tables docs/checks.md` writes it between its markers.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from cohort.data_tables import checks_table
from engine.files import atomic_path
from ensemble.run_checks.codes import RUN_CHECKS


def fill(text: str) -> str:
    """`text` with a fresh table between `<!-- run checks -->` and `<!-- end -->`."""
    between = re.compile(r"(<!-- run checks -->\n).*?(<!-- end -->)", re.DOTALL)
    return between.sub(lambda match: f"{match[1]}{checks_table(RUN_CHECKS)}\n{match[2]}", text)


if __name__ == "__main__":
    _path = Path(sys.argv[1])
    _filled = fill(_path.read_text("utf-8"))
    with atomic_path(_path) as _temporary:
        _temporary.write_text(_filled, "utf-8")
