"""Records and entries of every shape, for the properties."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from reconciler.model.resource import Key, Lifecycle, OnImmutableChange, OnRemoval, Record
from reconciler.state.store import Entry, Put, Remove

keys = st.builds(Key, st.sampled_from(["LinkedInExperiment", "XAdsABTest"]), st.sampled_from(["a", "b", "c-1", "d"]))
texts = st.text(max_size=8)
leaves: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers() | texts
leaves |= st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
specs = st.dictionaries(texts, values, max_size=4)
times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(lambda t: t.replace(microsecond=0, tzinfo=UTC))
lifecycles = st.builds(
    Lifecycle,
    st.sampled_from(OnImmutableChange),
    st.sampled_from(OnRemoval),
    st.booleans(),
    st.lists(texts, max_size=2).map(tuple),
)


def records_of(key: Key) -> st.SearchStrategy[Record]:
    return st.builds(
        Record,
        key=st.just(key),
        platform=texts,
        connection=texts,
        remote_id=texts,
        applied=specs,
        stored=specs,
        children=st.dictionaries(texts, st.lists(texts, max_size=3).map(tuple), max_size=2),
        lifecycle=lifecycles,
        status=texts,
        created_at=st.none() | times,
        intent_at=st.none() | times,
        inflight=texts,
        predecessors=st.lists(texts, max_size=2).map(tuple),
    )


def put_of(key: Key) -> st.SearchStrategy[Entry]:
    return st.builds(Put, st.just(key), records_of(key), texts)


entries: st.SearchStrategy[Entry] = keys.flatmap(put_of) | st.builds(Remove, keys, texts)
