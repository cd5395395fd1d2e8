from cohort.linking import components


def test_components_join_chains_under_their_smallest_member() -> None:
    # d-c, c-b make one set {b, c, d}; f-e another; a stands for itself.
    assert components([("d", "c"), ("c", "b"), ("f", "e"), ("a", "a")]) == {
        "a": "a",
        "b": "b",
        "c": "b",
        "d": "b",
        "e": "e",
        "f": "e",
    }


def test_components_do_not_depend_on_the_order_of_pairs() -> None:
    pairs = [(f"{number}", f"{number + 3}") for number in range(20)]
    assert components(pairs) == components([(high, low) for low, high in reversed(pairs)])


def test_no_pairs_link_nothing() -> None:
    assert components([]) == {}
