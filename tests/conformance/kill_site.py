"""
The backends as the kill harness sees them: each can be read as a whole, put back as it was, and told apart.

Nothing here goes through the code under test: files, loose git objects and the S3 protocol are read as they are. The
library of object stores is used in children alone, as its threads would not survive a fork.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zlib
from pathlib import Path
from typing import Any, Protocol
from xml.etree import ElementTree

_PID = re.compile(rb'"pid": ?\d+')


def masked(content: bytes) -> bytes:
    """Give a text without the number of the process that wrote it: all of them are dead."""
    return _PID.sub(b'"pid": 0', content)


class Site(Protocol):
    """One backend."""

    name: str

    def settings(self) -> dict[str, str]:
        """Give what the project file says of it."""
        ...

    def taken(self) -> Any:
        """Give all that it holds."""
        ...

    def put_back(self, held: Any) -> None:
        """Make it hold just that."""
        ...

    def told(self, held: Any) -> bytes:
        """Give a text that differs when what it holds differs in a way that matters."""
        ...


class FileSite:
    """The state in the project's folder, which is kept and put back anyway."""

    name = "file"

    def settings(self) -> dict[str, str]:
        return {"backend": "file"}

    def taken(self) -> None:
        return None

    def put_back(self, held: None) -> None:
        return None

    def told(self, held: None) -> bytes:
        return b""


class GitSite:
    """A bare repository on this disk; the project's folder is a clone of it. Objects stay, refs come and go."""

    name = "git"

    def __init__(self, folder: Path, project: Path) -> None:
        self.bare = folder / "server.git"
        for words in (
            ("init", "-q", "--bare", str(self.bare)),
            ("init", "-q", str(project)),
            ("-C", str(project), "remote", "add", "origin", f"file://{self.bare}"),
            ("-C", str(self.bare), "config", "gc.auto", "0"),  # objects and refs stay loose, and are read so
            ("-C", str(project), "config", "gc.auto", "0"),
        ):
            subprocess.run(["git", *words], check=True, capture_output=True)
        shutil.rmtree(self.bare / "hooks", ignore_errors=True)

    def settings(self) -> dict[str, str]:
        return {"backend": "git"}

    def taken(self) -> dict[str, str]:
        assert not (self.bare / "packed-refs").exists()
        place = self.bare / "refs"
        found = {str(path.relative_to(place)): path.read_text().strip() for path in place.rglob("*") if path.is_file()}
        assert not [name for name in found if name.endswith(".lock")], found
        return found

    def put_back(self, held: dict[str, str]) -> None:
        place = self.bare / "refs"
        for path in place.rglob("*"):
            if path.is_file() and str(path.relative_to(place)) not in held:
                path.unlink()
        for name, oid in held.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{oid}\n")

    def told(self, held: dict[str, str]) -> bytes:
        lines = []
        for name, oid in sorted(held.items()):
            if name.endswith("-audit"):
                continue
            mark = oid.encode()
            if name.endswith("-lock"):  # its commit holds the number of a process
                mark = masked(self._object(self._files(oid)["lock.json"]))
            lines.append(name.encode() + b" " + mark)
        return b"\n".join(lines)

    def _object(self, oid: str) -> bytes:
        content = zlib.decompress((self.bare / "objects" / oid[:2] / oid[2:]).read_bytes())
        return content.partition(b"\0")[2]

    def _files(self, commit: str) -> dict[str, str]:
        tree = self._object(commit).split(b"\n", 1)[0].split(b" ")[1].decode()
        content, found = self._object(tree), {}
        while content:
            head, _, rest = content.partition(b"\0")
            found[head.split(b" ", 1)[1].decode()] = rest[:20].hex()
            content = rest[20:]
        return found


class S3Site:
    """A bucket on moto's server, which runs for as long as this lives."""

    name = "s3"
    bucket = "kills"

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        words = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(self.port)]
        self.server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.address = f"http://127.0.0.1:{self.port}"
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        for _ in range(600):
            try:
                self._ask("PUT", "")
                return
            except urllib.error.URLError:
                time.sleep(0.05)  # until it listens
        raise TimeoutError("the server did not start")

    def close(self) -> None:
        self.server.kill()
        self.server.wait()

    def settings(self) -> dict[str, str]:
        return {
            "backend": "s3",
            "bucket": self.bucket,
            "prefix": "team",
            "region": "us-east-1",
            "endpoint": self.address,
        }

    def taken(self) -> dict[str, bytes]:
        return {key: self._ask("GET", f"/{key}") for key in self._keys()}

    def put_back(self, held: dict[str, bytes]) -> None:
        for key in self._keys():
            if key not in held:
                self._ask("DELETE", f"/{key}")
        for key, content in held.items():
            self._ask("PUT", f"/{key}", content)

    def told(self, held: dict[str, bytes]) -> bytes:
        return b"\n".join(
            key.encode() + b" " + hashlib.sha256(masked(content)).digest()
            for key, content in sorted(held.items())
            if ".audit/" not in key
        )

    def _keys(self) -> list[str]:
        tree = ElementTree.fromstring(self._ask("GET", "?list-type=2"))
        return [str(item.text) for item in tree.iter() if item.tag.endswith("}Key")]

    def _ask(self, method: str, path: str, content: bytes | None = None) -> bytes:
        signed = {
            "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request",
            "Content-Type": "application/octet-stream",
        }
        request = urllib.request.Request(f"{self.address}/{self.bucket}{path}", content, signed, method=method)
        with self.opener.open(request, timeout=20) as answer:
            body: bytes = answer.read()
            return body
