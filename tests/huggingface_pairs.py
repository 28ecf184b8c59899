"""Tiny language-image pairs of transformers, with tokenizers of single letters."""

import string
from pathlib import Path

import pytest
import torch

transformers = pytest.importorskip('transformers', minversion='5')
tokenizers = pytest.importorskip('tokenizers')

_TOWER = dict(
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=2,
    num_attention_heads=2,
)
_TEXT = dict(
    **_TOWER,
    vocab_size=40,
    max_position_embeddings=64,
    bos_token_id=2,
    eos_token_id=1,
    pad_token_id=0,
)
_VISION = dict(**_TOWER, patch_size=16, image_size=32)


def siglip():
    return transformers.SiglipModel(
        transformers.SiglipConfig(text_config=_TEXT, vision_config=_VISION)
    )


def siglip2():
    """NaFlex; SigLIP 2 of a fixed size is a `SiglipModel`."""
    vision = {**_VISION, 'num_patches': 4}
    del vision['image_size']
    return transformers.Siglip2Model(
        transformers.Siglip2Config(text_config=_TEXT, vision_config=vision)
    )


def clip():
    return transformers.CLIPModel(
        transformers.CLIPConfig(
            text_config=_TEXT, vision_config=_VISION, projection_dim=24
        )
    )


def chinese_clip():
    """Its text tower, a BERT, must not look at padding."""
    return transformers.ChineseCLIPModel(
        transformers.ChineseCLIPConfig(
            text_config=_TEXT, vision_config=_VISION, projection_dim=24
        )
    )


def build_tokenizer(kind):
    """That of SigLIP 2, which is Gemma's, or one that begins and ends texts."""
    words = ['<pad>', '<eos>', '<bos>', '<unk>', '<mask>', '▁', *string.ascii_lowercase]
    vocab = {word: index for index, word in enumerate(words)}
    if kind == 'siglip2':
        return transformers.Siglip2Tokenizer(vocab=vocab, merges=[])
    if kind == 'siglip':  # SigLIP 2 of a fixed size: capitals stay capitals
        return transformers.GemmaTokenizer(vocab=vocab, merges=[])
    letters = tokenizers.Tokenizer(
        tokenizers.models.WordLevel(vocab, unk_token='<unk>')
    )
    letters.normalizer = tokenizers.normalizers.Lowercase()
    letters.pre_tokenizer = tokenizers.pre_tokenizers.Split('', 'isolated')
    letters.post_processor = tokenizers.processors.TemplateProcessing(
        single='<bos> $A <eos>', special_tokens=[('<bos>', 2), ('<eos>', 1)]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=letters, pad_token='<pad>', eos_token='<eos>'
    )


def save_pair(build, folder: Path):
    """Write a pair of random weights with its tokenizer; return both."""
    pair, tokenizer = build().eval(), build_tokenizer(build.__name__)
    for name, p in pair.named_parameters():  # also of what starts at zero or one
        is_scale = 'norm' in name.lower() and name.endswith('weight')
        torch.nn.init.normal_(p, float(is_scale), 0.1)
    pair.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return pair, tokenizer


def save_siglip2_base(folder: Path) -> str:
    """Write the config of google/siglip2-base-patch16-224, without weights."""
    text = transformers.SiglipTextConfig(vocab_size=256000).to_dict()
    transformers.SiglipConfig(text_config=text).save_pretrained(folder)
    build_tokenizer('siglip').save_pretrained(folder)
    return str(folder)
