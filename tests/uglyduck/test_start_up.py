"""What is said before anything heavy is loaded: help, and that a folder holds no run."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from uglyduck.cli import app

HEAVY = ("numpy", "polars", "lightgbm", "xgboost", "catboost", "torch")
PARTS = ("clean", "features", "robustness", "tune")
ON_A_RUN = ("ablate", "bundle", "card", "explain", "hospitals", "patients", "predict", "rank", "report", *PARTS)


def commands() -> list[list[str]]:
    """Every command, as one types it."""
    found = []
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        found += [[name, below] for below in getattr(command, "commands", ())] or [[name]]
    return found


@pytest.mark.parametrize("call", [[], ["images"], *commands()], ids=" ".join)
def test_help_is_plain_about_types(call: list[str]) -> None:
    shown = CliRunner().invoke(app, [*call, "--help"])
    assert shown.exit_code == 0
    assert "--help" in shown.stdout
    assert "<bool>" not in shown.stdout
    assert "list[" not in shown.stdout


def loaded(code: str) -> str:
    """What the code prints, and which heavy packages it loaded."""
    script = f"import sys\n{code}\nprint([name for name in {HEAVY} if name in sys.modules])"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout


def test_help_loads_nothing_heavy() -> None:
    assert loaded("import uglyduck.cli").splitlines() == ["[]"]


def test_a_folder_without_a_run_is_refused_before_anything_heavy_is_loaded() -> None:
    more = {"predict": ["--metadata", "none.csv"], "bundle": ["--out", "none", "--user", "jane"]}
    said = loaded(
        "from engine.errors import InputError\nfrom uglyduck.cli import app\n"
        f"for call in {[[name, 'nope', *more.get(name, [])] for name in ON_A_RUN]}:\n"
        "    try: app(call, standalone_mode=False)\n"
        "    except InputError as error: print(call[0], error)"
    )
    refusal = "nope: this folder holds no run. make one with `uglyduck run CONFIG.toml`."
    assert said.splitlines() == [*(f"{name} {refusal}" for name in ON_A_RUN), "[]"]
