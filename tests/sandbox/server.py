"""The sandbox on a real loopback socket."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import uvicorn

from permits.sandbox.app import create_app


@contextmanager
def running_sandbox(slow_s: float = 0) -> Iterator[str]:
    """Serve a fresh sandbox, what is slow in it hurried, and yield its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        # Listening before the server starts: the first request waits in the queue, nobody polls.
        listening.listen(64)
        config = uvicorn.Config(create_app(slow_s=slow_s), log_level="warning", lifespan="off")
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(timeout=5)
