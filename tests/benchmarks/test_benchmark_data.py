import json

import pytest


@pytest.mark.slow
def test_table_and_json(root, tmp_path, tool, shared):
    config = tmp_path / 'pipelines.py'
    base = root / 'configs/_base_/pipelines/u8-res224.py'
    config.write_text(f'_base_ = {str(base)!r}\n')
    video = shared / 'videos/skateboard_ollie/Ollie1.mp4'
    out = tool(
        *('benchmark_data.py', '--config', config),
        *('--videos', video, '--draws', 1, '--rounds', 1),
        *('--json', tmp_path / 'out.json'),
    )
    assert 'Ollie1, train' in out
    rows = json.loads((tmp_path / 'out.json').read_text())['rows']
    names = ['stock', 'SafeDecordInit', 'ours']
    names += ['SafeDecordInit, prepared', 'ours, prepared']
    assert [row['pipeline'] for row in rows] == 2 * names
    assert [row['part'] for row in rows] == 5 * ['train'] + 5 * ['test']
    for row in rows:
        assert row['stages'].keys() == {'open', 'decode', 'crop', 'colour', 'pack'}
        assert 0 < row['after_decoding'] < row['whole']
        assert row['whole'] == pytest.approx(sum(row['stages'].values()))
