"""Token merging (ToMe): tokens of a frame that say the same become one.

References:
    Token Merging: Your ViT But Faster (https://arxiv.org/abs/2210.09461), section 3
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from mmxclip.layers.attention import attend, merge_heads
from mmxclip.layers.cross_frame import CrossFrameAttentionBlock


class MergedTokens(NamedTuple):
    """Tokens of all frames; the first of a frame is its class token.

    Attributes:
        x: The tokens (N, T, S, D).
        sizes: Patches that each stands for (N*T, S).
        places: For each of the L patches of a frame, the token that stands for it
            (N*T, L).
    """

    x: Tensor
    sizes: Tensor
    places: Tensor

    @classmethod
    def of_patches(cls, x: Tensor) -> 'MergedTokens':
        """Start from class and patch tokens (N, T, 1 + L, D), none of them merged."""
        num_frames, num_tokens = x.shape[0] * x.shape[1], x.shape[2]
        places = torch.arange(1, num_tokens, device=x.device)
        return cls(
            x,
            torch.ones(num_frames, num_tokens, device=x.device),
            places.expand(num_frames, -1),
        )

    def spread(self) -> Tensor:
        """Give every patch the token that stands for it: (N, T, 1 + L, D)."""
        x = self.x.flatten(0, 1)
        index = self.places.unsqueeze(-1).expand(-1, -1, x.shape[-1])
        x = torch.cat([x[:, :1], x.gather(1, index)], dim=1)
        return x.unflatten(0, self.x.shape[:2])

    def merge(self, features: Tensor, count: int) -> 'MergedTokens':
        """Merge the ``count`` pairs of patch tokens in a frame that are most alike.

        A merged token is the mean over all patches that it stands for.

        Args:
            features: What is compared, (N*T, S, C).
            count: Tokens of a frame that vanish, at most half of its patch tokens.
        """
        targets = match_tokens(features, count)
        num_left = targets.shape[1] - count
        # As a product with a matrix: scattering would not be deterministic on a GPU.
        shares = F.one_hot(targets, num_left).mT * self.sizes.unsqueeze(1)
        sizes = shares.sum(dim=-1)
        mean = (shares / sizes.unsqueeze(-1)).to(self.x.dtype)  # (N*T, S - count, S)
        x = (mean @ self.x.flatten(0, 1)).unflatten(0, self.x.shape[:2])
        return MergedTokens(x, sizes, targets.gather(1, self.places))


@torch.no_grad()
def match_tokens(features: Tensor, count: int) -> Tensor:
    """Find the pairs to merge: bipartite soft matching, section 3.2.

    Every second patch token looks for the one among the others that is most like it
    (by cosine); of these pairs the ``count`` most similar ones merge.

    Args:
        features: (N, S, C), the class token first; it stays by itself.
        count: Pairs, at most S // 2.

    Returns:
        Tensor: The new place of each token, (N, S), from 0 to S - count - 1.
    """
    patches = F.normalize(features[:, 1:], dim=-1)
    seekers, others = patches[:, ::2], patches[:, 1::2]  # (N, A, C), (N, B, C)
    similarity, partner = (seekers @ others.mT).max(dim=-1)  # (N, A)
    stays = torch.ones_like(partner).scatter(1, similarity.topk(count).indices, 0)
    # Class token, seekers that stay, others.
    first = 1 + seekers.shape[1] - count
    targets = torch.zeros_like(features[..., 0], dtype=torch.long)
    targets[:, 1::2] = torch.where(stays.bool(), stays.cumsum(1), first + partner)
    targets[:, 2::2] = first + torch.arange(others.shape[1], device=features.device)
    return targets


class TokenMergingBlock(CrossFrameAttentionBlock):
    """A :class:`CrossFrameAttentionBlock` that merges tokens between its two halves.

    Tokens are compared by their keys, and a token that stands for several patches
    gets as much attention as they would (proportional attention, section 3.2).

    Attributes:
        merge_tokens: Tokens of a frame that vanish.
    """

    merge_tokens: int = 0

    def forward(self, tokens: MergedTokens) -> MergedTokens:
        """Map S tokens of each frame to S - ``merge_tokens``."""
        num_frames, num_tokens = tokens.x.shape[1:3]
        q, k, v = self.attn.project(
            self.ln_1(self.join_messages(tokens.x)), num_queries=num_tokens
        )
        bias = F.pad(tokens.sizes.log(), (0, 1))  # a message counts as one patch
        attended = self.attn.out_proj(merge_heads(attend(q, k, v, bias=bias)))
        x = tokens.x.flatten(0, 1) + self.drop_path(attended)
        tokens = tokens._replace(x=x.unflatten(0, (-1, num_frames)))
        tokens = tokens.merge(k.mean(dim=1)[:, :num_tokens], self.merge_tokens)
        x = tokens.x.flatten(0, 1)
        x = x + self.drop_path(self.mlp(self.ln_2(x)))
        return tokens._replace(x=x.unflatten(0, (-1, num_frames)))
