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
        ValueError: There is no template, or one does not hold exactly one ``{}``.
    """
    if isinstance(source, str):
        source = TEMPLATES.get(source, (source,))
    templates = tuple(source)
    if not templates:
        raise ValueError("templates is empty: give at least one, e.g. ['{}'].")
    for template in templates:
        if template.count('{}') != 1 or template.count('{') != 1:
            raise ValueError(
                f"A template holds '{{}}' once, where the class name goes; got "
                f'{template!r}. Packaged sets: {sorted(TEMPLATES)}.'
            )
    return templates
