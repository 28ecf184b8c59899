"""Searches in an index by words and by examples."""

import pytest
import torch

from mmxclip.datasets.writers.video_writer import VideoWriter
from mmxclip.inference.encoding import encode_samples
from mmxclip.inference.film_index import FilmIndex
from mmxclip.inference.hits import Hit, merge
from mmxclip.inference.search import FilmSearch, Where
from mmxclip.inference.window_pipeline import WindowPipeline
from mmxclip.inference.windows import film_windows, open_film


def test_the_model_scores_its_own_windows_likewise(inferencer, films, made):
    """Plain search is the cosine, search with prompts the logit of the head."""
    search = FilmSearch(inferencer, FilmIndex(made))
    head = inferencer.model.cls_head
    text = head.text_features(head.make_texts(['a dog runs'])).detach()
    expected = {}
    for film in FilmIndex(made).films:
        with open_film(str(films / film)) as opened:
            for window in film_windows(opened, length=1.5, stride=0.5):
                sample = WindowPipeline(inferencer.cfg)(window)
                embedding, context = encode_samples(inferencer, [sample])
                with torch.no_grad():
                    logit = head.score(embedding, context, text)
                expected[film, window.start] = (
                    float(logit / head.logit_scale.exp()),
                    float(torch.cosine_similarity(embedding, text[0])),
                )
    for kind, reranks in enumerate((True, False)):
        search.reranks = reranks
        ((best, *_),) = search.by_words(['a dog runs'])
        scores = [both[kind] for both in expected.values()]
        assert best.score == pytest.approx(max(scores), abs=2e-3)


def test_the_best_are_those_of_the_whole_product():
    torch.manual_seed(0)
    # Close together, as the windows of one film are: many are equal in half precision.
    rows = torch.nn.functional.normalize(torch.randn(64) + 0.02 * torch.randn(5000, 64))
    rows = rows.half()
    query = torch.nn.functional.normalize(torch.randn(64), dim=0)
    index = FilmIndex.__new__(FilmIndex)
    index._shards = [FakeShard(rows[:1234]), FakeShard(rows[1234:])]
    index._shard_ends = torch.tensor([1234, 5000])
    exact = rows.float() @ query
    found, scores = index.best(query, 50)
    assert found.tolist() == exact.argsort(descending=True, stable=True)[:50].tolist()
    torch.testing.assert_close(scores, exact[found])
    odd = torch.arange(5000) % 2 == 1
    found, _ = index.best(query, 4000, odd)
    assert len(found) == 2500
    assert odd[found].all()


class FakeShard:
    name = 'shards/x'

    def __init__(self, rows):
        self.tensors = dict(embeddings=rows)

    def __len__(self):
        return len(self.tensors['embeddings'])


def test_an_example_is_found_where_it_was_cut_from(inferencer, films, search, tmp_path):
    with open_film(str(films / 'b/deep/2.mp4')) as film:
        window = list(film_windows(film, length=1.5, stride=0.5))[4]
    path = tmp_path / 'cut.mp4'
    with VideoWriter(path, fps=8, gop=16, options=dict(qp='4')) as video:
        for frame in window.get_batch(range(len(window))):
            video.write_image(frame)
    hit = search.by_example(str(path), best=1)[0]
    assert (hit.film, hit.start, hit.end) == ('b/deep/2.mp4', 2, 3.5)
    assert hit.score > 0.99


def test_searches_keep_to_folders_and_times(search):
    def found(**where):
        (hits,) = search.by_words(['a'], best=1000, top=1000, where=Where(**where))
        return hits

    assert {hit.film for hit in found(folder='a')} == {'a/1.mp4', 'a/2.mp4'}
    assert {hit.film for hit in found(folder='b/deep/')} == {'b/deep/2.mp4'}
    assert {hit.film for hit in found(folder='a/1.mp4')} == {'a/1.mp4'}
    late = found(start=3.2, end=4)
    assert {hit.film for hit in late} == {'b/1.mp4', 'b/deep/2.mp4'}
    assert all(hit.end > 3.2 and hit.start < 4 for hit in late)
    assert found(start=100) == []
    with pytest.raises(ValueError, match='nowhere'):
        found(folder='nowhere')


def test_many_texts_are_one_call(search):
    both = search.by_words(['a dog runs', 'a cat sleeps'], top=3)
    for text, hits in zip(('a dog runs', 'a cat sleeps'), both, strict=True):
        (alone,) = search.by_words([text], top=3)
        assert [(hit.film, hit.start) for hit in hits] == [
            (hit.film, hit.start) for hit in alone
        ]
        scores = [hit.score for hit in hits]
        assert scores == pytest.approx([hit.score for hit in alone], abs=1e-6)
        assert scores == sorted(scores, reverse=True)
    for texts in ([], ['a', 'A']):
        with pytest.raises(ValueError, match=r'no class names|one text'):
            search.by_words(texts)


def test_windows_that_overlap_are_one_hit():
    scores = [0.1, 0.1, 0.5, 0.9, 0.7, 0.2, 0.1, 0.1]
    windows = [Hit('a', i, i + 2, score) for i, score in enumerate(scores)]
    other = Hit('b', 3, 5, 0.95)
    first, second, *rest = merge([*windows, other])
    assert first == other
    assert second == Hit('a', 3, 6, 0.9)
    hits = [first, second, *rest]
    assert not any(a.overlaps(b) for a in hits for b in hits if a is not b)
    assert merge([]) == []
    # One that lies between two joins them.
    apart = [Hit('a', 0, 4, 0.9), Hit('a', 5, 9, 0.8), Hit('b', 0, 4, 0.1)]
    assert merge(apart) == apart
    joined = merge([*apart, Hit('a', 3, 7, 0.79)])
    assert joined == [Hit('a', 0, 9, 0.9), apart[2]]
