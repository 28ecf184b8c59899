"""Searches in an index of films, by words or by an example."""

from dataclasses import replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from mmxclip.inference.approximate import ApproximateSearch
from mmxclip.inference.encoding import encode_samples
from mmxclip.inference.film_index import FilmIndex
from mmxclip.inference.hits import Hit, merge
from mmxclip.inference.model_digests import model_digests
from mmxclip.inference.xclip_inferencer import XCLIPInferencer
from mmxclip.text import ClassSource
from mmxclip.utils.checks import check_count

_AT_ONCE = 64  # windows whose prompts are computed together


class Where(NamedTuple):
    """Which windows take part in a search.

    Attributes:
        folder: Those of films below it, as it lies below the folder of films; or of
            one film.
        start: Those that end after this time of their film, in seconds.
        end: Those that start before this time of their film, in seconds.
    """

    folder: str = ''
    start: float = 0.0
    end: float = float('inf')


class FilmSearch:
    """Finds places in the films of an index.

    Args:
        inferencer: The model that the index was made with.
        index: The index.
        approximate: Whether to look at a part of the windows only, with faiss.

    Attributes:
        reranks: Whether the best windows of a search by words are ranked anew with
            video-specific prompts: where the index has what these need.

    Raises:
        ValueError: The index is of another model or pipeline, or has nothing for the
            approximate search.
        ImportError: That one without faiss.

    Examples:
        >>> search = FilmSearch(inferencer, FilmIndex('index'))  # doctest: +SKIP
        >>> search.by_words(['a person falls'], top=1)  # doctest: +SKIP
        [[Hit(film='a/1.mp4', start=12.0, end=17.0, score=0.31)]]
    """

    def __init__(
        self,
        inferencer: XCLIPInferencer,
        index: FilmIndex,
        *,
        approximate: bool = False,
    ) -> None:
        self._inferencer, self._index = inferencer, index
        self._best = (ApproximateSearch(index) if approximate else index).best
        self._head = inferencer.model.cls_head
        made = index.manifest.settings
        self.reranks = made.context
        made.check(replace(made, **model_digests(inferencer)), index.root)

    def by_words(
        self,
        texts: ClassSource,
        *,
        top: int = 10,
        best: int = 200,
        where: Where = Where(),  # noqa: B008 (immutable)
    ) -> list[list[Hit]]:
        """Find what texts say.

        Args:
            texts: Any words, all different, or words with descriptions, as
                :meth:`mmxclip.text.Classes.of` takes them.
            top: Hits of each text, at most.
            best: Windows that hits are made of, and that are ranked anew.
            where: Which windows take part.

        Returns:
            Hits of each text, best first.

        Raises:
            ValueError: There are no texts, two are one, or a setting is wrong.
        """
        allowed = self._allowed(where)
        with torch.no_grad():
            features, queries = self._encode(texts)
            found = []
            for number, query in enumerate(queries):
                rows, scores = self._best(query, best, allowed)
                if self.reranks and len(rows):
                    text = features[:, number : number + 1]
                    scores = self._prompted(rows, text)
                found.append(self._hits(rows, scores, top))
        return found

    def by_example(
        self,
        clip: str,
        *,
        top: int = 10,
        best: int = 200,
        where: Where = Where(),  # noqa: B008 (immutable)
    ) -> list[Hit]:
        """Find what looks like a clip.

        Args:
            clip: A video, which is seen whole, as if it were one window.
            top: See :meth:`by_words`.
            best: See there.
            where: See there.

        Raises:
            OSError: It cannot be read.
            VideoError: It is no video.
        """
        (query,), _ = encode_samples(
            self._inferencer, [self._inferencer.pipeline(clip)]
        )
        rows, scores = self._best(query, best, self._allowed(where))
        return self._hits(rows, scores, top)

    def _allowed(self, where: Where) -> Tensor | None:
        if where == Where():
            return None
        starts, ends = self._index.times.unbind(dim=1)
        allowed = (ends > where.start) & (starts < where.end)
        if where.folder:
            allowed &= self._index.rows_below(where.folder)
        return allowed

    @torch.no_grad()
    def queries(self, texts: ClassSource) -> Tensor:
        """Return what windows are multiplied with for each text (K, E)."""
        return self._encode(texts)[1]

    def _encode(self, texts: ClassSource) -> tuple[Tensor, Tensor]:
        """Return the features of texts (P, K, E), and their queries (K, E)."""
        features = self._head.text_features(self._head.make_texts(texts))
        plain = F.normalize(self._plain(features).float(), dim=-1)
        return features, plain.mean(dim=0).cpu()

    def _plain(self, features: Tensor) -> Tensor:
        """Return features (P, K, E) with prompts that look at nothing of a video."""
        prompt = self._head.prompt
        if prompt is None or prompt.needs_context:
            return features
        return torch.stack([prompt(one, None) for one in features])

    def _prompted(self, rows: Tensor, text: Tensor) -> Tensor:
        """Return the cosines of windows with a text that is prompted by each.

        Args:
            rows: Numbers of the windows (n, ).
            text: Features in P templates (P, 1, E).
        """
        scale = self._head.logit_scale.float().exp()
        scores = []
        for some in rows.split(_AT_ONCE):
            embedding, context = (
                self._index.gather(name, some).to(text.device)
                for name in ('embeddings', 'context')
            )
            logits = self._head.score(embedding, context.to(text.dtype), text)
            scores.append(logits[:, 0] / scale)
        return torch.cat(scores).cpu()

    def _hits(self, rows: Tensor, scores: Tensor, top: int) -> list[Hit]:
        check_count('top', top)
        times = self._index.times[rows].tolist()
        films = self._index.films_of(rows)
        windows = [
            Hit(film, start, end, score)
            for film, (start, end), score in zip(
                films, times, scores.tolist(), strict=True
            )
        ]
        return merge(windows)[:top]
