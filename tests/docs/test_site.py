"""The built site in a browser, without a network."""

import functools
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

PAGES = ('index.html', 'howto/timeline.html', 'explanation/comparisons.html')
# As root, without a screen, without requests of its own.
FLAGS = ('--no-sandbox', '--disable-gpu', '--disable-background-networking')


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def site(root):
    """Address of the site, served on this machine."""
    folder = root / 'docs/_build/html'
    if not (folder / 'index.html').is_file():
        pytest.skip('no site: `make docs` builds it')
    handler = functools.partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f'http://127.0.0.1:{server.server_port}'
        server.shutdown()


@pytest.fixture
def page():
    """A page of Chromium that notes all requests, and answers none to other hosts."""
    sync_api = pytest.importorskip('playwright.sync_api')
    chromium = shutil.which('chromium')
    if not chromium:
        pytest.skip('no chromium: apt-get install chromium')
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page()
        page.requests, page.errors = [], []
        page.on('request', lambda request: page.requests.append(request.url))
        page.on('pageerror', lambda error: page.errors.append(str(error)))
        yield page
        browser.close()


@pytest.mark.slow
def test_pages_are_whole_and_search_finds(site, page):
    for name in PAGES:
        page.goto(f'{site}/{name}')
        broken = page.eval_on_selector_all(
            'img', 'all => all.filter(x => !x.naturalWidth).map(x => x.src)'
        )
        assert not broken, name
    page.goto(f'{site}/search.html?q=timeline')
    # Results come one by one.
    page.wait_for_selector('#search-results li a[href*="howto/timeline.html"]')
    foreign = [url for url in page.requests if not url.startswith((site, 'data:'))]
    assert not foreign
    assert not page.errors
