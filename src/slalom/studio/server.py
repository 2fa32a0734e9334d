"""`slalom studio`: the app on an address of this machine, until Ctrl-C."""

import ipaddress
import logging
import secrets
import socket
import webbrowser
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from slalom.core.errors import BadPlan, MissingExtra
from slalom.core.terminal import say, warn

HOME, PORT = "127.0.0.1", 8000
MOST_MESSAGE = 2**18  # bytes of what a page says over its socket


def serve(
    host: str = HOME, port: int = 0, show: bool = True, store: str | Path | None = None
) -> None:
    """Serve the studio until Ctrl-C.

    Args:
        host: the address to listen at; this machine alone when not given.
        port: 8000 or the next one that is free when not given.
        show: whether to open the browser.
        store: the folder of the runs, as for `slalom.Store`.

    Raises:
        MissingExtra: when the packages of the studio are not installed.
        BadPlan: when nothing can listen there.
    """
    if not (find_spec("starlette") and find_spec("uvicorn")):
        raise MissingExtra("The studio", "studio")
    if not is_own(host):
        warn(
            f"The studio listens at {host}: whoever reaches this machine there, and has the link, "
            f"trains on it and reads its runs. The link goes over the network unencrypted."
        )
    listener = listen(host, port)
    port = listener.getsockname()[1]
    token = secrets.token_urlsafe(32)
    link = f"http://{_reached(host)}:{port}/?token={token}"
    say(f"The studio: {link}\nCtrl-C ends it.")
    if show:
        webbrowser.open(link)
    with listener:
        _server(names(host, port), token, store).run([listener])


def _server(hosts: list[str], token: str, store: str | Path | None) -> Any:
    """A server that says nothing of the answers which it cuts off when it ends."""
    # Loaded here, while the browser opens: its first request waits at the listening socket.
    import uvicorn

    from slalom.studio.app import studio

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
            await super().shutdown(sockets)

    return Server(
        uvicorn.Config(
            studio(hosts, token, store),
            log_level="warning",
            ws="websockets-sansio",
            ws_max_size=MOST_MESSAGE,
            ws_per_message_deflate=False,  # a small frame could unpack to a large one
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens: at that port, or the first one that is free from 8000 on.

    Raises:
        BadPlan: when there is none.
    """
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    error: OSError | None = None
    for candidate in [port] if port else range(PORT, PORT + 100):
        listener = socket.socket(kind)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
        except OSError as failed:
            listener.close()
            error = failed
        else:
            listener.listen()
            return listener
    assert error is not None
    raise BadPlan(
        f"Nothing can listen at {host}:{port or PORT}: {error.strerror or error}. "
        f"Choose another port with --port."
    ) from error


def names(host: str, port: int) -> list[str]:
    """How a browser may call the studio: by its address, and on this machine as localhost."""
    own = [_written(host)]
    if is_own(host):
        own.append("localhost")
    elif _is_any(host):
        found = {str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None)}
        own += [_written(each) for each in sorted(found | {HOME})] + [socket.gethostname()]
    return [f"{name}:{port}" for name in own]


def is_own(host: str) -> bool:
    """Whether an address can be reached from this machine alone.

    Raises:
        BadPlan: when it is no address.
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        raise BadPlan(
            f"The studio listens at an address such as 127.0.0.1, but {host!r} was given."
        ) from None


def _is_any(host: str) -> bool:
    """Whether it stands for all addresses of the machine."""
    return ipaddress.ip_address(host).is_unspecified


def _reached(host: str) -> str:
    """What a link calls it: others cannot reach 0.0.0.0."""
    return socket.gethostname() if _is_any(host) else _written(host)


def _written(host: str) -> str:
    return f"[{host}]" if ":" in host else host
