"""A trained model as a folder to upload to the Hugging Face Hub."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from mmxclip.checkpoints.adapter_file import open_whole
from mmxclip.checkpoints.load import convert
from mmxclip.checkpoints.model_settings import Settings, say_sizes
from mmxclip.checkpoints.save import kept_meta, write
from mmxclip.inference.fitting_config import config_for, models_like
from mmxclip.text import Classes
from mmxclip.utils.files import atomic, sha256
from mmxclip.utils.tables import to_markdown

WEIGHTS = 'pytorch_model.bin'
CARD = """\
---
{facts}---

# {name}

{sizes} of 'Expanding Language-Image Pretrained Models for General Video Recognition'
([paper](https://arxiv.org/abs/2208.02816)), for MMAction2.

{table}
```bash
pip install 'mmxclip[lite]'
mim run mmxclip predict clip.mp4 --checkpoint hf-hub:OWNER/{name}
```

Any other words: `--labels "juggling, a dog runs"`. Its own classes: {classes}.

Parameters: {millions:.1f} M. SHA-256 of `{file}`, which holds weights, config and class
names: `{digest}`.
"""


def publish(
    checkpoint: str | os.PathLike,
    out: str | os.PathLike,
    *,
    results: str | os.PathLike | None = None,
    license: str | None = None,
) -> Path:
    """Write a folder with weights, config and classes in one file, and a model card.

    Uploaded to the Hub, the model is ``hf-hub:OWNER/NAME``.

    Args:
        checkpoint: Of a training, or any for which a config is known.
        out: New folder, whose name is that of the model.
        results: File of scalars that a test wrote into its work folder.
        license: As the Hub abbreviates it, such as ``'mit'``.

    Returns:
        Path: The file of weights.

    Raises:
        FileExistsError: The folder is there already.
        FileNotFoundError: A file is missing.
        ValueError: No config is known for the weights, or nothing was measured.
    """
    out = Path(out)
    if out.exists():
        raise FileExistsError(f'{out} is there already: choose another folder')
    measured = {} if results is None else read_results(results)
    opened = open_whole(checkpoint)
    config = config_for(str(checkpoint), opened, classes_given=False)
    classes = Classes.of(config.model.cls_head.classes)
    # Not the name of a file that stays here.
    config.model.cls_head.classes = classes.plain()
    tensors, report, settings = convert(opened)
    meta = kept_meta(opened, report) | dict(cfg=config.pretty_text)
    with atomic(out) as new:
        new.mkdir()
        write(new / WEIGHTS, tensors, extras=dict(meta=meta))
        card = CARD.format(
            facts=yaml.safe_dump(_facts(out.name, measured, license), sort_keys=False),
            name=out.name,
            sizes=say_sizes(settings, has_mit=True),
            table=compare(out.name, measured, settings),
            classes=', '.join(classes),
            millions=sum(tensor.numel() for tensor in tensors.values()) / 1e6,
            file=WEIGHTS,
            digest=sha256(new / WEIGHTS),
        )
        (new / 'README.md').write_text(card, encoding='utf-8')
    return out / WEIGHTS


def read_results(path: str | os.PathLike) -> dict[str, float]:
    """Return what the evaluators of a test measured, from the scalars that it logged.

    Raises:
        ValueError: There is nothing of that.
    """
    lines = Path(path).read_text(encoding='utf-8').splitlines()
    try:
        last: Mapping[str, Any] = json.loads(lines[-1])
        measured = {key: float(last[key]) for key in last if key.startswith('acc/')}
    except (IndexError, TypeError, ValueError):
        measured = {}
    if not measured:
        raise ValueError(
            f'{path} holds no accuracy in its last line; give the TIMESTAMP.json that '
            'tools/test.py writes'
        )
    return measured


def _facts(
    name: str, measured: Mapping[str, float], license: str | None
) -> dict[str, Any]:
    """Return what the Hub reads of a card."""
    facts: dict[str, Any] = dict(
        library_name='mmxclip', pipeline_tag='video-classification'
    )
    if license:
        facts['license'] = license
    if measured:
        results = dict(
            task=dict(type='video-classification'),
            metrics=[
                dict(type='accuracy', name=key.removeprefix('acc/'), value=value)
                for key, value in measured.items()
            ],
        )
        facts['model-index'] = [dict(name=name, results=[results])]
    return facts


def compare(name: str, measured: Mapping[str, float], settings: Settings) -> str:
    """Compare what was measured with what is published for models of these sizes."""
    names = dict(top1='Top 1 Accuracy', top5='Top 5 Accuracy')
    rows: list[list[object]] = [['model', 'data', 'GFLOPs', *names]]
    published = list(models_like(settings))
    gflops = published[0]['Metadata']['FLOPs'].rstrip('G') if published else '-'
    ours = [f'{100 * v:.1f}' if (v := measured.get(f'acc/{k}')) else '-' for k in names]
    rows.append([name, 'its test videos', gflops, *ours])
    for model in published:
        result = model['Results'][0]
        theirs = [result['Metrics'].get(long, '-') for long in names.values()]
        rows.append(
            [f'{model["Alias"][0]}, published', result['Dataset'], gflops, *theirs]
        )
    return to_markdown(rows)
