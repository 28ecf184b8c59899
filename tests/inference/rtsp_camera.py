"""A camera that speaks RTSP: it sends a film once, by RTP inside the connection."""

import socket
import socketserver
import subprocess
import threading
from pathlib import Path

from imageio_ffmpeg import get_ffmpeg_exe


class Camera(socketserver.TCPServer):
    """Serves one viewer; FFmpeg packs the film, in real time.

    Args:
        film: An H.264 file.
        folder: For the description of the stream.
    """

    def __init__(self, film: Path, folder: Path) -> None:
        super().__init__(('127.0.0.1', 0), _Viewer)
        self.address = f'rtsp://127.0.0.1:{self.server_address[1]}/stream'
        self.packets = socket.socket(type=socket.SOCK_DGRAM)
        self.packets.bind(('127.0.0.1', 0))
        self.packets.settimeout(2)  # when the film is over
        self._description = folder / 'stream.sdp'
        self._command = [get_ffmpeg_exe(), '-loglevel', 'error', '-re', '-i', str(film)]
        self._command += [
            '-c',
            'copy',
            '-f',
            'rtp',
            '-sdp_file',
            str(self._description),
        ]

    def __enter__(self) -> 'Camera':
        threading.Thread(target=self.handle_request).start()
        return super().__enter__()

    def __exit__(self, *args: object) -> None:
        self.packets.close()
        super().__exit__(*args)

    def describe(self) -> str:
        """Have FFmpeg describe the stream."""
        self.film(0.2, port=9).wait()
        return self._description.read_text()

    def film(self, seconds: float, port: int | None = None) -> subprocess.Popen:
        """Start to send the film."""
        port = port or self.packets.getsockname()[1]
        until = ['-t', str(seconds), f'rtp://127.0.0.1:{port}?rtcpport=9']
        return subprocess.Popen(
            [*self._command, *until],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )


class _Viewer(socketserver.StreamRequestHandler):
    server: Camera

    def handle(self) -> None:
        asked = b''
        while asked != b'PLAY':
            head = dict(line.split(b' ', 1) for line in iter(self._line, b''))
            ((asked, _), *_) = head.items()
            body, more = '', ''
            if asked == b'DESCRIBE':
                body, more = self.server.describe(), 'Content-Type: application/sdp\r\n'
            if asked == b'SETUP':
                more = 'Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n'
            answer = (
                f'RTSP/1.0 200 OK\r\nCSeq: {head[b"CSeq:"].decode()}\r\nSession: 1\r\n'
                f'{more}Content-Length: {len(body)}\r\n\r\n{body}'
            )
            self.wfile.write(answer.encode())
        with self.server.film(60):
            try:
                while True:
                    packet = self.server.packets.recv(2**16)
                    size = len(packet).to_bytes(2, 'big')
                    self.wfile.write(b'$\0' + size + packet)
            except OSError:  # the film is over
                return

    def _line(self) -> bytes:
        return self.rfile.readline().strip()
