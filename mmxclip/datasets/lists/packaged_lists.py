"""The exact lists of the published protocols, carried by the package.

``packaged/*.tar.xz`` holds them as published (packaged/README.md says by whom);
``tar tf`` shows what is inside.
"""

import tarfile
from functools import cache
from pathlib import Path

from mmxclip.datasets.lists.annotation import Entry, parse_list

_FOLDER = Path(__file__).parent / 'packaged'

# Lines of every list of a protocol, also of those that are not carried (trainN of
# HMDB-51 and UCF-101 come from the official archives). Kinetics shrinks as videos
# vanish from YouTube, so its train and val lists have no fixed size.
COUNTS: dict[str, dict[str, int]] = {
    'hmdb51': {
        **{f'train{i}.txt': 3570 for i in (1, 2, 3)},
        **{f'val{i}.txt': 1530 for i in (1, 2, 3)},
        **{f'train1_few_shot_{k}.txt': 51 * k for k in (2, 4, 8, 16)},
        **{f'base2novel/fs_base_s{i}_train.txt': 416 for i in (1, 2, 3)},
        'base2novel/base_train.txt': 1820,
        'base2novel/base_val.txt': 780,
        'base2novel/novel_val.txt': 750,
    },
    'ucf101': {
        'train1.txt': 9537,
        'train2.txt': 9586,
        'train3.txt': 9624,
        'val1.txt': 3783,
        'val2.txt': 3734,
        'val3.txt': 3696,
        **{f'train1_few_shot_{k}.txt': 101 * k for k in (2, 4, 8, 16)},
        **{f'base2novel/fs_base_s{i}_train.txt': 816 for i in (1, 2, 3)},
        'base2novel/base_train.txt': 5385,
        'base2novel/base_val.txt': 2088,
        'base2novel/novel_val.txt': 1695,
    },
    'ssv2': {
        'train.txt': 168913,
        'val.txt': 24777,
        **{f'train1_few_shot_{k}.txt': 174 * k for k in (2, 4, 8, 16)},
        **{f'base2novel/fs_base_s{i}_train.txt': 1392 for i in (1, 2, 3)},
        'base2novel/base_val.txt': 17562,
        'base2novel/novel_val.txt': 7215,
    },
    'kinetics400': {
        **{f'base2novel/fs_base_s{i}_train.txt': 3200 for i in (1, 2, 3)},
        'base2novel/base_val.txt': 9944,
        'base2novel/novel_val.txt': 9933,
    },
    'kinetics600': {
        # One more each than `wc -l` says: their last lines end without a newline.
        'zero_shot_split1.txt': 14084,
        'zero_shot_split2.txt': 13978,
        'zero_shot_split3.txt': 14136,
    },
}


@cache
def published_lists(dataset: str) -> dict[str, list[Entry]]:
    """Lists of a data set that the package carries, by their path below ``lists/``.

    Args:
        dataset: ``hmdb51``, ``ucf101``, ``ssv2``, ``kinetics400`` (base-to-novel
            only) or ``kinetics600`` (zero-shot rounds only).

    Raises:
        ValueError: Another data set.
    """
    if dataset not in COUNTS:
        raise ValueError(
            f'no published lists for {dataset!r}; there are {", ".join(COUNTS)}'
        )
    lists = {}
    for archive in sorted(_FOLDER.glob(f'{dataset}*.tar.xz')):
        with tarfile.open(archive) as tar:
            for member in tar.getmembers():
                text = tar.extractfile(member).read().decode()  # type: ignore[union-attr]
                lists[member.name] = parse_list(text, f'{archive.name}:{member.name}')
    return lists


def classes_of(dataset: str, name: str) -> str:
    """Packaged class names (``load_class_names``) that the labels of a list mean.

    Args:
        dataset: Key of :data:`COUNTS`.
        name: Path of the list below ``lists/``.
    """
    if name.startswith('base2novel/'):
        half = 'novel' if 'novel' in Path(name).stem else 'base'
        return f'{dataset}_{half}'
    if name.startswith('zero_shot'):
        return f'{dataset}_{Path(name).stem}'
    return dataset
