"""Say what a checkpoint is, in words, without converting it.

Examples:
    python tools/inspect_checkpoint.py k400_16_8.pth
    python tools/inspect_checkpoint.py ~/.cache/clip/ViT-B-32.pt
"""

import argparse
import sys
from collections import Counter
from typing import Any

import mmxclip  # noqa: F401 (lets torch read MMEngine's checkpoints)
from mmxclip.convert import (
    Geometry,
    measure,
    read_checkpoint,
    recognize,
    to_mmxclip,
)
from mmxclip.layers.clip_sizes import VISION_ARCHS


def describe(path: str, *, trust: bool = False) -> str:
    """Describe a checkpoint in a few lines.

    Args:
        path: File or Hugging Face folder.
        trust: Open pickles that may run code.
    """
    opened = read_checkpoint(path, trust=trust)
    source = recognize(opened)
    state_dict, report = to_mmxclip(source)
    geometry = measure(state_dict, source.heads)
    dtypes = Counter(str(t.dtype).removeprefix('torch.') for t in state_dict.values())
    millions = sum(tensor.numel() for tensor in state_dict.values()) / 1e6
    lines = [
        f'{path} is a checkpoint of {source.kind} ({source.form}).',
        f'Model: {geometry.describe()}.',
        f'Weights: {len(source.state_dict)} tensors, {millions:.1f} M parameters, '
        f'{" and ".join(dtypes)}.',
    ]
    if source.extras:
        lines.append(f'It also holds: {", ".join(source.extras)}.')
    lacking = len(report.initialised + report.missing)
    if lacking:
        lines.append(
            f'It lacks {lacking} parameters of X-CLIP, which start from their '
            'initialisation.'
        )
    lines += [f'Mind: {note}.' for note in report.notes]
    where = 'load_from' if geometry.num_frames else 'init_cfg or load_from'
    lines.append(f'In a config, to load it by {where}:')
    lines += [f'  model.{key} = {value!r}' for key, value in settings(geometry).items()]
    return '\n'.join(lines)


def settings(geometry: Geometry) -> dict[str, Any]:
    """Return the config values that a model for these weights needs.

    What the published B models have is the default of every part and left out.
    """
    base = geometry.arch in ('b/32', 'b/16')
    values: dict[str, Any] = {'backbone.arch': geometry.arch or geometry.vision_arch}
    if geometry.arch and geometry.img_size != VISION_ARCHS[geometry.arch]['img_size']:
        values['backbone.img_size'] = geometry.img_size
    if not base:
        values['cls_head.text_encoder.arch'] = geometry.arch or geometry.text_arch
    if geometry.num_frames is None:
        return values
    values['neck.num_frames'] = geometry.num_frames
    values['neck.depth'] = geometry.mit_depth
    values['cls_head.prompt.depth'] = geometry.prompt_depth
    if geometry.heads.mit:
        values['neck.num_heads'] = geometry.heads.mit
    if geometry.heads.prompt:
        values['cls_head.prompt.num_heads'] = geometry.heads.prompt
    if not base:
        values['neck.embed_dims'] = geometry.out_dims
        values['cls_head.prompt.embed_dims'] = geometry.out_dims
        values['cls_head.prompt.context_dims'] = geometry.embed_dims
    return values


def main() -> None:
    """Describe FILE."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('file', help='checkpoint file or Hugging Face folder')
    parser.add_argument(
        '--trust',
        action='store_true',
        help='open the file even if that runs code inside it',
    )
    args = parser.parse_args()
    print(describe(args.file, trust=args.trust))


if __name__ == '__main__':
    try:
        main()
    except (ValueError, OSError, ImportError) as error:
        sys.exit(f'error: {error}')
