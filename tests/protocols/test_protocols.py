"""All four protocols, run to their tables on real clips with a tiny model."""

import csv
import json
import shutil
from pathlib import Path

import mmengine.runner
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.fileio import load
from mmengine.runner import EpochBasedTrainLoop

from mmxclip.datasets.lists import read_list

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('few-shot', (['K=1', 'K=2'], 1)),
        ('zero-shot', (['top-1', 'top-5', 'mean class'], 1)),
        ('base-to-novel', (['base', 'novel', 'HM'], 2)),
        ('fully-supervised', (['top-1', 'top-5', 'mean class'], 1)),
    ],
)
def test_runs_end_to_end(done, tool, shapes, name, expected):
    table, work_dir = done(name)
    columns, repeats = expected
    assert list(table['ours']) == columns
    assert {len(cell['values']) for cell in table['ours'].values()} == {repeats}
    assert table['setting'] == '4 frames, 1x1 views'
    tests = sorted(work_dir.glob('*/test-*'))
    assert len(tests) == len(table['tests'])
    for folder in tests:
        metrics = json.loads((folder / 'part.json').read_text())['metrics']
        ann_file = folder.name.removeprefix('test-') + '.txt'
        (path,) = shapes.rglob(ann_file)
        assert metrics['acc/num_videos'] == len(read_list(path))
        again = json.loads(tool('eval_scores.py', folder / 'scores.pkl'))
        assert again == {k: v for k, v in metrics.items() if k.startswith('acc/')}
        assert (folder / 'confusion_matrix.png').stat().st_size > 1000
        with (folder / 'per_class.csv').open() as file:
            assert sum(int(row['videos']) for row in csv.DictReader(file)) == len(
                read_list(path)
            )


def test_done_parts_are_kept(done, protocol, monkeypatch):
    first, work_dir = done('few-shot')
    shutil.rmtree(work_dir / 'train_few_shot_2' / 'test-val')
    trained = []
    train = EpochBasedTrainLoop.run
    monkeypatch.setattr(
        EpochBasedTrainLoop, 'run', lambda self: trained.append(1) or train(self)
    )
    again, _ = protocol('few-shot')
    assert not trained
    assert again['ours'] == first['ours']


def test_interrupted_training_goes_on(done, protocol, tmp_path, monkeypatch):
    """Stopped after one epoch of two, it ends with the weights of a single run."""
    _, whole = done('fully-supervised')
    run_epoch = EpochBasedTrainLoop.run_epoch
    epochs = []

    def one_epoch(self):
        if epochs:
            raise KeyboardInterrupt
        epochs.append(self.epoch)
        run_epoch(self)

    def note_epoch(self):
        epochs.append(self.epoch)
        run_epoch(self)

    parts = tmp_path / 'parts'
    monkeypatch.setattr(EpochBasedTrainLoop, 'run_epoch', one_epoch)
    with pytest.raises(SystemExit, match='130'):  # as Ctrl-C ends it
        protocol('fully-supervised', work_dir=parts)
    monkeypatch.setattr(EpochBasedTrainLoop, 'run_epoch', note_epoch)
    protocol('fully-supervised', work_dir=parts)
    assert epochs == [0, 1]
    one, two = (load_state(d / 'full/train/epoch_2.pth') for d in (whole, parts))
    assert all(one[name].shape == two[name].shape for name in one)


def test_training_that_is_killed_while_it_saves_goes_on(
    protocol, tmp_path, monkeypatch
):
    save = mmengine.runner.runner.save_checkpoint

    def die(checkpoint, path, **kwargs):
        if path.endswith('epoch_2.pth'):
            Path(path).write_bytes(b'half')
            raise KeyboardInterrupt
        save(checkpoint, path, **kwargs)

    parts = tmp_path / 'parts'
    with monkeypatch.context() as patch:
        patch.setattr('mmengine.runner.runner.save_checkpoint', die)
        with pytest.raises(SystemExit, match='130'):  # as Ctrl-C ends it
            protocol('fully-supervised', work_dir=parts)
    table, _ = protocol('fully-supervised', work_dir=parts)
    assert load_state(parts / 'full/train/epoch_2.pth')
    moved = parts.rename(tmp_path / 'moved')  # checkpoints are noted with their folder
    shutil.rmtree(moved / 'full/test-val')
    assert protocol('fully-supervised', work_dir=moved)[0]['ours'] == table['ours']


def test_other_settings_class_names_and_processes_are_refused(
    done, protocol, shapes, tmp_path
):
    _, work_dir = done('fully-supervised')
    args = ['fully-supervised', '--data-root', shapes]
    expected = r'error: .*full/train .*\({}\).*--work-dir'
    rate = 'optim_wrapper.optimizer.lr=0.1'
    with pytest.raises(SystemExit, match=expected.format('config')):
        protocol(*args, '--cfg-options', rate, work_dir=work_dir)
    names = shapes / 'classes.txt'
    before = names.read_text()
    names.write_text(before.replace('circle', 'round', 1))
    try:
        with pytest.raises(SystemExit, match=expected.format('class names')):
            protocol(*args, work_dir=work_dir)
    finally:
        names.write_text(before)
    part = work_dir / 'full/train/part.json'
    state = json.loads(part.read_text())['state'] | {'number of processes': '2'}
    part.write_text(json.dumps(dict(state=state, done=False)))
    with pytest.raises(SystemExit, match=expected.format('number of processes')):
        protocol(*args, work_dir=work_dir)


