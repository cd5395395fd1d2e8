"""A formula is text, and the text is what runs: the dictionary cannot say one thing and the code do another.

The language is arithmetic over the short names of `features.patients.measures` (`+ - * /`, a power by a whole number),
the constant `pi` and the functions of `FUNCTIONS`. Everything is IEEE double precision on contiguous arrays, so a value
does not depend on where in an array it stands.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from features.arithmetic.segments import Floats

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": np.abs,
    "atan2": np.arctan2,
    "cbrt": np.cbrt,
    "degrees": np.degrees,
    "exp": np.exp,
    "ln": np.log,
    "max": np.maximum,
    "min": np.minimum,
    "sqrt": np.sqrt,
}
_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


@dataclass(frozen=True)
class Formula:
    """A formula over named arrays.

    Attributes:
        text: The formula as written.
        names: The short names it reads.
    """

    text: str
    names: tuple[str, ...] = field(init=False)
    _tree: ast.expr = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        tree = ast.parse(self.text, mode="eval").body
        called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called}
        object.__setattr__(self, "_tree", tree)
        object.__setattr__(self, "names", tuple(sorted(names - {"pi"})))

    def __call__(self, values: Mapping[str, Floats]) -> Floats:
        """Evaluate the formula; where it has no value (0/0, the logarithm of a negative number) the result is NaN.

        Args:
            values: An array (n,) for each of `names`; NaN is missing.

        Returns:
            Array (n,), finite or NaN.
        """
        with np.errstate(all="ignore"):
            result = np.asarray(_evaluate(self._tree, values), dtype=np.float64)
        result[~np.isfinite(result)] = np.nan
        return result


def _evaluate(node: ast.expr, values: Mapping[str, Floats]) -> Any:  # noqa: ANN401 - an array or a constant
    match node:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_evaluate(left, values), _evaluate(right, values))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_evaluate(operand, values)
        case ast.Call(func=ast.Name(id=name), args=arguments) if name in FUNCTIONS:
            return FUNCTIONS[name](*(_evaluate(argument, values) for argument in arguments))
        case ast.Name(id="pi"):
            return math.pi
        case ast.Name(id=name):
            return values[name]
        case ast.Constant(value=int() | float() as value):
            return value
        case _:
            message = f"a formula cannot contain {ast.unparse(node)!r}"
            raise ValueError(message)
