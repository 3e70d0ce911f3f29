"""Draws printed lines as a picture of a terminal, for the README.

./deploy.sh local --once | .venv/bin/python -m local.story.picture docs/images/story.svg
"""

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 118
STYLES = {
    "applied": "green",
    "failed": "bold red",
    "refused": "magenta",
    "ignored": "yellow",
    "ALERT": "bold red",
}
FONT_FACES = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
"""The picture must not load anything from elsewhere."""
HEADING = re.compile(r"[A-Z][a-z]{2} \d\d [A-Z][a-z]{2} \d\d:\d\d  ")


def picture(lines: list[str], title: str) -> str:
    """The lines as SVG, with headings and outcomes in the colours of a terminal."""
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    for line in lines:
        text = Text(line, "bold" if HEADING.match(line) else "")
        for word, style in STYLES.items():
            text.highlight_regex(rf"(?<=\d\d:\d\d ){word}\b", style)
        console.print(text, no_wrap=True, overflow="ellipsis")
    return FONT_FACES.sub("", console.export_svg(title=title))


if __name__ == "__main__":
    shown = sys.stdin.read().splitlines()
    Path(sys.argv[1]).write_text(picture(shown, "./deploy.sh local --once"), encoding="utf-8")
