# %% [markdown]
# # Recognise and explain
#
# X-CLIP compares a video with sentences: any words work. The model is downloaded once, 0.8 GB.

# %%
from mmxclip.inference import XCLIPInferencer

inferencer = XCLIPInferencer('xclip-b16-zero-shot')

# %% [markdown]
# The scores of all words add up to one, so add words for what else might be seen: with two words,
# one of them always gets at least a half.

# %%
words = ['playing guitar', 'juggling', 'a dog runs', 'nothing happens']
result = inferencer('clip.mp4', classes=words)
scores = result['predictions'][0]['scores']
for word, score in sorted(scores.items(), key=lambda pair: -pair[1]):
    print(f'{score:6.1%}  {word}')
assert abs(sum(scores.values()) - 1) < 1e-4

# %% [markdown]
# ## The same video, other words
#
# The words belong to the call. Most of the time goes into the video tower: to try many word lists
# on one video, encode it once (see *Extend*).

# %%
for words in (['indoors', 'outdoors'], ['one person', 'many people', 'nobody']):
    scores = inferencer('clip.mp4', classes=words)['predictions'][0]['scores']
    print(max(scores, key=scores.get))

# %% [markdown]
# ## Why
#
# Which squares of which frames is the answer based on? Red ones support a word, blue ones oppose
# it. The gradient gives an estimate in one backward pass; without `method` each square is hidden
# in turn, which takes longer and is exact.

# %%
from mmxclip.inference import explain, write_explanation

found = explain(inferencer, 'clip.mp4', ['juggling', 'a dog runs'], method='gradient')
write_explanation(found, 'why.png')

# %% [markdown]
# ## Many videos
#
# Folders, patterns and archives work, too; a bad file costs one answer, not the run.

# %%
from mmxclip.inference import predict_videos

for answer in predict_videos(inferencer, ['films/'], ['juggling', 'a dog runs']):
    print(answer.source.name, answer.pred_class or answer.error)

# %% [markdown]
# ## When in a film

# %%
from mmxclip.inference import make_timeline, write_timeline

timeline = make_timeline(inferencer, 'film.mp4', ['juggling', 'a dog runs'], window=2)
for found in timeline.ranges:
    print(f'{found.start:6.1f} s to {found.end:6.1f} s: {found.label}')
write_timeline(timeline, 'film.srt')
