"""Python scripts that are written from templates."""

from jinja2 import Environment, PackageLoader, StrictUndefined


def rendered(package: str, template: str, **values: object) -> str:
    """A template of a package with these values.

    Args:
        package: with a folder `templates`.
        template: a file in it.
        **values: what stands in it. What people named goes through `in_docstring`, or `repr`.
    """
    environment = Environment(
        loader=PackageLoader(package), undefined=StrictUndefined, keep_trailing_newline=True
    )
    return environment.get_template(template).render(values)


def in_docstring(text: str) -> str:
    """A text as it may stand in a docstring, whatever quotation marks it holds.

    >>> print(in_docstring('a "name"'))
    a \\"name\\"
    """
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
