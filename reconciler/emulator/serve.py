"""The emulated platforms behind a real socket on loopback: in a thread beside a command, or on their own."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType

import uvicorn

from reconciler.emulator.app import PREFIXES, build
from reconciler.emulator.faults import Faults
from reconciler.emulator.world import World

HOST = "127.0.0.1"
START_TIMEOUT_S = 15.0


class EmulatorServer:
    """
    A server in a daemon thread, for the length of a `with` block.

    `port` 0 takes a free port; after the start `port` holds the real one. Entering raises OSError when the port is
    taken.
    """

    def __init__(self, world: World, *, port: int = 0, faults: Faults | None = None) -> None:
        self.world = world
        self.port = port
        self._app = build(world, faults)
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def base_url(self, platform: str) -> str:
        """Give the base URL of `linkedin`, `x-ads` or `salesforce`; raises KeyError for another name."""
        return f"http://{HOST}:{self.port}{PREFIXES[platform]}"

    @property
    def control_url(self) -> str:
        """Give the base URL of the control routes."""
        return f"http://{HOST}:{self.port}/_emulator"

    def __enter__(self) -> EmulatorServer:
        listener = _listen(self.port)
        self.port = int(listener.getsockname()[1])
        server = _server(self._app)
        thread = threading.Thread(target=server.run, args=([listener],), name="emulator", daemon=True)
        thread.start()
        give_up_at = time.monotonic() + START_TIMEOUT_S
        while not server.started:
            if not thread.is_alive() or time.monotonic() > give_up_at:
                listener.close()
                raise OSError(f"the emulator did not start on {HOST}:{self.port}")
            time.sleep(0.002)
        self._server, self._thread = server, thread
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop serving and save the world; open idle connections are closed. A second call does nothing."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join(timeout=START_TIMEOUT_S)
        self._server = self._thread = None
        with self.world.lock:
            self.world.save()


def run_forever(
    world: World, port: int, faults: Faults | None = None, *, announce: Callable[[str], None] = lambda line: None
) -> None:
    """
    Serve until interrupted or terminated, then save the world; raises OSError when the port is taken.

    `announce` gets one line a platform, `NAME URL`, once the port listens.
    """
    app = build(world, faults)
    listener = _listen(port)
    real_port = listener.getsockname()[1]
    for platform, prefix in PREFIXES.items():
        announce(f"{platform} http://{HOST}:{real_port}{prefix}")
    terminated = signal.SIGTERM if threading.current_thread() is threading.main_thread() else None
    before = signal.signal(terminated, signal.default_int_handler) if terminated else None
    try:
        _server(app).run([listener])
    except KeyboardInterrupt:  # uvicorn hands the signal on once it has stopped
        pass
    finally:
        if terminated:
            signal.signal(terminated, before)
        listener.close()
        with world.lock:
            world.save()


def _listen(port: int) -> socket.socket:
    # The protocol is named as asyncio turns Nagle off only then; with it on, each answer waits 40 ms for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(2048)
    except (OSError, OverflowError) as error:
        listener.close()
        raise OSError(f"the emulator cannot listen on {HOST}:{port}: {error}") from error
    return listener


def _server(app: object) -> uvicorn.Server:
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]  # any ASGI callable; uvicorn's alias names concrete scopes
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=60,
        server_header=False,
    )
    return uvicorn.Server(config)
