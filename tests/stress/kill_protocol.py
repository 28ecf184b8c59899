"""Kill a protocol at random moments; its table must be that of one that was not.

    python tests/stress/kill_protocol.py --kills 20

Base-to-novel with two seeds on encoded videos, each part trained and tested by
tools/run_protocol.py, which is killed (SIGKILL) and started again until it is done.
Then its table and its folders are compared with those of a protocol that was never
stopped.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path

from kill_training import CONFIG, ROOT, make_data, run


def make_lists(folder: Path) -> None:
    """Make the lists of the protocol, of the videos of the training."""
    make_data(folder)
    classes = [f'class {i}' for i in range(8)]
    lists = folder / 'base2novel'
    lists.mkdir()
    for half, start in (('base', 0), ('novel', 4)):
        names = '\n'.join(classes[start : start + 4])
        (lists / f'{half}_classes.txt').write_text(names)
        for split, part in (('val', 'val'), ('train', 'fs_base_s{}_train')):
            rows = (folder / f'{split}.txt').read_text().splitlines()
            pairs = [row.split() for row in rows]
            own = [
                f'{path} {int(label) - start}'
                for path, label in pairs
                if start <= int(label) < start + 4
            ]
            name = f'{half}_val' if split == 'val' else part
            if split == 'val' or half == 'base':
                for seed in (1, 2):
                    (lists / f'{name.format(seed)}.txt').write_text('\n'.join(own))


def facts(work_dir: Path) -> tuple:
    """Return the table, and the names of all files but logs."""
    table = json.loads((work_dir / 'table.json').read_text())
    for test in table['tests']:
        for name in ('time', 'data_time'):
            test['metrics'].pop(name, None)
    logs = ('.log', '.json')
    files = sorted(
        str(path.relative_to(work_dir))
        for path in work_dir.rglob('*')
        if path.is_file()
        and not (path.suffix in logs and any(c.isdigit() for c in path.stem))
        and 'vis_data' not in path.parts
    )
    return table['ours'], table['tests'], files


def main() -> None:
    """Kill and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--kills', type=int, default=20)
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_lists(folder / 'data')
        config = folder / 'config.py'
        text = CONFIG.format(root=ROOT, data=folder / 'data', checkpoint='')
        config.write_text(text.replace('max_epochs=4', 'max_epochs=2'))
        command = ['run_protocol.py', 'base-to-novel', '--dataset', 'shapes']
        command += ['--data-root', folder / 'data', '--config', config]
        begin = time.monotonic()
        run(command, folder / 'whole', 1, None)
        seconds = time.monotonic() - begin
        whole = facts(folder / 'whole')
        print(f'never stopped: {seconds:.1f} s, {len(whole[-1])} files', flush=True)
        kills = protocols = 0
        while kills < args.kills:
            work_dir, longest = folder / f'killed{protocols}', 0.5 * seconds
            while not run(command, work_dir, 1, random.uniform(0, longest)):
                kills, longest = kills + 1, 1.2 * longest
            protocols += 1
            if (killed := facts(work_dir)) != whole:
                sys.exit(f'differs:\n{killed}\n{whole}')
            print(f'{kills} kills, {protocols} protocols: all equal', flush=True)


if __name__ == '__main__':
    main()
