"""Windows and clips as embeddings, and what prompts need of them."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mmxclip.inference.xclip_inferencer import XCLIPInferencer
from mmxclip.models import encode_video


@torch.no_grad()
def encode_samples(
    inferencer: XCLIPInferencer, samples: Sequence[Any]
) -> tuple[Tensor, Tensor | None]:
    """Encode videos, each to one embedding, the mean of its views.

    Args:
        inferencer: The model.
        samples: N videos as its pipeline gives them.

    Returns:
        tuple: Embeddings of length one (N, E), and the prompts' context, the mean of
        the views (N, ...), or None where the prompts need none; float32, on the CPU.
    """
    model = inferencer.model
    data = model.data_preprocessor(inferencer.collate_fn(samples), False)
    embedding, context = encode_video(model, data['inputs'])
    of_views = F.normalize(embedding.float()).unflatten(0, (len(samples), -1))
    embedding = F.normalize(of_views.mean(dim=1)).cpu()
    if context is not None:
        context = context.float().unflatten(0, (len(samples), -1)).mean(dim=1).cpu()
    return embedding, context
