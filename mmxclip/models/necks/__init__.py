"""Necks."""

from mmxclip.models.necks.mit import MIT

__all__ = ['MIT']
