"""Tables of released models in documents, rendered from the model zoo."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from mmxclip.utils.tables import to_markdown

ROOT = Path(__file__).resolve().parents[2]
METAFILE = ROOT / 'configs' / 'xclip' / 'metafile.yml'
MARKED = re.compile(
    r'(<!-- model-zoo:begin ?(?P<data>.*?) ?-->\n).*?(<!-- model-zoo:end -->)',
    re.DOTALL,
)
FACTS = ('model', 'params (M)', 'frames', 'data', 'protocol', 'GFLOPs')
HEAD = (*FACTS, 'top-1', 'top-5', 'config', 'weights, by name')


def load_zoo() -> list[dict[str, Any]]:
    """Return the models that have published weights."""
    models = yaml.safe_load(METAFILE.read_text())['Models']
    return [model for model in models if 'Weights' in model]


def render_row(model: dict[str, Any], folder: Path) -> tuple:
    """Render one model as a row of the table.

    Args:
        model: Entry of the metafile.
        folder: Folder of the document, for the link to the config.
    """
    facts, result = model['Metadata'], model['Results'][0]
    side = facts['Resolution'].split('x')[0]
    name = facts['Architecture'] + ('' if side == '224' else f'@{side}')
    config = os.path.relpath(ROOT / model['Config'], folder)
    return (
        name,
        facts['Parameters'].rstrip('M'),
        facts['Frames'],
        result['Dataset'],
        facts['Protocol'],
        facts['FLOPs'].rstrip('G'),
        result['Metrics']['Top 1 Accuracy'],
        result['Metrics'].get('Top 5 Accuracy', '-'),
        f'[config]({config})',
        f'[{model["Alias"][0]}]({model["Weights"]})',
    )


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
        return match[1] + to_markdown([HEAD, *rows]) + match[3]

    updated, count = MARKED.subn(render, text)
    if not count:
        raise ValueError('no <!-- model-zoo:begin --> ... <!-- model-zoo:end -->')
    return updated


def update_documents(documents: Sequence[Path], *, check: bool = False) -> None:
    """Render, or check, the tables of documents.

    Args:
        documents: Markdown files with marks.
        check: Whether nothing is changed.

    Raises:
        ValueError: A document has no marks, or, with ``check``, is out of date.
    """
    stale = []
    for path in documents:
        text = path.read_text()
        updated = update(text, path.resolve().parent)
        if updated != text:
            stale.append(str(path))
            if not check:
                path.write_text(updated)
    if check and stale:
        raise ValueError(
            f'out of date: {", ".join(stale)}. Run: python tools/model_table.py '
            + ' '.join(stale)
        )
