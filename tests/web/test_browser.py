"""The page as people use it, in Chromium."""

import os
import re
from pathlib import Path

import pytest
from served_page import USER

from mmxclip.inference import XCLIPInferencer

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings('ignore')]
PICTURES = os.environ.get('MMXCLIP_SCREENSHOTS')  # folder for those of the docs
WORDS = ['moving left', 'moving right', 'moving up']


@pytest.fixture
def visit(browser, page):
    """Open the page; at the end, no request went elsewhere, and no error came up."""
    requests, errors, opened = [], [], []

    def open_page(query='', user=USER, **options):
        tab = browser.new_page(**options)
        opened.append(tab)
        tab.set_default_timeout(60_000)
        if user:
            form = dict(username=user[0], password=user[1])
            tab.request.post(f'{page.url}/login', form=form)
        tab.on('request', lambda request: requests.append(request.url))
        tab.on('pageerror', lambda error: errors.append(str(error)))
        tab.on('console', lambda m: errors.append(m.text) if m.type == 'error' else 0)
        tab.goto(page.url + query)
        tab.wait_for_selector('#recognise-start' if user else 'text=Login')
        return tab

    yield open_page
    for tab in opened:
        tab.close()
    own = (page.url, page.url.replace('http', 'ws'), 'data:', 'blob:')
    assert requests
    assert not [url for url in requests if not url.startswith(own)]
    assert not errors


def fill(tab, name, film, words=WORDS):
    """Upload a film in a tab of the page, and type words."""
    tab.get_by_role('tab', name=name.capitalize()).click()
    tab.set_input_files(f'#{name}-film input[type=file]', film)
    tab.wait_for_selector(f'#{name}-film video')
    # Its program would come from another machine.
    assert not tab.get_by_label('Trim').filter(visible=True).count()
    panel = tab.get_by_role('tabpanel').filter(visible=True)
    panel.get_by_label('Words').fill(', '.join(words))


def sample(tab, name, title):
    """Choose a sample in a tab of the page."""
    tab.get_by_role('tab', name=name.capitalize()).click()
    tab.get_by_role('tabpanel').filter(visible=True).get_by_text(title).click()
    tab.wait_for_selector(f'#{name}-film video')


def scores(tab):
    """Return the scores that the page shows, in percent."""
    tab.wait_for_selector('text=/\\d+%/')
    told = tab.locator('#recognise-scores').inner_text()
    return {name: int(score) for name, score in re.findall(r'(.+?)\s+(\d+)%', told)}


def picture(tab, name):
    if PICTURES:
        tab.evaluate('scrollTo(0, 0)')
        tab.wait_for_timeout(1000)  # until all is drawn
        tab.screenshot(path=Path(PICTURES, f'{name}.png'))


def seconds(tab):
    return tab.eval_on_selector('#timeline-film video', 'video => video.currentTime')


def test_two_users_at_once(visit, page):
    asked = {visit(): WORDS, visit(): ['growing', 'shrinking']}
    for tab, words in asked.items():
        fill(tab, 'recognise', page.film, words)
    for tab in asked:
        tab.click('#recognise-start')
    inferencer = XCLIPInferencer(page.config, page.checkpoint, device='cpu')
    for tab, words in asked.items():
        (expected,) = inferencer(page.film, words)['predictions']
        percent = {name: 100 * score for name, score in expected['scores'].items()}
        assert scores(tab) == pytest.approx(percent, abs=0.51)
        assert tab.locator('.grid-wrap img').count() == 8


def test_a_sample(visit):
    tab = visit()
    sample(tab, 'recognise', 'moving left')
    tab.click('#recognise-start')
    assert len(scores(tab)) == 8
    picture(tab, 'web_recognise')


def test_the_camera(visit):
    tab = visit()
    tab.get_by_label('Capture from camera').first.click()
    tab.get_by_text('Click to Access Webcam').click()
    tab.get_by_label('start recording').click()
    tab.wait_for_selector('[title="stop recording"]')
    tab.wait_for_timeout(3000)  # of video
    tab.get_by_label('start recording').click()  # its label stays
    tab.wait_for_selector('#recognise-film [data-testid=Video-player]')
    tab.get_by_label('Words').first.fill('growing, shrinking')
    tab.click('#recognise-start')
    assert scores(tab).keys() == {'growing', 'shrinking'}


def test_by_keyboard_alone(visit):
    tab = visit()

    def go_to(selector):
        for _ in range(40):
            if tab.evaluate(f'document.activeElement.matches({selector!r})'):
                return
            tab.keyboard.press('Tab')
        pytest.fail(f'the Tab key does not lead to {selector}')

    go_to('[role=tab]')
    go_to('textarea')
    tab.keyboard.type('growing, shrinking')
    go_to('.gallery-item')
    tab.keyboard.press('Enter')
    tab.wait_for_selector('#recognise-film video')
    go_to('#recognise-start')
    tab.keyboard.press('Enter')
    assert len(scores(tab)) == 8  # the sample's words


def test_a_click_on_the_timeline_moves_the_player(visit, page):
    tab = visit()
    if PICTURES:
        sample(tab, 'timeline', 'three actions')
    else:
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
    sample(tab, 'recognise', 'moving left')
    tab.get_by_label('Words').first.fill('')
    tab.click('#recognise-start')
    tab.wait_for_selector('text=/2 texts or more/')
    tab.get_by_label('Clear').first.click()
    tab.set_input_files('#recognise-film input[type=file]', text)
    tab.wait_for_selector('#recognise-film video', state='attached')
    tab.click('#recognise-start')
    tab.wait_for_selector('text=/text.mp4 .*cannot be/')


def test_work_is_stopped(visit):
    tab = visit()
    sample(tab, 'explain', 'three actions')
    tab.click('#explain-start')
    tab.wait_for_selector('#explain-status progress')
    tab.click('#explain-stop')
    tab.wait_for_selector('#explain-status >> text=Stopped')
    # The model is free for the next.
    sample(tab, 'recognise', 'moving left')
    tab.click('#recognise-start')
    assert scores(tab)
    assert 'Stopped' in tab.locator('#explain-status').text_content()


def test_the_password(visit):
    tab = visit(user=None)
    tab.get_by_label('username').fill(USER[0])
    tab.get_by_label('password').fill(USER[1])
    tab.get_by_role('button', name='Login').click()
    tab.wait_for_selector('#recognise-start')


@pytest.mark.parametrize('theme', ['light', 'dark'])
def test_a_phone_by_day_and_night(visit, page, theme):
    tab = visit(f'?__theme={theme}', viewport=dict(width=390, height=844))
    assert tab.evaluate('document.documentElement.scrollWidth') <= 390
    assert tab.evaluate("document.body.classList.contains('dark')") == (theme == 'dark')
    fill(tab, 'timeline', page.film)
    tab.click('#timeline-start')
    tab.locator('.mmx-track').first.wait_for()
    assert tab.evaluate('document.documentElement.scrollWidth') <= 390
    picture(tab, f'web_phone_{theme}')
