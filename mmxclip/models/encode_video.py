"""From frames to all that a head needs of a video."""

from torch import Tensor, nn


def encode_video(recognizer: nn.Module, frames: Tensor) -> tuple[Tensor, Tensor | None]:
    """Encode videos once, to score them against any texts later.

    Args:
        recognizer: MMAction2's ``Recognizer3D`` with an :class:`XCLIPHead`.
        frames: Videos of V views as its data preprocessor gives them
            (N, V, 3, T, H, W).

    Returns:
        tuple: Embeddings (N * V, E), and the prompt learner's context or None.

    Examples:
        >>> embedding, context = encode_video(model, frames)  # doctest: +SKIP
        >>> text = model.cls_head.text_features()  # doctest: +SKIP
        >>> logits = model.cls_head.score(embedding, context, text)  # doctest: +SKIP
    """
    feats, _ = recognizer.extract_feat(frames, test_mode=True)
    return recognizer.cls_head.prepare(feats)
