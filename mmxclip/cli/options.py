"""Options that the commands which run configs share."""

import argparse
import ast
import re
from pathlib import Path
from typing import Any

from mmengine.config import DictAction

# Blanks inside a value or an item, not those beside commas and brackets.
_INNER_BLANKS = re.compile(r'(?<=[^ ,(\[]) +(?=[^ ,)\]])')

# What the arguments of a model and of its engine are called.
MODEL_OPTIONS = ('config', 'checkpoint', 'device', 'engine', 'dtype')


class Options(DictAction):
    """``--cfg-options`` that says which option is wrong, and keeps blanks in values.

    Lists are written as for MMEngine, ``1,2`` or ``[1,(a,b)]``, but blanks inside an
    item stay, as in ``[playing guitar, a dog runs]``. What has quotes and is a value of
    Python is taken as Python takes it, so an item may hold commas and brackets, too:
    ``['one, two', 'three (3)']``.
    """

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Collect the options KEY=VALUE."""
        for value in values:
            if '=' not in value:
                parser.error(f'{option_string} takes KEY=VALUE, got {value!r}')
        super().__call__(parser, namespace, values, option_string)

    @staticmethod
    def _parse_iterable(val: str) -> Any:
        """Read one value; MMEngine's parser would close up all blanks."""
        if "'" in val or '"' in val:
            try:
                literal = ast.literal_eval(val)
            except (ValueError, SyntaxError):
                pass
            else:  # a,b is a list for MMEngine, with quotes or without
                bare = isinstance(literal, tuple) and not val.startswith('(')
                return list(literal) if bare else literal
        marked = _INNER_BLANKS.sub(lambda blanks: '\0' * len(blanks[0]), val)
        return _with_blanks(DictAction._parse_iterable(marked))


def _with_blanks(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(_with_blanks(item) for item in value)
    return value.replace('\0', ' ') if isinstance(value, str) else value


def make_parser(doc: str | None) -> argparse.ArgumentParser:
    """Return a parser that shows the docstring of a tool as it is written."""
    layout = argparse.RawDescriptionHelpFormatter
    return argparse.ArgumentParser(description=doc, formatter_class=layout)


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that training and testing take."""
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--work-dir',
        help='folder for logs, checkpoints and results '
        '(default: work_dir of the config, or work_dirs/<name of the config>)',
    )
    add_launch_arguments(parser)


def add_launch_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of every command that runs configs."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=Options,
        metavar='KEY=VALUE',
        help='settings that replace those of the config, e.g. '
        'train_dataloader.batch_size=4 or key="[1,2]"',
    )
    add_launcher_arguments(parser)


def add_launcher_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that tell how the processes of a distributed job start."""
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='how the processes of a distributed job were started',
    )
    # torch.distributed.launch passes it; torchrun sets LOCAL_RANK instead.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose a model and where it runs."""
    add = parser.add_argument
    add(
        '--model',
        '--config',
        dest='config',
        metavar='NAME',
        help='released model (tools/predict.py --list-models) or path of a config; '
        'default: what fits the checkpoint, else the one recommended for any words',
    )
    add('--checkpoint', help="default: the model's own")
    add('--device', help='e.g. cpu, cuda:0; default: a GPU if there is one')


def add_engine_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose what runs the model's towers."""
    add = parser.add_argument
    add(
        '--engine',
        choices=['torch', 'onnx'],
        default='torch',
        help='onnx: onnxruntime on the CPU (mmxclip[onnx]); default: %(default)s',
    )
    add(
        '--dtype',
        choices=['fp32', 'int8'],
        default='fp32',
        help='int8, of the engine onnx: faster, nearly the same (default: %(default)s)',
    )


def add_listing_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of commands that make lists of somebody's videos."""
    add = parser.add_argument
    add('source', type=Path, help='a folder with a folder per class, or a csv')
    names = 'a table folder,name: other names of classes; or .json: descriptions'
    add('--names', type=Path, help=names)
    add('--val', type=float, default=0.2, help='share of the videos to test on (0.2)')
    add('--seed', type=int, default=0, help='another one gives another split')
    add(
        '--group-by',
        metavar='PATTERN',
        help='regular expression with one group, searched for in each path: videos '
        'with the same text there stay together',
    )
