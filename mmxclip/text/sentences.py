"""Sentences of an action and of words that say what else is seen."""

import re
from collections.abc import Mapping, Sequence

_OPTIONAL = re.compile(r'\[([^\[\]]*)\]')
_ARTICLES = {'a', 'an', 'the', 'of'}


def write_sentence(
    template: str, action: str, seen: Mapping[str, Sequence[str]]
) -> str:
    """Fill a template with an action and the words of each kind.

    A part in brackets stands only if there are words for it. Words that the action
    names itself are left out; several of one kind are joined by 'and'.

    Args:
        template: A text with ``{action}`` and the kinds of words.
        action: The class.
        seen: Kind -> words, the best first.

    Examples:
        >>> template = 'a video of [{objects} ]{action}[ in {scene}]'
        >>> seen = dict(objects=['a dog', 'a ball'], scene=['a park'])
        >>> write_sentence(template, 'kicking a ball', seen)
        'a video of a dog kicking a ball in a park'
        >>> write_sentence(template, 'running', {})
        'a video of running'
    """
    known = _words_of(action)
    kept = {
        kind: ' and '.join(word for word in words if not _words_of(word) & known)
        for kind, words in seen.items()
    }

    def optional(match: re.Match) -> str:
        fields = re.findall(r'{(\w+)}', match[1])
        return match[1] if all(kept.get(field) for field in fields) else ''

    return _OPTIONAL.sub(optional, template).format(action=action, **kept)


def _words_of(text: str) -> set[str]:
    return set(re.findall(r'\w+', text.casefold())) - _ARTICLES
