"""The built site in a browser, without a network."""

import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

PAGES = ('index.html', 'howto/timeline.html', 'explanation/comparisons.html')


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


@pytest.mark.slow
def test_pages_are_whole_and_search_finds(site, browser):
    page, requests, errors = browser.new_page(), [], []
    page.on('request', lambda request: requests.append(request.url))
    page.on('pageerror', lambda error: errors.append(str(error)))
    for name in PAGES:
        page.goto(f'{site}/{name}')
        broken = page.eval_on_selector_all(
            'img', 'all => all.filter(x => !x.naturalWidth).map(x => x.src)'
        )
        assert not broken, name
    page.goto(f'{site}/search.html?q=timeline')
    # Results come one by one.
    page.wait_for_selector('#search-results li a[href*="howto/timeline.html"]')
    foreign = [url for url in requests if not url.startswith((site, 'data:'))]
    assert not foreign
    assert not errors
