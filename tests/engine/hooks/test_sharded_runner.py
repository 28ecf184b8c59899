"""Checkpoints that a strategy writes: whole, or not there."""

from pathlib import Path

import pytest
import torch
from mmengine._strategy import SingleDeviceStrategy
from mmengine.fileio import LocalBackend
from mmengine.registry import STRATEGIES

from mmxclip.engine import ShardedRunner


@STRATEGIES.register_module()
class FolderStrategy(SingleDeviceStrategy):
    """Writes folders, as DeepSpeed does; the disk is full at the third."""

    written = 0

    def save_checkpoint(self, filename, **kwargs):
        Path(filename).mkdir()
        super().save_checkpoint(f'{filename}/model.pt', **kwargs)
        FolderStrategy.written += 1
        if FolderStrategy.written == 3:
            raise OSError(28, 'No space left on device', filename)
        Path(filename, 'optimizer.pt').touch()


@pytest.mark.parametrize('kept', [1, -1])
def test_folders_are_whole_or_not_there(train, tmp_path, monkeypatch, kept):
    monkeypatch.setattr(FolderStrategy, 'written', 0)
    with pytest.raises(OSError, match='No space left'):
        train(
            'cut',
            kind=ShardedRunner,
            strategy=dict(type='FolderStrategy'),
            hook=dict(max_keep_ckpts=kept),
        )
    left = {path.name for path in (tmp_path / 'cut').iterdir() if 'epoch' in path.name}
    assert left == {'epoch_2.pth'} | ({'epoch_1.pth'} if kept < 0 else set())
    for name in left:
        assert sorted(path.name for path in (tmp_path / 'cut' / name).iterdir()) == [
            'model.pt',
            'optimizer.pt',
        ]
    assert (tmp_path / 'cut/last_checkpoint').read_text().endswith('epoch_2.pth')


def test_a_file_that_is_saved_again_is_whole_at_any_time(train, tmp_path, monkeypatch):
    """After the first epoch, the last one is, with what the best model is called."""
    files = []

    def cut(self, content, path):
        files.append(path)
        Path(path).write_bytes(content if len(files) < 3 else content[:99])
        if len(files) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(LocalBackend, 'put', cut)
    with pytest.raises(KeyboardInterrupt):
        train(
            'again',
            kind=ShardedRunner,
            strategy=dict(type='SingleDeviceStrategy'),
            hook=dict(save_best='two/top1', rule='greater'),
        )
    assert len({Path(path).name for path in files}) == 2
    for path in (tmp_path / 'again').glob('*.pth'):
        assert torch.load(path, weights_only=False)['meta']['epoch'] == 1
