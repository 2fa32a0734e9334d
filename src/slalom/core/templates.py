"""Templates of pages, alike for lessons, reports and the studio."""

from jinja2 import Environment, PackageLoader, StrictUndefined


def page_templates(package: str, folder: str = "") -> Environment:
    """The HTML templates in a folder of a package.

    What stands in their places is escaped, for names of columns, classes and files come from
    strangers; a value that is missing is an error.

    Args:
        package: such as "slalom.lessons".
        folder: within it; the package itself when not given.
    """
    return Environment(
        loader=PackageLoader(package, folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
