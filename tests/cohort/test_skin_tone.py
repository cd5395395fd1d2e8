import numpy as np
import pytest

from cohort.skin_tone import individual_typology_angle


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_angles_by_hand(dtype: type[np.floating]) -> None:
    # L 60 and b 10: atan2(10, 10) = 45 degrees. L 50: 0. L 40 and b 10: -45.
    angles = individual_typology_angle(np.array([60, 50, 40, np.nan], dtype), np.array([10, 26, 10, 10], dtype))
    assert angles.tolist() == pytest.approx([45, 0, -45, np.nan], nan_ok=True)
    assert angles.dtype == dtype
