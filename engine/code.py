"""Fingerprints of code: what it does, not how it is commented."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from engine.files import fingerprint

#: Where our packages lie side by side.
_HERE = Path(__file__).parent.parent
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
#: Packages whose code is ours.
OURS = ("engine", "cohort", "cv_folds", "features", "image_embeddings", "ensemble", "submissions", "uglyduck")


def code_of(*modules: str) -> str:
    """SHA-256 of the code of these modules; comments, docstrings and layout do not count.

    Args:
        modules: Full names.

    Raises:
        ModuleNotFoundError: There is no such module, or no source of it.
    """
    return fingerprint({module: _meaning(_source(module)) for module in modules})


@cache
def code_behind(module: str, apart: tuple[str, ...] = ()) -> str:
    """SHA-256 of the code of a module and of every module of ours that it imports, directly or not.

    Args:
        module: Full name.
        apart: Modules, or packages, that are not followed: they cannot change what the module computes.

    Raises:
        ModuleNotFoundError: There is no such module.
    """
    return code_of(*modules_behind(module, apart))


def modules_behind(module: str, apart: tuple[str, ...] = ()) -> list[str]:
    """The module and every module of ours that it imports, directly or not, by name; see `code_behind`."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in found or any(name == other or name.startswith(f"{other}.") for other in apart):
            continue
        found.add(name)
        waiting += _imports(name)
    return sorted(found)


@cache
def _imports(module: str) -> tuple[str, ...]:
    """Modules of ours that a module imports, wherever in it, and the packages above it."""
    parts = module.split(".")
    names = {".".join(parts[:depth]) for depth in range(1, len(parts))}
    for node in ast.walk(ast.parse(_source(module).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return tuple(sorted(name for name in names if name.split(".")[0] in OURS and _place(name)))


def _source(module: str) -> Path:
    place = _place(module)
    if place is None:
        message = f"there is no source of {module}"
        raise ModuleNotFoundError(message)
    return place


@cache
def _place(module: str) -> Path | None:
    """The source file of a module of ours; nothing is imported to find it."""
    bare = _HERE.joinpath(*module.split("."))
    return next((path for path in (bare / "__init__.py", bare.with_suffix(".py")) if path.is_file()), None)


@cache
def _meaning(source: Path) -> str:
    tree = ast.parse(source.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return fingerprint(ast.dump(tree))
