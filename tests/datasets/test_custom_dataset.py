"""docs/howto/custom_dataset.md: what it says of few-shot configs holds."""

import re

from mmengine.config import Config


def test_a_few_shot_base_reads_the_lists_of_the_page(root, tmp_path):
    page = (root / 'docs/howto/custom_dataset.md').read_text()
    config = re.search(r'```python\n(.*?)```', page, re.DOTALL)[1]
    base = re.search(r'```py\n(.*?)```', page, re.DOTALL)[1]
    (tmp_path / 'configs').symlink_to(root / 'configs')
    config = re.sub(r'_base_ = \[.*?\]\n', base, config, flags=re.DOTALL)
    path = tmp_path / 'mine.py'
    path.write_text(config.replace("'./", "'configs/xclip/"))
    cfg = Config.fromfile(path)
    lists = {'train': 'train', 'val': 'val', 'test': 'val'}
    for kind, name in lists.items():
        dataset = cfg[f'{kind}_dataloader'].dataset
        assert (dataset.data_root, dataset.ann_file) == (
            'data/mine',
            f'lists/{name}.txt',
        )
    few_shot = Config.fromfile(
        root / 'configs/xclip' / re.search(r"'\./(.+)'", base)[1]
    )
    assert cfg.optim_wrapper.optimizer.lr == few_shot.optim_wrapper.optimizer.lr
    assert [step.num_classes for step in cfg.blending.augments] == [4, 4]
