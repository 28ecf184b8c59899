"""The tool that prints and writes timelines."""

import json
import signal

import av
import pytest

from mmxclip.inference import XCLIPInferencer


@pytest.fixture
def timeline(tool, config_file, checkpoint, film):
    """Run the tool on the film."""

    def run(*args, labels='a, b b, c', given=(film,)):
        model = ('--config', config_file, '--checkpoint', checkpoint)
        return tool('timeline.py', *given, '--labels', labels, *args, *model)

    return run


def test_the_tool_prints_ranges_and_writes_files(timeline, tmp_path):
    out = [tmp_path / f'out/film.{ending}' for ending in ('json', 'srt', 'png', 'mp4')]
    printed = timeline('--threshold', '0.3', '--out', *out)
    found = json.loads(out[0].read_text())
    assert found['labels'] == ['a', 'b b', 'c']
    assert len(found['windows']) == 8
    assert len(printed.splitlines()) == len(found['ranges']) > 0
    assert found['ranges'][0]['label'] in printed
    assert all(path.stat().st_size > 30 for path in out)
    assert json.loads(timeline('--json', '--threshold', '0.3')) == found
    assert 'Nothing' in timeline('--threshold', '1')
    before = out[1].read_bytes()
    with pytest.raises(SystemExit, match=r'film\.srt exists'):
        timeline('--out', out[1])
    assert out[1].read_bytes() == before
    timeline('--out', out[1], '--overwrite', '--threshold', '1')
    assert out[1].read_bytes() != before


def test_processes_share_a_film(two_processes, config_file, checkpoint, film, timeline):
    options = ('--threshold', '0.3', '--stride', '0.7', '--json')
    model = ('--config', config_file, '--checkpoint', checkpoint)
    first, second = two_processes(
        'timeline.py', film, '--labels', 'a, b b, c', *options, *model
    )
    assert not second
    one, both = json.loads(timeline(*options)), json.loads(first)
    for a, b in zip(one.pop('windows'), both.pop('windows'), strict=True):
        assert a.pop('scores') == pytest.approx(b.pop('scores'), abs=1e-4)
        assert a == b
    assert [r['label'] for r in one['ranges']] == [r['label'] for r in both['ranges']]


@pytest.mark.slow
@pytest.mark.parametrize(
    ('args', 'named'),
    [
        (('--labels', ''), '--labels'),
        (('--labels', 'walking'), 'walking'),
        (('--labels', 'a, A'), 'one text'),
        (('--background', 'a'), "'a'"),
        (('--window', '0'), 'window'),
        (('--threshold', '2'), 'threshold'),
        (('--out', 'film.doc'), r'film\.doc'),
        (('--out', '/dev/null/film.srt'), '/dev/null'),
        (('--batch-size', '0'), 'batch_size'),
    ],
)
def test_wrong_input_is_one_line(timeline, args, named):
    with pytest.raises(SystemExit, match=named) as error:
        timeline(*args)
    assert str(error.value).startswith('error: ')
    assert '\n' not in str(error.value)


def test_wrong_films_are_one_line(timeline, film, tmp_path):
    noise, sound = tmp_path / 'noise.mp4', tmp_path / 'sound.wav'
    noise.write_bytes(b'no film')
    with av.open(str(sound), 'w') as container:
        stream = container.add_stream('pcm_s16le', rate=8000)
        silence = av.AudioFrame(format='s16', layout='mono', samples=8000)
        silence.sample_rate = 8000
        container.mux(stream.encode(silence))
    for path in (noise, sound, tmp_path / 'gone.mp4'):
        with pytest.raises(SystemExit, match=path.name):
            timeline(given=[path])
    with pytest.raises(SystemExit, match='what is read'):
        timeline('--out', film)


def test_ctrl_c_keeps_what_was_scored(timeline, tmp_path, monkeypatch, capsys):
    whole = json.loads(timeline('--threshold', '0.3', '--json'))
    forward, seen = XCLIPInferencer.forward, []

    def interrupted(*args, **kwargs):
        seen.append(1)
        if len(seen) == 3:
            signal.raise_signal(signal.SIGINT)
        return forward(*args, **kwargs)

    monkeypatch.setattr(XCLIPInferencer, 'forward', interrupted)
    out = [tmp_path / f't.{ending}' for ending in ('json', 'srt', 'mp4')]
    few = ('--batch-size', '2', '--threshold', '0.3')
    with pytest.raises(SystemExit) as stopped:
        timeline(*few, '--out', *out)
    assert stopped.value.code == 130
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith('error: ')
    assert '7.0 s' in told
    found = json.loads(out[0].read_text())
    assert found['whole'] is False
    assert found['windows'] == whole['windows'][:4]
    assert found['ranges']
    assert out[1].stat().st_size
    assert not out[2].exists()


def test_ctrl_c_before_anything_is_scored_is_one_line(timeline, monkeypatch, capsys):
    def interrupted(*args, **kwargs):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(XCLIPInferencer, 'forward', interrupted)
    with pytest.raises(SystemExit) as stopped:
        timeline()
    assert stopped.value.code == 130
    assert capsys.readouterr().err.splitlines()[-1] == 'error: stopped'
