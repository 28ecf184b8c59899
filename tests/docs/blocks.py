"""The code blocks of the pages, and the commands in them."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(
    r'(?:<!-- (?P<mark>not run|run by):? (?P<why>[^>]+) -->\n)?'
    r'^```(?P<language>bash|python)\n(?P<code>.*?)^```',
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A block of Bash or Python in a page.

    A comment before it says why it is not run, ``<!-- not run: REASON -->``, or which
    test of the suite runs it, ``<!-- run by FILE -->``. All others run here.
    """

    page: Path
    line: int
    language: str
    code: str
    mark: str | None
    why: str | None

    def __str__(self):
        return f'{self.page.relative_to(ROOT)}:{self.line}'

    def commands(self):
        """Words of each command line; comments and continuations are gone."""
        lines = self.code.replace('\\\n', ' ').splitlines()
        return [words for line in lines if (words := shlex.split(line, comments=True))]


def blocks():
    """Return the blocks of all pages."""
    pages = [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *ROOT.glob('docs/*/*.md')]
    found = []
    for page in filter(Path.exists, pages):
        text = page.read_text()
        for match in FENCE.finditer(text):
            line = text.count('\n', 0, match.start('language')) + 1
            fields = match.groupdict()
            found.append(Block(page, line, **fields))
    return found
