"""A timeline as a part of a page, on which a click or a key moves a player."""

import html

from mmxclip.inference import Timeline
from mmxclip.inference.ranges import Range
from mmxclip.inference.timeline_files import clock

_MOST_LABELS = 20

# A click moves the player to the place; the Enter key, to the start of the range.
SCRIPT = """
document.addEventListener('click', (event) => {
  const track = event.target.closest('.mmx-track');
  if (!track) return;
  const line = track.closest('.mmx-timeline');
  const video = document.querySelector(`#${line.dataset.player} video`);
  if (!video) return;
  const range = event.target.closest('[data-start]');
  const box = track.getBoundingClientRect();
  const place = (event.clientX - box.left) / box.width;
  const byKey = range && event.detail === 0;
  video.currentTime = byKey ? +range.dataset.start : place * line.dataset.duration;
});
"""

# Gradio's scissors, which load a program from another machine, are hidden; its players
# leave room for the buttons below them, and its galleries for their label.
STYLE = """
button[aria-label="Trim video to selection"] { display: none; }
.video-container > :not(.source-selection) { min-height: 0; }
.grid-wrap { padding-top: 2em; min-height: 0 !important; }
progress { width: 10em; accent-color: var(--color-accent); }
.mmx-row { display: flex; align-items: center; gap: .5em; margin: .25em 0; }
.mmx-name { flex: 0 0 12em; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }
.mmx-track { position: relative; flex: 1; height: 1.8em; cursor: pointer;
  border: 1px solid var(--border-color-primary); }
.mmx-track button { position: absolute; top: 0; height: 100%; min-width: 3px;
  border: 2px solid var(--body-text-color); background: transparent; }
.mmx-track button:focus-visible { outline: 3px solid var(--color-accent); }
@media (max-width: 600px) { .mmx-row { flex-direction: column; align-items: stretch; }
  .mmx-name { flex: none; } .mmx-track { flex: none; } }
"""


def timeline_html(timeline: Timeline, player: str) -> str:
    """Return a line for each label: how it scores over time, and its ranges.

    Of many labels, the 20 with the highest scores are shown.

    Args:
        timeline: Of one window or more.
        player: Name of the element with the video.
    """
    best = [
        max(float(window.scores[number]) for window in timeline.windows)
        for number in range(len(timeline.labels))
    ]
    ranked = sorted(range(len(best)), key=lambda number: -best[number])
    rows = [_row(timeline, number) for number in sorted(ranked[:_MOST_LABELS])]
    return (
        f'<div class="mmx-timeline" data-player="{html.escape(player)}" '
        f'data-duration="{timeline.duration:.3f}">{"".join(rows)}</div>'
    )


def _row(timeline: Timeline, number: int) -> str:
    label = timeline.labels[number]
    ranges = [found for found in timeline.ranges if found.label == label]
    buttons = [_button(found, timeline.duration) for found in ranges]
    name = html.escape(label)
    return (
        f'<div class="mmx-row"><span class="mmx-name" title="{name}">{name}</span>'
        f'<div class="mmx-track" style="background: {_colours(timeline, number)}">'
        f'{"".join(buttons)}</div></div>'
    )


def _button(found: Range, duration: float) -> str:
    left, width = found.start / duration, (found.end - found.start) / duration
    times = f'{clock(found.start)[:-4]} - {clock(found.end)[:-4]}'
    about = html.escape(f'{found.label}: {times}, {found.score:.0%}')
    return (
        f'<button type="button" data-start="{found.start}" title="{about}" '
        f'aria-label="{about}" style="left: {left:.2%}; width: {width:.2%}"></button>'
    )


def _colours(timeline: Timeline, number: int) -> str:
    """Return the scores as colours of CSS; each window has the place of its middle."""
    stops = [
        f'rgb(59 130 246 / {float(window.scores[number]):.2f}) '
        f'{(window.start + window.end) / 2 / timeline.duration:.2%}'
        for window in timeline.windows
    ]
    stops = stops * 2 if len(stops) == 1 else stops  # one colour is no gradient
    return f'linear-gradient(to right, {", ".join(stops)})'
