"""Label text: class names, templates, tokens. No network module, no registry."""

from mmxclip.text.class_names import load_class_names, packaged_class_names

__all__ = ['load_class_names', 'packaged_class_names']
