"""Indexes of films: what they hold, how they grow, and what they refuse."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from indexed_films import CUT, contents, write_film
from mmaction.registry import MODELS
from mmengine.config import Config
from safetensors import safe_open

from mmxclip.inference import XCLIPInferencer
from mmxclip.inference.encoding import encode_samples
from mmxclip.inference.film_index import FilmIndex
from mmxclip.inference.index import build_index
from mmxclip.inference.search import FilmSearch
from mmxclip.inference.window_pipeline import WindowPipeline
from mmxclip.inference.windows import film_windows, open_film


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
