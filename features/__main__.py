"""`python -m features`: writes the generated files of this package, the built-in constants and docs/features.md."""

from pathlib import Path

from features.builtin import BUILTIN, make_builtin
from features.documentation import features_page

_HERE = Path(__file__).parent
_HERE.joinpath(BUILTIN).write_text(make_builtin() + "\n", "utf-8")
_HERE.parent.joinpath("docs", "features.md").write_text(features_page(), "utf-8")
