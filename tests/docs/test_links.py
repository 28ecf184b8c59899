"""Pages lead where they say, without building the site."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / 'docs'
OUTSIDE = [*ROOT.glob('*.md'), *(ROOT / 'configs').glob('*/README.md')]
MADE = {'_build', 'api', 'configs', 'made'}  # when the site is built
SPACE = DOCS / 'space'  # no page of the site
PAGES = sorted(
    page
    for page in [*OUTSIDE, *DOCS.rglob('*.md')]
    if page in OUTSIDE
    or (SPACE not in page.parents and not MADE & set(page.relative_to(DOCS).parts))
)
MADE_AT_BUILD = ('api/',)


def without_code(page):
    return re.sub(r'```.*?```|`[^`\n]*`', '', page.read_text(), flags=re.DOTALL)


def anchors(page):
    """Names that GitHub, and MyST, give to the headings of a page."""
    text = re.sub(r'```.*?```', '', page.read_text(), flags=re.DOTALL)
    titles = re.findall(r'^#+ (.+)', text, re.MULTILINE)
    plain = (re.sub(r'[`*\[\]]|\(http[^)]*\)', '', title.lower()) for title in titles)
    return {re.sub(r'[^\w\- ]', '', title).replace(' ', '-') for title in plain}


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_anchors_exist(page):
    for link in re.findall(r'\]\(((?!https?:|mailto:)[^)\s]+)\)', without_code(page)):
        path, _, anchor = link.partition('#')
        if path.startswith(MADE_AT_BUILD):
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_over_two_screens_list_their_contents(page):
    text = page.read_text()
    if DOCS in page.parents and len(text.splitlines()) > 100:
        assert re.search(r'^(Contents:|```{contents})', text, re.MULTILINE)


def test_the_first_screen_of_the_readme_shows_what_it_does():
    lines = (ROOT / 'README.md').read_text().splitlines()
    assert len(lines) <= 150
    pictures = re.findall(r'!\[.+?\]\((.+?)\)', '\n'.join(lines[:25]))
    assert [Path(path).stem for path in pictures] == ['prediction', 'timeline']


def test_every_page_is_in_the_contents():
    index = (DOCS / 'index.md').read_text()
    listed = re.findall(r'^(?:.*<)?([\w/-]+)>?$', index, re.MULTILINE)
    pages = {
        str(page.relative_to(DOCS).with_suffix(''))
        for page in PAGES
        if DOCS in page.parents
    }
    assert pages - {'index'} <= set(listed)


def test_every_tool_is_on_the_page_of_commands():
    page = (DOCS / 'reference/commands.md').read_text()
    shown = set(re.findall(r'^```{tool-help} (\S+)', page, re.MULTILINE))
    tools = ROOT / 'tools'
    assert shown == {str(path.relative_to(tools)) for path in tools.rglob('*.py')}


def test_names_of_the_paper_s_page_exist():
    page = (DOCS / 'explanation/paper_to_code.md').read_text()
    links = re.findall(r'\[`([\w.]+)`\]\(\.\./\.\./(mmxclip/[\w/]+)\.py\)', page)
    assert len(links) > 15
    for name, path in links:
        found = importlib.import_module(path.replace('/', '.'))
        for part in name.split('.'):
            found = getattr(found, part)
        assert found.__module__ == path.replace('/', '.'), name


def test_every_named_equation_of_the_code_is_on_that_page(root):
    page = (DOCS / 'explanation/paper_to_code.md').read_text()
    for path in (root / 'mmxclip').rglob('*.py'):
        text = path.read_text()
        if '2208.02816' in text and 'equation' in text:
            assert f'{path.relative_to(root)})' in page, path
