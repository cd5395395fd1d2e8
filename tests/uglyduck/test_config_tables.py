"""docs/configuration.md says what the code says."""

from __future__ import annotations

from pathlib import Path

from tests.uglyduck.config_tables import fill, section_text, sections
from uglyduck.run.config import Config, MemberConfig
from uglyduck.run.image_config import ImageModelConfig

DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_document_is_up_to_date() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert fill(text) == text, "run: python -m tests.uglyduck.config_tables docs/configuration.md"


def test_every_section_is_there_and_has_a_row_for_each_key() -> None:
    found = list(dict.fromkeys(sections()))
    assert {ImageModelConfig, MemberConfig} < set(found)
    # columns stand inside [data], extra tables in [images.NAME], members in [ensemble], own features in [features]
    assert len(found) == len(Config.model_fields) + 4
    lines = section_text(MemberConfig).splitlines()
    assert lines[0] == "## `[ensemble.members.NAME]`"
    assert lines[-4:-2] == [
        "| `learner` | required | lightgbm, xgboost, catboost, logistic, or one that another package brings |",
        "| `groups` |  | the run's feature groups (or parts of them) that it sees; all if left out |",
    ]
    assert "| `benign_per_malignant` | `60.0` |" in "\n".join(map(section_text, found))
