import json

import numpy as np
import polars as pl
import pytest

from engine.errors import InputError
from features.encoders import TargetEncoder

FRAME = pl.DataFrame(
    {
        "isic_id": list("abcdefgh"),
        "patient_id": list("PPQQRRSS"),
        "site": ["arm", "arm", "arm", "leg", "leg", "leg", None, "arm"],
        "sex": ["m", "m", "f", "f", "m", "m", "f", "f"],
    }
)
TARGET = np.array([1, 0, 1, 0, 0, 0, 0, 0], dtype=np.int8)
INNER = np.array([0, 0, 1, 1, 0, 0, 1, 1], dtype=np.int8)


def test_codes_by_hand() -> None:
    # Rate 2/8; arm 2 of 4, leg 0 of 3, not stated 0 of 1; prior 2 rows.
    encoder = TargetEncoder.fit(FRAME, TARGET, ["site"], prior=2)
    assert encoder.codes == pytest.approx({"arm": 2.5 / 6, "leg": 0.5 / 5, "": 0.5 / 3})
    fresh = pl.DataFrame({"isic_id": ["x", "y", "z"], "site": ["leg", "scalp", None]})
    encoded = encoder.encode(fresh)
    assert encoded.columns == ["isic_id", "site__rate"]
    assert encoded["site__rate"].to_list() == pytest.approx([0.1, 0.25, 0.5 / 3])
    assert encoded["site__rate"].dtype == pl.Float32


def test_training_rows_are_encoded_from_the_other_inner_folds() -> None:
    # Fold 0 is a b e f: encoded from c d g h, rate 1/4: arm 1 of 2, leg 0 of 1.
    encoder, own = TargetEncoder.fit_encode(FRAME, TARGET, ["site"], inner=INNER, prior=2)
    assert own["site__rate"].to_list()[:2] == pytest.approx([1.5 / 4] * 2)
    assert own["site__rate"].to_list()[4:6] == pytest.approx([0.5 / 3] * 2)
    # Fold 1: from a b e f, rate 1/4: arm 1 of 2, leg 0 of 2, no row without a site.
    assert own["site__rate"].to_list()[2:4] == pytest.approx([1.5 / 4, 0.5 / 4])
    assert own["site__rate"].to_list()[6] == pytest.approx(0.25)
    assert encoder == TargetEncoder.fit(FRAME, TARGET, ["site"], prior=2)


def test_no_label_of_the_own_patient_is_in_a_training_row() -> None:
    _, own = TargetEncoder.fit_encode(FRAME, TARGET, ["site"], inner=INNER)
    for patient in "PQRS":
        mine = (FRAME["patient_id"] == patient).to_numpy()
        turned = np.where(mine, 1 - TARGET, TARGET).astype(np.int8)
        _, changed = TargetEncoder.fit_encode(FRAME, turned, ["site"], inner=INNER)
        assert changed.filter(pl.Series(mine)).equals(own.filter(pl.Series(mine)))


def test_a_combination_and_its_entry() -> None:
    encoder = TargetEncoder.fit(FRAME, TARGET, ["site", "sex"], prior=2)
    assert encoder.codes["arm | m"] == pytest.approx((1 + 2 * 0.25) / 4)
    assert encoder.name == "site_sex__rate"
    assert encoder.spec.needs == ("site", "sex")


def test_it_is_stored_to_the_last_bit() -> None:
    encoder = TargetEncoder.fit(FRAME, TARGET, ["site"], prior=3)
    assert TargetEncoder.from_dict(json.loads(json.dumps(encoder.as_dict()))) == encoder


def test_a_random_category_says_nothing_out_of_fold() -> None:
    # With naive encoding a category of singletons would give the label away.
    rng = np.random.default_rng(0)
    n = 400
    frame = pl.DataFrame(
        {
            "isic_id": [f"{row}" for row in range(n)],
            "patient_id": [f"{row // 2}" for row in range(n)],
            "noise": [f"{level}" for level in rng.permutation(n)],
        }
    )
    target = (rng.random(n) < 0.5).astype(np.int8)
    inner = (np.arange(n) // 2 % 5).astype(np.int8)
    _, own = TargetEncoder.fit_encode(frame, target, ["noise"], inner=inner, prior=1)
    codes = own["noise__rate"].to_numpy()
    for fold in range(5):
        assert np.unique(codes[inner == fold]).size == 1


@pytest.mark.parametrize(
    ("columns", "target", "inner", "message"),
    [
        (["colour"], TARGET, INNER, "no column ['colour']"),
        (["site"], TARGET[:3], INNER, "3 labels for 8 rows"),
        (["site"], TARGET, INNER * 0, "fewer than two inner folds"),
        (["site"], TARGET, np.arange(8).astype(np.int8), "a patient is in two inner folds"),
    ],
)
def test_what_is_refused(columns: list[str], target: np.ndarray, inner: np.ndarray, message: str) -> None:
    with pytest.raises(InputError) as caught:
        TargetEncoder.fit_encode(FRAME, target, columns, inner=inner)
    assert message in str(caught.value)
