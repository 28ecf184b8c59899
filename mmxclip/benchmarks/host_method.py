"""Methods of the host in the comparisons: what their configs inherit."""

from mmengine.config import ConfigDict

_METHOD_KEYS = {
    'model',
    'train_cfg',
    'optim_wrapper',
    'param_scheduler',
    'auto_scale_lr',
    'train_pipeline',
    'val_pipeline',
    'test_pipeline',
}


def keep_method(base: ConfigDict) -> None:
    """Reduce a config of MMAction2 to its method, in place.

    Data, evaluation and runtime go, so that other bases can supply them. The videos
    are opened by our readers, which take archives, too, and survive a broken video; the
    frames are the same.

    Args:
        base: ``_base_`` of the config that calls this.
    """
    for key in set(base) - _METHOD_KEYS:
        base.pop(key)
    for part in ('train', 'val', 'test'):
        for step in base[f'{part}_pipeline']:
            if step['type'] in ('DecordInit', 'DecordDecode'):
                step.pop('io_backend', None)
                step.update(type=step['type'].replace('Decord', 'Video'))
