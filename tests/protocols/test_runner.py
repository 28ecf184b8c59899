"""What a protocol starts from, checked before anything is trained."""

import pytest
from mmengine.config import Config

from mmxclip.protocols.runner import ProtocolRunner


def test_weights_may_be_a_file_a_folder_or_an_address(tmp_path):
    """All that tools/test.py takes."""
    for name in ('val.txt', 'classes.txt', 'weights.pth'):
        (tmp_path / name).write_text('a.mp4 0')
    cfg = Config(
        dict(
            model=dict(cls_head=dict(type='XCLIPHead', classes='replaced')),
            test_dataloader=dict(dataset=dict(type='VideoListDataset')),
        )
    )

    def start(checkpoint):
        folders = dict(work_dir=tmp_path / 'work', data_root=tmp_path)
        options = dict(folders, checkpoint=checkpoint)
        return ProtocolRunner('fully-supervised', 'mine', cfg, **options)

    for given in (tmp_path / 'weights.pth', tmp_path, 'https://nowhere/weights.pth'):
        assert start(given).checkpoint == str(given)
    with pytest.raises(FileNotFoundError, match=r'gone\.pth'):
        start('gone.pth')
