"""Who may talk to the studio: the browser that opened the link of the terminal, and nobody else.

Everything is denied that is not allowed, before any page or socket hears of it:

- the `Host` must be the address that the studio listens at, so that a name which an attacker points
  at this machine (DNS rebinding) leads nowhere;
- the `Origin`, where there is one, must be exactly ours; what changes something, and a WebSocket,
  must have one;
- a browser that says which site asks (`Sec-Fetch-Site`) must say this one: other ports of this
  machine are another site's;
- the cookie must hold the token of this studio, which the first link puts there.
"""

import secrets
from collections.abc import Iterable
from urllib.parse import parse_qs, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

READING = ("GET", "HEAD")
# Scripts, styles, pictures and sockets come from the studio itself; nothing else comes at all.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
CLOSED = "Open the studio by the link that the terminal printed: it holds the key of this studio.\n"


class Guard:
    """Lets through what comes from the page of this studio; see above.

    Args:
        app: what is guarded.
        hosts: how the studio may be called, such as "127.0.0.1:8000".
        token: what the cookie must hold.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str], token: str) -> None:
        self.app, self.hosts, self.token = app, frozenset(hosts), token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        answer = self._refusal(connection)
        if scope["type"] == "websocket":
            if answer is None:
                await self.app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})  # 403, before it is open
            return
        await (answer or self.app)(scope, receive, _hardened(send))

    def _refusal(self, connection: HTTPConnection) -> Response | None:
        """What is answered instead of the page, or None for whoever may come in."""
        headers, socket = connection.headers, connection.scope["type"] == "websocket"
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or host not in self.hosts:
            return PlainTextResponse("The studio does not listen to that name.\n", 403)
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return PlainTextResponse("That page is not one of the studio.\n", 403)
        reads = not socket and connection.scope["method"] in READING
        if not _own(headers, connection.scope["scheme"], host, needed=not reads):
            return PlainTextResponse("That page is not one of the studio.\n", 403)
        given = connection.cookies.get(cookie_of(host), "")
        if secrets.compare_digest(given.encode(), self.token.encode()):
            return None
        return self._first_visit(connection, host) if reads else PlainTextResponse(CLOSED, 403)

    def _first_visit(self, connection: HTTPConnection, host: str) -> Response:
        """The cookie for whoever has the link, and on to the page without the token in it."""
        given = parse_qs(connection.scope["query_string"].decode("latin-1"))
        token = given.pop("token", [""])[0]
        if not secrets.compare_digest(token.encode(), self.token.encode()):
            return PlainTextResponse(CLOSED, 403)
        rest = urlencode(given, doseq=True)
        path = "/" + connection.url.path.lstrip("/")  # "//name" would lead to another machine
        answer = RedirectResponse(path + (f"?{rest}" if rest else ""), 303)
        answer.set_cookie(cookie_of(host), self.token, httponly=True, samesite="strict", path="/")
        return answer


def cookie_of(host: str) -> str:
    """The name of the cookie: browsers share cookies between ports, and two studios have two.

    >>> cookie_of("127.0.0.1:8000")
    'slalom-8000'
    """
    return f"slalom-{host.rpartition(':')[2]}"


def _own(headers: Headers, scheme: str, host: str, needed: bool) -> bool:
    """Whether a request comes from a page of this studio, as far as it says."""
    origins = headers.getlist("origin")
    if not origins:
        return not needed
    secure = scheme in ("https", "wss")
    return origins == [f"{'https' if secure else 'http'}://{host}"]


def _hardened(send: Send) -> Send:
    """Every answer says what a browser may do with it, and is kept nowhere."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in {**HEADERS, "Cache-Control": "no-store"}.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
