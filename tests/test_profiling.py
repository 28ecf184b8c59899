"""The command of docs/performance.md that records a trace."""

import json
import re


def test_profiling(root, demo, shapes, command, tmp_path):
    page = (root / 'docs/performance.md').read_text()
    (block,) = re.findall(r'^( +HOOK=.*?trace\.json)$', page, re.DOTALL | re.MULTILINE)
    call = block.replace('tools/train.py CONFIG', f'{root}/tools/train.py {demo}')
    list_file = shapes / 'train.txt'
    list_file.write_text('\n'.join([list_file.read_text()] * 3))
    small = 'train_dataloader.batch_size=1 train_cfg.max_epochs=1'
    command('bash', '-c', f'{call} {small}')
    events = json.loads((tmp_path / 'trace.json').read_text())['traceEvents']
    names = {event['name'] for event in events}
    steps = {name for name in names if name.startswith('ProfilerStep#')}
    assert steps == {f'ProfilerStep#{i}' for i in (6, 7, 8, 9)}
    assert {'aten::addmm', 'aten::scaled_dot_product_attention'} <= names
    assert 'Optimizer.step#AdamW.step' in names
