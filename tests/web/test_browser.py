"""The page as people use it, in Chromium."""

import os
import re
from pathlib import Path

import pytest

from mmxclip.inference import XCLIPInferencer

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings('ignore')]
PICTURES = os.environ.get('MMXCLIP_SCREENSHOTS')  # folder for those of the docs
WORDS = ['moving left', 'moving right', 'moving up']


@pytest.fixture
def visit(browser, page):
    """Open the page; at the end, no request went elsewhere, and no error came up."""
    requests, errors, opened = [], [], []

    def open_page(query='', **options):
        tab = browser.new_page(**options)
        opened.append(tab)
        tab.set_default_timeout(60_000)
        tab.on('request', lambda request: requests.append(request.url))
        tab.on('pageerror', lambda error: errors.append(str(error)))
        tab.on('console', lambda m: errors.append(m.text) if m.type == 'error' else 0)
        tab.goto(page.url + query)
        tab.wait_for_selector('#recognise-start')
        return tab

    yield open_page
    for tab in opened:
        tab.close()
    own = (page.url, page.url.replace('http', 'ws'), 'data:', 'blob:')
    assert requests
    assert not [url for url in requests if not url.startswith(own)]
    assert not errors


def fill(tab, name, film):
    """Upload a film in a tab of the page, and type words."""
    tab.get_by_role('tab', name=name.capitalize()).click()
    tab.set_input_files(f'#{name}-film input[type=file]', film)
    tab.wait_for_selector(f'#{name}-film video')
    # Its program would come from another machine.
    assert not tab.get_by_label('Trim').filter(visible=True).count()
    panel = tab.get_by_role('tabpanel').filter(visible=True)
    panel.get_by_label('Words').fill(', '.join(WORDS))


def picture(tab, name):
    if PICTURES:
        tab.evaluate('scrollTo(0, 0)')
        tab.wait_for_timeout(1000)  # until all is drawn
        tab.screenshot(path=Path(PICTURES, f'{name}.png'))


def seconds(tab):
    return tab.eval_on_selector('#timeline-film video', 'video => video.currentTime')


def test_recognise(visit, page):
    tab = visit()
    fill(tab, 'recognise', page.film)
    tab.click('#recognise-start')
    tab.wait_for_selector('text=/\\d+%/')
    told = tab.locator('#recognise-scores').inner_text()
    (expected,) = XCLIPInferencer(page.config, page.checkpoint, device='cpu')(
        page.film, WORDS
    )['predictions']
    for name, score in expected['scores'].items():
        shown = int(re.search(rf'{name}\s+(\d+)%', told)[1])
        assert shown == pytest.approx(100 * score, abs=0.51)
    assert tab.locator('.grid-wrap img').count() == 8
    picture(tab, 'web_recognise')


def test_a_click_on_the_timeline_moves_the_player(visit, page):
    tab = visit()
    fill(tab, 'timeline', page.film)
    tab.get_by_label('Window').fill('2')
    tab.click('#timeline-start')
    track = tab.locator('.mmx-track').first
    track.wait_for()
    box = track.bounding_box()
    track.click(position=dict(x=box['width'] * 2 / 3, y=box['height'] / 2))
    assert seconds(tab) == pytest.approx(4, abs=0.1)
    ranges = tab.locator('[data-start]')
    if ranges.count():
        ranges.last.press('Enter')
        start = float(ranges.last.get_attribute('data-start'))
        assert seconds(tab) == pytest.approx(start, abs=0.1)
    picture(tab, 'web_timeline')


def test_search_and_play(visit):
    tab = visit()
    tab.get_by_role('tab', name='Search').click()
    tab.click('#update_index-start')
    tab.wait_for_selector('text=/2 films/')
    tab.get_by_label('What to look for').fill('moving left')
    tab.click('#search-start')
    tab.locator('#search-hits button img').first.click()
    tab.wait_for_selector('#search-player video')
    tab.wait_for_function(
        "document.querySelector('#search-player video').currentTime > 0"
    )
    picture(tab, 'web_search')


def test_what_is_wrong_is_told(visit, tmp_path):
    text = tmp_path / 'text.mp4'
    text.write_text('no video at all\n' * 99)
    tab = visit()
    tab.click('#recognise-start')
    tab.wait_for_selector('text=/choose a video/')


def test_a_phone_and_the_dark(visit, page):
    tab = visit('?__theme=dark', viewport=dict(width=390, height=844))
    fill(tab, 'timeline', page.film)
    tab.click('#timeline-start')
    tab.locator('.mmx-track').first.wait_for()
    assert tab.evaluate('document.documentElement.scrollWidth') <= 390
    assert tab.evaluate("document.body.classList.contains('dark')")
    picture(tab, 'web_phone')
