"""Hand-written prompts: sentences around a class name."""

from collections.abc import Sequence

TEMPLATES: dict[str, tuple[str, ...]] = {
    # The bare name, as the released X-CLIP models were trained.
    'name': ('{}',),
    # The 16 sentences of ActionCLIP (https://arxiv.org/abs/2109.08472), which
    # X-CLIP's supplement compares its video-specific prompts with.
    'action16': (
        'a photo of action {}',
        'a picture of action {}',
        'Human action of {}',
        '{}, an action',
        '{} this is an action',
        '{}, a video of action',
        'Playing action of {}',
        '{}',
        'Playing a kind of action, {}',
        'Doing a kind of action, {}',
        'Look, the human is {}',
        'Can you recognize the action of {}?',
        'Video classification of {}',
        'A video of {}',
        'The man is {}',
        'The woman is {}',
    ),
}


def load_templates(source: str | Sequence[str]) -> tuple[str, ...]:
    """Return prompt templates.

    Args:
        source: Name of a packaged set (``'name'``, ``'action16'``), one template, or
            a sequence of them. ``{}`` in a template stands for the class name.

    Raises:
        ValueError: There is no template, or one does not hold ``{}`` exactly once.
    """
    if isinstance(source, str):
        source = TEMPLATES.get(source, (source,))
    if not isinstance(source, Sequence) or not source:
        raise ValueError(
            f'templates must be the name of a packaged set ({", ".join(TEMPLATES)}), '
            f'a template or a list of them, got {source!r}.'
        )
    for template in source:
        if not _is_template(template):
            raise ValueError(
                f'{template!r} is neither a packaged set of templates '
                f'({", ".join(TEMPLATES)}) nor a template, a sentence with {{}} once, '
                'where the class name goes.'
            )
    return tuple(source)


def _is_template(text: object) -> bool:
    if not isinstance(text, str):
        return False
    return text.count('{}') == text.count('{') == text.count('}') == 1
