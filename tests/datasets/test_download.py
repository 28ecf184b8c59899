"""Videos from the web, however long, and however their servers behave."""

import threading
import tracemalloc
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mmxclip.inference.windows import open_film

MEGABYTE = 1 << 20
PADDING = 64  # megabytes


class Handler(BaseHTTPRequestHandler):
    """Sends a film with megabytes behind it that are no video, or half of it."""

    film = b''

    def do_GET(self):
        if self.path == '/gone.mp4':
            self.send_error(404)
            return
        sent = len(self.film) // (2 if self.path == '/cut.mp4' else 1)
        box = PADDING * MEGABYTE
        self.send_response(200)
        self.send_header('Content-Length', str(len(self.film) + box))
        self.end_headers()
        self.wfile.write(self.film[:sent])
        if self.path == '/film.mp4':
            self.wfile.write(box.to_bytes(4, 'big') + b'free')
            for _ in range(PADDING):
                self.wfile.write(bytes(MEGABYTE))

    def log_message(self, *_):
        """Be quiet."""


@pytest.fixture
def address(make_video):
    handler = type('Film', (Handler,), dict(film=make_video().read_bytes()))
    with ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        yield f'http://127.0.0.1:{server.server_port}'
        server.shutdown()


def test_a_film_from_the_web_is_not_held_in_memory(address):
    tracemalloc.start()
    try:
        with open_film(f'{address}/film.mp4') as film:
            frames = sum(1 for _ in film.frames())
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert frames > 4
    assert most < PADDING * MEGABYTE / 8


def test_half_an_answer_is_no_film(address):
    with pytest.raises(OSError, match=r'cut\.mp4 cannot be read'):
        open_film(f'{address}/cut.mp4')
    with pytest.raises(FileNotFoundError, match=r'gone\.mp4 does not exist'):
        open_film(f'{address}/gone.mp4')
