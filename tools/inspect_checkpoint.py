"""Say what a checkpoint is, in words, without converting it.

Examples:
    python tools/inspect_checkpoint.py k400_16_8.pth
    python tools/inspect_checkpoint.py ~/.cache/clip/ViT-B-32.pt
"""

import argparse
import sys
from collections import Counter

import mmxclip  # noqa: F401 (lets torch read MMEngine's checkpoints)
from mmxclip.convert import (
    OURS,
    Geometry,
    measure,
    read_checkpoint,
    recognize,
    to_mmxclip,
)


def describe(path: str, *, trust: bool = False) -> str:
    """Describe a checkpoint in a few lines.

    Args:
        path: File or Hugging Face folder.
        trust: Open pickles that may run code.
    """
    opened = read_checkpoint(path, trust=trust)
    source = recognize(opened)
    state_dict, report = to_mmxclip(source)
    geometry = measure(state_dict)
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
    if report.initialised:
        lines.append(
            f'It lacks {len(report.initialised)} parameters of X-CLIP, which start '
            'from their initialisation.'
        )
    lines += [f'Mind: {note}.' for note in report.notes]
    lines.append(f'In a config: {settings(geometry, source.kind)}')
    return '\n'.join(lines)


def settings(geometry: Geometry, kind: str) -> str:
    """Return the config values that a model for these weights needs."""
    arch: str | dict[str, int] = geometry.arch
    if arch == 'custom':
        arch = {
            'img_size': geometry.img_size,
            'patch_size': geometry.patch_size,
            'embed_dims': geometry.embed_dims,
            'depth': geometry.depth,
            'num_heads': geometry.embed_dims // 64,
            'out_dims': geometry.out_dims,
        }
    parts = [f'backbone.arch={arch!r}']
    if geometry.num_frames is not None:
        parts += [
            f'neck.num_frames={geometry.num_frames}',
            f'neck.depth={geometry.mit_depth}',
            f'cls_head.prompt.depth={geometry.prompt_depth}',
        ]
    where = (
        'load_from' if geometry.num_frames or kind == OURS else 'init_cfg or load_from'
    )
    return f'{", ".join(parts)}; load it by {where}.'


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
        sys.exit(f'{type(error).__name__}: {error}')
