"""Run a protocol part by part, and go on where an earlier run stopped."""

import json
import os
from pathlib import Path

from mmengine.config import Config
from mmengine.dist import barrier, get_world_size, is_main_process
from mmengine.logging import print_log
from mmengine.runner import Runner

from mmxclip.checkpoints.zoo import check_checkpoint
from mmxclip.cli.fingerprint import fingerprint
from mmxclip.cli.launch import build_runner, own_name, start_processes
from mmxclip.engine.last_checkpoint import last_checkpoint
from mmxclip.protocols.plan import (
    TESTS_GIVEN_MODEL,
    Measurement,
    Run,
    Split,
    protocol_runs,
)
from mmxclip.protocols.steps import (
    DataFolder,
    check_head,
    describe_views,
    make_test_config,
    make_train_config,
)
from mmxclip.protocols.table import Outcome, ProtocolTable
from mmxclip.text import Classes
from mmxclip.utils.files import write_text

_PROCESSES = 'number of processes'


class PartError(ValueError):
    """The folder of a part holds something else than what is asked for."""


class ProtocolRunner:
    """Train and test as a protocol says, and make its table.

    Every part keeps its files in a folder of its own below ``work_dir``: of a
    training the checkpoint and the log, of a test ``scores.pkl`` (the scores, see
    tools/eval_scores.py), ``per_class.csv`` and ``confusion_matrix.png``. A part
    that is done is not done again; an interrupted training goes on from its last
    checkpoint.

    Args:
        protocol: ``few-shot``, ``zero-shot``, ``base-to-novel`` or
            ``fully-supervised``.
        dataset: Data set to test.
        cfg: Config of model, pipelines and schedule; lists and classes are set here.
        work_dir: Folder of all results.
        data_root: Folder of the data set.
        source_root: Folder of the data set that zero-shot models are trained on;
            default: ``data_root``.
        checkpoint: Weights: a file, a Hugging Face folder or an address. Zero-shot
            and fully supervised test them and train nothing; few-shot and
            base-to-novel start each training from them.
        names: Variant of the packaged class names, e.g. ``'words'`` for
            ``ucf101_words`` in place of ``ucf101``; default: as published.

    Raises:
        FileNotFoundError: A folder, a list or the checkpoint is missing.
        ValueError: No such protocol for the data set, or the config lacks a loader
            or a head that can do it.
    """

    def __init__(
        self,
        protocol: str,
        dataset: str,
        cfg: Config,
        *,
        work_dir: str | os.PathLike,
        data_root: str | os.PathLike,
        source_root: str | os.PathLike | None = None,
        checkpoint: str | os.PathLike | None = None,
        names: str | None = None,
    ) -> None:
        self.protocol, self.dataset, self.cfg = protocol, dataset, cfg
        self.work_dir = Path(work_dir)
        self.folder = DataFolder(data_root)
        self.checkpoint = None if checkpoint is None else os.fspath(checkpoint)
        if self.checkpoint:
            check_checkpoint(self.checkpoint)
        self.trains = self.checkpoint is None or protocol not in TESTS_GIVEN_MODEL
        self.runs = protocol_runs(protocol, dataset, self.folder.lists, names)
        self.names = names
        needs_source = self.trains and self.runs[0].train.dataset != dataset
        self.source = self.folder
        if needs_source and source_root is not None:
            self.source = DataFolder(source_root)
        for run in self.runs:  # all that is needed must be there before hours are spent
            if self.trains:
                make_train_config(cfg, run.train, self.source, self.work_dir)
            for test in run.tests:
                make_test_config(cfg, test.split, self.folder, self.work_dir)
        check_head(cfg, protocol)

    def run(self) -> ProtocolTable:
        """Do all parts that are not done, then write and return the table.

        Raises:
            PartError: The folder of a part was made with other settings, or lacks
                its checkpoint.
        """
        start_processes(self.cfg)
        parts = sum(len(run.tests) + self.trains for run in self.runs)
        results: list[Outcome] = []
        done = 0
        for run in self.runs:
            checkpoint = self.checkpoint
            if self.trains:
                done += 1
                self._say(f'[{done}/{parts}] train on {run.train.ann_file}')
                checkpoint = self._train(run)
            for test in run.tests:
                done += 1
                self._say(f'[{done}/{parts}] test on {test.split.ann_file}')
                results.append(self._test(run, test, str(checkpoint)))
        frames, views = describe_views(self.cfg)
        setting = f'{frames} frames, ' if frames else ''
        setting += f'{views} views'
        setting += f', class names: {self.names}' if self.names else ''
        method = Path(self.cfg.filename or 'ours').stem
        table = ProtocolTable(
            self.protocol,
            self.dataset,
            results,
            method=method,
            setting=setting,
        )
        if is_main_process():
            self._write(table)
        return table

    def _train(self, run: Run) -> str:
        """Train one model and return its last checkpoint."""
        work_dir = self.work_dir / run.name / 'train'
        cfg = make_train_config(self.cfg, run.train, self.source, work_dir)
        start = self.checkpoint or cfg.get('load_from')
        state = self._state(cfg, start, run.train, self.source)
        state[_PROCESSES] = str(get_world_size())  # of which each has its batch
        known = self._recall(work_dir, state)
        if known is None or not known['done']:
            self._remember(work_dir, state, done=False)
            latest = last_checkpoint(work_dir)
            cfg.load_from = latest or start
            cfg.resume = latest is not None
            self._runner(cfg).train()
            self._remember(work_dir, state, done=True)
        checkpoint = last_checkpoint(work_dir)
        if checkpoint is None or not Path(checkpoint).is_file():
            raise PartError(
                f'{work_dir} says that it is done, but has no checkpoint; remove the '
                'folder to train again'
            )
        return checkpoint

    def _test(self, run: Run, test: Measurement, checkpoint: str) -> Outcome:
        """Test a model on one list."""
        work_dir = self.work_dir / run.name / f'test-{test.split.stem}'
        cfg = make_test_config(self.cfg, test.split, self.folder, work_dir)
        state = self._state(cfg, checkpoint, test.split, self.folder)
        known = self._recall(work_dir, state)
        if known is None or not known['done']:
            cfg.load_from = checkpoint
            runner = self._runner(cfg)
            metrics = {name: float(value) for name, value in runner.test().items()}
            expected = len(runner.test_dataloader.dataset)
            if metrics['acc/num_videos'] != expected:
                raise RuntimeError(
                    f'{metrics["acc/num_videos"]:.0f} of {expected} videos of '
                    f'{test.split.ann_file} were counted'
                )
            known = self._remember(work_dir, state, done=True, metrics=metrics)
        return Outcome(test.column, test.repeat, known['metrics'])

    @staticmethod
    def _state(
        cfg: Config, checkpoint: str | None, split: Split, folder: DataFolder
    ) -> dict[str, str]:
        classes = Classes.of(folder.classes(split))
        return fingerprint(cfg, checkpoint, folder.list_file(split), classes=classes)

    def _runner(self, cfg: Config) -> Runner:
        cfg.experiment_name = own_name(cfg.work_dir)
        return build_runner(cfg)

    def _recall(self, work_dir: Path, state: dict[str, str]) -> dict | None:
        """Return what is known of a part, or None if there is nothing of it.

        Raises:
            PartError: It was begun with other settings.
        """
        path = work_dir / 'part.json'
        barrier()  # the main process has written what it has done
        if not path.is_file():
            return None
        known = json.loads(path.read_text())
        if not known['done'] and last_checkpoint(work_dir) is None:
            return None  # it stopped before there was anything to lose
        changed = [
            key
            for key in state
            if known['state'].get(key) != state[key]
            and not (key == _PROCESSES and known['done'])
        ]
        if changed:
            raise PartError(
                f'{work_dir} holds a part that was made with other settings or data '
                f'({", ".join(changed)}); choose another --work-dir, or '
                'remove that folder'
            )
        return known

    def _remember(self, work_dir: Path, state: dict[str, str], **facts: object) -> dict:
        path = work_dir / 'part.json'
        known = dict(state=state, **facts)
        if is_main_process():
            write_text(path, json.dumps(known, indent=2), overwrite=True)
        barrier()
        return known

    def _write(self, table: ProtocolTable) -> None:
        texts = dict(md=table.to_markdown(), json=table.to_json(), csv=table.to_csv())
        for ending, text in texts.items():
            write_text(self.work_dir / f'table.{ending}', text, overwrite=True)

    def _say(self, text: str) -> None:
        print_log(f'{self.protocol} on {self.dataset} {text}', logger='current')
