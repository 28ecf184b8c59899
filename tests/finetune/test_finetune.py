"""tools/finetune.py: from folders of clips to a model and a report."""

import json
import re
import shutil

import cv2
import pytest
import torch
from mmengine.config import Config

from mmxclip.checkpoints.calibration import Calibration
from mmxclip.checkpoints.formats import open_checkpoint
from mmxclip.datasets.lists import Entry, read_list, write_list
from mmxclip.evaluation.dumped_scores import load_samples
from mmxclip.finetune.report import list_unknown, report
from mmxclip.text import Classes

FOLDERS = {'moving_left': 'moving left', 'MovingUp': 'moving up', 'GROW': 'growing'}


@pytest.fixture(scope='module')
def folders(tmp_path_factory, draw_video):
    root = tmp_path_factory.mktemp('clips')
    for folder, motion in FOLDERS.items():
        (root / folder).mkdir()
        for seed in range(4):
            draw_video(root / folder / f'{seed}.mp4', motion, seed=seed)
    (root / 'names.csv').write_text('GROW,a shape that grows\n')
    return root


@pytest.fixture(scope='module')
def finetune(tool, folders, demo):
    def finetune(work_dir, *args, source=folders):
        options = ['--config', demo, '--work-dir', work_dir, '--workers', 0]
        return tool('finetune.py', source, *options, *args)

    return finetune


@pytest.fixture(scope='module')
def done(finetune, folders, tmp_path_factory):
    """The work folder of a fine-tuning, and what was printed."""
    work_dir = tmp_path_factory.mktemp('work') / 'mine'
    options = ['--names', folders / 'names.csv', '--val', 0.5, '--epochs', 1]
    return work_dir, finetune(work_dir, *options)


def test_the_config_says_what_was_done(done, demo):
    work_dir, printed = done
    text = (work_dir / 'config.py').read_text()
    reasons = re.findall(r'^- (.+)', text, re.MULTILINE)
    assert len(reasons) > 3
    assert all(reason in printed for reason in reasons)
    cfg = Config.fromfile(work_dir / 'config.py')
    base = Config.fromfile(demo)
    batch = cfg.train_dataloader.batch_size * cfg.optim_wrapper.accumulative_counts
    assert cfg.optim_wrapper.optimizer.lr / batch == pytest.approx(
        base.optim_wrapper.optimizer.lr / base.auto_scale_lr.base_batch_size
    )
    assert cfg.train_cfg.max_epochs == 1
    names = (work_dir / 'lists/classes.txt').read_text().splitlines()
    assert names == ['a shape that grows', 'Moving Up', 'moving left']


def test_the_report_is_about_the_videos_to_test_on(done):
    work_dir, printed = done
    samples = load_samples(work_dir / 'scores.pkl')
    assert len(samples) == len(read_list(work_dir / 'lists/val.txt')) == 6
    hits = [int(s['pred_score'].argmax()) == int(s['gt_label']) for s in samples]
    assert f'top-1 {sum(hits) / 6:.3f}' in printed
    assert 0 < sum(hits) < 6
    for name in ('confusion_matrix', 'mistakes'):
        assert cv2.imread(str(work_dir / f'report/{name}.png')).shape[1] > 300
    table = (work_dir / 'report/per_class.csv').read_text()
    assert 'a shape that grows,2' in table


def test_the_next_commands_run(done, tool, folders, tmp_path):
    work_dir, printed = done
    copy = tmp_path / 'mine'
    shutil.copytree(work_dir, copy)
    commands = dict(re.findall(r'^python tools/(\w+\.py) (.+)', printed, re.MULTILINE))
    assert set(commands) == {'test.py', 'predict.py', 'timeline.py', 'train.py'}
    calibrated = (work_dir / 'calibrated.pth').exists()
    assert calibrated == ('calibrated.pth' in commands['predict.py'])
    assert calibrated != ('not calibrated: ' in printed)
    assert 'acc/top1' in tool('test.py', *commands['test.py'].split())
    video = folders / 'GROW/0.mp4'
    args = commands['predict.py'].replace('VIDEO.mp4', str(video)).split()
    said = tool('predict.py', *args, '--out', tmp_path / 'out')
    assert 'a shape that grows' in said
    args = commands['train.py'].replace('MORE', '2').split()
    tool('train.py', *args, f'work_dir={copy}/training')
    assert (copy / 'training/epoch_2.pth').is_file()


