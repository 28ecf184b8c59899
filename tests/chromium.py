"""Chromium, for pages that people see."""

import shutil

import pytest


@pytest.fixture(scope='module')
def browser():
    """As root, without a screen, without requests of its own."""
    sync_api = pytest.importorskip('playwright.sync_api')
    chromium = shutil.which('chromium')
    if not chromium:
        pytest.skip('no chromium: apt-get install chromium')
    flags = ['--no-sandbox', '--disable-gpu', '--disable-background-networking']
    # A camera that shows a growing pie, and may be used.
    flags += ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=flags)
        yield browser
        browser.close()
