"""The page of mmxclip as a Hugging Face Space."""

from mmxclip.web.limits import Limits
from mmxclip.web.serve import serve

serve(
    ['xclip-b16-zero-shot'],
    limits=Limits(megabytes=50, seconds=120, words=50),
    host='0.0.0.0',
    port=7860,
)
