# %% [markdown]
# # Fine-tune on 20 clips
#
# `tools/finetune.py` does all of this in one command. Here are its steps, one by one, on two
# classes of ten clips each. The clips are drawn; put your own into a folder per class instead.

# %%
from pathlib import Path

import numpy as np

from mmxclip.datasets.shape_actions import ShapeAction, draw_clip, write_clip

random = np.random.default_rng(0)
for motion in ('moving left', 'moving right'):
    folder = Path('clips', motion)
    folder.mkdir(parents=True)
    for number in range(10):
        frames = draw_clip(ShapeAction('circle', 'red', motion), random, size=64)
        write_clip(folder / f'{number}.mp4', frames)

# %% [markdown]
# ## Lists
#
# The names of the folders are the classes. A fifth of each class is kept for testing.

# %%
from mmxclip.datasets.lists import name_videos

videos = name_videos('clips')
videos.write(Path('tuned/lists'), overwrite=True)
print(videos)

# %% [markdown]
# ## Recipe and config
#
# Training starts from a config and a checkpoint of yours. A released model is a name and `None`:
# `find_start('xclip-b16-k400-8-frames', None)`. The recipe follows from the number of videos and
# the memory of this machine, and says why.

# %%
from mmxclip.finetune.config_file import write_config
from mmxclip.finetune.memory import find_machine
from mmxclip.finetune.recipe import choose_recipe
from mmxclip.finetune.start import find_start

base, weights = find_start('CONFIG.py', 'CHECKPOINT.pth')
recipe = choose_recipe(
    base,
    find_machine(),
    videos=len(videos.train),
    classes=len(videos.classes),
    epochs=10,
)
print(*recipe.reasons, sep='\n')
config = write_config(
    Path('tuned').resolve(),
    base,
    videos,
    recipe,
    load_from=weights,
    workers=0,
    overwrite=True,
)

# %% [markdown]
# ## Train and test
#
# From here on it is an ordinary config: change it, or train it with `tools/train.py`.

# %%
from mmengine.config import Config
from mmengine.runner import Runner

runner = Runner.from_cfg(Config.fromfile(config))
runner.train()
print(runner.test())

# %% [markdown]
# ## Use it

# %%
from mmxclip.engine.last_checkpoint import last_checkpoint
from mmxclip.inference import XCLIPInferencer

inferencer = XCLIPInferencer(str(config), last_checkpoint('tuned/training'))
print(inferencer('clips/moving left/0.mp4')['predictions'][0])
