"""
A stand-in for GitHub and GitLab on loopback: strict about the documented requests, written from their pages.

A request that the pages do not know (method, path, header, body, paging) is answered with 400 and remembered in
`wrong`, which every test looks at. `fail` makes the next request of a kind go wrong in a given way.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "ghs_stand-in-token-of-40-characters-000000"
ME, ME_ID = "github-actions[bot]", 7
SHA = "0123456789abcdef0123456789abcdef01234567"
PAGE = 2
"""Entries of a page however many are asked for, so that few are enough for several pages."""


@dataclass
class Failure:
    """How the next request of a method and path pattern goes wrong; `done` says that it is carried out all the same."""

    method: str
    path: str
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: str = '{"message": "it went wrong"}'
    done: bool = False
    times: int = 1


@dataclass
class Text:
    """A comment or an issue."""

    id: int
    author: str
    author_id: int
    body: str
    title: str = ""
    state: str = "open"
    labels: list[str] = field(default_factory=list)
    minimized: bool = False
    comments: list[Text] = field(default_factory=list)
    pull: bool = False


class StandIn:
    """Both forges at once, with one repository `acme/ads` (GitLab: project 42) and its request number 5."""

    def __init__(self) -> None:
        self.texts: list[Text] = []
        self.issues: list[Text] = []
        self.checks: list[dict[str, Any]] = []
        self.failures: list[Failure] = []
        self.wrong: list[str] = []
        self.seen: list[tuple[str, str]] = []
        self.read_only = False
        self.no_checks = False
        self.no_minimize = False
        self.elsewhere = ""
        self._next = 100
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                outer._serve(self, self.rfile.read(length))

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        self._lock = threading.Lock()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def add(self, body: str, author: str = ME, author_id: int = ME_ID) -> Text:
        """Put a comment under the request number 5."""
        text = Text(self._id(), author, author_id, body)
        self.texts.append(text)
        return text

    def add_issue(self, body: str, author: str = ME, author_id: int = ME_ID, **more: Any) -> Text:
        """Open an issue."""
        text = Text(self._id(), author, author_id, body, **more)
        self.issues.append(text)
        return text

    def writes(self) -> list[tuple[str, str]]:
        """Give method and path of what was sent to change something."""
        return [(method, path) for method, path in self.seen if method != "GET" and "graphql" not in path]

    def _id(self) -> int:
        self._next += 1
        return self._next

    # --- one request -------------------------------------------------------------------------------------------------

    def _serve(self, handler: BaseHTTPRequestHandler, content: bytes) -> None:
        with self._lock:
            path = urlsplit(handler.path).path
            self.seen.append((handler.command, path))
            failure = next(
                (f for f in self.failures if f.method == handler.command and re.search(f.path, path) and f.times), None
            )
            status, headers, answer = 0, {}, None
            if failure is None or failure.done:
                try:
                    status, headers, answer = self._answer(handler, path, content)
                except Wrong as error:
                    self.wrong.append(f"{handler.command} {handler.path}: {error}")
                    status, answer = 400, {"message": str(error)}
            body = b"" if answer is None else json.dumps(answer).encode()
            if failure is not None:
                failure.times -= 1
                status, headers, body = failure.status, failure.headers, failure.body.encode()
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers, "Content-Length": str(len(body))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    def _answer(self, handler: BaseHTTPRequestHandler, path: str, content: bytes) -> tuple[int, dict[str, str], Any]:
        body: Any = None
        if content:
            need(handler.headers["Content-Type"] == "application/json", "a body without its Content-Type")
            body = json.loads(content)
        need((handler.command == "GET") == (body is None), "GET has no body, others have one")
        query = {name: values[-1] for name, values in parse_qs(urlsplit(handler.path).query).items()}
        need(handler.headers["User-Agent"], "GitHub refuses requests without a User-Agent")
        if path.startswith("/gitlab/api/v4/"):
            need(handler.headers["PRIVATE-TOKEN"] == TOKEN, "the token")
            need(handler.headers["Authorization"] is None, "two ways to say who it is")
            return self._gitlab(handler.command, unquoted(path.removeprefix("/gitlab/api/v4")), query, body)
        need(handler.headers["Authorization"] == f"Bearer {TOKEN}", "the token")
        need(handler.headers["Accept"] == "application/vnd.github+json", "Accept")
        need(handler.headers["X-GitHub-Api-Version"] == "2022-11-28", "the version")
        if path == "/api/graphql":
            return self._graphql(handler.command, body)
        need(path.startswith("/api/v3/repos/acme/ads/"), "the path")
        return self._github(handler.command, path.removeprefix("/api/v3/repos/acme/ads"), query, body)

    # --- GitHub ------------------------------------------------------------------------------------------------------

    def _graphql(self, method: str, body: Any) -> tuple[int, dict[str, str], Any]:
        need(method == "POST" and set(body) == {"query", "variables"}, "GraphQL's request")
        if "viewer" in body["query"]:
            return 200, {}, {"data": {"viewer": {"login": ME}}}
        need("minimizeComment" in body["query"] and "classifier: OUTDATED" in body["query"], "GraphQL's query")
        if self.no_minimize or self.read_only:
            error = {"type": "FORBIDDEN", "message": "Resource not accessible by integration"}
            return 200, {}, {"data": None, "errors": [error]}
        found = [text for text in self.texts if f"node{text.id}" == body["variables"]["id"]]
        need(len(found) == 1, "an id of a comment")
        found[0].minimized = True
        return 200, {}, {"data": {"minimizeComment": {"minimizedComment": {"isMinimized": True}}}}

    def _github(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, dict[str, str], Any]:
        if method != "GET" and self.read_only:
            return 403, {}, {"message": "Resource not accessible by integration"}
        match method, path.strip("/").split("/"):
            case "GET", ["issues"]:
                need(query.get("state") == "open", "state")
                return self._linked(path, query, [issue(i) for i in self.issues if i.state == "open"])
            case "POST", ["issues"]:
                need({"title", "body"} <= set(body) <= {"title", "body", "labels"}, "the keys of an issue")
                need(len(body["body"]) <= 65_536, "too long")
                made = self.add_issue(body["body"], title=body["title"], labels=body.get("labels", []))
                return 201, {}, issue(made)
            case "PATCH", ["issues", "comments", number]:
                need(set(body) == {"body"} and len(body["body"]) <= 65_536, "the body of a comment")
                text = one([t for t in self.texts if t.id == int(number)])
                text.body = body["body"]
                return 200, {}, comment(text)
            case "PATCH", ["issues", number]:
                need(set(body) <= {"title", "body", "state", "state_reason"}, "the keys of an issue")
                text = one([i for i in self.issues if i.id == int(number)])
                text.title, text.body = body.get("title", text.title), body.get("body", text.body)
                text.state = body.get("state", text.state)
                return 200, {}, issue(text)
            case _, ["issues", number, "comments"]:
                where = self.texts if number == "5" else one([i for i in self.issues if i.id == int(number)]).comments
                if method == "GET":
                    return self._linked(path, query, [comment(text) for text in where])
                need(method == "POST" and set(body) == {"body"} and len(body["body"]) <= 65_536, "a comment")
                where.append(Text(self._id(), ME, ME_ID, body["body"]))
                return 201, {}, comment(where[-1])
            case "GET", ["commits", commit, "check-runs"]:
                need(commit == SHA and set(query) == {"check_name", "per_page"}, "the check runs of a commit")
                runs = [run(c) for c in self.checks if c["name"] == query["check_name"]]
                return 200, {}, {"total_count": len(runs), "check_runs": runs}
            case "POST", ["check-runs"]:
                if self.no_checks:
                    return 403, {}, {"message": "Resource not accessible by integration"}
                need({"name", "head_sha", "status", "conclusion", "output"} <= set(body), "the keys of a check run")
                need(body["conclusion"] in ("success", "failure", "neutral"), "conclusion")
                marks_are_right(body["output"])
                self.checks.append({**body, "id": self._id(), "marks": list(body["output"]["annotations"])})
                return 201, {}, run(self.checks[-1])
            case _, ["check-runs", number]:
                found = one([c for c in self.checks if c["id"] == int(number)])
                if method == "PATCH":
                    marks_are_right(body["output"])
                    found["marks"] += body["output"]["annotations"]  # GitHub adds them to those there
                return 200, {}, run(found)
        raise Wrong("nothing of that kind is documented")

    def _linked(self, path: str, query: dict[str, str], every: list[Any]) -> tuple[int, dict[str, str], Any]:
        need(query.get("per_page") == "100", "per_page")
        page = int(query.get("page", "1"))
        headers = {}
        if page * PAGE < len(every):
            origin = self.elsewhere or self.url
            more = "".join(f"{name}={value}&" for name, value in query.items() if name != "page")
            link = f"{origin}/api/v3/repos/acme/ads{path}?{more}page={page + 1}"
            headers["Link"] = f'<{link}>; rel="next", <{link}>; rel="last"'
        return 200, headers, every[(page - 1) * PAGE : page * PAGE]

    # --- GitLab ------------------------------------------------------------------------------------------------------

    def _gitlab(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, dict[str, str], Any]:
        if method != "GET" and self.read_only:
            return 403, {}, {"message": "403 Forbidden"}
        match method, path.strip("/").split("/"):
            case "GET", ["user"]:
                return 200, {}, {"id": ME_ID, "username": "bot"}
            case _, ["projects", "42", "merge_requests", "5", "notes", *rest]:
                return self._notes(method, rest, query, body, self.texts)
            case _, ["projects", "42", "issues", number, "notes", *rest]:
                where = one([i for i in self.issues if i.id == int(number)]).comments
                return self._notes(method, rest, query, body, where)
            case "GET", ["projects", "42", "issues"]:
                need(query.get("state") == "opened" and query.get("author_id") == str(ME_ID), "the query")
                return self._numbered(query, [work(i) for i in self.issues if i.state == "open"])
            case "POST", ["projects", "42", "issues"]:
                need({"title", "description"} <= set(body) <= {"title", "description", "labels"}, "an issue")
                need(isinstance(body.get("labels", ""), str), "labels are one text")
                return 201, {}, work(self.add_issue(body["description"], title=body["title"]))
            case "PUT", ["projects", "42", "issues", number]:
                need(set(body) <= {"title", "description", "state_event"}, "an issue")
                text = one([i for i in self.issues if i.id == int(number)])
                text.title, text.body = body.get("title", text.title), body.get("description", text.body)
                text.state = "closed" if body.get("state_event") == "close" else text.state
                return 200, {}, work(text)
        raise Wrong("nothing of that kind is documented")

    def _notes(
        self, method: str, rest: list[str], query: dict[str, str], body: Any, where: list[Text]
    ) -> tuple[int, dict[str, str], Any]:
        if method == "GET" and not rest:
            return self._numbered(query, [note(text) for text in where])
        need(set(body) == {"body"} and len(body["body"]) <= 1_000_000, "a note")
        if method == "POST" and not rest:
            where.append(Text(self._id(), "bot", ME_ID, body["body"]))
            return 201, {}, note(where[-1])
        need(method == "PUT" and len(rest) == 1, "a note")
        text = one([t for t in where if t.id == int(rest[0])])
        text.body = body["body"]
        return 200, {}, note(text)

    def _numbered(self, query: dict[str, str], every: list[Any]) -> tuple[int, dict[str, str], Any]:
        need(query.get("per_page") == "100", "per_page")
        page = int(query.get("page", "1"))
        following = str(page + 1) if page * PAGE < len(every) else ""
        return 200, {"x-next-page": following, "x-page": str(page)}, every[(page - 1) * PAGE : page * PAGE]


class Wrong(Exception):
    """A request that the pages do not know."""


def need(right: Any, what: str) -> None:
    if not right:
        raise Wrong(what)


def one(found: list[Any]) -> Any:
    need(len(found) == 1, "no such thing")
    return found[0]


unquoted: Callable[[str], str] = unquote


def comment(text: Text) -> dict[str, Any]:
    url = f"https://github.example/acme/ads/pull/5#issuecomment-{text.id}"
    user = {"login": text.author, "id": text.author_id}
    return {"id": text.id, "node_id": f"node{text.id}", "body": text.body, "html_url": url, "user": user}


def issue(text: Text) -> dict[str, Any]:
    url = f"https://github.example/acme/ads/issues/{text.id}"
    found = {"number": text.id, "title": text.title, "body": text.body, "html_url": url, "state": text.state}
    return {**found, "user": {"login": text.author}, **({"pull_request": {}} if text.pull else {})}


def note(text: Text) -> dict[str, Any]:
    return {"id": text.id, "body": text.body, "author": {"id": text.author_id}, "system": False}


def work(text: Text) -> dict[str, Any]:
    url = f"https://gitlab.example/acme/ads/-/issues/{text.id}"
    found = {"iid": text.id, "title": text.title, "description": text.body, "web_url": url}
    return {**found, "author": {"id": text.author_id}}


def run(check: dict[str, Any]) -> dict[str, Any]:
    kept = {name: check.get(name) for name in ("id", "name", "conclusion", "external_id")}
    url = f"https://github.example/acme/ads/runs/{check['id']}"
    return {**kept, "html_url": url, "output": {"annotations_count": len(check["marks"])}}


def marks_are_right(output: dict[str, Any]) -> None:
    need({"title", "summary"} <= set(output) and len(output["summary"]) <= 65_535, "the output of a check run")
    need(len(output.get("annotations", [])) <= 50, "at most 50 annotations")
    for mark in output.get("annotations", []):
        need({"path", "start_line", "end_line", "annotation_level", "message"} <= set(mark), "an annotation's keys")
        need(mark["annotation_level"] in ("notice", "warning", "failure") and mark["start_line"] >= 1, "an annotation")
        need(
            not mark["path"].startswith("/") and mark["message"] and len(mark.get("title", "")) <= 255, "an annotation"
        )
