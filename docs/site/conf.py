"""How Sphinx makes the site: `make site`.

What is told elsewhere is not told twice: `benchmarks`, `pictures` and `changelog.md` are links to
it. Sphinx builds a copy of this folder in which they are followed.
"""

import ast
import inspect
import re
from typing import Any

from docutils.nodes import Element, Node, TextElement, literal, system_message
from docutils.parsers.rst.states import Inliner
from docutils.utils import unescape
from sphinx.application import Sphinx
from sphinx.domains.python import PyXRefRole
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import stringify_annotation

import slalom

project = "Slalom"
version = release = slalom.__version__
copyright = "Slalom's authors, MIT licence"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["benchmarks/harness", "benchmarks/peers"]

smartquotes_action = "D"  # dashes alone: quotes are often code

html_theme = "furo"
html_title = "Slalom"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_show_sphinx = False
html_copy_source = False
html_show_search_summary = False  # would fetch pages, which a browser refuses from file://

# Docstrings tell types, shapes and units in words; a signature has names and defaults.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
add_module_names = False
napoleon_numpy_docstring = False
napoleon_use_param = False  # several arguments may share a line
napoleon_custom_sections = [("Attributes", "params_style")]  # as well as attributes

default_role = "backticks"

# A missing name is an error everywhere but in these two places.
nitpicky = True
nitpick_ignore_regex = [
    # Names between backticks may be arguments, columns, files: those of ours become links.
    ("py:obj", ".*"),
    # What comes back is often somebody else's, and their pages cannot be asked without a network.
    ("py:class", r"(?!slalom\.).*"),
]


def backticks(
    role: str, raw: str, text: str, line: int, inliner: Inliner, *rest: Any
) -> tuple[list[Node], list[system_message]]:
    """Single backticks of a docstring: a link where they name something of ours, else code."""
    if re.fullmatch(r"\w+(\.\w+)*", text):
        return PyXRefRole()("py:obj", raw, text, line, inliner)
    return [literal(raw, unescape(text))], []


def with_title(app: Sphinx, name: str, source: list[str]) -> None:
    """Benchmarks write tables; a page has a title, and says what was asked by which script."""
    folder, _, script = name.rpartition("/")
    if folder == "benchmarks/results":
        code = (app.srcdir / "benchmarks" / f"{script}.py").read_text(encoding="utf-8")
        question = (ast.get_docstring(ast.parse(code)) or "").partition("\n\n")[0]
        title = script.replace("_", " ").capitalize()
        command = f"```\npython benchmarks/{script}.py\n```"
        source[0] = f"# {title}\n\n{question}\n\n{command}\n\n{source[0]}"


def as_it_stands(
    app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]
) -> None:
    """Napoleon takes what a property says before a colon, in its first line, for its type."""
    if what == "property":
        lines[:0] = ["..", ""]  # an empty comment, which says nothing


def with_what_it_returns(
    app: Sphinx, what: str, name: str, value: Any, options: Any, signature: str, returned: str
) -> tuple[str, str | None] | None:
    """The class of what comes back, which is a link where it is ours."""
    if what not in ("function", "method"):
        return None
    annotation = inspect.get_annotations(value).get("return")
    if not isinstance(annotation, type) or annotation is Any:
        return signature, None
    return signature, stringify_annotation(annotation, "smart")


def ours(
    app: Sphinx, env: BuildEnvironment, node: Element, contents: TextElement
) -> Element | None:
    """The target of a bare class name, as docstrings have it, in whichever module it lives."""
    name = node.get("reftarget", "")
    if node.get("refdomain") != "py" or not name[:1].isupper():
        return None
    domain = env.domains.python_domain
    found = sorted((known for known in domain.objects if known.endswith(f".{name}")), key=len)
    if not found or app.builder is None:
        return None
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", found[0], node, contents)


def setup(app: Sphinx) -> None:
    app.add_role("backticks", backticks)
    app.connect("source-read", with_title)
    app.connect("autodoc-process-docstring", as_it_stands, priority=100)  # before napoleon
    app.connect("autodoc-process-signature", with_what_it_returns)
    app.connect("missing-reference", ours)
