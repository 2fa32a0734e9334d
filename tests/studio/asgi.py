"""Asks an ASGI app without a network: a request as raw as an attacker may write it."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

HOST, TOKEN = "127.0.0.1:8000", "the-token-of-this-studio"
COOKIE = ("cookie", f"slalom-8000={TOKEN}")
OWN = ("origin", f"http://{HOST}")

Headers = Sequence[tuple[str, str]]


class Answer:
    """What came back: `status`, 403 for a socket that was refused, 101 for one that opened."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self.messages = messages
        start = messages[0]
        self.status = start.get("status", 101 if start["type"] == "websocket.accept" else 403)
        pairs = start.get("headers", [])
        self.headers = {name.decode().lower(): value.decode() for name, value in pairs}
        self.body = b"".join(message.get("body", b"") for message in messages)


def ask(
    app: Any,
    path: str,
    headers: Headers,
    method: str = "GET",
    query: str = "",
    body: bytes = b"",
    socket: bool = False,
) -> Answer:
    """One request, or the opening of a socket, which is closed at once."""
    scope = {
        "type": "websocket" if socket else "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "ws" if socket else "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
        "subprotocols": [],
        "state": {},
    }
    if not socket:
        scope["method"] = method
    said: list[dict[str, Any]] = []
    heard = (
        [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}]
        if socket
        else [{"type": "http.request", "body": body, "more_body": False}]
    )

    async def receive() -> dict[str, Any]:
        while not heard:  # whoever asked waits for the answer
            await asyncio.sleep(3600)
        return heard.pop(0)

    async def send(message: Any) -> None:
        said.append(message)

    with ThreadPoolExecutor(1) as pool:  # this thread may have a loop, where a browser is open
        pool.submit(lambda: asyncio.run(app(scope, receive, send))).result()
    return Answer(said)
