"""Pages whose text has another source: it is read when the site is built."""

import contextlib
import io
import os
import re
import runpy
import sys
from pathlib import Path
from unittest import mock

import jupytext
import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from mmxclip.utils.tables import to_markdown

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ROOT / 'docs/reference/configs'
TUTORIALS = ROOT / 'docs/tutorials'
LINKS = {
    r'\]\((?:\.\./)+configs/(\w+)/README\.md': r'](/reference/configs/\1.md',
    r'\]\((?:\.\./)+(mmxclip/[\w/]+)\.py': r'](/reference/api/\1/index.rst',
    r'\]\((\w+)\.py\)': r'](made/\1.md)',  # a tutorial
}


class ToolHelp(SphinxDirective):
    """What ``python tools/NAME --help`` prints."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Run it in this process."""
        path = ROOT / 'tools' / self.arguments[0]
        self.env.note_dependency(str(path))
        return [nodes.literal_block(text=help_of(path), language='text')]


def help_of(path: Path) -> str:
    """Return what a tool prints for ``--help``."""
    printed = io.StringIO()
    with (
        mock.patch.object(sys, 'argv', [str(path), '--help']),
        mock.patch.dict(os.environ, COLUMNS='88'),
        contextlib.redirect_stdout(printed),
        contextlib.suppress(SystemExit),
    ):
        runpy.run_path(str(path), run_name='__main__')
    return printed.getvalue()


class PublishedResults(SphinxDirective):
    """The tables of ``mmxclip/protocols/published.yml``, one for each protocol."""

    def run(self) -> list[nodes.Node]:
        """Write them as Markdown and read that."""
        path = ROOT / 'mmxclip/protocols/published.yml'
        self.env.note_dependency(str(path))
        published = yaml.safe_load(path.read_text())
        text = '\n'.join(
            f'## {protocol}\n\n{published_table(table)}'
            for protocol, table in published.items()
        )
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def published_table(table: dict) -> str:
    """Return the published numbers of one protocol as a Markdown table."""
    facts = ('method', 'source', 'note')
    names = (name for row in table['rows'] for name in row if name not in facts)
    data = list(dict.fromkeys(names))
    rows = [['method', *data, 'note', 'source']]
    for row in table['rows']:
        numbers = [row.get(name, '') for name in data]
        rows.append([row['method'], *numbers, row.get('note', ''), row['source']])
    columns = ' / '.join(table['columns'])
    return f'Top-1 in percent, or as named: {columns}.\n\n{to_markdown(rows)}'


def copy_recipes(app: Sphinx) -> None:
    """Make a page of each README below ``configs``."""
    RECIPES.mkdir(exist_ok=True)
    for readme in sorted((ROOT / 'configs').glob('*/README.md')):
        folder = readme.parent.name
        text = re.sub(
            r'\]\((?!http|#|\.\./)', f'](../../../configs/{folder}/', readme.read_text()
        )
        text = text.replace('](../../docs/', '](../../')
        (RECIPES / f'{folder}.md').write_text(text)


def write_tutorials(app: Sphinx) -> None:
    """Make a notebook of each tutorial, and a page that offers it."""
    (TUTORIALS / 'made').mkdir(exist_ok=True)
    for path in sorted(TUTORIALS.glob('*.py')):
        notebook = jupytext.read(path, fmt='py:percent')
        made = TUTORIALS / 'made' / path.stem
        jupytext.write(notebook, made.with_suffix('.ipynb'))
        notebook.cells[0].source += f'\n\n{{download}}`Notebook <{made.name}.ipynb>`'
        jupytext.write(notebook, made.with_suffix('.md'))


def adapt(app: Sphinx, docname: str, source: list[str]) -> None:
    """Lead links to READMEs and code to their pages; title what a tool has written."""
    for pattern, page in LINKS.items():
        source[0] = re.sub(pattern, page, source[0])
    if source[0].startswith('|'):
        source[0] = f'# {docname.rpartition("/")[2]}\n\n{source[0]}'


def setup(app: Sphinx) -> None:
    """Add all this to Sphinx."""
    app.add_directive('tool-help', ToolHelp)
    app.add_directive('published-results', PublishedResults)
    app.connect('builder-inited', copy_recipes)
    app.connect('builder-inited', write_tutorials)
    app.connect('source-read', adapt)
