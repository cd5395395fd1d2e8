"""`python -m features`: writes the two generated files of this package, the built-in constants and docs/features.md."""

from pathlib import Path

from features.builtin import make_builtin

_HERE = Path(__file__).parent
_HERE.joinpath("builtin.json").write_text(make_builtin() + "\n", "utf-8")
