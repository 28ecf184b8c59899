"""Token merging (ToMe): tokens of a frame that say the same become one.

References:
    Token Merging: Your ViT But Faster (https://arxiv.org/abs/2210.09461), section 3
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from mmxclip.layers.cross_frame import CrossFrameAttentionBlock
from mmxclip.layers.precision import without_autocast
from mmxclip.layers.transformer import ResidualAttentionBlock


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
        x = torch.cat([x[:, :1], _pick(x, self.places)], dim=1)
        return x.unflatten(0, self.x.shape[:2])

    def merge(self, features: Tensor, count: int) -> 'MergedTokens':
        """Merge the ``count`` pairs of patch tokens in a frame that are most alike.

        A merged token is the mean over all patches that it stands for; the others
        stay as they are.

        Args:
            features: What is compared, (N*T, S, C).
            count: Tokens of a frame that vanish, at most half of its patch tokens.
        """
        stays, joins, partners = match_tokens(features, count)
        x = self.x.flatten(0, 1)
        seekers, others = x[:, 1::2], x[:, 2::2]  # (N*T, A, D), (N*T, B, D)
        weights = self.sizes.unsqueeze(-1)  # (N*T, S, 1)
        seeking, other = weights[:, 1::2], weights[:, 2::2]
        with without_autocast(x.device):
            # Which token joins which, (N*T, B, count).
            adds = F.one_hot(partners, others.shape[1]).mT.to(weights.dtype)
            joining = _pick(seeking, joins)
            total = other + adds @ joining
            means = (others * other + adds @ (_pick(seekers, joins) * joining)) / total
        x = torch.cat([x[:, :1], _pick(seekers, stays), means.to(x.dtype)], dim=1)
        sizes = torch.cat([weights[:, :1], _pick(seeking, stays), total], dim=1)
        return MergedTokens(
            x.unflatten(0, self.x.shape[:2]),
            sizes.squeeze(-1),
            self._moved_places(stays, joins, partners),
        )

    def _moved_places(self, stays: Tensor, joins: Tensor, partners: Tensor) -> Tensor:
        """Follow the tokens to their new places: class, seekers that stay, others."""
        num_stays = stays.shape[1]
        places = torch.arange(self.sizes.shape[1], device=stays.device)
        targets = (num_stays + places // 2).repeat(len(stays), 1)  # of the others
        seekers = targets[:, 1::2]
        seekers.scatter_(1, stays, places[1 : num_stays + 1].expand_as(stays))
        seekers.scatter_(1, joins, 1 + num_stays + partners)
        targets[:, 0] = 0
        return targets.gather(1, self.places)


def _pick(tokens: Tensor, index: Tensor) -> Tensor:
    """Pick tokens (N, S, D) by their places (N, K): (N, K, D)."""
    return tokens.gather(1, index.unsqueeze(-1).expand(-1, -1, tokens.shape[-1]))


@torch.no_grad()
def match_tokens(features: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Find the pairs to merge: bipartite soft matching, section 3.2.

    Every second patch token looks for the one among the others that is most like it
    (by cosine); of these pairs the ``count`` most similar ones merge.

    Args:
        features: (N, S, C), the class token first; it stays by itself.
        count: Pairs, at most S // 2.

    Returns:
        tuple: Of the S // 2 seekers those that stay (N, S // 2 - count), in order;
        those that join another token (N, count); and which of the (S - 1) // 2
        others these join (N, count).
    """
    # Not in half precision, where neighbouring patches are all equally alike.
    with without_autocast(features.device):
        patches = F.normalize(features[:, 1:].float(), dim=-1)
        similarity, partners = (patches[:, ::2] @ patches[:, 1::2].mT).max(dim=-1)
    order = similarity.argsort(dim=-1, descending=True)
    joins, stays = order[:, :count], order[:, count:].sort(dim=-1).values
    return stays, joins, partners.gather(1, joins)


class TokenMergingBlock(CrossFrameAttentionBlock):
    """A :class:`CrossFrameAttentionBlock` that merges tokens between its two halves.

    Tokens are compared by their keys, and a token that stands for several patches
    gets as much attention as they would (proportional attention, section 3.2).

    Attributes:
        merge_tokens: Tokens of a frame that vanish.
    """

    places = ResidualAttentionBlock.places  # what is left of the tokens is no grid
    merge_tokens: int = 0

    def forward(self, tokens: MergedTokens) -> MergedTokens:
        """Map S tokens of each frame to S - ``merge_tokens``."""
        num_frames, num_tokens = tokens.x.shape[1:3]
        attended, keys = self.attn(
            self.ln_1(self.join_messages(tokens.x)),
            num_queries=num_tokens,
            bias=F.pad(tokens.sizes.log(), (0, 1)),  # a message counts as one patch
            return_keys=True,
        )
        x = self.add_attended(tokens.x.flatten(0, 1), attended)
        tokens = tokens._replace(x=x.unflatten(0, (-1, num_frames)))
        tokens = tokens.merge(keys.mean(dim=1)[:, :num_tokens], self.merge_tokens)
        x = self.feed_forward(tokens.x.flatten(0, 1))
        return tokens._replace(x=x.unflatten(0, (-1, num_frames)))
