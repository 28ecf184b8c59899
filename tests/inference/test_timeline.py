"""Timelines of films: scores, files, errors; several processes."""

import csv
import json
import signal
import sys

import av
import cv2
import numpy as np
import pytest
from mmaction.structures import ActionDataSample

from mmxclip.datasets import Upright
from mmxclip.datasets.shape_actions import MOTIONS, ShapeAction, draw_clip
from mmxclip.datasets.writers.video_writer import VideoWriter
from mmxclip.evaluation.range_metrics import frame_accuracy, range_f1
from mmxclip.inference import XCLIPInferencer, make_timeline, write_timeline
from mmxclip.inference.ranges import Range
from mmxclip.inference.timeline import Scored, Timeline
from mmxclip.inference.timeline_files import clock
from mmxclip.inference.windows import film_windows, open_film

CLASSES = ['archery', 'bowling', 'canoeing', 'dancing', 'eating']


@pytest.fixture
def film(tmp_path) -> str:
    """Five motions of two seconds each, and half a second more: 84 frames."""
    path = tmp_path / 'film.mp4'
    rng = np.random.default_rng(0)
    clips = [
        draw_clip(ShapeAction('square', 'green', motion), rng)
        for motion in list(MOTIONS)[:6]
    ]
    with VideoWriter(path, fps=8, gop=16, options=dict(qp='14')) as video:
        for frame in np.concatenate(clips)[:84]:
            picture = av.VideoFrame.from_ndarray(frame, format='rgb24')
            video.write(picture.reformat(format='yuv420p'))
    return str(path)


@pytest.fixture
def inferencer(config_file, checkpoint) -> XCLIPInferencer:
    return XCLIPInferencer(config_file, checkpoint, device='cpu')


@pytest.fixture
def timeline(tool, config_file, checkpoint, film):
    """Run the tool on the film."""

    def run(*args, labels='a, b b, c', given=(film,)):
        model = ('--config', config_file, '--checkpoint', checkpoint)
        return tool('timeline.py', *given, '--labels', labels, *args, *model)

    return run


@pytest.mark.slow
def test_scores_are_those_of_each_window_alone(
    inferencer, config_file, checkpoint, film
):
    alone = XCLIPInferencer(config_file, checkpoint, device='cpu', input_format='array')
    upright = Upright()
    found = make_timeline(inferencer, film, window=3, stride=1.25, batch_size=3)
    with open_film(film) as opened:
        windows = list(film_windows(opened, length=3, stride=1.25))
    assert [one.start for one in found.windows] == [0, 1.25, 2.5, 3.75, 5, 6.25, 7.5]
    assert found.duration == found.windows[-1].end == 10.5
    for window, one in zip(windows, found.windows, strict=True):
        frames = np.stack([upright(picture) for _, picture in window.frames])
        expected = alone(frames)['predictions'][0]['pred_scores']
        np.testing.assert_allclose(one.scores, expected, atol=1e-5)


def test_known_cuts_are_found(inferencer, tmp_path, monkeypatch):
    """With a model that is right about every window, by the colour of most of it."""
    colours = dict(red=(255, 0, 0), green=(0, 255, 0), blue=(0, 0, 255))
    true = [
        Range(name, start, start + 3.5, 1)
        for name, start in (('red', 0), ('blue', 3.5), ('green', 7), ('red', 10.5))
    ]
    path = tmp_path / 'colours.mp4'
    with VideoWriter(path, fps=8, gop=16, options=dict(qp='14')) as video:
        for part in true:
            for _ in range(28):
                solid = np.full((64, 64, 3), colours[part.label], np.uint8)
                picture = av.VideoFrame.from_ndarray(solid, format='rgb24')
                video.write(picture.reformat(format='yuv420p'))

    def forward(inputs, texts):
        shares = [views.float().mean(dim=(0, 2, 3, 4)) for views in inputs['inputs']]
        return [ActionDataSample().set_pred_score(s / s.sum()) for s in shares]

    monkeypatch.setattr(inferencer, 'forward', forward)
    found = make_timeline(inferencer, str(path), list(colours), window=2, stride=0.5)
    assert [one.label for one in found.ranges] == [one.label for one in true]
    assert range_f1(found.ranges, true, iou=0.75) == 1
    assert frame_accuracy(found.ranges, true, duration=14, fps=8) > 0.9


def test_backgrounds_take_part_and_are_left_out(inferencer, film):
    alone = make_timeline(inferencer, film, ['a', 'b'])
    beside = make_timeline(inferencer, film, ['a', 'b'], background=['nothing'])
    assert beside.labels == ['a', 'b']
    for one, other in zip(alone.windows, beside.windows, strict=True):
        assert one.scores.sum() == pytest.approx(1)
        assert other.scores.sum() < 0.999
        assert one.scores[0] / one.scores[1] == pytest.approx(
            other.scores[0] / other.scores[1], rel=1e-3
        )
    assert {one.label for one in beside.ranges} <= {'a', 'b'}