def test_given_checkpoint_is_tested_not_trained(done, protocol, tmp_path):
    trained, work_dir = done('zero-shot')
    checkpoint = work_dir / 'source/train/epoch_2.pth'
    given, other = protocol(
        'zero-shot', '--checkpoint', checkpoint, work_dir=tmp_path / 'given'
    )
    assert given['ours'] == trained['ours']
    assert not (other / 'source' / 'train').exists()
    with pytest.raises(SystemExit, match='nothing'):
        protocol('zero-shot', '--checkpoint', 'nothing.pth')


def test_a_checkpoint_that_lacks_weights_is_refused(done, protocol, tmp_path):
    """Else they would be random, and the number low without a word."""
    checkpoint = tmp_path / 'part.pth'
    _, work_dir = done('zero-shot')
    state = load_state(work_dir / 'source/train/epoch_2.pth')
    state = {k: v for k, v in state.items() if not k.startswith('neck.')}
    torch.save(dict(state_dict=state), checkpoint)
    with pytest.raises(SystemExit, match=r'neck\.'):
        protocol('zero-shot', '--checkpoint', checkpoint, work_dir=tmp_path / 'other')


def test_few_shot_starts_from_a_given_checkpoint(protocol, tmp_path):
    checkpoint = tmp_path / 'given.pth'
    model = MODELS.build(Config.fromfile(tmp_path / 'tiny.py').model)
    torch.save(dict(state_dict=model.state_dict()), checkpoint)
    options = ['optim_wrapper.optimizer.lr=0', 'train_cfg.max_epochs=1']
    _, other = protocol(
        *('few-shot', '--checkpoint', checkpoint, '--cfg-options', *options),
        work_dir=tmp_path / 'given',
    )
    given = load_state(checkpoint)
    kept = load_state(other / 'train_few_shot_1/train/epoch_1.pth')
    assert all(given[name].equal(kept[name]) for name in given)


def load_state(path):
    return torch.load(path)['state_dict']


def test_undecodable_videos_are_counted_and_told(done, protocol, shapes, tmp_path):
    _, trained = done('zero-shot')
    root = shutil.copytree(shapes, tmp_path / 'broken')
    video = root / 'unseen/00003.mp4'
    video.write_bytes(b'no video')
    checkpoint = trained / 'source/train/epoch_2.pth'
    table, work_dir = protocol(
        *('zero-shot', '--data-root', root, '--checkpoint', checkpoint),
        work_dir=tmp_path / 'given',
    )
    assert any(note.startswith('1 videos ') for note in table['notes'])
    assert table['tests'][0]['metrics']['acc/undecodable'] == 1
    scores = load(str(work_dir / 'source/test-unseen/scores.pkl'))
    assert [s['filename'] for s in scores if s['undecodable']] == [str(video)]


def test_two_processes_count_every_video_once(protocol, done, two_processes, tmp_path):
    """37 videos on two processes: the sampler pads, the numbers stay."""
    table, work_dir = done('zero-shot')
    args = ['zero-shot', '--checkpoint', work_dir / 'source/train/epoch_2.pth']
    for _ in range(2):  # at first there is work, then there is none
        protocol(*args, work_dir=tmp_path / 'two', start=two_processes)
    both = json.loads((tmp_path / 'two/table.json').read_text())
    assert both['tests'] == table['tests']
    assert both['tests'][0]['metrics']['acc/num_videos'] == 37


def test_missing_lists_stop_before_training(protocol, shapes, tmp_path):
    shutil.copytree(shapes, tmp_path / 'less')
    (tmp_path / 'less' / 'base2novel' / 'novel_val.txt').unlink()
    with pytest.raises(SystemExit, match='novel_val'):
        protocol('base-to-novel', '--data-root', tmp_path / 'less')
    assert not (tmp_path / 'base-to-novel').exists()


def test_a_config_that_lacks_a_part_stops_before_training(protocol, tmp_path):
    for part in ('train_dataloader', 'test_dataloader', 'model'):
        with pytest.raises(SystemExit, match=rf'tiny\.py.*{part}'):
            protocol('few-shot', '--cfg-options', f'{part}=None')
    linear = 'model.cls_head={"type": "I3DHead", "num_classes": 5, "_delete_": True}'
    with pytest.raises(SystemExit, match=r'tiny\.py.*I3DHead'):
        protocol('base-to-novel', '--cfg-options', linear)
    assert not list(tmp_path.glob('*-*'))
