"""Films and indexes in archives and object stores."""

import os
import tarfile
from pathlib import Path

import torch
from indexed_films import CUT
from mmengine.fileio import BaseStorageBackend, register_backend

from mmxclip.inference.film_index import FilmIndex
from mmxclip.inference.index import build_index
from mmxclip.inference.search import FilmSearch


def test_an_archive_of_films_is_a_folder(inferencer, films, made, tmp_path):
    with tarfile.open(tmp_path / 'films.tar', 'w') as archive:
        archive.add(films, arcname='.')
    out = str(tmp_path / 'other')
    build_index(inferencer, str(tmp_path / 'films.tar'), out, **CUT, context=True)
    found, expected = FilmIndex(out), FilmIndex(made)
    assert found.films == expected.films
    rows = torch.arange(len(expected))
    assert found.gather('embeddings', rows).equal(expected.gather('embeddings', rows))


@register_backend('shelf', prefixes='shelf', force=True)
class Shelf(BaseStorageBackend):
    """An object store: names and bytes, as in $SHELF; it knows no times or folders."""

    def _file(self, path):
        name = str(path).removeprefix('shelf://').replace('/', '%')
        return Path(os.environ['SHELF'], name)

    def get(self, path):
        return self._file(path).read_bytes()

    def get_text(self, path):
        return self.get(path).decode()

    def put(self, data, path):
        self._file(path).write_bytes(data)

    def isfile(self, path):
        return self._file(path).exists()

    def remove(self, path):
        self._file(path).unlink()

    def join_path(self, path, *names):
        return '/'.join([str(path).rstrip('/'), *names])

    def list_dir_or_file(self, path, list_dir=True, recursive=False):
        start = self._file(self.join_path(path, '')).name
        for file in Path(os.environ['SHELF']).iterdir():
            name = file.name.removeprefix(start).replace('%', '/')
            if file.name.startswith(start) and (recursive or '/' not in name):
                yield name


def test_films_and_index_may_lie_in_an_object_store(
    inferencer, films, made, tmp_path, monkeypatch
):
    shelf = tmp_path / 'shelf'
    shelf.mkdir()
    monkeypatch.setenv('SHELF', str(shelf))
    for path in films.rglob('*.mp4'):
        name = f'bucket/films/{path.relative_to(films).as_posix()}'
        Shelf().put(path.read_bytes(), f'shelf://{name}')
    places = ('shelf://bucket/films', 'shelf://bucket/index')
    report = build_index(inferencer, *places, **CUT, context=True)
    assert (report.films, report.new, [*report.problems]) == (5, 5, ['b/bad.mp4'])
    assert build_index(inferencer, *places, **CUT, context=True).new == 0
    with FilmIndex('shelf://bucket/index') as there:
        found = FilmSearch(inferencer, there).by_words(['a dog runs'])
    assert found == FilmSearch(inferencer, FilmIndex(made)).by_words(['a dog runs'])
