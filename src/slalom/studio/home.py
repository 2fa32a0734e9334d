"""The first page: lessons with their pictures, tools, recent runs."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from slalom import lessons
from slalom.core.errors import BadPlan
from slalom.studio.office import office
from slalom.studio.pages import language_of, page
from slalom.studio.words import words


async def home(request: Request) -> Response:
    """Lessons, tools, recent runs."""
    lang = language_of(request)
    cards = []
    for number, name in enumerate(lessons.NAMES, start=1):
        said = {
            "title": f"{number}. {lessons.title(name, lang)}",
            "sentence": lessons.sentence(name, lang),
            "minutes": lessons.minutes(name),
        }
        picture = f"/lessons/{name}/thumbnail?lang={lang}"
        cards.append({"address": f"/lessons/{name}", "thumbnail": picture, **said})
    return page(request, "home", words(lang)["home"], cards=cards)


async def lesson_thumbnail(request: Request) -> Response:
    """The picture of a lesson."""
    asked = request.path_params["name"], language_of(request)
    shared = office(request)
    try:
        image = await run_in_threadpool(shared.thumbnails.picture, *asked)
    except BadPlan as error:
        return PlainTextResponse(f"{error}\n", 404)
    return Response(image, media_type="image/webp")
