from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.platforms.x_ads import PLATFORM

KIND = PLATFORM.kinds[0]


def group(name: str | None, *entities: str) -> dict[str, Any]:
    return {"name": name, "entity_ids": list(entities)}


A, B, C = group("a", "1", "2"), group("b", "3", "4"), group("c", "5")

WITHOUT_RECORD = [
    pytest.param([A, B], [A, B], ((0, 0), (1, 1)), id="as-it-was"),
    pytest.param([B, A], [A, B], ((0, 1), (1, 0)), id="order-does-not-matter"),
    pytest.param([group("a", "3"), group("b", "1")], [A, B], ((0, 0), (1, 1)), id="name-goes-before-entities"),
    pytest.param(
        [group("x", "3", "4"), group("y", "1", "2")], [A, B], ((0, 1), (1, 0)), id="renamed-and-swapped-by-entities"
    ),
    pytest.param(
        [group("s", "1"), group("s", "3")], [group("s", "3"), group("s", "1")], ((0, 1), (1, 0)), id="names-not-unique"
    ),
    pytest.param(
        [group(None, "1", "3", "4"), group(None, "2")],
        [group(None, "1", "2"), group(None, "3", "4")],
        ((0, 1), (1, 0)),
        id="largest-overlap",
    ),
    pytest.param(
        [group(None, "1"), group(None, "1", "2", "3")],
        [group(None, "1", "2", "3", "4"), group(None, "1")],
        ((0, 1), (1, 0)),
        id="equal-goes-before-larger",
    ),
    pytest.param([A, group("x", "9")], [A, B], ((0, 0), (1, 1)), id="the-last-one-by-position"),
    pytest.param([group("x", "8"), group("y", "9")], [A, B], ((0, 0), (1, 1)), id="all-by-position-when-as-many"),
    pytest.param([A, B, C], [A, B], ((0, 0), (1, 1), (2, None)), id="added"),
    pytest.param([A, C], [A, B, C], ((0, 0), (1, 2), (None, 1)), id="removed"),
    pytest.param(
        [A, group("x", "9")], [A, B, C], ((0, 0), (1, None), (None, 1), (None, 2)), id="no-position-when-counts-differ"
    ),
    pytest.param([], [A, B], ((None, 0), (None, 1)), id="nothing-wanted"),
    pytest.param([A], [], ((0, None),), id="nothing-live"),
    pytest.param([{"entity_ids": ["3"]}, {"entity_ids": ["1"]}], [A, B], ((0, 1), (1, 0)), id="no-names-stated"),
]


@pytest.mark.parametrize(("desired", "live", "pairs"), WITHOUT_RECORD)
def test_without_a_record(desired: Any, live: Any, pairs: Any) -> None:
    assert KIND.pair("user_groups", desired, live) == pairs
    ids = [f"id{index}" for index in range(len(live))]
    assert KIND.pair("user_groups", desired, live, live_ids=ids) == pairs


WITH_RECORD = [
    pytest.param(
        [A, B], [group("z", "9"), group("a", "1", "2")], ["p2", "p1"], ((0, 1), (1, 0)), id="renamed-by-hand-on-x"
    ),
    pytest.param(
        [A, B],
        [group("b", "1", "2"), group("a", "3", "4")],
        ["p1", "p2"],
        ((0, 0), (1, 1)),
        id="names-swapped-by-hand-on-x",
    ),
    pytest.param(
        [group("new name", "1", "2"), B], [A, B], ["p1", "p2"], ((0, 0), (1, 1)), id="renamed-in-the-manifest"
    ),
    pytest.param(
        [group("new", "1", "2", "9"), B], [A, B], ["p1", "p2"], ((0, 0), (1, 1)), id="renamed-and-refilled-by-overlap"
    ),
    pytest.param([group("x", "9"), B], [B, A], ["p2", "p1"], ((0, 1), (1, 0)), id="new-content-by-position"),
    pytest.param([A, B, C], [A, B], ["p1", "p2"], ((0, 0), (1, 1), (2, None)), id="added"),
    pytest.param([B], [A, B], ["p1", "p2"], ((0, 1), (None, 0)), id="removed"),
    pytest.param([A, B], [B, A], ["q1", "q2"], ((0, 1), (1, 0)), id="made-anew-on-x"),
    pytest.param([A, B], [A], ["p1"], ((0, 0), (1, None)), id="one-gone-on-x"),
    pytest.param([A, B], [A, B, C], ["p1", "p2", "p3"], ((0, 0), (1, 1), (None, 2)), id="one-more-on-x"),
]


@pytest.mark.parametrize(("desired", "live", "live_ids", "pairs"), WITH_RECORD)
def test_with_a_record(desired: Any, live: Any, live_ids: Any, pairs: Any) -> None:
    assert KIND.pair("user_groups", desired, live, applied=[A, B], applied_ids=["p1", "p2"], live_ids=live_ids) == pairs


def test_a_record_without_ids_is_no_record() -> None:
    assert KIND.pair("user_groups", [A, B], [B, A], applied=[A, B], live_ids=["p2", "p1"]) == ((0, 1), (1, 0))


def test_other_lists_are_unknown() -> None:
    with pytest.raises(NotImplementedError):
        KIND.pair("cells", [], [])


_groups = st.lists(
    st.builds(
        lambda name, entities: group(name, *entities),
        st.sampled_from([None, "a", "b", "c"]),
        st.lists(st.sampled_from("123456"), max_size=3),
    ),
    max_size=5,
)


@given(desired=_groups, live=_groups, applied=_groups, data=st.data())
def test_every_index_occurs_once_and_in_order(desired: Any, live: Any, applied: Any, data: Any) -> None:
    ids = data.draw(st.permutations([f"p{index}" for index in range(6)]))
    applied_ids = [f"p{index}" for index in range(len(applied))]
    pairs = KIND.pair("user_groups", desired, live, applied=applied, applied_ids=applied_ids, live_ids=ids[: len(live)])
    assert [one for one, _ in pairs if one is not None] == list(range(len(desired)))
    assert sorted(other for _, other in pairs if other is not None) == list(range(len(live)))
    only_live = [other for one, other in pairs if one is None]
    assert only_live == sorted(only_live) and [one for one, _ in pairs][len(desired) :] == [None] * len(only_live)
    if len(desired) == len(live):
        assert all(None not in pair for pair in pairs)