@pytest.fixture
def made() -> Timeline:
    """A timeline of an hour."""
    windows = [Scored(i, i, i + 4, np.array([0.2, 0.8])) for i in range(3600)]
    ranges = [Range('<a> & b', 0, 2.5, 0.9), Range('走る', 3599.9996, 3603.25, 0.8)]
    strip = [np.full((72, 100, 3), i, np.uint8) for i in range(40)]
    return Timeline('film.mp4', ['<a> & b', '走る'], windows, ranges, strip)


def test_files_say_what_was_found(made, tmp_path):
    for ending in ('json', 'csv', 'srt', 'vtt', 'png'):
        write_timeline(made, tmp_path / f'deep/t.{ending}')
    read = {path.suffix: path.read_bytes() for path in (tmp_path / 'deep').iterdir()}
    loaded = json.loads(read['.json'])
    assert loaded['labels'] == made.labels
    assert loaded['ranges'][1] == made.ranges[1]._asdict()
    assert loaded['windows'][7] == dict(start=7, end=11, scores=[0.2, 0.8])
    rows = list(csv.reader(read['.csv'].decode().splitlines()))
    assert rows[0] == ['label', 'start', 'end', 'score']
    assert rows[2] == ['走る', '3599.9996', '3603.25', '0.8']
    srt = read['.srt'].decode().split('\n\n')
    assert srt[0] == '1\n00:00:00,000 --> 00:00:02,500\n<a> & b'
    assert srt[1] == '2\n01:00:00,000 --> 01:00:03,250\n走る\n'
    vtt = read['.vtt'].decode()
    assert vtt.startswith(
        'WEBVTT\n\n00:00:00.000 --> 00:00:02.500\n&lt;a&gt; &amp; b\n'
    )
    picture = cv2.imdecode(np.frombuffer(read['.png'], np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[1] > 1000


def test_subtitles_are_what_players_read(made, tmp_path):
    for ending in ('srt', 'vtt'):
        path = tmp_path / f't.{ending}'
        write_timeline(made, path)
        with av.open(str(path)) as container:
            times = [
                (float(p.pts * p.time_base), float(p.duration * p.time_base))
                for p in container.demux()
                if p.size
            ]
        assert times == [(0, 2.5), (3600, pytest.approx(3.25))]


def test_clock():
    assert clock(3723.4567) == '01:02:03.457'
    assert clock(59.9999, ',') == '00:01:00,000'


def test_the_film_with_captions_plays_in_browsers(inferencer, film, tmp_path):
    found = make_timeline(inferencer, film, ['a'], background=['b'])
    shown = Timeline(film, ['wörd'], found.windows, [Range('wörd', 1, 2, 1)], [])
    write_timeline(shown, tmp_path / 'out.mp4')
    upright = Upright()
    with av.open(str(tmp_path / 'out.mp4')) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == 'h264'
        assert stream.codec_context.pix_fmt == 'yuv420p'
        new = [upright(frame) for frame in container.decode(stream)]
    with open_film(film) as opened:
        old = [upright(picture) for _, picture in opened.frames()]
    pairs = zip(new, old, strict=True)
    changed = [np.abs(a[20:].astype(int) - b[20:]).mean() for a, b in pairs]
    assert min(changed[8:16]) > 3 * max(changed[:8] + changed[16:])


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


def test_a_film_shorter_than_a_window_is_one(inferencer, film):
    found = make_timeline(inferencer, film, ['a', 'b'], window=60)
    (window,) = found.windows
    assert (window.start, window.end) == (0, 10.5)


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


def test_windows_keep_to_shots(inferencer, tmp_path):
    pytest.importorskip('scenedetect', reason='it is the extra mmxclip[shots]')
    path = tmp_path / 'shots.mp4'
    with VideoWriter(path, fps=8, gop=16, options=dict(qp='14')) as video:
        for colour, frames in (((255, 0, 0), 30), ((0, 0, 255), 8), ((255, 0, 0), 40)):
            for _ in range(frames):
                solid = np.full((64, 64, 3), colour, np.uint8)
                picture = av.VideoFrame.from_ndarray(solid, format='rgb24')
                video.write(picture.reformat(format='yuv420p'))
    cut = make_timeline(inferencer, str(path), window=2, stride=2, shots=True)
    times = [(one.start, one.end) for one in cut.windows]
    assert times == [
        *((0, 2), (1.75, 3.75)),
        (3.75, 4.75),
        *((4.75, 6.75), (6.75, 8.75), (7.75, 9.75)),
    ]
    assert [one.number for one in cut.windows] == list(range(6))


def test_shots_without_their_package_name_it(inferencer, film, monkeypatch):
    monkeypatch.setitem(sys.modules, 'scenedetect', None)
    with pytest.raises(ImportError, match=r'mmxclip\[shots\]'):
        make_timeline(inferencer, film, shots=True)
