"""Serving the page."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

try:
    import gradio as gr
except ImportError as error:
    raise ImportError('the page needs Gradio: pip install "mmxclip[web]"') from error

from mmxclip.inference.predict import open_inferencer
from mmxclip.utils.files import decode_text
from mmxclip.web.limits import Limits
from mmxclip.web.page import build_page
from mmxclip.web.samples import draw_samples
from mmxclip.web.service import Service
from mmxclip.web.timeline_html import SCRIPT, STYLE

# Of the user's system: none is downloaded.
_FONT, _MONO = ('system-ui', 'sans-serif'), ('ui-monospace', 'monospace')


def serve(
    models: Sequence[str | None] = (None,),
    *,
    checkpoint: str | None = None,
    device: str | None = None,
    films: str | None = None,
    index: str = 'work_dirs/web_index',
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    host: str = '127.0.0.1',
    port: int | None = None,
    share: bool = False,
    auth: str | os.PathLike | None = None,
) -> None:
    """Serve the page until Ctrl-C.

    Args:
        models: Names or configs, see :func:`open_inferencer`; the first is the usual
            one, and the one of timelines, searches and explanations.
        checkpoint: Of the model, if it is one.
        device: Default: a GPU if there is one.
        films: Folder of films that users may search. Default: there is no search.
        index: Folder of their index.
        limits: Of each request.
        host: ``'0.0.0.0'``: other machines reach the page, too.
        port: Default: the first free one from 7860.
        share: Whether Gradio makes a public address, over its servers.
        auth: File with a ``user:password`` in each line, which the page then asks for.

    Raises:
        OSError: A file cannot be read, or the port is taken.
        ValueError: Models, limits or settings are wrong.
    """
    if checkpoint and len(models) > 1:
        raise ValueError('--checkpoint goes with one model')
    if share and auth is None:
        raise ValueError('--share lets everybody in: give --auth FILE with passwords')
    if films and not Path(films).is_dir():
        raise FileNotFoundError(f'there is no folder of films at {films}')
    users = None if auth is None else read_users(auth)
    opened = {
        Path(str(name or 'model')).stem: open_inferencer(None, name, checkpoint, device)
        for name in models
    }
    os.environ['GRADIO_ANALYTICS_ENABLED'] = 'False'
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: tidies up
    with TemporaryDirectory(prefix='mmxclip-web-') as folder:
        os.environ['GRADIO_TEMP_DIR'] = folder
        service = Service(opened, limits, draw_samples(Path(folder)))
        page = build_page(service, films=films, index=index)
        page.launch(
            server_name=host,
            server_port=port,
            share=share,
            auth=users,
            max_file_size=round(limits.megabytes * 1e6),
            theme=gr.themes.Default(font=_FONT, font_mono=_MONO),
            css=STYLE,
            head=f'<script>{SCRIPT}</script>',
            footer_links=['api', 'settings'],
            run_history=False,
            enable_monitoring=False,
            ssr_mode=False,
        )


def read_users(path: str | os.PathLike) -> list[tuple[str, str]]:
    """Return names and passwords.

    Args:
        path: File with a ``user:password`` in each line.

    Raises:
        OSError: It cannot be read.
        ValueError: A line is none; it is not shown.
    """
    text = decode_text(Path(path).read_bytes(), str(path))
    users = []
    for number, line in enumerate(text.splitlines(), 1):
        user, colon, password = line.partition(':')
        if not (user and colon and password):
            raise ValueError(f'{path}: line {number} is not user:password')
        users.append((user, password))
    if not users:
        raise ValueError(f'{path} names no user; write user:password into a line')
    return users
