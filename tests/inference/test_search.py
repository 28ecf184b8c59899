"""Indexes of films, and searches in them."""

import json
import os
import shutil
import sys
import tarfile
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.fileio import BaseStorageBackend, register_backend
from safetensors import safe_open

from mmxclip.benchmarks.searches import make_large_index
from mmxclip.datasets import Upright
from mmxclip.datasets.shape_actions import MOTIONS, ShapeAction, draw_clip
from mmxclip.datasets.writers.video_writer import VideoWriter
from mmxclip.inference import XCLIPInferencer
from mmxclip.inference.approximate import ApproximateSearch, make_approximate
from mmxclip.inference.encoding import encode_samples
from mmxclip.inference.film_index import FilmIndex
from mmxclip.inference.hits import Hit, merge
from mmxclip.inference.index import build_index
from mmxclip.inference.search import FilmSearch, Where
from mmxclip.inference.windows import WindowPipeline, film_windows, open_film

CUT = dict(window=1.5, stride=0.5)


def write_film(path: Path, frames: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    motions = rng.choice([*MOTIONS], size=3)
    clips = [draw_clip(ShapeAction('square', 'green', m), rng) for m in motions]
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, fps=8, gop=16, options=dict(qp='14')) as video:
        for frame in np.concatenate(clips)[:frames]:
            picture = av.VideoFrame.from_ndarray(frame, format='rgb24')
            video.write(picture.reformat(format='yuv420p'))


@pytest.fixture
def films(tmp_path) -> Path:
    """Four films of 1 to 5 s in two folders, and a file that is none."""
    folder = tmp_path / 'films'
    for i, name in enumerate(['a/1.mp4', 'a/2.mp4', 'b/1.mp4', 'b/deep/2.mp4']):
        write_film(folder / name, 8 + 10 * i, seed=i)
    (folder / 'b/bad.mp4').write_bytes(b'no film')
    return folder


@pytest.fixture
def inferencer(config_file, checkpoint) -> XCLIPInferencer:
    return XCLIPInferencer(config_file, checkpoint, device='cpu')


@pytest.fixture
def other(config_file, checkpoint, tmp_path) -> XCLIPInferencer:
    """A model of other weights."""
    weights = torch.load(checkpoint)
    weights['state_dict']['backbone.ln_post.weight'] += 1
    torch.save(weights, tmp_path / 'other.pth')
    return XCLIPInferencer(config_file, tmp_path / 'other.pth', device='cpu')


@pytest.fixture
def made(inferencer, films, tmp_path) -> str:
    """An index of the films."""
    build_index(inferencer, str(films), str(tmp_path / 'index'), **CUT, context=True)
    return str(tmp_path / 'index')


@pytest.fixture
def search(inferencer, made) -> FilmSearch:
    return FilmSearch(inferencer, FilmIndex(made))


def contents(index: str) -> dict[str, bytes]:
    """All files of an index, hidden ones too."""
    files = [path for path in Path(index).rglob('*') if path.is_file()]
    return {path.relative_to(index).as_posix(): path.read_bytes() for path in files}


def test_an_index_has_the_embedding_of_each_window_of_each_film(
    inferencer, films, made
):
    index = FilmIndex(made)
    assert index.films == ['a/1.mp4', 'a/2.mp4', 'b/1.mp4', 'b/deep/2.mp4']
    prepare, first = WindowPipeline(inferencer.cfg), 0
    for film in index.films:
        with open_film(str(films / film)) as opened:
            for row, window in enumerate(
                film_windows(opened, length=1.5, stride=0.5), first
            ):
                rows = torch.tensor([row])
                expected, context = encode_samples(inferencer, [prepare(window)])
                assert index.films_of(rows) == [film]
                assert index.times[row].tolist() == [window.start, window.end]
                torch.testing.assert_close(
                    index.gather('embeddings', rows), expected, atol=1e-3, rtol=0
                )
                torch.testing.assert_close(
                    index.gather('context', rows), context, atol=5e-3, rtol=0
                )
                first += 1
    assert first == len(index)


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


