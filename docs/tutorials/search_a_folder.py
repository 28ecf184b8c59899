# %% [markdown]
# # Search a folder
#
# An index holds an embedding of every window of every film. It is made once; then a search takes
# milliseconds.

# %%
from mmxclip.inference import FilmIndex, FilmSearch, XCLIPInferencer, build_index

inferencer = XCLIPInferencer('xclip-b16-zero-shot')
build_index(inferencer, 'films', 'index', window=2, stride=1)

# %% [markdown]
# Later, the same call reads only new and changed films, and continues where it was stopped.

# %%
search = FilmSearch(inferencer, FilmIndex('index'))
queries = ['a person falls', 'a dog runs']
for query, hits in zip(queries, search.by_words(queries), strict=True):
    print(query)
    for hit in hits[:3]:
        print(f'{hit.score:6.2f}  {hit.film} {hit.start:.1f} s to {hit.end:.1f} s')

# %% [markdown]
# A score is a cosine: it ranks the moments for one query, but does not say that any of them really
# shows it. Compare it with the score of words that cannot be seen, or look at the sheet that
# `tools/search.py index "a dog runs" --sheet found.png` draws.
