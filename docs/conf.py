"""Settings of Sphinx: ``make docs``."""

import re
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path.insert(0, str(DOCS / '_extensions'))  # noqa: TID251 (as Sphinx documents it)

project = 'mmxclip'
author = 'the authors of mmxclip'
project_copyright = f'2026, {author}'
release = re.search(r"'(.+)'", (ROOT / 'mmxclip/version.py').read_text())[1]

extensions = [
    'autoapi.extension',
    'myst_parser',
    'sphinx.ext.napoleon',
    'made_at_build',
]
exclude_patterns = ['_build', '_extensions', 'space']

# Links to headings, as GitHub has them.
myst_heading_anchors = 4

html_theme = 'furo'
html_title = f'mmxclip {release}'
html_copy_source = False

# The code is read, not imported: names that are assigned as tuples are not found, and
# types of one name in several modules are not told apart.
suppress_warnings = ['autoapi.python_import_resolution', 'ref.python']
autoapi_dirs = [str(ROOT / 'mmxclip')]
autoapi_root = 'reference/api'
autoapi_add_toctree_entry = False
autoapi_keep_files = False
autoapi_options = ['members', 'show-inheritance', 'show-module-summary']
autoapi_member_order = 'bysource'
