# %% [markdown]
# # Write a prompt learner
#
# X-CLIP adapts the features of the class texts to each video, in a module called the prompt
# learner. Here is one that scales the channels of the text features by what the video shows.

# %%
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.runner import Runner
from torch import nn

from mmxclip.models import PromptLearner, encode_video


@MODELS.register_module()
class ChannelGate(PromptLearner):
    """Scale text features by a gate that the video sets."""

    needs_context = True

    def __init__(self, context_dims=768, embed_dims=512):
        super().__init__()
        self.fc = nn.Linear(context_dims, embed_dims)
        nn.init.zeros_(self.fc.weight)  # starts as no prompt at all
        nn.init.zeros_(self.fc.bias)

    def prepare_context(self, tokens):  # (N, T, L, D), once for each video
        return 1 + torch.tanh(self.fc(tokens.mean(dim=(1, 2))))  # (N, E)

    def adapt(self, text, context):  # (K, E) or (N, K, E) -> (N, K, E)
        return text * context.unsqueeze(1)


# %% [markdown]
# A config selects it. The widths are those of the model.

# %%
config = Config.fromfile('CONFIG.py')
old = config.model.cls_head.prompt
config.model.cls_head.prompt = dict(
    type='ChannelGate', context_dims=old.context_dims, embed_dims=old.embed_dims
)
model = MODELS.build(config.model).eval()

# %% [markdown]
# Try it before training: videos in, one score for each class out. Initially the gate is one, so the
# scores are those without a prompt.

# %%
frames = torch.randn(2, 1, 3, 8, model.backbone.img_size, model.backbone.img_size)
with torch.no_grad():
    embedding, context = encode_video(model, frames)
    text = model.cls_head.text_features()
    logits = model.cls_head.score(embedding, context, text)
    plain = model.cls_head.similarity(embedding, text[0])
assert logits.shape == (2, model.cls_head.num_classes)
torch.testing.assert_close(logits, plain)

# %% [markdown]
# Train it. Whatever weights the rest starts from, the new parameters start as written above. If the
# config has `fresh_lr_mult`, they learn at the higher rate.

# %%
config.work_dir = 'work_dirs/channel_gate'
config.train_cfg.max_epochs = 2
runner = Runner.from_cfg(config)
runner.train()
gate = runner.model.cls_head.prompt
assert gate.fc.weight.abs().sum() > 0, 'it has learned'
