"""Answers for people's own videos: predictions, timelines, searches, explanations."""

from mmxclip.inference.explanation import Explanation, explain
from mmxclip.inference.explanation_files import write_explanation
from mmxclip.inference.film_index import FilmIndex
from mmxclip.inference.index import build_index
from mmxclip.inference.live import LiveTimeline
from mmxclip.inference.named_models import find_model
from mmxclip.inference.predict_videos import Answer, predict_videos
from mmxclip.inference.search import FilmSearch, Where
from mmxclip.inference.sources import find_sources
from mmxclip.inference.timeline import Timeline, make_timeline
from mmxclip.inference.timeline_files import write_timeline
from mmxclip.inference.xclip_inferencer import XCLIPInferencer

__all__ = [
    'Answer',
    'Explanation',
    'FilmIndex',
    'FilmSearch',
    'LiveTimeline',
    'Timeline',
    'Where',
    'XCLIPInferencer',
    'build_index',
    'explain',
    'find_model',
    'find_sources',
    'make_timeline',
    'predict_videos',
    'write_explanation',
    'write_timeline',
]
