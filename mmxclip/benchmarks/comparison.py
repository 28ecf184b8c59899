"""Methods trained and tested under one budget, each run a process of its own."""

import argparse
import json
import multiprocessing
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import init_default_scope

from mmxclip.benchmarks.methods import LOADERS, fit_to_budget, measure
from mmxclip.benchmarks.report import COLUMNS, markdown, write_report
from mmxclip.cli.fingerprint import fingerprint
from mmxclip.cli.launch import read_config
from mmxclip.utils.files import write_text


def compare(args: argparse.Namespace) -> None:
    """Run what has no result yet, and write the table.

    Args:
        args: Options of ``tools/benchmark_methods.py``.

    Raises:
        FileNotFoundError: There is no such config.
        ValueError: A config or an option is wrong, results were made with other
            settings, or runs have no result.
    """
    benchmark = read_config(args.benchmark)
    rows = choose_rows(benchmark, args)
    seeds = args.seeds or list(benchmark.seeds)
    args.work_dir.mkdir(parents=True, exist_ok=True)
    if not args.report_only:
        fitted = {row['name']: fit(benchmark, row, args) for row in rows}
        run_all(fitted, seeds, args.work_dir)
    runs: dict[str, list[dict]] = {}
    missing = []
    for row in rows:
        for path in (result_path(args.work_dir, row['name'], seed) for seed in seeds):
            if path.exists():
                runs.setdefault(row['name'], []).append(read(path))
            else:
                missing.append(path.stem)
    lacking = f'{len(missing)} runs have no result: {", ".join(missing)}'
    if not runs:
        raise ValueError(f'{lacking}; nothing is written')
    columns = benchmark.get('columns', COLUMNS)
    print_log(markdown(runs, columns))
    write_report(runs, args.out or args.work_dir, args.benchmark.stem, columns)
    if missing:
        raise ValueError(lacking)


def choose_rows(benchmark: Config, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the methods that are asked for.

    Raises:
        ValueError: The config lists none, or not that one; or two share a file.
    """
    if 'methods' not in benchmark:
        raise ValueError(
            f'{args.benchmark} lists no methods, so it is no benchmark; '
            'configs/benchmarks has one'
        )
    rows = list(benchmark.methods)
    rows += [dict(name=Path(path).stem, config=path) for path in args.add]
    names = [row['name'] for row in rows]
    if unknown := set(args.methods or ()) - set(names):
        raise ValueError(
            f'--methods: {sorted(unknown)} are not in {args.benchmark}; there are '
            f'{names}'
        )
    rows = [row for row in rows if row['name'] in (args.methods or names)]
    named: dict[Path, dict] = {}
    for row in rows:
        other = named.setdefault(result_path(args.work_dir, row['name'], 0), row)
        if other is not row:
            raise ValueError(
                f'{other["name"]!r} ({other["config"]}) and {row["name"]!r} '
                f'({row["config"]}) are one name to a file; rename one'
            )
    return rows


def fit(benchmark: Config, row: dict[str, Any], args: argparse.Namespace) -> Config:
    """Make the config of a row."""
    options = dict(row.get('options', {}))
    if args.data_root:
        options |= {f'{loader}.dataset.data_root': args.data_root for loader in LOADERS}
    cfg = read_config(row['config'])
    return fit_to_budget(cfg, benchmark.budget, benchmark.parts, options)


def decode_once(cfg: Config) -> None:
    """Fill the memory of ``InMemoryVideoInit``, which all runs share."""
    init_default_scope('mmaction')
    for loader in LOADERS:
        dataset = cfg[loader].dataset
        if dataset.pipeline[0].type == 'InMemoryVideoInit':
            for _ in DATASETS.build(dataset):
                pass


def run(cfg: Config, seed: int, path: Path) -> None:
    """Measure one method with one seed, write the result to ``path``."""
    settings = fingerprint(cfg, None)['config']
    warnings.simplefilter('ignore')
    torch.set_num_threads(1)
    cfg.randomness = dict(seed=seed)
    cfg.experiment_name = path.stem
    cfg.work_dir = str(path.parent / 'logs' / path.stem)
    cfg.log_level = 'WARNING'
    result = dict(measure(cfg), seed=seed, torch=torch.__version__, settings=settings)
    write_text(path, json.dumps(result))


def result_path(folder: Path, name: str, seed: int) -> Path:
    """Return where the result of a run lies."""
    return folder / f'{re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")}_{seed}.json'


def read(path: Path) -> dict[str, Any]:
    """Return the result of a run."""
    return json.loads(path.read_text())


def run_all(fitted: dict[str, Config], seeds: Sequence[int], work_dir: Path) -> None:
    """Run what has no result yet: all methods with the first seed, and so on.

    Raises:
        ValueError: A result that is there was made with other settings.
    """
    runs = [
        (result_path(work_dir, name, seed), name, seed)
        for seed in seeds
        for name in fitted
    ]
    settings = {name: fingerprint(cfg, None)['config'] for name, cfg in fitted.items()}
    other = [
        str(path)
        for path, name, _ in runs
        if path.exists() and read(path).get('settings') != settings[name]
    ]
    if other:
        raise ValueError(
            'made with other settings than the methods have now: '
            f'{", ".join(other)}. Delete them, or give another --work-dir'
        )
    todo = [entry for entry in runs if not entry[0].exists()]
    if todo:
        decode_once(next(iter(fitted.values())))
    context = multiprocessing.get_context('fork')
    for done, (path, name, seed) in enumerate(todo, start=1):
        process = context.Process(target=run, args=(fitted[name], seed, path))
        process.start()
        process.join()
        outcome = 'FAILED' if process.exitcode else read(path)['top1']
        print_log(f'{done}/{len(todo)} {name}, seed {seed}: {outcome}')
