"""Approximate searches."""

import sys

import numpy as np
import pytest
import torch
from indexed_films import write_film

from mmxclip.benchmarks.searches import make_large_index
from mmxclip.inference.approximate import ApproximateSearch, make_approximate
from mmxclip.inference.film_index import FilmIndex


@pytest.mark.usefixtures('faiss')
def test_the_approximate_search_finds_nearly_the_same(tmp_path):
    make_large_index(tmp_path / 'index', 6000, width=32)
    index = FilmIndex(str(tmp_path / 'index'))
    with pytest.raises(ValueError, match='--approximate'):
        ApproximateSearch(index)
    queries = torch.nn.functional.normalize(torch.randn(20, 32))
    recall = make_approximate(index, queries)
    search = ApproximateSearch(FilmIndex(str(tmp_path / 'index')))
    assert search.recall == pytest.approx(recall, abs=1e-3)
    assert recall >= 0.95
    odd = torch.arange(6000) % 2 == 1
    for query in queries[:3]:
        for allowed in (None, odd):
            rows, scores = search.best(query, 10, allowed)
            expected, exact = index.best(query, 10, allowed)
            common = np.isin(rows, expected)
            assert common.sum() >= 8
            assert allowed is None or allowed[rows].all()
            products = dict(zip(expected.tolist(), exact, strict=True))
            for row, score in zip(rows.tolist(), scores, strict=True):
                assert score == pytest.approx(products.get(row, score))
    path = tmp_path / 'index/approximate.faiss'
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r'approximate\.faiss'):
        ApproximateSearch(index)


@pytest.mark.usefixtures('faiss')
def test_an_approximate_search_belongs_to_one_state(
    tool, model, tools, films, tmp_path
):
    with pytest.raises(SystemExit, match='--approximate'):
        tools('a', '--approximate')
    again = ('index.py', films, '--out', tmp_path / 'index', *model)
    again += ('--window', 1.5, '--stride', 0.5)
    assert 'recall at 10 is 1.000' in tool(*again, '--approximate')
    assert tools('a', '--approximate') == tools('a')
    tool(*again)
    assert tools('a', '--approximate') == tools('a')
    write_film(films / 'new.mp4', 20, seed=9)
    tool(*again)
    with pytest.raises(SystemExit, match='--approximate'):
        tools('a', '--approximate')


def test_without_its_package_it_is_named(tools, monkeypatch):
    monkeypatch.setitem(sys.modules, 'faiss', None)
    with pytest.raises(SystemExit, match=r'mmxclip\[faiss\]'):
        tools('a', '--approximate')