@pytest.fixture
def faiss():
    pytest.importorskip('faiss', reason='it is the extra mmxclip[faiss]')


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
            picture = av.VideoFrame.from_ndarray(frame, format='rgb24')
            video.write(picture.reformat(format='yuv420p'))
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


def test_only_what_is_new_or_has_changed_is_looked_at(
    inferencer, films, made, monkeypatch
):
    opened = []
    monkeypatch.setattr(
        'mmxclip.inference.index.open_film',
        lambda path: opened.append(Path(path).name) or open_film(path),
    )
    before = contents(made)

    def again():
        opened.clear()
        return build_index(inferencer, str(films), made, **CUT, context=True)

    report = again()
    assert opened == []  # the bad one neither
    assert [*report.problems] == ['b/bad.mp4']
    assert contents(made) == before
    write_film(films / 'new.mp4', 20, seed=9)
    write_film(films / 'a/2.mp4', 30, seed=10)
    (films / 'b/1.mp4').unlink()
    report = again()
    assert sorted(opened) == ['2.mp4', 'new.mp4']
    assert (report.films, report.new, report.changed, report.removed) == (5, 1, 1, 1)
    index = FilmIndex(made)
    assert index.films == ['a/1.mp4', 'a/2.mp4', 'b/deep/2.mp4', 'new.mp4']
    assert len(index) == report.windows
    write_film(films / 'b/bad.mp4', 20, seed=11)  # mended
    report = again()
    assert opened == ['bad.mp4']
    assert not report.problems
    shutil.rmtree(made)
    again()
    assert len(FilmIndex(made)) == report.windows


def test_what_cannot_be_read_now_is_tried_at_each_run(inferencer, films, tmp_path):
    out = str(tmp_path / 'index')
    (films / 'link.mp4').symlink_to(tmp_path / 'there.mp4')
    report = build_index(inferencer, str(films), out, **CUT)
    assert sorted(report.problems) == ['b/bad.mp4', 'link.mp4']
    assert json.loads((Path(out) / 'index.json').read_text())['problems'] == (
        report.problems
    )
    shutil.copy(films / 'a/1.mp4', tmp_path / 'there.mp4')
    report = build_index(inferencer, str(films), out, **CUT)
    assert [*report.problems] == ['b/bad.mp4']
    assert 'link.mp4' in FilmIndex(out).films


def test_prompts_that_look_at_nothing_need_no_context(config_file, films, tmp_path):
    config = Config.fromfile(config_file)
    config.model.cls_head.prompt = None
    weights = MODELS.build(config.model).state_dict()
    torch.save(dict(state_dict=weights), tmp_path / 'plain.pth')
    plain = XCLIPInferencer(config, tmp_path / 'plain.pth', device='cpu')
    out = str(tmp_path / 'plain')
    with pytest.raises(ValueError, match='--context'):
        build_index(plain, str(films), out, **CUT, context=True)
    build_index(plain, str(films), out, **CUT)
    assert FilmSearch(plain, FilmIndex(out)).by_words(['a'], top=2)


def test_an_archive_of_films_is_a_folder(inferencer, films, made, tmp_path):
    with tarfile.open(tmp_path / 'films.tar', 'w') as archive:
        archive.add(films, arcname='.')
    out = str(tmp_path / 'other')
    build_index(inferencer, str(tmp_path / 'films.tar'), out, **CUT, context=True)
    found, expected = FilmIndex(out), FilmIndex(made)
    assert found.films == expected.films
    rows = torch.arange(len(expected))
    assert found.gather('embeddings', rows).equal(expected.gather('embeddings', rows))


