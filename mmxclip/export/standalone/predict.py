"""Name the action in videos with an exported X-CLIP, without PyTorch.

    python predict.py clip.mp4 --labels "a dog runs, a cat sleeps"

It needs ``numpy``, ``onnxruntime`` and ``av``, and the files beside it. As a library::

    from predict import Recognizer
    recognizer = Recognizer('.')
    scores = recognizer('clip.mp4', ['a dog runs', 'a cat sleeps'])
"""

import argparse
import functools
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import av
import numpy as np
import onnxruntime

from mmxclip.export.standalone.clip_tokenizer import Tokenizer

Labels: TypeAlias = Sequence[str] | Mapping[str, Sequence[str]]
Classes: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]  # names and texts


class Recognizer:
    """An exported model.

    Args:
        folder: What ``tools/export_onnx.py`` wrote. Default: that of this file.

    Raises:
        FileNotFoundError: A file of it is missing.

    Attributes:
        settings: ``pipeline.json``.
    """

    def __init__(self, folder: str | Path = Path(__file__).parent) -> None:
        self.folder = Path(folder)
        text = (self.folder / 'pipeline.json').read_text(encoding='utf-8')
        self.settings: dict[str, Any] = json.loads(text)
        self._sessions: dict[str, onnxruntime.InferenceSession] = {}
        self.encode_texts = functools.lru_cache(maxsize=16)(self._encode_texts)

    def __call__(
        self, video: str | Path | np.ndarray, labels: Labels | None = None
    ) -> dict[str, float]:
        """Return the score of each class, best first.

        Args:
            video: A file, or frames, RGB, uint8 (T, height, width, 3).
            labels: Class names, or a dict of names and texts that describe them, whose
                features are averaged. Default: those of the export.

        Raises:
            OSError: The file cannot be read.
            ValueError: It holds no video; there are no labels, or they are too long.
        """
        classes = _classes(labels or self.settings['classes'])
        text = self.encode_texts(classes)
        scores = self.score(*self.encode_video(video), text)
        best = np.argsort(-scores, kind='stable')
        return {classes[i][0]: float(scores[i]) for i in best}

    def encode_video(self, video: str | Path | np.ndarray) -> list[np.ndarray]:
        """Return embeddings of the V views (V, E) and, if any, the prompts' context."""
        return self._run('video', frames=self.views(video))

    def views(self, video: str | Path | np.ndarray) -> np.ndarray:
        """Return what the model sees, uint8 (V, 3, T, H, W)."""
        total = sum(1 for _ in _frames(video))
        if not total:
            raise ValueError(f'{video} has no frames')
        num_frames, num_views = self.settings['num_frames'], self.settings['num_views']
        length = total / num_frames
        shifts = (np.arange(num_views) + 0.5) / num_views * length
        numbers = (np.arange(num_frames) * length + shifts[:, None]).astype(int)
        chosen = set(numbers.flatten().tolist())
        crops = {
            i: self._crops(_array(frame))
            for i, frame in enumerate(_frames(video))
            if i in chosen
        }
        clips = [
            [crops[i][place] for i in row]
            for place in range(self.settings['num_crops'])
            for row in numbers.tolist()
        ]
        return np.array(clips).transpose(0, 4, 1, 2, 3)

    def score(self, embedding: np.ndarray, *others: np.ndarray) -> np.ndarray:
        """Return the scores (K, ) of a video, the mean over its views.

        Args:
            embedding: (V, E).
            *others: Its context, if any, and class features (P, K, E).
        """
        names = ('context', 'text')[-len(others) :]
        given = dict(zip(names, others, strict=True), embedding=embedding)
        (logits,) = self._run(
            'score', scale=np.array(self.settings['scale'], np.float32), **given
        )
        if self.settings['activation'] == 'softmax':
            logits = np.exp(logits - logits.max(axis=1, keepdims=True))
            logits = logits / logits.sum(axis=1, keepdims=True)
        elif self.settings['activation'] == 'sigmoid':
            logits = 1 / (1 + np.exp(-logits - self.settings['bias']))
        return logits.mean(axis=0)

    def _encode_texts(self, classes: Classes) -> np.ndarray:
        """Return class features (P, K, E)."""
        frozen = self.folder / 'classes.npy'
        if frozen.exists():
            if classes != _classes(self.settings['classes']):
                raise ValueError(
                    'this export knows its own classes only ("classes" in '
                    'pipeline.json); export without --freeze-classes for others'
                )
            return np.load(frozen)
        texts = [text for _, texts in classes for text in texts]
        ends = np.cumsum([len(texts) for _, texts in classes])[:-1]
        features = []
        for template in self.settings['templates']:
            tokens = self._tokens([template.format(text) for text in texts])
            if len({rows.tobytes() for rows in np.split(tokens, ends)}) < len(classes):
                raise ValueError('two of the labels are one text')
            parts = np.split(self._run('text', tokens=tokens)[0], ends)
            features.append(np.stack([part.mean(axis=0) for part in parts]))
        return np.stack(features)

    def _tokens(self, texts: list[str]) -> np.ndarray:
        """Return token ids (K, S) of texts."""
        tokenizer = Tokenizer(self.folder / 'vocabulary.txt.gz')
        rows = {text: tokenizer(text) for text in texts}
        length, limit = max(map(len, rows.values())), self.settings['context_length']
        if length > limit:
            longest = max(rows, key=lambda text: len(rows[text]))
            raise ValueError(f'{longest[:100]!r} has more than {limit} tokens')
        return np.array(
            [rows[text] + [0] * (length - len(rows[text])) for text in texts]
        )

    def _crops(self, frame: np.ndarray) -> list[np.ndarray]:
        side = self.settings['crop_size']
        height, width = frame.shape[:2]
        ratio = self.settings['short_side'] / min(height, width)
        height, width = int(height * ratio + 0.5), int(width * ratio + 0.5)
        frame = resize(frame, height, width)
        x, y = (width - side) // 2, (height - side) // 2
        three = self.settings['num_crops'] == 3
        places = [(0, 0), (2 * x, 2 * y), (x, y)] if three else [(x, y)]
        return [frame[y : y + side, x : x + side] for x, y in places]

    def _run(self, name: str, **inputs: np.ndarray) -> list[np.ndarray]:
        if name not in self._sessions:
            path = self.folder / f'{name}.onnx'
            if not path.exists():
                raise FileNotFoundError(f'{path} is missing; export the model again')
            self._sessions[name] = onnxruntime.InferenceSession(
                path, providers=onnxruntime.get_available_providers()
            )
        return self._sessions[name].run(None, inputs)


