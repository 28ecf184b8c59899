"""Models out of PyTorch: graphs in ONNX, and what runs them without it."""

from mmxclip.export.folder import export_onnx

__all__ = ['export_onnx']
