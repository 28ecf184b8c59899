"""Convert weights between X-CLIP's published forms and this project's.

Examples:
    python tools/convert_checkpoint.py k400_16_8.pth xclip.pth
    python tools/convert_checkpoint.py microsoft-xclip/ xclip.pth
    python tools/convert_checkpoint.py ViT-B-16.pt clip.pth --dtype float32
    python tools/convert_checkpoint.py xclip.pth hf_folder --to huggingface
    python tools/convert_checkpoint.py epoch_30.pth xclip.pth --inference
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

import mmxclip  # noqa: F401 (lets torch read MMEngine's checkpoints)
from mmxclip.convert import (
    OURS,
    TARGETS,
    Source,
    StateDict,
    measure,
    read_checkpoint,
    recognize,
    require_writable,
    to_mmxclip,
    write_foreign,
    write_mmxclip,
)

# Without epoch and iteration, which belong to a training.
KEPT_META = ('cfg', 'dataset_meta')
DTYPES = ('float32', 'float16', 'bfloat16')


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('src', help='checkpoint file or Hugging Face folder')
    parser.add_argument('dst', type=Path, help='file (or folder) to write')
    parser.add_argument(
        '--to',
        choices=['mmxclip', *TARGETS],
        default='mmxclip',
        help='layout of DST (default: mmxclip)',
    )
    parser.add_argument(
        '--dtype', choices=DTYPES, help='dtype of the weights (default: as they are)'
    )
    parser.add_argument(
        '--inference',
        action='store_true',
        help='of a training checkpoint, keep only weights, config and class names',
    )
    parser.add_argument(
        '--force',
        action='store_true',
        help='replace DST: a file, or a folder that --to huggingface wrote',
    )
    parser.add_argument(
        '--trust',
        action='store_true',
        help='open SRC even if that runs code inside it: only for files whose author '
        'you trust',
    )
    return parser.parse_args()


def main() -> None:
    """Convert SRC to DST and print what became of every tensor."""
    args = parse_args()
    require_writable(args.dst, args.to, force=args.force)
    opened = read_checkpoint(args.src, trust=args.trust)
    source = recognize(opened)
    state_dict, report = to_mmxclip(source)
    print(f'{args.src}: {source.kind}, {measure(state_dict).describe()}\n{report}')
    if args.dtype:
        state_dict = cast(state_dict, args.dtype)
    if args.to == 'mmxclip':
        extras = kept_extras(source, opened.content, args.inference)
        write_mmxclip(args.dst, state_dict, extras=extras, force=args.force)
    else:
        options = dict(heads=source.heads, force=args.force)
        print(write_foreign(args.dst, state_dict, args.to, **options))
    print(f'wrote {args.dst}')


def cast(state_dict: StateDict, dtype: str) -> StateDict:
    """Cast floating-point tensors."""
    return {
        name: tensor.to(getattr(torch, dtype)) if tensor.is_floating_point() else tensor
        for name, tensor in state_dict.items()
    }


def kept_extras(
    source: Source, content: Mapping[str, Any], inference: bool
) -> dict[str, Any]:
    """Return what a checkpoint of ours keeps beside its weights.

    Args:
        source: What was recognised in the file.
        content: What it holds.
        inference: Keep only what predictions need: config and class names.
    """
    if source.kind != OURS or 'state_dict' not in content:
        return {}
    if inference:
        meta = content.get('meta') or {}
        return {'meta': {key: meta[key] for key in KEPT_META if key in meta}}
    return {key: content[key] for key in source.extras if key in content}


if __name__ == '__main__':
    try:
        main()
    except (ValueError, OSError, ImportError) as error:
        sys.exit(f'error: {error}')
