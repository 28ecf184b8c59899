"""What the protocols do, which configs they use, and what their tables say."""

import csv
import io
from pathlib import Path

import pytest
from mmengine.config import Config

from mmxclip.datasets.lists import COUNTS, classes_of
from mmxclip.protocols.command import recipe
from mmxclip.protocols.plan import (
    PROTOCOLS,
    PUBLISHED_DATASETS,
    Split,
    protocol_runs,
)
from mmxclip.protocols.published import published_rows
from mmxclip.protocols.steps import DataFolder, use_split
from mmxclip.protocols.table import Outcome, ProtocolTable
from mmxclip.text import load_class_names

PUBLISHED = [
    ('few-shot', 'hmdb51', 4, 4),
    ('few-shot', 'ucf101', 4, 4),
    ('few-shot', 'ssv2', 4, 4),
    ('zero-shot', 'hmdb51', 1, 3),
    ('zero-shot', 'ucf101', 1, 3),
    ('zero-shot', 'kinetics600', 1, 3),
    ('base-to-novel', 'kinetics400', 3, 6),
    ('base-to-novel', 'hmdb51', 3, 6),
    ('base-to-novel', 'ucf101', 3, 6),
    ('base-to-novel', 'ssv2', 3, 6),
    ('fully-supervised', 'kinetics400', 1, 1),
    ('fully-supervised', 'kinetics600', 1, 1),
    ('fully-supervised', 'hmdb51', 1, 1),
]


def test_any_head_and_data_set_wrapper_is_fitted(tmp_path):
    """A stock head knows a number of classes only; so does blending."""
    (tmp_path / 'train.txt').write_text('a.mp4 0')
    (tmp_path / 'classes.txt').write_text('one\ntwo\nthree')
    inner = dict(type='VideoDataset', ann_file='other', data_root='elsewhere')
    augments = [dict(type='MixupBlending', num_classes=400)]
    cfg = Config(
        dict(
            model=dict(
                cls_head=dict(type='TSMHead', num_classes=400),
                data_preprocessor=dict(blending=dict(augments=augments)),
            ),
            train_dataloader=dict(dataset=dict(type='RepeatDataset', dataset=inner)),
        )
    )
    split = Split('mine', 'train.txt', 'classes.txt')
    use_split(cfg, 'train_dataloader', split, DataFolder(tmp_path))
    assert cfg.model.cls_head == dict(type='TSMHead', num_classes=3)
    assert cfg.model.data_preprocessor.blending.augments[0].num_classes == 3
    assert cfg.train_dataloader.dataset.dataset == dict(
        type='VideoDataset',
        ann_file=str(tmp_path / 'train.txt'),
        data_prefix=dict(video=str(tmp_path)),
    )


@pytest.mark.parametrize(('name', 'dataset', 'runs', 'tests'), PUBLISHED)
def test_published_protocols_use_the_published_lists(name, dataset, runs, tests):
    found = protocol_runs(name, dataset, Path('unused'))
    assert len(found) == runs
    assert sum(len(run.tests) for run in found) == tests
    splits = [run.train for run in found] + [
        t.split for run in found for t in run.tests
    ]
    for split in splits:
        known = COUNTS[split.dataset]
        if split.dataset.startswith('kinetics'):  # whose size is not fixed
            known = {*known, 'train.txt', 'val.txt'}
        assert split.ann_file in known
        assert split.classes == classes_of(split.dataset, split.ann_file)
        load_class_names(split.classes)


def test_protocols_that_a_data_set_has_not_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r'few-shot.*kinetics600'):
        protocol_runs('few-shot', 'kinetics600', tmp_path)
    with pytest.raises(ValueError, match=r'base-to-novel.*mine'):
        protocol_runs('base-to-novel', 'mine', tmp_path)
    with pytest.raises(ValueError, match='one-shot'):
        protocol_runs('one-shot', 'hmdb51', tmp_path)


def test_protocols_of_another_data_set_follow_from_its_lists(tmp_path):
    names = ['train_few_shot_16_s1', 'train_few_shot_2_s1', 'train_few_shot_2_s2']
    others = ['train', 'train_few_shot_x', 'unseen2', 'unseen', 'unseen_a']
    others += ['unseen_classes', 'unseen2_classes', 'unseen_a_classes']
    for name in (*names, *others, 'unseen.cleaned'):
        (tmp_path / f'{name}.txt').touch()
    runs = protocol_runs('few-shot', 'mine', tmp_path)
    assert [run.train.stem for run in runs] == [names[1], names[2], names[0]]
    assert [run.tests[0].column for run in runs] == ['K=2', 'K=2', 'K=16']
    assert {run.tests[0].split for run in runs} == {
        Split('mine', 'val.txt', 'classes.txt')
    }
    (run,) = protocol_runs('zero-shot', 'mine', tmp_path)
    assert [test.split.classes for test in run.tests] == [
        'unseen_classes.txt', 'unseen_a_classes.txt', 'unseen2_classes.txt'
    ]  # fmt: skip