def test_what_was_done_before_a_stop_is_kept(inferencer, films, made, monkeypatch):
    whole = contents(made)
    opened = []

    def stopping(path):
        opened.append(path)
        if len(opened) == 3:
            raise KeyboardInterrupt
        return open_film(path)

    shutil.rmtree(made)
    with monkeypatch.context() as patch:
        patch.setattr('mmxclip.inference.index.open_film', stopping)
        with pytest.raises(KeyboardInterrupt):
            build_index(inferencer, str(films), made, **CUT, context=True)
        with pytest.raises(ValueError, match='no windows yet'):
            FilmIndex(made)
        build_index(inferencer, str(films), made, **CUT, context=True)
    assert len(opened) == len(set(opened)) + 1 == 6  # the third one twice
    assert contents(made) == whole


def test_a_lost_description_is_written_anew(inferencer, films, made):
    whole = contents(made)
    (Path(made) / 'index.json').unlink()
    with pytest.raises(FileNotFoundError, match=r'index\.json'):
        FilmIndex(made)
    build_index(inferencer, str(films), made, **CUT, context=True)
    assert contents(made) == whole


def test_damaged_shards_are_named_and_made_anew(inferencer, films, made):
    (path,) = Path(made).glob('shards/*')
    whole = contents(made)
    data = path.read_bytes()
    with safe_open(path, 'pt') as file:
        assert file.get_tensor('embeddings').isfinite().all()
    flipped = bytearray(data)
    flipped[-20000:-10000] = b'\xff' * 10000
    for bad in (data[: len(data) // 2], b'', bytes(flipped), None):
        path.write_bytes(bad) if bad is not None else path.unlink()
        with pytest.raises(ValueError, match=path.name):
            FilmSearch(inferencer, FilmIndex(made)).by_words(['a'])
        build_index(inferencer, str(films), made, **CUT, context=True)
        assert contents(made) == whole


def test_another_model_pipeline_or_window_is_refused(inferencer, other, films, made):
    before = contents(made)
    with pytest.raises(ValueError, match='other weights'):
        FilmSearch(other, FilmIndex(made))
    with pytest.raises(ValueError, match='other weights'):
        build_index(other, str(films), made, **CUT, context=True)
    with pytest.raises(ValueError, match=r'1\.5 s, not 2'):
        build_index(inferencer, str(films), made, window=2, stride=0.5, context=True)
    with pytest.raises(ValueError, match='context'):
        build_index(inferencer, str(films), made, **CUT)
    inferencer.cfg.test_dataloader.dataset.pipeline[3].scale = (-1, 48)
    with pytest.raises(ValueError, match='pipeline'):
        FilmSearch(inferencer, FilmIndex(made))
    assert contents(made) == before


def test_films_that_are_all_gone_do_not_empty_an_index(inferencer, films, made):
    before = contents(made)
    films.rename(films.with_name('moved'))
    for folder in (films, films.parent / 'other'):
        folder.mkdir()
        with pytest.raises(ValueError, match='no video'):
            build_index(inferencer, str(folder), made, **CUT, context=True)
        write_film(folder / 'else.mp4', 8, seed=0)
        with pytest.raises(ValueError, match=str(folder)):
            build_index(inferencer, str(folder), made, **CUT, context=True)
    assert contents(made) == before
    moved = films.with_name('moved')
    report = build_index(inferencer, str(moved), made, **CUT, context=True)
    assert (report.new, report.changed, report.removed) == (0, 0, 0)
    assert FilmIndex(made).manifest.folder == str(moved)


@pytest.fixture
def model(config_file, checkpoint) -> tuple:
    return '--config', config_file, '--checkpoint', checkpoint


@pytest.fixture
def tools(tool, model, films, tmp_path):
    """Run tools/index.py, then tools/search.py with arguments."""
    index = tmp_path / 'index'
    cut = ('--window', 1.5, '--stride', 0.5)

    def run(*args):
        if not index.exists():
            said = tool('index.py', films, '--out', index, *cut, *model)
            assert '4 films' not in said
            assert 'b/bad.mp4' in said
        return tool('search.py', index, *args)

    return run


def test_the_tools_print_draw_and_cut(tools, films, tmp_path):
    """Without the model, which is that of the index."""
    out = tmp_path / 'cuts'
    sheet = tmp_path / 'sheet.png'
    printed = tools('a dog runs', 'wörd', '--top', 3, '--sheet', sheet, '--cut', out)
    assert printed.splitlines()[0] == 'a dog runs'
    assert 'wörd' in printed.splitlines()
    found = json.loads(tools('a dog runs', 'wörd', '--top', 3, '--json'))
    assert [row['query'] for row in found] == ['a dog runs', 'wörd']
    assert sheet.read_bytes().startswith(b'\x89PNG')
    upright = Upright()
    cuts = sorted(out.iterdir())
    hits = [hit for row in found for hit in row['hits']]
    assert len(cuts) == len(hits)
    for path, hit in zip(cuts, hits, strict=True):
        assert hit['path'] == str(films / hit['film'])
        with open_film(hit['path']) as film:
            expected = [
                upright(picture)
                for time, picture in film.frames()
                if hit['start'] <= time < hit['end']
            ]
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            assert stream.codec_context.name == 'h264'
            frames = [upright(frame) for frame in container.decode(stream)]
        assert len(frames) == len(expected)
        for frame, old in zip(frames, expected, strict=True):
            assert np.abs(frame.astype(int) - old).mean() < 12


@pytest.mark.slow
def test_cuts_replace_nothing(tools, tmp_path):
    out = tmp_path / 'cuts'
    tools('a', '--cut', out)
    before = {path: path.read_bytes() for path in out.iterdir()}
    (last := sorted(before)[-1]).write_bytes(b'mine')
    sorted(before)[0].unlink()
    with pytest.raises(SystemExit, match='exists') as error:
        tools('a', '--cut', out)
    assert '\n' not in str(error.value)
    assert last.read_bytes() == b'mine'
    assert not sorted(before)[0].exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ('args', 'named'),
    [
        ((), 'nothing to look for'),
        (('',), 'empty'),
        (('a', 'A'), 'one text'),
        (('a', '--top', '0'), 'top'),
        (('a', '--below', 'c'), "'c'"),
        (('--like', 'gone.mp4'), r'gone\.mp4'),
        (('--queries', 'gone.txt'), r'gone\.txt'),
        (('a', '--sheet', 'x.jpg'), r'x\.jpg'),
    ],
)
def test_wrong_input_is_one_line(tools, args, named):
    with pytest.raises(SystemExit, match=named) as error:
        tools(*args)
    assert str(error.value).startswith('error: ')
    assert '\n' not in str(error.value)


def test_places_that_cannot_be_written_are_one_line(tool, model, films, tmp_path):
    (tmp_path / 'file').touch()
    (tmp_path / 'empty').mkdir()
    for folder, out, named in [
        (films, tmp_path / 'file/index', 'file/index'),
        (tmp_path / 'empty', tmp_path / 'index', 'empty'),
        (tmp_path / 'gone', tmp_path / 'index', 'gone'),
        (films / 'a/1.mp4', tmp_path / 'index', r'1\.mp4 is one film'),
        (films, 'http://localhost/index', 'localhost'),
    ]:
        with pytest.raises(SystemExit, match=named) as error:
            tool('index.py', folder, '--out', out, *model)
        assert '\n' not in str(error.value)
    assert not (tmp_path / 'index').exists()


def test_any_number_of_processes_makes_the_same_index(
    two_processes, tool, model, films, tmp_path
):
    options = (*model, '--context')
    first, second = two_processes(
        'index.py', films, '--out', tmp_path / 'two', *options
    )
    tool('index.py', films, '--out', tmp_path / 'one', *options)
    assert '5 films' in first
    assert not second
    one, two = contents(str(tmp_path / 'one')), contents(str(tmp_path / 'two'))
    assert one == two


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
