"""What holds for every call: versions, methods, content types, escaping, sessions, the limits header."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

ROOT = "/salesforce/services/data"
EXPERIMENTS = "personalization/abn-experiments"


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()[0]["errorCode"]


@pytest.mark.parametrize("version", ["v65.0", "v66.0", "v67.0", "v68.0"])
def test_versions_that_know_the_resource(api: Any, version: str) -> None:
    api.create()
    shown = api.call("GET", f"{ROOT}/{version}/{EXPERIMENTS}/testExp50").json()
    assert shown["url"] == f"/services/data/{version}/{EXPERIMENTS}/{shown['id']}"


@pytest.mark.parametrize(
    ("version", "status"), [("v64.0", 404), ("v69.0", 404), ("v31.0", 404), ("65.0", 404), ("v65", 404), ("v30.0", 410)]
)
def test_other_versions(api: Any, version: str, status: int) -> None:
    api.create()
    for path in (f"{EXPERIMENTS}/testExp50", "limits"):
        assert api.call("GET", f"{ROOT}/{version}/{path}").status_code == status


def test_the_list_of_versions_needs_no_session(api: Any) -> None:
    listed = api.client.get(f"{ROOT}/").json()
    assert [row["version"] for row in listed] == ["65.0", "66.0", "67.0", "68.0"]


def test_the_collection_with_and_without_its_slash(api: Any, make_body: Callable[..., Any]) -> None:
    for name, path in (("one", EXPERIMENTS), ("two", f"{EXPERIMENTS}/")):
        response = api.call("POST", f"{ROOT}/v65.0/{path}", json=make_body(name=name), follow_redirects=False)
        assert response.status_code == 201


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", EXPERIMENTS),
        ("DELETE", f"{EXPERIMENTS}/"),
        ("PUT", f"{EXPERIMENTS}/testExp50"),
        ("POST", f"{EXPERIMENTS}/testExp50"),
        ("POST", "query"),
        ("PATCH", "limits"),
    ],
)
def test_methods_that_a_path_does_not_have(api: Any, method: str, path: str) -> None:
    api.create()
    assert code(api.call(method, f"{ROOT}/v65.0/{path}")) == (405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize("path", ["connect/personalization", "composite/batch", f"{EXPERIMENTS}/a/b", "sobjects"])
def test_paths_that_are_not_there(api: Any, path: str) -> None:
    assert code(api.call("GET", f"{ROOT}/v65.0/{path}")) == (404, "NOT_FOUND")
    assert code(api.call("GET", "/salesforce/elsewhere")) == (404, "NOT_FOUND")


def test_head_probes_and_the_method_override(api: Any) -> None:
    api.create()
    assert api.call("HEAD", "testExp50").status_code == 200
    assert api.call("HEAD", "nothing").status_code == 404
    changed = api.call("POST", "testExp50?_HttpMethod=PATCH", json={"label": "over"})
    assert (changed.status_code, changed.json()["label"]) == (200, "over")


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        (b'{"label": "x"}', "text/plain", (415, "UNSUPPORTED_MEDIA_TYPE")),
        (b'{"label": "x"}', "", (415, "UNSUPPORTED_MEDIA_TYPE")),
        (b"{", "application/json", (400, "JSON_PARSER_ERROR")),
        (b"[]", "application/json", (400, "JSON_PARSER_ERROR")),
        (b"\xff", "application/json", (400, "JSON_PARSER_ERROR")),
        (b'{"chanceToWinThreshold": NaN}', "application/json", (400, "JSON_PARSER_ERROR")),
        (b'{"chanceToWinThreshold": 1e999}', "application/json", (400, "NUMBER_OUTSIDE_VALID_RANGE")),
        (b'{"label": "\\ud800"}', "application/json", (400, "JSON_PARSER_ERROR")),
        (b'{"\\ud800": 1}', "application/json", (400, "JSON_PARSER_ERROR")),
        (b'{"minimumRequiredParticipants": ' + b"9" * 5000 + b"}", "application/json", (400, "JSON_PARSER_ERROR")),
        (b"[" * 100_000, "application/json", (400, "JSON_PARSER_ERROR")),
    ],
    ids=[
        "text",
        "no-type",
        "broken",
        "array",
        "no-utf8",
        "nan",
        "infinite",
        "surrogate",
        "surrogate-key",
        "digits",
        "deep",
    ],
)
def test_bodies_that_are_no_json_object(api: Any, content: bytes, kind: str, expected: tuple[int, str]) -> None:
    api.create()
    assert code(api.call("PATCH", "testExp50", content=content, headers={"Content-Type": kind})) == expected


def test_a_charset_beside_the_content_type(api: Any) -> None:
    api.create()
    headers = {"Content-Type": "application/json; charset=UTF-8"}
    response = api.call("PATCH", "testExp50", content=json.dumps({"label": "ü"}).encode(), headers=headers)
    assert response.json()["label"] == "ü"


def test_strings_are_escaped_unless_asked_not_to(api: Any) -> None:
    label = "R&D <b> \"x\" 'y' \\"
    made = api.create(label=label, criteria=json.dumps({"a<b": "c<d"}))
    assert made["label"] == label
    for header in ({"X-Chatter-Entity-Encoding": "true"}, {"X-Chatter-Entity-Encoding": ""}):
        shown = api.call("GET", "testExp50", headers=header).json()
        assert shown["label"] == "R&amp;D &lt;b&gt; &quot;x&quot; &#39;y&#39; &#92;"
        assert shown["criteria"] == {"a<b": "c&lt;d"}
    assert api.call("GET", "testExp50", headers={"X-Chatter-Entity-Encoding": "FALSE"}).json()["label"] == label


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer wrong", "emulator-salesforce-token", "Basic emulator-salesforce-token"]
)
def test_calls_without_a_session(api: Any, header: str) -> None:
    api.create()
    response = api.call("GET", "testExp50", headers={"Authorization": header})
    assert response.status_code == 401
    assert response.json() == [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]


def test_a_viewer_reads_and_does_not_write(api: Any, make_body: Callable[..., Any]) -> None:
    api.create()
    viewer = {"Authorization": "Bearer emulator-salesforce-viewer"}
    assert api.call("GET", "testExp50", headers=viewer).status_code == 200
    assert api.query("SELECT Id FROM AbnExperiment", headers=viewer).json()["totalSize"] == 1
    for method, path, content in (
        ("POST", "", make_body(name="other")),
        ("PATCH", "testExp50", {"label": "x"}),
        ("DELETE", "testExp50", None),
    ):
        assert code(api.call(method, path, json=content, headers=viewer)) == (403, "INSUFFICIENT_ACCESS")
    assert api.get("testExp50")["label"] == "testExp50"


def test_a_uri_that_is_too_long(api: Any) -> None:
    assert code(api.call("GET", "x" * 17_000)) == (414, "URI_TOO_LONG")


def test_usage_is_told(api: Any) -> None:
    first = api.call("GET", "nothing").headers["Sforce-Limit-Info"]
    response = api.call("GET", f"{ROOT}/v65.0/limits")
    assert (first, response.headers["Sforce-Limit-Info"]) == ("api-usage=1/100000", "api-usage=2/100000")
    assert response.json()["DailyApiRequests"] == {"Max": 100000, "Remaining": 99998}


def test_ids_are_case_sensitive_and_unknown_targets_are_404(api: Any) -> None:
    made = api.create()
    short = made["id"][:15]
    assert api.get(short)["name"] == "testExp50"
    for target in (short.lower(), made["id"][:17], short + "AAA", "testexp50", made["cohorts"][0]["id"]):
        assert code(api.call("GET", target)) == (404, "NOT_FOUND")


def test_hand_written_rows_of_a_seed_are_completed(world: Any) -> None:
    from reconciler.emulator import salesforce

    world.table("salesforce", "experiments")["1GaSB00000Cojr30AB"] = {"name": "seeded", "state": "Stopped"}
    salesforce.routes(world)
    row = world.table("salesforce", "experiments")["1GaSB00000Cojr30AB"]
    assert (row["id"], row["label"], row["status"]) == ("1GaSB00000Cojr30AB", "seeded", "Active")
    assert (row["state"], row["dataSpaceName"]) == ("Stopped", "default")
    world.advance(timedelta(days=400))
    salesforce.tick(world)
    assert row["state"] == "Stopped"
