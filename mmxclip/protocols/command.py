"""Protocols as ``tools/run_protocol.py`` runs them."""

import os
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.logging import print_log

from mmxclip.cli.launch import load_config
from mmxclip.protocols.runner import ProtocolRunner
from mmxclip.utils.configs import configs_root

_B16 = 'xclip_base-p16-res224'
# Config of each protocol; for few-shot the one of K=2, the runner sets the rest.
_RECIPES = {
    'few-shot': f'few_shot/{_B16}_clip-pre_8xb8-u32-50e_{{}}-2shot-rgb.py',
    'zero-shot': f'zero_shot/{_B16}_clip-pre_8xb8-u32-10e_kinetics400-rgb.py',
    'base-to-novel': f'base_to_novel/{_B16}_clip-pre_8xb8-u32-11e_{{}}-base-rgb.py',
    'fully-supervised': f'fully_supervised/{_B16}_clip-pre_8xb32-u8-30e_{{}}-rgb.py',
}


def run_protocol(
    protocol: str,
    dataset: str,
    *,
    config: str | os.PathLike | None = None,
    work_dir: str | None = None,
    data_root: str | None = None,
    source_root: str | None = None,
    checkpoint: str | None = None,
    names: str | None = None,
    **launch: Any,
) -> None:
    """Run a protocol and print its table.

    Args:
        protocol: See :class:`.ProtocolRunner`, as of all that is not told here.
        dataset: See there.
        config: Default: the recipe of the paper.
        work_dir: Default: work_dirs/<protocol>_<dataset>.
        data_root: Default: data/<dataset>.
        source_root: See there.
        checkpoint: See there.
        names: See there.
        **launch: Arguments of :func:`.load_config`.

    Raises:
        FileNotFoundError: A folder, a list or the checkpoint is missing.
        ValueError: There is no such protocol, a setting is wrong, or a part was made
            with other settings.
    """
    work_dir = work_dir or f'work_dirs/{protocol}_{dataset}'
    cfg = load_config(config or recipe(protocol, dataset), work_dir=work_dir, **launch)
    runner = ProtocolRunner(
        protocol,
        dataset,
        cfg,
        work_dir=work_dir,
        data_root=data_root or f'data/{dataset}',
        source_root=source_root,
        checkpoint=checkpoint,
        names=names,
    )
    table = runner.run()
    if is_main_process():
        print_log(f'\n{table.to_markdown()}\nwritten to {work_dir}/table.[md|json|csv]')


def recipe(protocol: str, dataset: str) -> Path:
    """Return the paper's config for a protocol.

    Raises:
        ValueError: There is none for this data set.
    """
    path = configs_root() / 'configs/xclip' / _RECIPES[protocol].format(dataset)
    if path.is_file():
        return path
    raise ValueError(
        f'there is no recipe for {protocol} on {dataset} ({path.name}); give a '
        'config with --config'
    )
