"""What stands beside the package says what is true."""

import re
import sys

import pytest
import yaml

from mmxclip import __version__


def test_workflows_call_targets_of_the_makefile(root):
    targets = re.findall(r'^(\w+):', (root / 'Makefile').read_text(), re.MULTILINE)
    (workflow,) = (root / '.github/workflows').glob('*.yml')
    jobs = yaml.safe_load(workflow.read_text())['jobs']
    assert set(jobs) == {'lint', 'test', 'docs', 'wheel'}
    assert jobs['test']['strategy']['matrix']['python'] == ['3.11', '3.12']
    steps = [
        step['run'] for job in jobs.values() for step in job['steps'] if 'run' in step
    ]
    for step in steps:
        assert not step.startswith('make ') or step.split()[1] in targets, step


def test_forms_and_citation_can_be_read(root):
    for form in (root / '.github/ISSUE_TEMPLATE').glob('*.yml'):
        assert yaml.safe_load(form.read_text())['body'], form
    citation = yaml.safe_load((root / 'CITATION.cff').read_text())
    assert citation['version'] == __version__
    assert '2208.02816' in citation['references'][0]['url']


@pytest.mark.slow
def test_the_script_of_the_image_runs(root, command, tmp_path):
    """In this environment, which `make install` then finds complete."""
    image = (root / 'docker/Dockerfile').read_text()
    assert re.findall(r'^RUN (.*)', image, re.MULTILINE) == ['docker/install.sh']
    venv, python = tmp_path / 'venv', tmp_path / 'venv/bin/python'
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    (venv / '.installed').touch()
    assert 'xclip-b16-zero-shot' in command(root / 'docker/install.sh', VENV=str(venv))
