"""X-CLIP-L/14 from Meta's MetaCLIP."""

_base_ = ['./xclip_large-p14.py', '../towers/metaclip_l14.py']

model = _base_.tower
