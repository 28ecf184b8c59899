"""Which checkpoint a training goes on from, whatever a crash has left."""

import pytest
import torch
from mmengine.logging import MMLogger

from mmxclip.engine.last_checkpoint import last_checkpoint


@pytest.fixture
def note(tmp_path):
    """Three checkpoints of a training and a note of the last, which is rewritten."""
    for epoch in (2, 9, 10):
        checkpoint = dict(meta=dict(epoch=epoch), state_dict=dict(a=torch.ones(1000)))
        torch.save(checkpoint, tmp_path / f'epoch_{epoch}.pth')
    torch.save(dict(a=torch.ones(1000)), tmp_path / 'vit_16.pth')
    torch.save(torch.ones(3), tmp_path / 'best_17.pth')
    note = tmp_path / 'last_checkpoint'
    note.write_text('elsewhere/epoch_10.pth')
    return note


@pytest.fixture
def said(tmp_path):
    """What was logged."""
    file = tmp_path / 'log.txt'
    MMLogger.get_instance(tmp_path.name, log_file=str(file))
    return file.read_text


def newest(note):
    return last_checkpoint(note.parent).rpartition('/')[2]


def test_the_noted_one_is_found_where_the_folder_is_now(note, said):
    assert newest(note) == 'epoch_10.pth'
    assert not said()


def test_a_folder_without_checkpoints_has_none(tmp_path, said):
    assert last_checkpoint(tmp_path) is None
    assert not said()


def test_an_address_is_taken_as_it_is(note):
    note.write_text('s3://bucket/epoch_11.pth')
    assert last_checkpoint(note.parent) == 's3://bucket/epoch_11.pth'


@pytest.mark.parametrize('text', [None, '', 'elsewhere/epoch_12.pth', 'elsewhere/ep'])
def test_without_a_note_it_is_the_newest(note, said, text):
    note.unlink() if text is None else note.write_text(text)
    assert newest(note) == 'epoch_10.pth'
    assert 'epoch_10.pth' in said()


@pytest.mark.parametrize('fault', ['cut', 'empty', 'flipped', 'lost'])
def test_what_is_damaged_is_passed_over(note, said, fault):
    file = note.parent / 'epoch_10.pth'
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    changed = dict(cut=data[:-100], empty=b'', flipped=data)
    file.unlink() if fault == 'lost' else file.write_bytes(changed[fault])
    assert newest(note) == 'epoch_9.pth'
    assert 'epoch_10.pth' in said()
    assert 'epoch_9.pth' in said()
