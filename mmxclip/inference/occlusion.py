"""What an answer loses when parts of a clip are hidden from the model, or left out."""

from collections.abc import Iterable
from math import ceil

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmxclip.layers import resize_temporal_pos_embed
from mmxclip.models import MIT, ClassTexts, FrameEncoder, XCLIPViT, encode_video
from mmxclip.utils.processes import Track, untracked


class Judge:
    """Scores one clip, with parts of it hidden, against texts that are encoded once.

    A frame is divided into squares; a hidden one has the mean colour of the clip.

    Args:
        model: MMAction2's ``Recognizer3D`` with an :class:`XCLIPHead`.
        texts: The K classes.
        clip: Frames as the model's data preprocessor gives them (3, T, H, W).
        patch: Side of the squares in pixels.
        batch_size: Clips that go through the model at once.
        track: Wraps what is iterated over, of which it gets the number, such as
            :func:`with_progress`.

    Attributes:
        grid: Frames, rows and columns of squares (T, h, w).
    """

    def __init__(
        self,
        model: nn.Module,
        texts: ClassTexts,
        clip: Tensor,
        *,
        patch: int,
        batch_size: int = 8,
        track: Track = untracked,
    ) -> None:
        self._model, self._clip, self._patch = model, clip, patch
        self._text = model.cls_head.text_features(texts)
        self._batch_size, self._track = batch_size, track
        height, width = clip.shape[2:]
        self.grid = clip.shape[1], ceil(height / patch), ceil(width / patch)

    @property
    def num_squares(self) -> int:
        """Squares of all frames together."""
        frames, rows, columns = self.grid
        return frames * rows * columns

    @property
    def leaves_out(self) -> bool:
        """Whether a frame can be left out as if there were none.

        The model must take any number of frames, each for itself, or it would see its
        neighbours move closer. Otherwise the frame is hidden.
        """
        kinds = (XCLIPViT, FrameEncoder)
        return self.grid[0] > 1 and isinstance(self._model.backbone, kinds)

    def whole(self) -> Tensor:
        """Return the log-odds of the classes for the clip as it is (K,)."""
        return self._log_odds(*encode_video(self._model, self._clip[None, None]))[0]

    def without_squares(self) -> Tensor:
        """Hide one square of one frame after the other: log-odds (T, h, w, K)."""
        squares = torch.arange(self.num_squares).split(self._batch_size)
        masks = (F.one_hot(batch, self.num_squares).bool() for batch in squares)
        return self._hidden(masks, len(squares)).unflatten(0, self.grid)

    def by_gradient(self) -> Tensor:
        """Estimate what hiding each square costs the classes (T, h, w, K).

        To first order: the gradient times the change of each pixel, added up.
        """
        mean = self._mean()
        with torch.enable_grad():
            clip = self._clip.detach().clone().requires_grad_(True)
            log_odds = self._log_odds(*encode_video(self._model, clip[None, None]))
            labels = log_odds[0].unbind()
        maps = []
        for one in self._track(labels, len(labels)):
            (slope,) = torch.autograd.grad(one, clip, retain_graph=True)
            costs = (slope * (self._clip - mean)).sum(dim=0)  # (T, H, W)
            maps.append(
                F.avg_pool2d(costs, self._patch, ceil_mode=True, divisor_override=1)
            )
        return torch.stack(maps, dim=-1).cpu()

    def without_ranked(self, ranks: Tensor, counts: Tensor) -> Tensor:
        """Hide more and more squares in several orders.

        Args:
            ranks: Place of each square in each order (R, T * h * w).
            counts: How many of the first are hidden (C,).

        Returns:
            Tensor: Log-odds (R, C, K).
        """
        masks = (ranks.unsqueeze(1) < counts[:, None]).flatten(0, 1)
        batches = masks.split(self._batch_size)
        hidden = self._hidden(batches, len(batches))
        return hidden.unflatten(0, (len(ranks), len(counts)))

    def without_frames(self) -> Tensor:
        """Leave out, or hide, one frame after the other: log-odds (T, K)."""
        frames = torch.arange(self.grid[0])
        if self.leaves_out:
            return torch.cat([self._without(frames != frame) for frame in frames])
        squares = self.num_squares // len(frames)
        masks = F.one_hot(frames).bool().repeat_interleave(squares, dim=1)
        batches = masks.split(self._batch_size)
        return self._hidden(batches, len(batches))

    def _without(self, kept: Tensor) -> Tensor:
        """Score the clip without a frame; the others keep their places in time."""
        replaced, neck = {}, getattr(self._model, 'neck', None)
        if isinstance(neck, MIT):
            position = resize_temporal_pos_embed(neck.positional_embedding, len(kept))
            replaced['neck.positional_embedding'] = position[:, kept]
        feats = torch.func.functional_call(
            self._model,
            replaced,
            (self._clip[:, kept][None, None],),
            dict(mode='tensor', stage='neck'),
        )
        return self._log_odds(*self._model.cls_head.prepare(feats))

    def _hidden(self, masks: Iterable[Tensor], number: int) -> Tensor:
        """Score the clip with squares hidden, (M, T * h * w) -> (M, K)."""
        mean = self._mean()
        height, width = self._clip.shape[2:]
        rows = []
        for batch in self._track(masks, number):
            mask = batch.to(mean.device).unflatten(1, self.grid).unsqueeze(1)
            for axis in (3, 4):
                mask = mask.repeat_interleave(self._patch, axis)
            hidden = torch.where(mask[..., :height, :width], mean, self._clip)
            rows.append(self._log_odds(*encode_video(self._model, hidden.unsqueeze(1))))
        return torch.cat(rows)

    def _mean(self) -> Tensor:
        return self._clip.mean(dim=(1, 2, 3), keepdim=True)

    def _log_odds(self, embedding: Tensor, context: Tensor | None) -> Tensor:
        head = self._model.cls_head
        return head.log_odds(head.score(embedding, context, self._text)).cpu()
