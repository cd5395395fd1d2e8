"""A mapping to try for an unknown table, guessed from its columns' names and contents, as TOML to paste."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from cohort.canonical import FILE_SUFFIX
from cohort.cells import CellError
from cohort.columns import NEVER_FEATURES
from cohort.reading import open_tables, recognise_table
from cohort.tables import SourceTable
from engine.errors import InputError, shorten

#: Words in the names of columns, the surest first; in English, German, Portuguese, Spanish and French tables.
_WORDS = {
    "isic_id": "isic imageid imagename imgid image img photo foto bild imagem filename file uuid lesionid lesion id",
    "patient_id": "patientid patient patid pat subject person mrn paciente patnr pid",
    "target": "target malignant malignancy malign label histology histopathology diagnosis diagnose diagnostico "
    "diagnostic dx cancer outcome class",
    "age_approx": "age alter idade edad",
    "sex": "sex gender geschlecht sexo genero",
    "anatom_site_general": "anatomsite bodysite bodypart site localization localisation lokalisation location region "
    "localizacao regiao",
    "clin_size_long_diam_mm": "diameter diam durchmesser diametro size groesse tamanho",
    "attribution": "attribution institution hospital clinic klinik center centre",
}
_AFTER_DIAGNOSIS = re.compile(
    r"biops|histo|path|breslow|clark|stage|mitos|mitot|excis|treat|therap|outcome|follow|recur|metast|diagn|^dx|death|malig"
)
_MALIGNANT = re.compile(
    r"\bmel\b|melanoma|\bmm\b|bcc|basal|basaliom|scc|squamous|spinaliom|carcinom|bowen|akiec|malign|merkel|lymphom"
    r"|^(yes|true|positive|1)$"
)
_NOT_MALIGNANT = re.compile(r"(non|not|no)[ -]?malign|basal cell papilloma")
_NUMBER = r"^[+-]?\d*[.,]?\d+([eE][+-]?\d+)?$"
_MOST_LEVELS = 20


@dataclass(frozen=True)
class _Held:
    """What a column holds: its cells as text, and as numbers if nearly all are."""

    name: str
    cells: pl.Series
    numbers: pl.Series | None

    @property
    def levels(self) -> list[str]:
        return sorted(self.cells.drop_nulls().unique())

    @property
    def is_key(self) -> bool:
        plain = self.cells.str.replace(FILE_SUFFIX, "").str.contains(r"^[A-Za-z0-9_-]+$").all()
        return plain and self.cells.null_count() == 0 and self.cells.n_unique() == len(self.cells)

    def quantiles(self) -> tuple[float, float, float]:
        found = [self.numbers.quantile(share) for share in (0.05, 0.5, 0.95)] if self.numbers is not None else []
        low, middle, high = (float(value or 0) for value in found or (0, 0, 0))
        return low, middle, high


def suggest(path: Path, join: Sequence[Path] | None = None) -> str:
    """The sections `[data]` and `[data.columns]` to try for a table.

    Raises:
        InputError: The table cannot be read.
    """
    table = open_tables(path, join)
    header = ["[data]", f"metadata = {_quoted(str(Path(path).resolve()))}"]
    if join:
        header.append(f"join = [{', '.join(_quoted(str(other.resolve())) for other in join)}]")
    try:
        dataset = recognise_table(table)
        known = {field.source for field in dataset.fields}
        opening = f"# Read as {dataset.title} as it is; its further columns could be features."
    except InputError:
        known = set()
        opening = "# To be tried: told by names and values, so read it before you use it."
    columns = _held(table, [name for name in table.header if name not in known and name])
    ours: list[str] = []
    if not known:
        ours, columns = _ours(columns)
    return "\n".join([opening, *header, "", "[data.columns]", *ours, *_further(columns)]) + "\n"


def _held(table: SourceTable, names: Sequence[str]) -> list[_Held]:
    text = table.read(dict.fromkeys(table.header, pl.String()))
    numeric = [name for name in names if _is_number(text[name])]
    unread: list[CellError] = []
    numbers = table.read({name: pl.Float64() if name in numeric else pl.String() for name in table.header}, unread)
    return [_Held(name, text[name], numbers[name] if name in numeric else None) for name in names]


def _is_number(cells: pl.Series) -> bool:
    """Whether nearly all that is stated is a number."""
    stated = cells.drop_nulls().str.strip_chars()
    return bool(len(stated)) and int(stated.str.contains(_NUMBER).sum()) >= 0.95 * len(stated)


def _ours(columns: list[_Held]) -> tuple[list[str], list[_Held]]:
    """A line for each of our columns, and the columns that are left."""
    lines, left = [], list(columns)
    for ours, words in _WORDS.items():
        named = [(place, one) for one in left if (place := _place(one.name, words.split())) is not None]
        line = next(
            ((text, one) for _, one in sorted(named, key=lambda found: found[0]) if (text := _LINES[ours](one))), None
        )
        if line is not None:
            lines.append(f"{ours} = {line[0]}")
            left.remove(line[1])
        elif ours in {"isic_id", "patient_id", "target"}:
            lines.append(f"# {ours} = which column?")
    return lines, left


def _place(name: str, words: list[str]) -> tuple[int, int] | None:
    """How well a name fits, the smaller the better: the whole name, then a part of it; None if it does not."""
    parts = re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower())
    whole = "".join(parts)
    found = [(0, place) for place, word in enumerate(words) if whole == word]
    found += [(1, place) for place, word in enumerate(words) if word in parts]
    return min(found, default=None)


def _key(one: _Held) -> str:
    return f"{_quoted(one.name)}  # {len(one.cells)} values, all different" if one.is_key else ""


def _patient(one: _Held) -> str:
    return "" if one.cells.null_count() else f"{_quoted(one.name)}  # {one.cells.n_unique()} of {len(one.cells)} rows"


def _target(one: _Held) -> str:
    if one.numbers is not None:
        return _quoted(one.name) if set(one.numbers.drop_nulls().unique()) == {0.0, 1.0} else ""
    told = [
        level for level in one.levels if _MALIGNANT.search(level.lower()) and not _NOT_MALIGNANT.search(level.lower())
    ]
    if not told or len(one.levels) > 100:
        return ""
    others = [level for level in one.levels if level not in told]
    listed = ", ".join(map(_quoted, told))
    return f"{{ column = {_quoted(one.name)}, malignant = [{listed}] }}  # benign then: {shorten(others)}"


def _age(one: _Held) -> str:
    low, middle, high = one.quantiles()
    if 130 < middle < 1200 and high < 1500:
        return f"{{ column = {_quoted(one.name)}, times = {1 / 12:.6f} }}  # months, it seems: {_spread(one)}"
    return f"{_quoted(one.name)}  # {_spread(one)}" if 5 < middle <= 120 and low >= 0 else ""


def _diameter(one: _Held) -> str:
    low, middle, _ = one.quantiles()
    parts = re.findall(r"[a-z]+", one.name.lower())
    if middle <= 0 or low < 0 or middle > 200:
        return ""
    if "cm" in parts or ("mm" not in parts and middle < 1.2):
        return f"{{ column = {_quoted(one.name)}, times = 10 }}  # cm, it seems: {_spread(one)}"
    return f"{_quoted(one.name)}  # mm, it seems: {_spread(one)}"


def _category(one: _Held) -> str:
    return f"{_quoted(one.name)}  # {shorten(one.levels, 4)}" if 2 <= len(one.levels) <= 100 else ""


_LINES: dict[str, Callable[[_Held], str]] = {
    "isic_id": _key,
    "patient_id": _patient,
    "target": _target,
    "age_approx": _age,
    "sex": _category,
    "anatom_site_general": _category,
    "clin_size_long_diam_mm": _diameter,
    "attribution": _category,
}


def _further(columns: Sequence[_Held]) -> list[str]:
    """A line for each column that could be a further feature, and one for those that could not."""
    lines, told, odd = [], [], []
    for one in columns:
        name = re.sub(r"[^A-Za-z0-9]+", "_", one.name).strip("_")
        if one.name in NEVER_FEATURES or _AFTER_DIAGNOSIS.search(one.name.lower()):
            told.append(one.name)
        elif not name[:1].isalpha() or one.is_key or len(one.levels) < 2:
            odd.append(one.name)
        elif one.numbers is not None and len(one.levels) > 2:
            lines.append(f'{name} = {{ column = {_quoted(one.name)}, kind = "number" }}  # {_spread(one)}')
        elif len(one.levels) <= _MOST_LEVELS:
            lines.append(f'{name} = {{ column = {_quoted(one.name)}, kind = "category" }}  # {shorten(one.levels, 4)}')
        else:
            odd.append(one.name)
    lines += [f"# left out, known only with the diagnosis: {', '.join(told)}"] * bool(told)
    return lines + [f"# left out, one value or too many: {', '.join(odd)}"] * bool(odd)


def _spread(one: _Held) -> str:
    low, middle, high = one.quantiles()
    return f"median {middle:.3g}, 5 % to 95 % {low:.3g} to {high:.3g}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
