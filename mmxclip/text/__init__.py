"""Label text: class names, templates, tokens. No network module, no registry."""

from mmxclip.text.classes import (
    Classes,
    ClassSource,
    load_class_names,
    packaged_class_names,
)
from mmxclip.text.spelling import class_key, words
from mmxclip.text.templates import load_templates
from mmxclip.text.tokenizer import CONTEXT_LENGTH, tokenize

__all__ = [
    'CONTEXT_LENGTH',
    'ClassSource',
    'Classes',
    'class_key',
    'load_class_names',
    'load_templates',
    'packaged_class_names',
    'tokenize',
    'words',
]
