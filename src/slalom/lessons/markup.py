"""Prose as HTML: Markdown with code in colours, boxes, and tables and formulas that fit a page."""

from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from mdit_py_plugins.container import container_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from slalom.core.templates import page_templates
from slalom.lessons.prose import Text

WORDS = {
    "to_copy": Text("Copy", "复制"),
    "was_copied": Text("Copied", "已复制"),
    "question": Text("Think first", "先想一想"),
    "answers": Text("Answers", "答案"),
    "then_and_now": Text("Then and now", "从前与现在"),
    "then_works": Text("Then: still works", "从前的写法：现在仍能运行"),
    "then_stops": Text("Then: now stops with {error}", "从前的写法：现在报错 {error}"),
    "then_warns": Text("Then: now warns with {error}", "从前的写法：现在警告 {error}"),
    "now": Text("Now", "现在的写法"),
    "python": Text("Python", "Python"),
    "console": Text("In a terminal", "在终端里"),
    "text": Text("Output", "输出"),
}

TEMPLATES = page_templates("slalom.lessons")


def html(prose: str, lang: str) -> Markup:
    """Markdown as HTML; its words of our own, such as those of boxes, are in `lang`.

    >>> html("A *tensor*.", "en")
    Markup('<p>A <em>tensor</em>.</p>\\n')
    """
    markdown = MarkdownIt("commonmark").enable("table")

    def fence(_: Any, tokens: Sequence[Token], k: int, options: Any, environment: Any) -> str:
        language, *label = tokens[k].info.split() or ["text"]
        return code(tokens[k].content, lang, language, _label(label, lang))

    def formula(_: Any, tokens: Sequence[Token], k: int, options: Any, environment: Any) -> str:
        return Markup('<pre class="formula">{}</pre>\n').format(tokens[k].content)

    def cell(renderer: Any, tokens: Sequence[Token], k: int, options: Any, environment: Any) -> str:
        # A strict page takes no style of its own.
        style = str(tokens[k].attrs.pop("style", ""))
        if style:
            tokens[k].attrs["class"] = style.replace(":", "-")
        return str(renderer.renderToken(tokens, k, options, environment))

    def header(
        renderer: Any, tokens: Sequence[Token], k: int, options: Any, environment: Any
    ) -> str:
        if not tokens[k + tokens[k].nesting].content:  # a cell without words heads nothing
            tokens[k].tag = "td"
        return cell(renderer, tokens, k, options, environment)

    def box(kind: str, opening: str, closing: str) -> None:
        def draw(_: Any, tokens: Sequence[Token], k: int, options: Any, environment: Any) -> str:
            if tokens[k].nesting < 0:
                return closing
            title = Markup(markdown.renderInline(tokens[k].info.strip().removeprefix(kind).strip()))
            return Markup(opening).format(WORDS[kind.replace("-", "_")].in_(lang), title)

        markdown.use(container_plugin, kind, render=draw)

    markdown.add_render_rule("fence", fence)
    markdown.add_render_rule("code_block", formula)
    markdown.add_render_rule("td_open", cell)
    markdown.add_render_rule("th_open", header)
    markdown.add_render_rule("th_close", header)
    markdown.add_render_rule("table_open", lambda *_: '<div class="scroll"><table>\n')
    markdown.add_render_rule("table_close", lambda *_: "</table></div>\n")
    box(
        "question",
        '<details class="question"><summary><span class="kind">{}</span> {}</summary>\n',
        "</details>\n",
    )
    box(
        "then-and-now",
        '<aside class="then-and-now" role="note"><p class="title">'
        '<span class="kind">{}</span> {}</p>\n',
        "</aside>\n",
    )
    return Markup(markdown.render(prose))


def code(source: str, lang: str, language: str = "python", label: str = "") -> Markup:
    """Code in colours, with a button that copies it, under a label.

    Args:
        source: what it is.
        lang: "en" or "zh", of the button.
        language: as Pygments calls it.
        label: what stands above it, if not the language.
    """
    colored = highlight(source, get_lexer_by_name(language), HtmlFormatter(nowrap=True))
    words = {name: text.in_(lang) for name, text in WORDS.items()}
    parts: Any = TEMPLATES.get_template("parts.html.j2").module
    return Markup(parts.code(Markup(colored), words, label or words[language]))


def _label(info: Sequence[str], lang: str) -> str:
    """What stands above a fence, from the words behind its language.

    >>> _label(["then", "AttributeError"], "en"), _label(["then", "works"], "en"), _label([], "en")
    ('Then: now stops with AttributeError', 'Then: still works', '')
    """
    match info:
        case []:
            return ""
        case ["then", "works"]:
            return WORDS["then_works"].in_(lang)
        case ["then", error]:
            ends = "then_warns" if error.endswith("Warning") else "then_stops"
            return WORDS[ends].in_(lang).format(error=error)
        case ["now"]:
            return WORDS["now"].in_(lang)
    raise ValueError(f"A fence may be marked as then or now, but {' '.join(info)!r} was found.")
