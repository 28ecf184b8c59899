"""The page of mmxclip as a Hugging Face Space."""

import os

from mmxclip.web.limits import Limits
from mmxclip.web.serve import serve

serve(
    [os.environ.get('MODEL', 'xclip-b16-zero-shot')],  # a variable of the Space
    limits=Limits(megabytes=50, seconds=120, words=50),
    host='0.0.0.0',
)
