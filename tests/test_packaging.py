"""What is shipped, and mim, which runs it from a clone and from the wheel."""

import ast
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

# Options that make the demo's training a matter of seconds.
SHORT = ('default_hooks.checkpoint.interval=1', 'train_cfg.max_epochs=1')


@pytest.fixture(scope='module')
def dist(root, tmp_path_factory) -> Path:
    """Folder with the sdist and the wheel, built from a copy of the sources."""
    folder = tmp_path_factory.mktemp('dist')
    source = folder / 'source'
    for name in ('mmxclip', 'configs', 'tools', 'requirements', 'tests'):
        ignore = shutil.ignore_patterns('__pycache__')
        shutil.copytree(root / name, source / name, ignore=ignore)
    for path in root.iterdir():
        if path.is_file() and not path.name.startswith('.'):
            shutil.copy(path, source)
    build = (sys.executable, '-m', 'build', '--no-isolation', '--outdir', folder)
    subprocess.run([*build, source], check=True, capture_output=True)
    shutil.rmtree(source)
    return folder


@pytest.fixture
def wheel_env(dist, command, tmp_path) -> Path:
    """An environment with our wheel.

    It borrows all other packages from this environment, behind its own.
    """
    env = tmp_path / 'env'
    command('uv', 'venv', env, '--python', sys.executable)
    install = ('uv', 'pip', 'install', '--offline', '--no-deps', '--python', env)
    command(*install, *dist.glob('*.whl'))
    (own,) = (env / 'lib').glob('*/site-packages')
    (own / 'borrowed.pth').write_text(sysconfig.get_path('purelib'))
    where = 'from importlib import util; print(util.find_spec("mmxclip").origin)'
    assert command(env / 'bin/python', '-c', where).startswith(str(env))
    return env


def files_below(root, *names):
    """Paths of the project's files in these folders."""
    paths = (
        path for name in names for path in [root / name, *(root / name).rglob('*')]
    )
    skip = ('__pycache__',)
    return {
        str(path.relative_to(root))
        for path in paths
        if path.is_file() and not set(skip) & set(path.parts)
    }


@pytest.mark.slow
def test_wheel_and_sdist_carry_everything(root, dist):
    package = files_below(root, 'mmxclip')
    mim = files_below(root, 'configs', 'tools', 'model-index.yml')
    assert any(name.endswith('labels/hmdb51.txt') for name in package)

    (wheel,) = dist.glob('*.whl')
    shipped = {
        name for name in zipfile.ZipFile(wheel).namelist() if 'dist-info' not in name
    }
    assert shipped == package | {f'mmxclip/.mim/{name}' for name in mim}

    (sdist,) = dist.glob('*.tar.gz')
    with tarfile.open(sdist) as archive:
        members = {name.partition('/')[2] for name in archive.getnames()}
    assert package | mim | files_below(root, 'requirements', 'LICENSE') <= members
    assert {f'mmxclip/.mim/{name}' for name in mim} <= members
    # All or none: setuptools would take tests/test_*.py, which cannot run alone.
    assert not {name for name in members if name.startswith('tests')}


def run_mim(mim, config, command, demo, tmp_path):
    """Find, train and inspect the demo; return the checkpoint."""
    assert demo.stem in command(*mim, 'search', 'mmxclip', '--valid-config')
    assert re.search(r'^mmxclip +\d', command(*mim, 'list'), re.MULTILINE)
    work_dir = ('--work-dir', tmp_path / 'work')
    options = ('--cfg-options', *SHORT)
    command(*mim, 'train', 'mmxclip', config, '--gpus', '0', *work_dir, *options)
    checkpoint = tmp_path / 'work/epoch_1.pth'
    said = command(*mim, 'run', 'mmxclip', 'inspect_checkpoint', checkpoint)
    assert 'epoch_1.pth is a checkpoint of mmxclip' in said
    return checkpoint


@pytest.mark.usefixtures('shapes')
def test_clone_works_with_mim(command, demo, tmp_path):
    # By its path: the bare name is also that of the copies which runs leave in
    # work_dirs, and mim searches the whole clone.
    run_mim((sys.executable, '-m', 'mim'), demo, command, demo, tmp_path)


@pytest.mark.usefixtures('shapes')
def test_wheel_works_with_mim(wheel_env, command, demo, tmp_path):
    mim = (wheel_env / 'bin/python', '-m', 'mim')
    checkpoint = run_mim(mim, demo.name, command, demo, tmp_path)
    test = ('test', 'mmxclip', demo.name, '--checkpoint', checkpoint, '--gpus', '0')
    assert 'acc/top1' in command(*mim, *test)


