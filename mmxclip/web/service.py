"""What all parts of the page share: models, limits, and what users have uploaded."""

import re
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder

from mmxclip.inference import XCLIPInferencer
from mmxclip.inference.predict import ERRORS
from mmxclip.web.limits import Limits
from mmxclip.web.parts import shown


class Service:
    """Models that answer one request after the other.

    Args:
        models: By the names that users choose from; the first is the usual one.
        limits: Of each request.
        samples: Videos for all users, each with texts, see :func:`draw_samples`.
    """

    def __init__(
        self,
        models: Mapping[str, XCLIPInferencer],
        limits: Limits,
        samples: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.models, self.limits, self.samples = models, limits, samples
        self.model = next(iter(models.values()))
        self._uploads: defaultdict[str | None, set[str]] = defaultdict(set)
        self._uploads[None] = {path for path, _ in samples}  # nobody leaves
        self._lock = threading.Lock()

    def take(self, upload: str | None, request: gr.Request) -> str:
        """Return the path of a video within the limits, and note whose it is.

        Raises:
            VideoError: It is no video.
            ValueError: There is none, or it is too large or too long.
        """
        if upload is not None:
            with self._lock:
                self._uploads[request.session_hash].add(upload)
        return self.limits.check_clip(upload)

    def forget(self, request: gr.Request) -> None:
        """Delete what a user has uploaded who has left.

        One file may be two users', as Gradio names files by their contents.
        """
        with self._lock:
            mine = self._uploads.pop(request.session_hash, set())
            others = set().union(*self._uploads.values())
            for path in mine - others:
                Path(path).unlink(missing_ok=True)


@contextmanager
def told_on_page() -> Iterator[None]:
    """Show on the page, in one sentence, what is wrong with what a user has given."""
    try:
        yield
    except (*ERRORS, ImportError) as error:
        text = ' '.join(str(error).split()) or type(error).__name__
        folder = re.escape(get_upload_folder())
        text = re.sub(rf'{folder}/([^/ ]*/)*', '', text)  # is nobody's business
        raise gr.Error(shown(text), duration=None, print_exception=False) from error