def test_adapters_are_a_small_file_beside_what_they_were_trained_on(
    done, finetune, tool, folders, tmp_path
):
    base = done[0] / 'training/epoch_1.pth'
    names = ['--names', folders / 'names.csv', '--val', 0.5]
    printed = finetune(
        *(tmp_path / 'more', *names, '--epochs', 1),
        *('--tune', 'adapters', '--checkpoint', base),
    )
    commands = dict(re.findall(r'^python tools/(\w+\.py) (.+)', printed, re.MULTILINE))
    tool('convert_checkpoint.py', *commands['convert_checkpoint.py'].split())
    adapters = tmp_path / 'more/adapters.pth'
    small = torch.load(adapters, weights_only=True)['state_dict']
    assert {'backbone', 'neck', 'cls_head'} == {name.split('.')[0] for name in small}
    for name in small:
        assert 'adapters.' in name or name.startswith(('neck.', 'cls_head.prompt.'))
    shutil.copy(base, adapters.parent)
    config, whole = commands['test.py'].split()
    scores = [
        re.findall(r'acc/top1: (\S+)', tool('test.py', config, path))
        for path in (whole, adapters)
    ]
    assert scores[0] == scores[1] != []


def test_temperature_and_threshold_travel_with_the_model(done, folders, tool, tmp_path):
    work_dir, _ = done
    copy = shutil.copytree(work_dir, tmp_path / 'mine')
    config = copy / 'config.py'
    config.write_text(config.read_text().replace(str(work_dir), str(copy)))
    # Labels as the model has them, but for the video that it is least sure of.
    entries = read_list(copy / 'lists/val.txt')
    scores = [sample['pred_score'] for sample in load_samples(copy / 'scores.pkl')]
    labels = [int(score.argmax()) for score in scores]
    least = min(range(len(scores)), key=lambda i: scores[i].max())
    labels[least] = int(scores[least].argmin())
    entries = [Entry(e.path, label) for e, label in zip(entries, labels, strict=True)]
    write_list(copy / 'lists/val.txt', entries, overwrite=True)
    classes = Classes.of(copy / 'lists/classes.txt')
    unknown = list_unknown(folders / 'GROW', copy / 'lists', overwrite=False)
    report(config, copy / 'training/epoch_1.pth', classes, unknown)
    known = Calibration.of(open_checkpoint(copy / 'calibrated.pth').extras)
    assert known.classes == classes
    assert known.temperature != 1
    assert cv2.imread(str(copy / 'report/reliability.png')).std() > 10
    given = ['--config', config, '--checkpoint', copy / 'calibrated.pth', '--json']
    videos = sorted((folders / 'GROW').glob('*.mp4'))
    for row in json.loads(tool('predict.py', *videos, *given)):
        best = max(row['scores'].values())
        assert (row['pred_class'] == 'none of these') == (best < known.threshold)


def test_real_clips_from_folder_to_prediction(finetune, tool, shared, tmp_path):
    for name in ('daily_living', 'falling_down'):
        (tmp_path / 'mine' / name).mkdir(parents=True)
        for person in ('Subject1', 'Subject3'):
            found = sorted((shared / 'videos' / name).glob(f'{person}*'))[:2]
            for path in found:
                (tmp_path / 'mine' / name / path.name).symlink_to(path)
    texts = {'Falling down': ['a person falls', 'lying'], 'daily_living': 'at home'}
    (tmp_path / 'texts.json').write_text(json.dumps(texts))
    options = ['--group-by', '(Subject[0-9])', '--epochs', 1, '--val', 0.5]
    options += ['--names', tmp_path / 'texts.json']
    printed = finetune(tmp_path / 'work', *options, source=tmp_path / 'mine')
    assert 'of 4 videos' in printed
    (args,) = re.findall(r'^python tools/predict.py \S+ (.+)', printed, re.MULTILINE)
    video = shared / 'videos/falling_down/Subject4_Fall_01.mp4'
    (row,) = json.loads(tool('predict.py', video, *args.split(), '--json'))
    assert set(row['scores']) == {'falling down', 'daily living'}
    cfg = Config.fromfile(tmp_path / 'work/config.py')
    assert Classes.of(cfg.model.cls_head.classes).texts[1] == (
        'a person falls',
        'lying',
    )
    (tmp_path / 'work/videos').symlink_to(tmp_path / 'mine')
    finetune(tmp_path / 'again', '--no-train', source=tmp_path / 'work')
    for name in ('classes.txt', 'classes.json', 'val.txt'):
        lists = (tmp_path / f'{work}/lists/{name}' for work in ('work', 'again'))
        assert len({path.read_text() for path in lists}) == 1


