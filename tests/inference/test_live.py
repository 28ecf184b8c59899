"""Live streams, sent by FFmpeg in real time over loopback."""

import json
import os
import signal
import socket
import subprocess
import time
from datetime import datetime

import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe
from rtsp_camera import Camera

from mmxclip.datasets.shape_actions import ShapeAction, draw_clip
from mmxclip.datasets.writers.video_writer import VideoWriter
from mmxclip.inference import LiveTimeline
from mmxclip.inference.ranges import Rules
from mmxclip.inference.stream import StreamError

SECONDS = 4

pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def film(tmp_path_factory):
    """Some seconds of 8 frames."""
    path = tmp_path_factory.mktemp('live') / 'film.mp4'
    action = ShapeAction('square', 'green', 'growing')
    frames = draw_clip(action, np.random.default_rng(0), num_frames=8 * SECONDS)
    with VideoWriter(path, fps=8, gop=8, options=dict(qp='14')) as video:
        for frame in frames:
            video.write_image(frame)
    return path


@pytest.fixture
def port():
    with socket.socket() as server:
        server.bind(('127.0.0.1', 0))
        return server.getsockname()[1]


@pytest.fixture
def send(film):
    """Start FFmpeg as a sender that waits for one receiver."""
    senders = []

    def start(address, *options):
        command = [get_ffmpeg_exe(), '-loglevel', 'error', '-re', *options]
        command += ['-i', str(film), '-c', 'copy', '-f', 'mpegts']
        command += ['-flush_packets', '1', '-muxdelay', '0']
        command += [*(['-listen', '1'] if address.startswith('http') else []), address]
        senders.append(subprocess.Popen(command, stdin=subprocess.DEVNULL))
        return senders[-1]

    yield start
    for sender in senders:
        sender.kill()
        sender.wait()


def watch(inferencer, source, **options):
    options = dict(window=1, stride=0.5, stall=3, patience=4) | options
    return LiveTimeline(
        inferencer, source, ['a', 'b'], rules=Rules(threshold=0.4), **options
    )


def collect(live, when=lambda event: None):
    """All events until the source is given up."""
    events = []

    def follow():
        for event in live.events():
            events.append(event)
            when(event)

    with pytest.raises(StreamError, match='has sent nothing'):
        follow()
    return events


def kinds_of(events):
    return [event['event'] for event in events]


def test_a_stream_is_told_as_it_comes(inferencer, send, port):
    address = f'tcp://127.0.0.1:{port}'
    send(f'{address}?listen=1')
    live = watch(inferencer, address)
    events = collect(live)
    kinds = kinds_of(events)
    assert kinds.count('connected') == 1
    assert kinds.index('connected') < kinds.index('begins') < kinds.index('ends')
    assert kinds[-1] == 'stopped'
    assert events[-1]['scored'] == live.scored
    assert live.scored + live.dropped >= 2 * (SECONDS - 1) - 1
    times = [datetime.fromisoformat(event['time']) for event in events]
    assert times == sorted(times)
    begins = next(event for event in events if event['event'] == 'begins')
    assert set(begins) == {'event', 'time', 'label', 'start', 'latency'}
    assert begins['label'] in 'ab'
    assert times[0] <= datetime.fromisoformat(begins['start']) <= times[-1]


def test_a_camera_of_the_net_is_watched(inferencer, film, tmp_path):
    with Camera(film, tmp_path) as camera:
        live = watch(inferencer, camera.address)
        kinds = kinds_of(collect(live))
    assert kinds[0] == 'connected'
    assert {'begins', 'ends'} < set(kinds)
    assert live.scored + live.dropped >= 2 * (SECONDS - 1) - 1


@pytest.mark.parametrize('harm', [signal.SIGKILL, signal.SIGSTOP])
def test_a_sender_that_dies_or_stalls_is_connected_anew(inferencer, send, port, harm):
    address = f'tcp://127.0.0.1:{port}'
    senders = [send(f'{address}?listen=1')]

    def disturb(event):
        if event['event'] == 'begins' and len(senders) == 1:
            senders[0].send_signal(harm)
            senders.append(None)
        if event['event'] == 'lost' and len(senders) == 2:
            senders[0].kill()
            senders.append(send(f'{address}?listen=1'))

    events = collect(watch(inferencer, address), disturb)
    kinds = kinds_of(events)
    assert kinds.count('connected') == 2
    again = [event['time'] for event in events if event['event'] == 'connected'][1]
    assert 'lost' in kinds[: kinds.index('connected', kinds.index('begins'))]
    assert [e['end'] for e in events if e['event'] == 'ends'][-1] > again
    assert all(event['reason'] for event in events if event['event'] == 'lost')


def test_a_slow_model_drops_the_oldest_and_says_so(inferencer, send, port, monkeypatch):
    forward = inferencer.forward

    def slow(*args, **kwargs):
        time.sleep(1.2)
        return forward(*args, **kwargs)

    monkeypatch.setattr(inferencer, 'forward', slow)
    address = f'http://127.0.0.1:{port}'
    send(address)
    live = watch(inferencer, address, stride=0.25)
    events = collect(live)
    totals = [event['total'] for event in events if event['event'] == 'dropped']
    assert totals == list(range(1, live.dropped + 1))
    assert live.dropped > 1
    assert live.scored > 1
    assert events[-1]['dropped'] == live.dropped


def test_the_tool_prints_a_line_of_json_an_event(
    tool, film, config_file, checkpoint, monkeypatch
):
    """What comes through a pipe ends with it."""
    command = [get_ffmpeg_exe(), '-loglevel', 'error', '-re', '-i', str(film)]
    command += ['-c', 'copy', '-f', 'mpegts', '-']
    with subprocess.Popen(command, stdout=subprocess.PIPE) as sender:
        saved = os.dup(0)
        os.dup2(sender.stdout.fileno(), 0)
        try:
            model = ('--config', config_file, '--checkpoint', checkpoint)
            cut = ('--window', 1, '--stride', 0.5, '--threshold', 0.4)
            printed = tool(
                'timeline.py', '--live', '-', '--labels', 'a, b', *cut, *model
            )
        finally:
            os.dup2(saved, 0)
            os.close(saved)
    kinds = kinds_of(map(json.loads, printed.splitlines()))
    assert kinds[0] == 'connected'
    assert kinds[-1] == 'stopped'
    assert {'begins', 'ends'} < set(kinds)


@pytest.mark.parametrize('source', ['47', 'gone.mp4', 'film'])
def test_what_is_no_live_source_is_told_at_once(inferencer, film, source):
    with pytest.raises(StreamError, match=source):
        watch(inferencer, str(film) if source == 'film' else source)


@pytest.mark.parametrize('protocol', ['rtsp', 'tcp', 'http'])
def test_a_camera_that_is_not_there_is_one_line(
    tool, config_file, checkpoint, port, protocol
):
    address = f'{protocol}://127.0.0.1:{port}/stream'
    model = ('--config', config_file, '--checkpoint', checkpoint)
    with pytest.raises(SystemExit, match=f'{address} has sent nothing') as end:
        tool('timeline.py', '--live', address, '--patience', 1, *model)
    assert '\n' not in str(end.value)


def test_a_camera_that_vanishes_is_one_line(tool, config_file, checkpoint, send, port):
    address = f'tcp://127.0.0.1:{port}'
    send(f'{address}?listen=1')
    model = ('--config', config_file, '--checkpoint', checkpoint)
    with pytest.raises(SystemExit, match=f'{address} has sent nothing') as end:
        tool('timeline.py', '--live', address, '--patience', 3, '--window', 1, *model)
    assert '\n' not in str(end.value)
