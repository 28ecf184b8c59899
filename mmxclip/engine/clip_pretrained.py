"""Initialisation from OpenAI CLIP, by name, in a config."""

import os
from pathlib import Path

from mmengine.logging import print_log
from mmengine.model import update_init_info
from mmengine.registry import WEIGHT_INITIALIZERS
from torch import nn

from mmxclip.checkpoints import PretrainedPart
from mmxclip.checkpoints.parts import fit_part
from mmxclip.convert import ConversionError, read_checkpoint, recognize, to_mmxclip
from mmxclip.engine.download import download
from mmxclip.engine.weights import place_of, share_of

_SERVER = 'https://openaipublic.azureedge.net/clip/models'
# name in OpenAI's code: (SHA-256, file)
CLIP_MODELS = {
    'ViT-B/32': (
        '40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af',
        'ViT-B-32.pt',
    ),
    'ViT-B/16': (
        '5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f',
        'ViT-B-16.pt',
    ),
    'ViT-L/14': (
        'b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836',
        'ViT-L-14.pt',
    ),
    'ViT-L/14@336px': (
        '3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02',
        'ViT-L-14-336px.pt',
    ),
}


@WEIGHT_INITIALIZERS.register_module()
class CLIPPretrained:
    """Initialise a part of the model from a pretrained checkpoint.

    Give it to the backbone and to the head; each takes its share: the vision tower;
    the text tower and the logit scale. Parameters that the checkpoint does not bring
    (of OpenAI CLIP: messages, MIT and prompt) keep their own initialisation.

    Args:
        checkpoint: A name ('ViT-B/32', 'ViT-B/16', 'ViT-L/14', 'ViT-L/14@336px'), a
            path, or a URL. Any kind of file that ``load_from`` takes.
        sha256: Checksum of a URL's file; known for the names.

    Examples:
        >>> backbone = dict(
        ...     type='XCLIPViT',
        ...     arch='b/32',
        ...     init_cfg=dict(type='CLIPPretrained', checkpoint='ViT-B/32'))
    """

    def __init__(
        self, checkpoint: str | os.PathLike, sha256: str | None = None
    ) -> None:
        self.checkpoint = checkpoint
        self.sha256 = sha256

    def __call__(self, module: nn.Module) -> None:
        """Load the module's share of the checkpoint."""
        # Each part reads the file anew, so that a training does not keep a second CLIP.
        path = find_checkpoint(self.checkpoint, self.sha256)
        source = recognize(read_checkpoint(path))
        state_dict, report = to_mmxclip(source)
        share = share_of(module, state_dict, report)
        if not share:
            raise ConversionError(
                f'{self.checkpoint} ({report.source}) has nothing for '
                f'{type(module).__name__}. Remove its init_cfg.'
            )
        prefix = place_of(module)
        for path, part in module.named_modules():
            if isinstance(part, PretrainedPart):
                fit_part(part, share, f'{path}.' if path else '', complete=False)
        new = {
            name: tensor
            for name, tensor in module.state_dict().items()
            if name not in share and source.lacks(prefix + name)
        }
        module.load_state_dict({**new, **share})
        print_log(
            f'{type(module).__name__} is initialised from {self.checkpoint}:\n{report}',
            logger='current',
        )
        if hasattr(module, '_params_init_info'):
            update_init_info(module, init_info=f'CLIPPretrained: {self.checkpoint}')


def find_checkpoint(checkpoint: str | os.PathLike, sha256: str | None = None) -> Path:
    """Return the file behind a name, a path or a URL, downloading it if need be.

    Raises:
        ValueError: It looks like a name and is none.
        FileNotFoundError: There is no file at this path.
        DownloadError: The download failed.
    """
    checkpoint = os.fspath(checkpoint)
    if checkpoint in CLIP_MODELS:
        digest, file = CLIP_MODELS[checkpoint]
        return download(f'{_SERVER}/{digest}/{file}', digest)
    if checkpoint.startswith(('http://', 'https://')):
        return download(checkpoint, sha256)
    path = Path(checkpoint).expanduser()
    if path.exists():
        return path
    if path.suffix or path.is_absolute():
        raise FileNotFoundError(f'there is no checkpoint {path}')
    raise ValueError(
        f'checkpoint={checkpoint!r} is neither a file nor one of {list(CLIP_MODELS)}'
    )
