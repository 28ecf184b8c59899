"""From a config to a recognizer and its inputs, without weights or data sets."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import av
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.dataset import Compose
from torch import Tensor, nn

from mmxclip.checkpoints.load import load
from mmxclip.datasets.writers.video_writer import VideoWriter
from mmxclip.utils.configs import without_initialisation


def change_size(
    cfg: Config, *, frames: int | None = None, num_classes: int | None = None
) -> None:
    """Give the model and its pipelines another number of frames or classes.

    Args:
        cfg: Config; is changed.
        frames: Frames of a video (X-CLIP only). Default: as configured.
        num_classes: Number of classes. Default: as configured.

    Raises:
        ValueError: The config's pipeline does not sample by segments.
    """
    if frames is not None:
        steps = [
            step
            for loader in ('train_dataloader', 'val_dataloader')
            for step in cfg[loader].dataset.pipeline
            if step.type == 'SegmentSampleFrames'
        ]
        if not steps:
            raise ValueError(
                '--frames needs a pipeline with SegmentSampleFrames, which this config '
                'lacks. Use --cfg-options to change its own sampling.'
            )
        for step in steps:
            step.num_frames = frames
        if cfg.model.get('neck') and 'num_frames' in cfg.model.neck:
            cfg.model.neck.num_frames = frames
    if num_classes is not None:
        head = cfg.model.cls_head
        if 'classes' in head:
            head.classes = [f'class number {i}' for i in range(num_classes)]
        if 'num_classes' in head or 'classes' not in head:
            head.num_classes = num_classes


def build_model(
    cfg: Config, device: torch.device, checkpoint: str | None = None
) -> nn.Module:
    """Build the config's recognizer, random unless there is a checkpoint.

    Raises:
        CheckpointError: The checkpoint lacks parameters of the model.
    """
    model = without_initialisation(cfg.model)
    model['data_preprocessor'].pop('blending', None)
    torch.manual_seed(0)
    recognizer = MODELS.build(model)
    recognizer.cfg = cfg
    if checkpoint:
        load(recognizer, checkpoint)
    return recognizer.to(device)


def write_clip(path: Path, picture: str, frames: int, **options: str) -> Path:
    """Write a clip at 30 frames per second, with far key frames.

    Args:
        path: The file.
        picture: A source of FFmpeg that moves, such as 'testsrc2=s=340x256:r=30'.
        frames: Their number.
        **options: Of x264.
    """
    with (
        av.open(picture, format='lavfi') as source,
        VideoWriter(path, fps=30, gop=250, options=options) as video,
    ):
        for frame in islice(source.decode(video=0), frames):
            video.write(frame.reformat(format='yuv420p'))
    return path


def load_with(pipeline: list, video: Path) -> Callable[[], dict[str, Any]]:
    """Return a function that packs one video file as a pipeline does."""
    load_video = Compose(pipeline)
    return lambda: load_video(
        dict(filename=str(video), label=0, start_index=0, modality='RGB')
    )


def random_batch(
    model: nn.Module, like: Tensor, size: int, num_classes: int
) -> tuple[Tensor, Tensor]:
    """Draw videos of random pixels and labels.

    Args:
        model: Recognizer whose data preprocessor is used.
        like: One packed video, whose shape is taken.
        size: Number of videos.
        num_classes: Number of classes.

    Returns:
        tuple: Inputs as the recognizer takes them, and labels (size,).
    """
    videos = [torch.randint(256, like.shape, dtype=torch.uint8) for _ in range(size)]
    batch = dict(inputs=videos, data_samples=None)
    inputs = model.data_preprocessor(batch, False)['inputs']
    return inputs, torch.randint(num_classes, (size,))
