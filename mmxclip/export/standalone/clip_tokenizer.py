"""CLIP's byte-pair tokenizer with standard libraries only.

References:
    https://github.com/openai/CLIP/blob/main/clip/simple_tokenizer.py
"""

import gzip
import html
import unicodedata
from collections.abc import Iterator
from itertools import groupby, pairwise
from pathlib import Path

_QUOTES = dict.fromkeys(range(0x2018, 0x201C), "'") | dict.fromkeys(
    range(0x201C, 0x2020), '"'
)
_ENDINGS = ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d")


class Tokenizer:
    """CLIP's byte-pair encoding, with standard libraries only.

    Unlike OpenAI's it does not mend wrongly decoded text, beyond quotation marks.

    Args:
        path: ``bpe_simple_vocab_16e6.txt.gz`` of https://github.com/openai/CLIP.
    """

    def __init__(self, path: str | Path) -> None:
        lines = gzip.decompress(Path(path).read_bytes()).decode('utf-8').split('\n')
        merges = [tuple(line.split()) for line in lines[1 : 49152 - 256 - 2 + 1]]
        shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
        hidden = [byte for byte in range(256) if byte not in shown]
        self._bytes = {byte: chr(byte) for byte in shown}
        self._bytes |= {byte: chr(256 + i) for i, byte in enumerate(hidden)}
        letters = list(self._bytes.values())
        words = [*letters, *(letter + '</w>' for letter in letters)]
        words += [''.join(merge) for merge in merges]
        self._ids = {word: i for i, word in enumerate(words)}
        self._ranks = {merge: rank for rank, merge in enumerate(merges)}

    def __call__(self, text: str) -> list[int]:
        """Return token ids with start and end."""
        text = unicodedata.normalize('NFC', html.unescape(html.unescape(text)))
        text = ' '.join(text.translate(_QUOTES).split()).lower()
        ids = []
        for word in _words(text):
            parts = [self._bytes[byte] for byte in word.encode('utf-8')]
            ids += [self._ids[part] for part in self._merge(parts)]
        return [len(self._ids), *ids, len(self._ids) + 1]

    def _merge(self, parts: list[str]) -> list[str]:
        parts = [*parts[:-1], parts[-1] + '</w>']
        while len(parts) > 1:
            best = min(pairwise(parts), key=lambda pair: self._ranks.get(pair, 1e9))
            if best not in self._ranks:
                break
            merged: list[str] = []
            i = 0
            while i < len(parts):
                if tuple(parts[i : i + 2]) == best:
                    merged.append(best[0] + best[1])
                    i += 2
                else:
                    merged.append(parts[i])
                    i += 1
            parts = merged
        return parts


def _words(text: str) -> Iterator[str]:
    """Split as CLIP does: runs of letters, single digits, runs of other signs."""
    for part in text.split():
        start = 0
        while start < len(part):
            length = _word_length(part[start:])
            yield part[start : start + length]
            start += length


def _word_length(text: str) -> int:
    ending = next((one for one in _ENDINGS if text.startswith(one)), '')
    if ending:
        return len(ending)
    if _kind(text[0]) == 'N':
        return 1
    return len(list(next(groupby(text, _kind))[1]))


def _kind(sign: str) -> str:
    """Return L for a letter, N for a digit, an empty string for another sign."""
    kind = unicodedata.category(sign)[0]
    return kind if kind in 'LN' else ''
