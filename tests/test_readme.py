"""The blocks of the README and the documents run as they stand.

In each file the Python blocks run in order, in one namespace, in an empty folder beside a copy of
examples/; `slalom` commands of console blocks run in the same kind of folder. A block right after
`<!-- not run: reason -->` is left out.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    path for path in (ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))) if path.exists()
]
BLOCK = re.compile(
    r"(?P<left_out><!-- not run: [^\n]+ -->\n+)?^```(?P<language>\w+)[^\n]*\n(?P<body>.*?)^```",
    re.MULTILINE | re.DOTALL,
)


def blocks(document: Path, *languages: str) -> list[tuple[int, str]]:
    """Line number and text of the blocks in these languages that run."""
    text = document.read_text(encoding="utf-8")
    return [
        (text.count("\n", 0, match.start("body")) + 1, match["body"])
        for match in BLOCK.finditer(text)
        if match["language"] in languages and not match["left_out"]
    ]


def commands(document: Path) -> list[str]:
    """The `slalom` commands of a document, one a line; `$ ` before them and output are skipped."""
    lines = []
    for _, body in blocks(document, "console", "bash", "sh"):
        for line in body.replace("\\\n", " ").splitlines():
            command = line.removeprefix("$ ").strip()
            if command.startswith("slalom "):
                lines.append(re.sub(r"\s+#.*", "", command))
    return lines


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_python_blocks_run_in_order(document: Path, folder: Path) -> None:
    namespace = {"__name__": "__main__"}
    for line, body in blocks(document, "python"):
        code = compile("\n" * (line - 1) + body, str(document), "exec")
        exec(code, namespace)


@pytest.mark.slow
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_run_in_order(document: Path, folder: Path) -> None:
    for command in commands(document):
        arguments = shlex.split(command)[1:]
        script = "import sys; from slalom.cli import main; sys.argv[0] = 'slalom'; main()"
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "MPLBACKEND": "Agg"},
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def test_a_block_after_a_mark_is_left_out(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text(
        "```python\none\n```\n\n<!-- not run: needs an hour -->\n```python\ntwo\n```\n"
        "```console\n$ slalom race \\\n    --epochs 2  # quick\nout\n```\n"
    )
    assert blocks(document, "python") == [(2, "one\n")]
    assert commands(document) == ["slalom race      --epochs 2"]
