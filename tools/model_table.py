"""Write the tables of released models in the documents from the model zoo.

The zoo is configs/xclip/metafile.yml, which mim reads too. A table stands between
    <!-- model-zoo:begin DATA SET -->
    <!-- model-zoo:end -->
where DATA SET may be left out for all models.

Examples:
    python tools/model_table.py README.md docs/weights.md
    python tools/model_table.py README.md docs/weights.md --check
"""

import argparse
import os
import re
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
METAFILE = ROOT / 'configs' / 'xclip' / 'metafile.yml'
MARKED = re.compile(
    r'(<!-- model-zoo:begin ?(?P<data>.*?) ?-->\n).*?(<!-- model-zoo:end -->)',
    re.DOTALL,
)
HEAD = (
    '| model | params (M) | frames | data | protocol | GFLOPs | top-1 | top-5 | config '
    '| weights |\n'
    '|---|---|---|---|---|---|---|---|---|---|\n'
)


def load_zoo() -> list[dict[str, Any]]:
    """Return the models that have published weights."""
    models = yaml.safe_load(METAFILE.read_text())['Models']
    return [model for model in models if 'Weights' in model]


def render_row(model: dict[str, Any], folder: Path) -> str:
    """Render one model as a line of the table.

    Args:
        model: Entry of the metafile.
        folder: Folder of the document, for the link to the config.
    """
    facts, result = model['Metadata'], model['Results'][0]
    side = facts['Resolution'].split('x')[0]
    name = facts['Architecture'] + ('' if side == '224' else f'@{side}')
    config = os.path.relpath(ROOT / model['Config'], folder)
    checksum = facts['SHA256']
    known = '' if checksum == 'unknown' else f' ({checksum[:8]})'
    cells = (
        name,
        facts['Parameters'].rstrip('M'),
        facts['Frames'],
        result['Dataset'],
        facts['Protocol'],
        facts['FLOPs'].rstrip('G'),
        result['Metrics']['Top 1 Accuracy'],
        result['Metrics'].get('Top 5 Accuracy', '-'),
        f'[config]({config})',
        f'[{file_name(model)}]({model["Weights"]}){known}',
    )
    return '| ' + ' | '.join(map(str, cells)) + ' |\n'


def file_name(model: dict[str, Any]) -> str:
    """Return the name of a model's released file."""
    name = Path(model['Weights']).name
    if name.endswith('.pth'):
        return name
    return Path(model['Training Log']).stem + '.pth'  # Google Drive hides it


def update(text: str, folder: Path) -> str:
    """Return a document with its tables rendered anew.

    Args:
        text: The document.
        folder: Its folder.

    Raises:
        ValueError: It has no marks, or names a data set without models.
    """

    def render(match: re.Match[str]) -> str:
        rows = [
            render_row(model, folder)
            for model in load_zoo()
            if match['data'] in ('', model['Results'][0]['Dataset'])
        ]
        if not rows:
            raise ValueError(f'no model of {match["data"]!r} in {METAFILE}')
        return match[1] + HEAD + ''.join(rows) + match[3]

    updated, count = MARKED.subn(render, text)
    if not count:
        raise ValueError('no <!-- model-zoo:begin --> ... <!-- model-zoo:end -->')
    return updated


def main() -> None:
    """Render, or check, the tables of the given documents."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('documents', nargs='+', type=Path)
    parser.add_argument('--check', action='store_true', help='change nothing')
    args = parser.parse_args()
    stale = []
    for path in args.documents:
        text = path.read_text()
        updated = update(text, path.resolve().parent)
        if updated != text:
            stale.append(str(path))
            if not args.check:
                path.write_text(updated)
    if args.check and stale:
        sys.exit(
            f'out of date: {", ".join(stale)}. Run: python tools/model_table.py '
            + ' '.join(stale)
        )


if __name__ == '__main__':
    try:
        main()
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
