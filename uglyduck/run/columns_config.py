"""The column mapping of the run configuration: what a table calls our columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cohort.mapping import ColumnSource


class ColumnConfig(BaseModel):
    """`[data.columns.NAME]`: where a column comes from; `NAME = "name in the file"` will do for most."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str  # name in the file
    times: float = Field(1.0, gt=0, allow_inf_nan=False)  # factor for a number: 10 turns a table's cm into mm
    kind: Literal["number", "category"] | None = None  # kind of a further column, which becomes a feature
    malignant: tuple[str, ...] = ()  # for target: diagnoses that count as malignant; if left out, the column is 0 and 1
    benign: tuple[str, ...] = ()  # for target: those that count as benign, "" for an empty cell; all others if left out

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, given: object) -> object:
        return {"column": given} if isinstance(given, str) else given


def mapping_of(columns: Mapping[str, ColumnConfig]) -> dict[str, ColumnSource]:
    """The mapping, in the form that table readers take."""
    return {name: ColumnSource(**source.model_dump()) for name, source in columns.items()}
