"""A server that speaks as much of the Hugging Face Hub's protocol as downloads need."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

COMMIT = '0' * 40


class Hub:
    """Serves what ``files`` holds: ``{'owner/name/file': bytes}``.

    ``requests`` are the methods, paths and ranges that were asked for; ``cuts`` is the
    number of downloads whose connection ends halfway, and ``checksum``, if given, what
    is said of every file.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str, str | None]] = []
        self.cuts = 0
        self.checksum: str | None = None
        handler = type('Handler', (_Handler,), {'hub': self})
        self._server = ThreadingHTTPServer(('127.0.0.1', 0), handler)
        self.url = f'http://127.0.0.1:{self._server.server_port}'
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    @property
    def downloads(self) -> list[tuple[str, str | None]]:
        """Paths and ranges of what was sent."""
        return [
            (path, part)
            for kind, path, part in self.requests
            if kind == 'GET' and path in self.files
        ]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        hub, part = self.hub, self.headers['Range']
        path = self.path[1:].replace('/resolve/main/', '/')
        hub.requests.append((self.command, path, part))
        data = hub.files.get(path)
        if data is None:
            repo = path.rpartition('/')[0]
            known = any(name.startswith(f'{repo}/') for name in hub.files)
            self.send_response(404)
            reason = 'EntryNotFound' if known else 'RepoNotFound'
            self.send_header('X-Error-Code', reason)
            self.send_header('X-Repo-Commit', COMMIT)
            self.send_header('Content-Length', '0')
            self.end_headers()
            return
        start = int(part.removeprefix('bytes=').rstrip('-')) if part else 0
        self.send_response(206 if part else 200)
        if part:
            span = f'bytes {start}-{len(data) - 1}/{len(data)}'
            self.send_header('Content-Range', span)
        checksum = hub.checksum or hashlib.sha256(data).hexdigest()
        self.send_header('ETag', f'"{checksum}"')
        self.send_header('X-Linked-Etag', f'"{checksum}"')
        self.send_header('X-Linked-Size', str(len(data)))
        self.send_header('X-Repo-Commit', COMMIT)
        self.send_header('Content-Length', str(len(data) - start))
        self.end_headers()
        if with_body:
            end = len(data)
            if hub.cuts:
                hub.cuts -= 1
                end = (start + end) // 2
            self.wfile.write(data[start:end])

    def log_message(self, *_: object) -> None:
        """Be quiet."""
