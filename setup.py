"""Metadata of mmxclip; every tool's settings are in pyproject.toml."""

import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
EXTRAS = {f.stem for f in (ROOT / 'requirements').glob('*.txt')} - {'runtime', 'lock'}
MIM_FILES = ('configs', 'tools', 'model-index.yml')


def read(name: str) -> str:
    """Return the text of a file that stands beside setup.py."""
    return (ROOT / name).read_text(encoding='utf-8')


def requirements(name: str) -> list[str]:
    """Return the requirement lines of ``requirements/<name>.txt``."""
    lines = (line.strip() for line in read(f'requirements/{name}.txt').splitlines())
    return [line for line in lines if line and not line.startswith('#')]


def copy_mim_files(folder: Path) -> None:
    """Put configs, tools and the model index into a new ``.mim`` folder."""
    folder.mkdir(parents=True)
    ignore = shutil.ignore_patterns('__pycache__', '*.py[cod]')
    for name in MIM_FILES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignore)
        else:
            shutil.copyfile(source, folder / name)


class SDist(sdist):
    """Carry ``mmxclip/.mim`` in the source distribution too."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Fill the folder that becomes the archive."""
        super().make_release_tree(base_dir, files)
        copy_mim_files(Path(base_dir) / 'mmxclip' / '.mim')


class BuildPy(build_py):
    """Also put what ``mim`` looks for into ``mmxclip/.mim``.

    An editable install gets no ``.mim``: mim then works from the repository root,
    and links there would make it find every config twice.
    """

    @property
    def mim_dir(self) -> Path:
        """Folder of the build tree that mim reads after the installation."""
        return Path(self.build_lib) / 'mmxclip' / '.mim'

    def run(self) -> None:
        """Build the package, then copy configs, tools and the model index."""
        super().run()
        if self.editable_mode:
            return
        shutil.rmtree(self.mim_dir, ignore_errors=True)
        copy_mim_files(self.mim_dir)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """List the files of ``.mim`` with the others."""
        outputs = super().get_outputs(include_bytecode)
        if self.editable_mode:
            return outputs
        return outputs + [str(p) for p in self.mim_dir.rglob('*') if p.is_file()]


class BDistWheel(bdist_wheel):
    """Put ``.mim`` into the wheel's ``.dist-info``, too, for onedl-mim.

    It takes the first folder that RECORD names for that of the package. Installers sort
    RECORD, and ``mmxclip-0.2.0.dist-info`` comes before ``mmxclip/``.
    """

    def write_wheelfile(self, wheelfile_base: str, *generator: str) -> None:
        """Finish the wheel's ``.dist-info``."""
        super().write_wheelfile(wheelfile_base, *generator)
        if 'editable_wheel' not in self.distribution.commands:
            copy_mim_files(Path(wheelfile_base) / '.mim')


setup(
    name='mmxclip',
    version=re.search(r"__version__ = '(.+)'", read('mmxclip/version.py'))[1],
    description='X-CLIP video recognition as a plugin of MMAction2',
    long_description=read('README.md'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.10,<3.13',
    packages=find_packages(include=['mmxclip', 'mmxclip.*']),
    package_data={
        'mmxclip': ['py.typed'],
        'mmxclip.text': ['labels/*'],
        'mmxclip.datasets.lists': ['packaged/*'],
        'mmxclip.protocols': ['published.yml'],
    },
    install_requires=requirements('runtime'),
    extras_require={name: requirements(name) for name in EXTRAS},
    cmdclass={'bdist_wheel': BDistWheel, 'build_py': BuildPy, 'sdist': SDist},
    zip_safe=False,
    classifiers=[
        'Programming Language :: Python :: 3.10',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
)
