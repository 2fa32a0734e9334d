import re

import pytest

from slalom import lessons
from slalom.core.language import LANGUAGES
from slalom.lessons.markup import code, html
from slalom.lessons.prose import read


def test_a_question_opens_and_its_answer_is_markdown() -> None:
    made = html("::: question Why `zero_grad`?\nBecause *old* gradients stay.\n:::\n\nMore.", "en")
    assert '<details class="question"><summary>' in made
    assert "Why <code>zero_grad</code>?</summary>" in made
    assert "<p>Because <em>old</em> gradients stay.</p>\n</details>\n<p>More.</p>" in made


def test_then_and_now_say_of_each_piece_of_code_what_it_does_today() -> None:
    prose = """::: then-and-now Variable
```python then works
x = Variable(y)
```

```python then AttributeError
x.data[0]
```

```python now
x = y
```
:::
"""
    for lang, labels in {
        "en": ["Then: still works", "Then: now stops with AttributeError", "Now"],
        "zh": ["从前的写法：现在仍能运行", "从前的写法：现在报错 AttributeError", "现在的写法"],
    }.items():
        made = html(prose, lang)
        assert made.startswith('<aside class="then-and-now" role="note">')
        assert made.endswith("</aside>\n")
        assert re.findall(r'<p class="bar"><span>(.*?)</span>', made) == labels


def test_a_fence_that_is_marked_as_something_else_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="may be marked as then or now, but 'later' was found"):
        html("```python later\nx\n```", "en")


def test_code_is_coloured_by_classes_and_says_what_it_is() -> None:
    made = html("```python\nreturn 1\n```\n\n```\n1 < 2\n```", "en")
    assert '<span class="k">return</span> <span class="mi">1</span>' in made
    assert "style=" not in made
    assert re.findall(r'<p class="bar"><span>(.*?)</span>', made) == ["Python", "Output"]
    assert "1 &lt; 2" in made
    assert "<span>network.py</span>" in code("x = 1", "en", label="network.py")


def test_what_is_indented_is_a_formula_and_a_table_scrolls_in_its_own_box() -> None:
    made = html("So\n\n    loss < 1\n\n|   | b |\n|---|---|\n| 1 | 2 |\n", "en")
    assert '<pre class="formula">loss &lt; 1\n</pre>' in made
    assert made.count('<div class="scroll"><table>') == made.count("</table></div>") == 1
    assert "<tr>\n<td></td>\n<th>b</th>\n</tr>" in made, "what is empty heads nothing"


@pytest.mark.parametrize("name", lessons.NAMES)
def test_no_prose_has_a_style_or_a_script_of_its_own_which_a_strict_page_would_not_take(
    name: str,
) -> None:
    for lang in LANGUAGES:
        text = str(html(read(name, lang), lang))
        assert not re.search(r"<[^>]*\s(style|on\w+)=", text)
        assert "<style" not in text and "<script" not in text


def test_a_column_is_set_to_the_right_by_a_class() -> None:
    text = html("| a | b |\n|---|--:|\n| 1 | 2 |\n", "en")
    assert '<td>1</td>\n<td class="text-align-right">2</td>' in text
