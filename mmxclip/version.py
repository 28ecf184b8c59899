"""The version of mmxclip: setup.py reads this file as text, so keep it plain."""

__version__ = '0.2.0'
