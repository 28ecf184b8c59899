"""Files of timelines, as players and programs read them."""

import csv
import json

import av
import cv2
import numpy as np
import pytest

from mmxclip.datasets import upright
from mmxclip.inference import make_timeline, write_timeline
from mmxclip.inference.ranges import Range
from mmxclip.inference.timeline import Scored, Timeline
from mmxclip.inference.timeline_files import clock
from mmxclip.inference.windows import open_film


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