def test_other_class_names_can_be_asked_for():
    (run,) = protocol_runs('zero-shot', 'ucf101', Path(), names='words')
    assert {test.split.classes for test in run.tests} == {'ucf101_words'}
    assert run.train.classes == 'kinetics400'
    for run in protocol_runs('base-to-novel', 'hmdb51', Path(), names='fixed'):
        assert run.train.classes == 'hmdb51_base_fixed'
        assert run.tests[1].split.classes == 'hmdb51_novel_fixed'
    with pytest.raises(ValueError, match='ssv2_words'):
        protocol_runs('few-shot', 'ssv2', Path(), names='words')


def test_recipes_are_found_and_agree_with_the_runner():
    """The defaults exist, and K=2 as the runner sets it is the recipe itself."""
    for name, dataset in (
        ('few-shot', 'hmdb51'),
        ('few-shot', 'ucf101'),
        ('zero-shot', 'any'),
        ('base-to-novel', 'ssv2'),
        ('fully-supervised', 'kinetics600'),
    ):
        cfg = Config.fromfile(recipe(name, dataset))
        if dataset == 'any':
            continue
        run = protocol_runs(name, dataset, Path())[0]
        train = cfg.train_dataloader.dataset
        assert train.ann_file == f'lists/{run.train.ann_file}'
        assert train.data_root == f'data/{dataset}'
        assert cfg.model.cls_head.classes == run.train.classes
        assert cfg.test_dataloader.dataset.ann_file == (
            f'lists/{run.tests[0].split.ann_file}'
        )


@pytest.mark.parametrize('name', PROTOCOLS)
def test_published_rows_hold_numbers(name):
    rows = {d: published_rows(name, d) for d in PUBLISHED_DATASETS}
    assert any(rows.values())
    for row in (row for found in rows.values() for row in found):
        assert row.values
        assert row.source
        for value in row.values.values():
            assert all(0 < float(number) < 100 for number in value.split('±'))


def test_published_rows_of_xclip():
    """From the release of X-CLIP and, base to novel, table 1 of FROSTER."""

    def row(*args):
        rows = (row for row in published_rows(*args) if row.method.startswith('X-CLIP'))
        return list(next(rows).values.values())

    assert row('few-shot', 'hmdb51') == ['53.0', '57.3', '62.8', '64.0']
    assert row('few-shot', 'ucf101') == ['76.4', '83.4', '88.3', '91.4']
    assert row('zero-shot', 'kinetics600') == ['65.2±0.4']
    assert row('base-to-novel', 'ssv2') == ['8.5', '6.6', '7.4']
    assert row('fully-supervised', 'kinetics400') == ['80.4', '95.0']
    assert published_rows('few-shot', 'mine') == []


def _result(column, repeat, top1, lost=0):
    metrics = dict.fromkeys(('acc/top5', 'acc/mean1'), 1.0)
    metrics |= {'acc/top1': top1, 'acc/num_videos': 10, 'acc/undecodable': lost}
    return Outcome(column, repeat, metrics)


def test_table_of_base_to_novel():
    results = [
        _result('base', 's1', 0.8),
        _result('novel', 's1', 0.2),
        _result('base', 's2', 0.6),
        _result('novel', 's2', 0.6),
    ]
    table = ProtocolTable(
        'base-to-novel', 'hmdb51', results, method='tiny', setting='8 frames, 1x1 views'
    )
    assert {name: str(cell) for name, cell in table.columns.items()} == {
        'base': '70.0±10.0',
        'novel': '40.0±20.0',
        'HM': '50.9±14.0',  # of 70 and 40; deviation of 32 and 60
    }
    markdown = table.to_markdown()
    assert '| X-CLIP | base-to-novel, 3 seeds | 69.4 | 45.5 | 55.0 |' in markdown
    assert 'over 2 splits or seeds' in markdown
    rows = list(csv.DictReader(io.StringIO(table.to_csv())))
    assert rows[2]['column'] == 'HM'
    assert rows[2]['protocol'] == 'base-to-novel, 8 frames, 1x1 views'
    assert float(rows[2]['mean']) == pytest.approx(50.909, abs=1e-3)
    with pytest.raises(ValueError, match='no results'):
        ProtocolTable('few-shot', 'x', [], method='', setting='')


def test_table_of_one_test_has_further_accuracies():
    metrics = {'acc/top1': 0.5, 'acc/top5': 0.75, 'acc/mean1': 0.25}
    metrics |= {'acc/num_videos': 8, 'acc/undecodable': 1}
    table = ProtocolTable(
        'fully-supervised',
        'kinetics400',
        [Outcome('top-1', 'val', metrics)],
        method='tiny',
        setting='8 frames',
    )
    assert {name: str(cell) for name, cell in table.columns.items()} == {
        'top-1': '50.0',
        'top-5': '75.0',
        'mean class': '25.0',
    }
    assert table.notes() == [
        '1 tests, 8 videos, each counted once',
        '1 videos could not be decoded and count as wrong',
    ]


def test_deviations_of_papers_have_a_column_of_their_own():
    results = [_result('top-1', f'split{i}', 0.5) for i in (1, 2, 3)]
    table = ProtocolTable('zero-shot', 'kinetics600', results, method='', setting='')
    rows = list(csv.DictReader(io.StringIO(table.to_csv())))
    (row,) = (row for row in rows if row['method'].startswith('X-CLIP'))
    assert (row['mean'], row['std']) == ('65.2', '0.4')
