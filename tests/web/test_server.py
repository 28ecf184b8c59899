"""The page as programs use it: answers, limits, users beside each other."""

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from served_page import LIMITS, USER, write_film

from mmxclip.inference import FilmIndex, FilmSearch, XCLIPInferencer, make_timeline

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings('ignore'),  # of Gradio's client
]
WORDS = 'moving left, growing, a dog runs'


@pytest.fixture
def connect(page, tmp_path):
    """Return a new user, who can upload files."""
    from gradio_client import Client, handle_file  # noqa: PLC0415

    users = []

    def user():
        folder = tmp_path / 'answers'
        client = Client(page.url, auth=USER, verbose=False, download_files=folder)
        users.append(client)
        return client

    user.file = handle_file
    yield user
    for client in users:
        client.close()


@pytest.fixture(scope='module')
def inferencer(page):
    inferencer = XCLIPInferencer(page.config, page.checkpoint, device='cpu')
    inferencer.show_progress = False
    return inferencer


def scores_of(answer):
    return {one['label']: one['confidence'] for one in answer[1]['confidences']}


def recognise(client, file, words, **options):
    return client.predict(file, words, api_name='/recognise', **options)


def message(call):
    """Return what a user is told."""
    with pytest.raises(Exception) as raised:  # noqa: PT011 (its class is Gradio's)
        call()
    text = str(raised.value)
    assert len(text.splitlines()) == 1, text
    assert 'Traceback' not in text
    return text


def test_scores_are_those_of_predict(page, connect, inferencer):
    answer = recognise(connect(), connect.file(page.film), WORDS)
    names = WORDS.split(', ')
    (expected,) = inferencer(page.film, names)['predictions']
    assert scores_of(answer) == pytest.approx(expected['scores'], abs=1e-5)
    assert len(answer[2]) == 8  # frames


def test_none_of_these_and_temperature(page, connect, inferencer):
    client, file = connect(), connect.file(page.film)
    found = scores_of(recognise(client, file, 'growing', others='a dog runs, sky'))
    (expected,) = inferencer(page.film, ['growing', 'a dog runs', 'sky'])['predictions']
    assert found.keys() == {'growing', 'none of these'}
    assert found['growing'] == pytest.approx(expected['scores']['growing'], abs=1e-5)
    sharp = scores_of(recognise(client, file, WORDS, temperature=1))
    flat = scores_of(recognise(client, file, WORDS, temperature=10))
    assert max(flat.values()) < max(sharp.values())
    assert sum(flat.values()) == pytest.approx(1)


def test_a_score_below_the_threshold_is_none_of_these(page, connect):
    client, file = connect(), connect.file(page.film)
    sure = recognise(client, file, WORDS)
    unsure = recognise(client, file, WORDS, threshold=1)
    assert 'none of these' not in sure[0]
    assert 'none of these' in unsure[0]
    assert scores_of(unsure) == scores_of(sure)


def test_users_do_not_mix(page, connect, inferencer):
    texts = ['moving left, growing', 'a dog runs, a cat, sky']
    asked = [(connect(), text) for text in texts] * 3

    def ask(pair):
        return recognise(pair[0], connect.file(page.film), pair[1])

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(ask, asked))
    for (_, text), answer in zip(asked, answers, strict=True):
        (expected,) = inferencer(page.film, text.split(', '))['predictions']
        assert scores_of(answer) == pytest.approx(expected['scores'], abs=1e-5)


def test_timeline_and_its_files(page, connect, inferencer):
    client = connect()
    job = client.submit(connect.file(page.film), WORDS, window=2, api_name='/timeline')
    _, html, ranges, files = job.result()
    expected = make_timeline(
        inferencer, page.film, WORDS.split(', '), window=2, stride=0.5
    )
    assert [row[:3] for row in ranges['data']] == [
        list(found[:3]) for found in expected.ranges
    ]
    assert html.count('mmx-row') == 3
    assert html.count('data-start') == len(expected.ranges)
    kept = json.loads(Path(files[0]).read_text())
    assert kept['film'] == 'film.mp4'
    assert kept['duration'] == 6
    assert [Path(file).suffix for file in files] == ['.json', '.csv', '.srt']
    progress = [answer[0] for answer in job.outputs()]
    assert any('<progress' in told for told in progress)


def test_texts_are_no_html(page, connect):
    given = '<img src=x onerror=alert(1)>, <b>'
    html = connect().predict(connect.file(page.film), given, api_name='/timeline')[1]
    assert '<img' not in html
    assert '<b>' not in html
    text = message(
        lambda: recognise(connect(), connect.file(page.film), '<b>x</b>, <b>x</b>')
    )
    assert '<b>' not in text


def test_explanation(page, connect):
    told, picture, numbers = connect().predict(
        connect.file(page.film), WORDS, 'gradient', api_name='/explain'
    )
    assert Path(picture).read_bytes().startswith(b'\x89PNG')
    assert json.loads(Path(numbers).read_text())['best'] in told


def test_search_finds_what_the_index_has(page, connect, inferencer):
    client = connect()
    assert client.predict(api_name='/update_index').startswith('2 films')
    _, grid, hits = client.predict('moving left', 3, api_name='/search')
    with FilmIndex(str(page.index)) as index:
        ((*expected,),) = FilmSearch(inferencer, index).by_words(['moving left'], top=3)
    assert [hit['film'] for hit in hits] == [hit.film for hit in expected]
    assert len(grid) == len(hits)