def _classes(labels: Labels) -> Classes:
    if isinstance(labels, Mapping):
        return tuple((name, tuple(texts)) for name, texts in labels.items())
    return tuple((name, (name,)) for name in labels)


def resize(frame: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize as OpenCV does (linear, no antialiasing), to one grey level."""
    left, right, across = _taps(width, frame.shape[1])
    upper, lower, down = _taps(height, frame.shape[0])

    def rows(numbers: np.ndarray, weights: np.ndarray) -> np.ndarray:
        lines = frame[numbers].astype(np.int32)
        mixed = lines[:, left] * across[0] + lines[:, right] * across[1]
        return ((mixed >> 4) * weights) >> 16

    total = rows(upper, down[0][:, None]) + rows(lower, down[1][:, None])
    return ((total + 2) >> 2).astype(np.uint8)


def _taps(new: int, old: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the neighbours of new pixels, and their weights (2, new, 1) of 2048."""
    at = (np.arange(new) + 0.5) * (old / new) - 0.5
    first = np.floor(at).astype(int)
    part = at - first
    part[(first < 0) | (first >= old - 1)] = 0
    first = first.clip(0, old - 1)
    weights = np.rint(np.stack([1 - part, part]) * 2048).astype(np.int32)[..., None]
    return first, (first + 1).clip(max=old - 1), weights


def _frames(video: str | Path | np.ndarray) -> Iterator[Any]:
    """Yield frames, of a file up to its end or its first error."""
    if isinstance(video, np.ndarray):
        yield from video
        return
    options = dict(protocol_whitelist='pipe')  # a playlist may open nothing else
    with (
        open(video, 'rb') as file,
        av.open(file, metadata_errors='ignore', options=options) as container,
    ):
        films = [
            stream
            for stream in container.streams.video
            if not stream.disposition & av.stream.Disposition.attached_pic
        ]
        if not films:
            raise ValueError(f'{video} has no video stream')
        best = container.streams.best('video')
        stream = best if best in films else films[0]
        stream.thread_type = 'AUTO'
        try:
            yield from container.decode(stream)
        except av.FFmpegError:
            return


def _array(frame: Any) -> np.ndarray:
    if isinstance(frame, np.ndarray):
        return frame
    picture = frame.to_ndarray(format='rgb24')
    matrix = frame.side_data.get('DISPLAYMATRIX')
    if matrix is None:
        return picture
    # Turned or mirrored: x' = a x + c y, y' = b x + d y
    a, b, _, c, d, *_ = np.frombuffer(matrix, np.int32).tolist()
    if abs(b) > abs(a):
        picture, a, d = picture.swapaxes(0, 1), c, b
    return picture[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]


def main() -> None:
    """Predict videos; the exit status is 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('videos', nargs='+', metavar='VIDEO')
    parser.add_argument('--labels', help='"a, b, c", or a file with one a line')
    parser.add_argument('--top', type=int, default=5, help='scores to print')
    parser.add_argument('--json', action='store_true', help='one JSON line a video')
    args = parser.parse_args()
    recognizer, failed = Recognizer(), False
    for video in args.videos:
        try:
            scores = recognizer(video, _labels(args.labels))
        except (OSError, ValueError, av.FFmpegError) as error:
            print(f'error: {video}: {error}', file=sys.stderr)
            failed = True
            continue
        if args.json:
            print(json.dumps(dict(video=video, scores=scores), ensure_ascii=False))
            continue
        best = list(scores.items())[: args.top]
        print(video, *(f'  {score:6.3f}  {name}' for name, score in best), sep='\n')
    sys.exit(failed)


def _labels(given: str | None) -> list[str] | None:
    if given is None:
        return None
    is_file = Path(given).is_file()
    lines = Path(given).read_text('utf-8').splitlines() if is_file else given.split(',')
    return [line.strip() for line in lines if line.strip()]


if __name__ == '__main__':
    main()
