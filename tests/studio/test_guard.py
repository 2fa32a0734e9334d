"""Nothing of the studio answers to anybody but the page that opened its link."""

from itertools import product
from typing import Any

import pytest
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from slalom.studio.app import routes, studio
from tests.studio.asgi import COOKIE, HOST, OWN, TOKEN, Headers, ask

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
HOSTILE: dict[str, Headers] = {
    "no token": [("host", HOST), OWN],
    "another token": [("host", HOST), OWN, ("cookie", "slalom-8000=guess")],
    "an empty token": [("host", HOST), OWN, ("cookie", "slalom-8000=")],
    "the token of another port": [("host", HOST), OWN, ("cookie", f"slalom-9000={TOKEN}")],
    "a name that was pointed here": [("host", "evil.example:8000"), OWN, COOKIE],
    "another port": [("host", "127.0.0.1:9000"), OWN, COOKIE],
    "no port": [("host", "127.0.0.1"), OWN, COOKIE],
    "no host": [OWN, COOKIE],
    "two hosts": [("host", HOST), ("host", "evil.example"), OWN, COOKIE],
    "a foreign origin": [("host", HOST), ("origin", "http://evil.example"), COOKIE],
    "an origin that begins like ours": [("host", HOST), ("origin", f"http://{HOST}.evil"), COOKIE],
    "a secure origin of the same name": [("host", HOST), ("origin", f"https://{HOST}"), COOKIE],
    "the null origin": [("host", HOST), ("origin", "null"), COOKIE],
    "a page of another port of this machine": [
        ("host", HOST),
        ("sec-fetch-site", "same-site"),
        COOKIE,
        OWN,
    ],
    "a page of another site": [("host", HOST), ("sec-fetch-site", "cross-site"), COOKIE, OWN],
    "a cookie that is no ASCII": [("host", HOST), OWN, ("cookie", "slalom-8000=\xe9\xff")],
    "two origins": [("host", HOST), OWN, ("origin", "http://evil.example"), COOKIE],
}


@pytest.fixture(scope="module")
def app() -> Any:
    return studio([HOST, "localhost:8000"], TOKEN)


def addresses() -> list[tuple[str, bool]]:
    """A path of every route that there is, and whether it is a socket."""
    found = []
    for route in routes():
        assert isinstance(route, Route | WebSocketRoute), route  # else this list has a hole
        assert not isinstance(route, Mount)
        path = route.path
        for name in route.param_convertors:
            path = path.replace("{" + name + "}", "regression").replace("{" + name + ":int}", "1")
        found.append((path, isinstance(route, WebSocketRoute)))
    return found


@pytest.mark.parametrize("name", HOSTILE)
def test_every_route_denies_every_method_to_strangers(app: Any, name: str) -> None:
    asked = 0
    for (path, socket), method in product([*addresses(), ("/no-such-page", False)], METHODS):
        answer = ask(app, path, HOSTILE[name], method, socket=socket)
        assert answer.status == 403, (path, method)
        asked += 1
    assert asked >= len(METHODS) * (len(routes()) + 1)


@pytest.mark.parametrize("method", [m for m in METHODS if m not in ("GET", "HEAD")])
def test_what_may_change_something_needs_an_origin(app: Any, method: str) -> None:
    for path, socket in addresses():
        if not socket:
            assert ask(app, path, [("host", HOST), COOKIE], method).status == 403, path


def test_a_socket_needs_an_origin(app: Any) -> None:
    assert ask(app, "/live", [("host", HOST), COOKIE], socket=True).status == 403
    assert ask(app, "/live", [("host", HOST), OWN, COOKIE], socket=True).status == 101


def test_a_route_that_is_added_is_covered_by_itself(app: Any) -> None:
    found: list[BaseRoute] = routes()
    assert len(addresses()) == len(found) > 5


def test_the_link_becomes_a_cookie_that_scripts_and_other_sites_never_get(app: Any) -> None:
    answer = ask(app, "/wall", [("host", HOST)], query=f"token={TOKEN}&lang=zh")
    assert answer.status == 303
    assert answer.headers["location"] == "/wall?lang=zh"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"slalom-8000={TOKEN};")
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Domain" not in cookie


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "///evil.example/x"])
def test_the_link_leads_nowhere_else(app: Any, path: str) -> None:
    answer = ask(app, path, [("host", HOST)], query=f"token={TOKEN}")
    location = answer.headers.get("location", "/")
    assert not location.startswith(("//", "/\\")), location


@pytest.mark.parametrize("token", ["", "guess", TOKEN[:-1], TOKEN + "x", "%00", "é"])
def test_another_token_opens_nothing(app: Any, token: str) -> None:
    answer = ask(app, "/", [("host", HOST)], query=f"token={token}")
    assert answer.status == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.slow
def test_every_answer_says_what_a_browser_may_do_with_it(app: Any) -> None:
    for headers in ([("host", HOST), COOKIE], [("host", "evil.example")]):
        for path, socket in addresses():
            if not socket:
                answer = ask(app, path, headers)
                policy = answer.headers["content-security-policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy  # but for a report, which is a page of nobody's
                assert answer.headers["x-content-type-options"] == "nosniff"
                assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "name",
    ["../guard.py", "..%2fguard.py", "/etc/passwd", "....//guard.py", "words.toml", "live.js/", ""],
)
def test_a_static_file_is_a_name_and_never_a_path(app: Any, name: str) -> None:
    assert ask(app, f"/static/{name}", [("host", HOST), COOKIE]).status in (404, 307)


@pytest.mark.slow
def test_pages_have_no_script_and_no_style_of_their_own(app: Any) -> None:
    """The policy would stop them; what is told to a script is data."""
    for path, socket in addresses():
        answer = None if socket else ask(app, path, [("host", HOST), COOKIE])
        if answer is not None and "html" in answer.headers.get("content-type", ""):
            text = answer.body.decode()
            assert " style=" not in text and "<style" not in text, path
            assert " onclick=" not in text and "javascript:" not in text, path
            for script in text.split("<script")[1:]:
                opening, _, inside = script.partition(">")
                assert 'type="application/json"' in opening or inside.startswith("</script"), path