@pytest.mark.parametrize(
    ('words', 'number'),
    [
        ('', '2 .*0'),
        ('one', '2 .*1'),
        (', '.join('abcdefghi'), f'9 .*{LIMITS["words"]}'),
        ('a, ' + 'b' * 41, f'41 .*{LIMITS["characters"]}'),
    ],
)
@pytest.mark.parametrize('tab', ['recognise', 'timeline', 'explain'])
def test_words(page, connect, tab, words, number):
    client = connect()
    file = connect.file(page.film)
    with pytest.raises(Exception, match=number):
        client.predict(file, words, api_name=f'/{tab}')


def test_long_large_and_false_videos(page, connect, tmp_path):
    client = connect()
    long = write_film(tmp_path / 'long.mp4', 16, size=32)
    assert '32.0 s; at most 30 s' in message(
        lambda: recognise(client, connect.file(long), WORDS)
    )
    large = tmp_path / 'large.mp4'
    large.write_bytes(Path(page.film).read_bytes() + bytes(500_000))
    assert '500000 bytes' in message(
        lambda: recognise(client, connect.file(large), WORDS)
    )
    text = tmp_path / 'text.mp4'
    text.write_text('no video at all\n' * 99)
    for tab in ('recognise', 'timeline', 'explain'):
        told = message(
            lambda tab=tab: client.predict(
                connect.file(text), WORDS, api_name=f'/{tab}'
            )
        )
        assert 'text.mp4' in told
        assert str(page.temporary) not in told
    assert 'choose' in message(lambda: recognise(client, None, WORDS))


@pytest.fixture
def plain(page):
    """A program without Gradio's client, which would upload what is here."""
    with httpx.Client(base_url=page.url, timeout=60) as client:
        yield client


def log_in(client):
    name, password = USER
    form = dict(username=name, password=password)
    client.post('/login', data=form).raise_for_status()


def ask_plainly(client, page, path):
    file = dict(path=str(path), meta=dict(_type='gradio.FileData'))
    data = [file, WORDS, '', 0, 1, Path(page.config).stem]
    address = '/gradio_api/call/recognise'
    number = client.post(address, json=dict(data=data)).json()['event_id']
    return client.get(f'{address}/{number}').text


def test_no_path_and_no_address_is_followed(page, connect, plain):
    client = connect()
    recognise(client, connect.file(page.film), WORDS)
    (upload, *_) = page.temporary.rglob(Path(page.film).name)
    log_in(plain)
    assert 'confidences' in ask_plainly(plain, page, upload)
    inside = str(page.films / 'one.mp4')
    for path in ('/etc/hostname', inside, page.checkpoint):
        assert plain.get(f'/gradio_api/file={path}').status_code == 403
        assert 'confidences' not in ask_plainly(plain, page, path)
    assert 'addresses' in ask_plainly(plain, page, f'{page.url}/x.mp4')


def test_without_the_password_nothing_is_answered(page, plain):
    wrong = plain.post('/login', data=dict(username=USER[0], password='another'))
    assert wrong.status_code == 400
    call = plain.post('/gradio_api/call/recognise', json=dict(data=[]))
    assert call.status_code == 401
    (sample, *_) = page.temporary.rglob('three actions.mp4')
    assert plain.get(f'/gradio_api/file={sample}').status_code == 401


def test_only_this_machine_reaches_the_page(page):
    port = int(page.url.rpartition(':')[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(('127.0.0.2', port))


def test_sharing_wants_a_password(tool):
    pytest.importorskip('gradio', reason='no Gradio: pip install "mmxclip[web]"')
    with pytest.raises(SystemExit, match='--auth'):
        tool('web.py', '--share')


def test_a_full_queue_says_so(page, connect):
    client, file = connect(), connect.file(page.film)
    jobs = [
        client.submit(file, WORDS, 'occlusion', api_name='/explain') for _ in '123456'
    ]
    told = [str(job.exception()) for job in jobs if job.exception()]
    assert told
    assert all('full' in text for text in told)


def test_a_job_that_is_stopped_ends(page, connect):
    client, file = connect(), connect.file(page.film)
    job = client.submit(file, WORDS, 'occlusion', api_name='/explain')
    while not job.outputs():
        time.sleep(0.05)
    job.cancel()
    assert scores_of(recognise(client, file, WORDS))  # the model is free


def test_uploads_are_deleted_when_their_user_leaves(page, connect, tmp_path):
    name = 'mine.mp4'
    write_film(tmp_path / name, 1)
    client = connect()
    recognise(client, connect.file(tmp_path / name), WORDS)
    assert list(page.temporary.rglob(name))
    client.close()
    end = time.monotonic() + 60
    while list(page.temporary.rglob(name)):
        assert time.monotonic() < end
        time.sleep(0.2)


def test_the_server_talks_to_this_machine_only(page):
    told = page.log.read_text()
    hosts = {line.split()[1] for line in told.splitlines() if 'CONNECTS' in line}
    assert hosts <= {'127.0.0.1', 'localhost'}
