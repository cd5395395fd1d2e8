from ensemble.run_checks import RUN_CHECKS


def test_codes_are_unique_in_order_and_apart_from_those_of_data() -> None:
    codes = [check.code for check in RUN_CHECKS]
    assert codes == [f"UD{201 + position}" for position in range(len(codes))]


def test_only_what_makes_figures_wrong_is_an_error() -> None:
    assert [check.code for check in RUN_CHECKS if check.severity == "error"] == [f"UD20{i}" for i in range(1, 6)]
