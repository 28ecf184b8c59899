"""The recipe's pipelines with 16 frames of 336 pixels."""

_base_ = './u16-res224.py'

size = 336


def enlarge(node):
    """Replace the lengths in pixels."""
    if isinstance(node, dict):
        return {key: enlarge(child) for key, child in node.items()}
    if isinstance(node, (list, tuple)):
        return type(node)(enlarge(child) for child in node)
    return {224: size, 256: 384}.get(node, node)


train_pipeline = enlarge(_base_.train_pipeline)
val_pipeline = enlarge(_base_.val_pipeline)
test_pipeline = enlarge(_base_.test_pipeline)
