"""Answers for people's own videos: the inferencer, timelines of films, live streams."""

from mmxclip.inference.live import LiveTimeline
from mmxclip.inference.timeline import Timeline, make_timeline
from mmxclip.inference.timeline_files import write_timeline
from mmxclip.inference.xclip_inferencer import XCLIPInferencer

__all__ = [
    'LiveTimeline',
    'Timeline',
    'XCLIPInferencer',
    'make_timeline',
    'write_timeline',
]
