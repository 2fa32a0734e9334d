"""`slalom studio`: watch and steer trainings in the browser."""

from typing import Annotated

import typer

from slalom.cli.common import StorePath


def studio(
    port: Annotated[
        int, typer.Option(help="Port; 8000, or the next one that is free.", min=0, max=65535)
    ] = 0,
    host: Annotated[
        str,
        typer.Option(help="Address to listen at. Others than 127.0.0.1 let other machines in."),
    ] = "127.0.0.1",
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Whether to open the browser.")
    ] = True,
    store: StorePath = None,
) -> None:
    """Open the studio in the browser: lessons, a playground, hundreds of nets at once."""
    from slalom.studio.server import serve

    serve(host, port, browser, store)