def test_model_index_lists_configs_that_exist(root):
    index = yaml.safe_load((root / 'model-index.yml').read_text())
    for metafile in index['Import']:
        content = yaml.safe_load((root / metafile).read_text())
        names = [model['Name'] for model in content['Models']]
        assert len(names) == len(set(names))
        for model in content['Models']:
            assert (root / model['Config']).stem == model['Name']
            assert (root / model['Config']).is_file()
        for collection in content['Collections']:
            assert (root / collection['README']).is_file()


def read_requirements(path):
    lines = (line.partition('#')[0].strip() for line in path.read_text().splitlines())
    return [Requirement(line) for line in lines if line]


def name_of(requirement):
    return re.sub('[-_.]+', '-', requirement.name).lower()


def needed(root, *parts):
    """All requirements of these files, direct and indirect."""
    todo = [
        requirement
        for part in parts
        for requirement in read_requirements(root / f'requirements/{part}.txt')
    ]
    seen = set()
    while todo:
        requirement = todo.pop()
        extra = next(iter(requirement.extras), '')
        if requirement.marker and not requirement.marker.evaluate({'extra': extra}):
            continue
        yield requirement
        if name_of(requirement) not in seen:
            seen.add(name_of(requirement))
            lines = metadata.requires(requirement.name) or ()
            todo += [Requirement(line) for line in lines]


@pytest.mark.parametrize(
    ('system', 'machine', 'expected'),
    [
        ('linux', 'x86_64', True),
        ('win32', 'AMD64', True),
        ('linux', 'aarch64', False),
        ('darwin', 'arm64', False),
        ('darwin', 'x86_64', False),  # wheels of decord 0.6 for Python up to 3.8
    ],
)
def test_decord_is_required_where_it_has_a_wheel(root, system, machine, expected):
    (decord,) = (
        requirement
        for requirement in read_requirements(root / 'requirements/runtime.txt')
        if requirement.name == 'decord'
    )
    place = dict(sys_platform=system, platform_machine=machine)
    assert (not decord.marker or decord.marker.evaluate(place)) == expected


def test_lock_file_is_complete_and_fits_the_ranges(root):
    lock = {
        name_of(requirement): str(requirement.specifier)
        for requirement in read_requirements(root / 'requirements/lock.txt')
    }
    assert all(re.fullmatch(r'==[\w.]+', version) for version in lock.values())
    for requirement in needed(root, 'runtime', 'lite', 'mim', 'test', 'dev'):
        name = name_of(requirement)
        if name == 'pip':  # every environment brings its own
            continue
        assert name in lock, f'{requirement} is not in lock.txt'
        assert requirement.specifier.contains(lock[name].lstrip('='), prereleases=True)


@pytest.mark.slow
def test_what_is_imported_is_required(root):
    optional = {'scenedetect', 'timm', 'torchcodec', 'transformers'}
    optional |= {'faiss', 'gradio', 'onnxruntime'}
    declared = {name_of(requirement) for requirement in needed(root, 'runtime', 'lite')}
    ours = {path.stem for path in (root / 'tools').rglob('*')} | {'mmxclip'}
    providers = metadata.packages_distributions()
    for path in [*(root / 'mmxclip').rglob('*.py'), *(root / 'tools').rglob('*.py')]:
        for module in (
            imported_by(path) - set(sys.stdlib_module_names) - ours - optional
        ):
            found = {
                re.sub('[-_.]+', '-', x).lower() for x in providers.get(module, ())
            }
            assert found & declared, f'{path} imports {module}, which is not required'


def imported_by(path):
    """Top-level names of the modules that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module)
    return {name.partition('.')[0] for name in names}


def test_installed_versions_are_the_locked_ones(root):
    """The suite says something about the lock file only if that is what runs."""
    for requirement in read_requirements(root / 'requirements/lock.txt'):
        version = metadata.version(requirement.name)
        assert requirement.specifier.contains(version, prereleases=True), requirement


def test_mmcv_comes_in_two_forms_that_exclude_each_other():
    extras = {}
    for line in metadata.requires('mmxclip'):
        requirement = Requirement(line)
        if requirement.name in ('mmcv', 'mmcv-lite'):
            extras[requirement.name] = str(requirement.marker)
    assert extras == {'mmcv': 'extra == "mmcv"', 'mmcv-lite': 'extra == "lite"'}