def test_what_is_there_is_kept(done, finetune):
    work_dir, _ = done
    before = (work_dir / 'config.py').read_text()
    with pytest.raises(SystemExit, match='--work-dir'):
        finetune(work_dir, '--overwrite')
    assert (work_dir / 'config.py').read_text() == before


def test_lists_that_are_there_are_taken(finetune, folders, tmp_path):
    source = tmp_path / 'mine'
    (source / 'lists').mkdir(parents=True)
    (source / 'videos').symlink_to(folders)
    (source / 'lists/classes.txt').write_text('rise\ngrow\n')
    train, val = 'MovingUp/0.mp4 0\nGROW/0.mp4 1\n', 'MovingUp/1.mp4 0\n'
    (source / 'lists/train.txt').write_text(train)
    (source / 'lists/val.txt').write_text(val)
    finetune(tmp_path / 'work', '--no-train', '--tune', 'prompt', source=source)
    assert (tmp_path / 'work/lists/train.txt').read_text() == train
    assert (tmp_path / 'work/lists/val.txt').read_text() == val
    cfg = Config.fromfile(tmp_path / 'work/config.py')
    assert cfg.model.backbone.frozen is True
    assert not (tmp_path / 'work/training').exists()
    with pytest.raises(SystemExit, match='has lists already'):
        finetune(tmp_path / 'other', '--group-by', '(.)', source=source)
    (source / 'lists/train.txt').write_text('MovingUp/0.mp4 0\n')
    with pytest.raises(SystemExit, match="'grow' has 0"):
        finetune(tmp_path / 'other', source=source)
    (source / 'lists/train.txt').write_text('MovingUp/0.mp4 2\n')
    with pytest.raises(SystemExit, match='label 2'):
        finetune(tmp_path / 'other', source=source)


def test_broken_videos_are_told_before_training(finetune, folders, tmp_path):
    source = shutil.copytree(folders, tmp_path / 'clips')
    (source / 'GROW/0.mp4').write_bytes(b'no video')
    with pytest.raises(SystemExit, match='1 error'):
        finetune(tmp_path / 'work', source=source)
    assert not (tmp_path / 'work/training').exists()
    (source / 'GROW/0.mp4').unlink()
    with pytest.raises(SystemExit, match='--overwrite'):
        finetune(tmp_path / 'work', '--no-train', source=source)
    finetune(tmp_path / 'work', '--no-train', '--overwrite', source=source)


def test_wrong_models_are_one_line(finetune, tool, folders, demo, tmp_path):
    with pytest.raises(SystemExit, match=r'nothing\.pth'):
        finetune(tmp_path / 'work', '--checkpoint', 'nothing.pth')
    with pytest.raises(SystemExit, match='xclip-b17'):
        tool('finetune.py', folders, '--model', 'xclip-b17', '--work-dir', tmp_path)
    config = tmp_path / 'config.py'
    config.write_text(f'_base_ = {str(demo)!r}\nval_dataloader = None\n')
    with pytest.raises(SystemExit, match='val_dataloader'):
        finetune(tmp_path / 'work', '--config', config)
    assert not (tmp_path / 'work').exists()


def test_shots_give_mean_and_deviation(finetune, tmp_path):
    options = ['--shots', 1, '--seeds', 2, '--epochs', 1]
    printed = finetune(tmp_path / 'work', *options)
    assert (tmp_path / 'work/1_shots/table.md').read_text() in printed
    assert '±' in printed
    again = finetune(tmp_path / 'work', *options)
    assert 'Epoch(train)' not in again
    with pytest.raises(SystemExit, match='has only 3 videos'):
        finetune(tmp_path / 'work', '--shots', 4)
