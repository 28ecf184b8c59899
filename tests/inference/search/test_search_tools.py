"""The tools that index and search films."""

import json
import shutil

import av
import numpy as np
import pytest
from indexed_films import contents

from mmxclip.datasets import upright
from mmxclip.inference.windows import open_film


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
    (sheet := tmp_path / 'sheet.png').write_bytes(b'mine')
    with pytest.raises(SystemExit, match=r'sheet\.png exists'):
        tools('a', '--sheet', sheet)
    assert sheet.read_bytes() == b'mine'
    tools('a', '--sheet', sheet, '--overwrite')
    assert sheet.read_bytes() != b'mine'


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
        (('a', '--cut', '/dev/null/x'), '/dev/null/x'),
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


def test_films_that_are_none_are_one_line(tool, model, films, tmp_path):
    shutil.rmtree(films / 'b/deep')
    (films / 'b/1.mp4').unlink()
    with pytest.raises(SystemExit, match=r'no film in .*bad\.mp4') as error:
        tool('index.py', films / 'b', '--out', tmp_path / 'index', *model)
    assert '\n' not in str(error.value)


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
