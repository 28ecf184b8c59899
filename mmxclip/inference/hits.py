"""Places in films that a search has found, and how windows become these."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Hit:
    """A place in a film.

    Attributes:
        film: Below the folder of films.
        start: Seconds.
        end: Seconds.
        score: Cosine of the best window with the query, in [-1, 1].
    """

    film: str
    start: float
    end: float
    score: float

    def overlaps(self, other: 'Hit') -> bool:
        """Whether both have a time in common; touching is not enough."""
        same = self.film == other.film
        return same and self.start < other.end and other.start < self.end


def merge(windows: Iterable[Hit]) -> list[Hit]:
    """Make one hit of windows that overlap.

    A hit begins with a window that is better than all that it overlaps. It grows over
    windows whose score is in the upper half of the way from the mean of all to its
    best; others that it overlaps are left out. So it is about as long as what it shows.

    Args:
        windows: The best ones of a search.

    Returns:
        Hits that do not overlap, best first.
    """
    ranked = sorted(windows, key=lambda hit: (-hit.score, hit.film, hit.start))
    mean = sum(hit.score for hit in ranked) / max(len(ranked), 1)
    hits: dict[str, list[Hit]] = defaultdict(list)  # by film, best first
    for window in ranked:
        of_film = hits[window.film]
        met = [hit for hit in of_film if hit.overlaps(window)]
        if not met:
            of_film.append(window)
        elif window.score >= (met[0].score + mean) / 2:
            start = min(hit.start for hit in [*met, window])
            end = max(hit.end for hit in [*met, window])
            of_film[of_film.index(met[0])] = replace(met[0], start=start, end=end)
            for hit in met[1:]:
                of_film.remove(hit)
    found = [hit for of_film in hits.values() for hit in of_film]
    return sorted(found, key=lambda hit: (-hit.score, hit.film, hit.start))
