"""A mapping of columns in the run configuration: what a table calls them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cohort.mapping import ColumnSource


class ColumnConfig(BaseModel):
    """`[data.columns.NAME]`: where a column comes from; `NAME = "name in the file"` will do for most."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str  # name in the file
    times: float = Field(1.0, gt=0, allow_inf_nan=False)  # what a number is multiplied by: 10 makes cm of a table mm
    kind: Literal["number", "category"] | None = None  # of a further column, which becomes a feature: its kind
    malignant: tuple[str, ...] = ()  # of target: diagnoses that count as malignant; without it the column is 0 and 1
    benign: tuple[str, ...] = ()  # of target: those that count as benign, "" for none; every other if left out

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, given: object) -> object:
        return {"column": given} if isinstance(given, str) else given


def mapping_of(columns: Mapping[str, ColumnConfig]) -> dict[str, ColumnSource]:
    """The mapping, as tables are read with it."""
    return {name: ColumnSource(**source.model_dump()) for name, source in columns.items()}
