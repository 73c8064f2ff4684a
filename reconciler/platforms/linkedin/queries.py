"""The query strings of LinkedIn's reads, Rest.li encoded, each below the limit of 4 KB. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.platforms import restli
from reconciler.platforms.linkedin.facts import PAGE_SIZE, QUERY_MAX

VALIDATE = restli.query(action="validateExperimentSetup")
"""The query of the dry run."""


def batch_get(ids: Sequence[str]) -> str:
    """Give the query that reads these ids: `ids=List(1,2)`."""
    return restli.query(ids=[int(remote_id) for remote_id in ids])


def search(criteria: Mapping[str, Sequence[str]], start: int = 0, token: str = "") -> str:
    """
    Give the query of one page of the finder: every criterion a list of values, sorted by id so that offsets hold.

    `token` is a cursor that an answer gave; LinkedIn's pages document none for experiments, but it is followed.
    """
    page: dict[str, Any] = (
        {"pageSize": PAGE_SIZE, "pageToken": token} if token else {"start": start, "count": PAGE_SIZE}
    )
    records = {name: {"values": list(values)} for name, values in criteria.items() if values}
    return restli.query(q="search", search=records, sort=[{"field": "ID"}], **page)


def campaign_criteria(account: str, campaigns: Sequence[str]) -> Iterator[dict[str, list[str]]]:
    """Give criteria for experiments of an account that hold one of the campaigns, as few as 4 KB a query allow."""
    base = {"accountCriteria": [account]} if account else {}
    room = QUERY_MAX - len(search({**base, "campaignCriteria": ["x"]}, start=10**7))
    chunk: list[str] = []
    used = 0
    for campaign in campaigns:
        size = len(restli.encode(campaign)) + 1
        if chunk and used + size > room:
            yield {**base, "campaignCriteria": chunk}
            chunk, used = [], 0
        chunk.append(campaign)
        used += size
    if chunk:
        yield {**base, "campaignCriteria": chunk}
