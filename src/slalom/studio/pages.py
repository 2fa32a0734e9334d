"""The pages of the studio, from their templates."""

from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from slalom import __version__
from slalom.core.language import LANGUAGES, TAGS
from slalom.core.templates import page_templates
from slalom.studio.words import told_in, words

TEMPLATES = page_templates("slalom.studio", "templates")
TOOLS = ("playground", "wall", "race", "map", "table", "runs")  # as they stand above each page


def language_of(request: Request) -> str:
    """The language that the address asks for; that of the browser where it asks for none."""
    lang = request.query_params.get("lang", "")
    return lang if lang in LANGUAGES else _language_of_browser(request)


def _language_of_browser(request: Request) -> str:
    """The first of the languages that a browser prefers in which the studio speaks, or English.

    Browsers name the preferred language first, so their weights need not be read.
    """
    preferred = request.headers.get("accept-language", "").split(",")
    spoken = (each.strip()[:2].lower() for each in preferred)
    return next((lang for lang in spoken if lang in LANGUAGES), next(iter(LANGUAGES)))


def page(request: Request, template: str, title: str, **values: Any) -> Response:
    """A page as an answer.

    Args:
        request: what was asked.
        template: its name, without the ending; also of its script, where it has one.
        title: of the page.
        **values: what the template shows. `told` is what its script is told, as JSON.
    """
    lang = language_of(request)
    search = "" if lang == _language_of_browser(request) else f"?lang={lang}"
    told = {**told_in(lang), "search": search, **values.pop("told", {})}
    others = {other: _in(request, other) for other in LANGUAGES if other != lang}

    def here(path: str) -> str:
        """An address within the studio, in the language of this page."""
        return path + search

    text = TEMPLATES.get_template(f"{template}.html.j2").render(
        title=title,
        lang=lang,
        tag=TAGS[lang],
        tags=TAGS,
        languages=LANGUAGES,
        others=others,
        words=words(lang),
        told=told,
        tools=TOOLS,
        template=template,
        here=here,
        version=__version__,
        **values,
    )
    return HTMLResponse(text)


def _in(request: Request, lang: str) -> str:
    """The address of the same page in another language."""
    url = request.url.include_query_params(lang=lang)
    return f"{url.path}?{url.query}"
