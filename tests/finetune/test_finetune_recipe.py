"""The recipe that videos and machine ask for."""

from typing import get_args

import pytest
from mmengine.config import Config

from mmxclip.finetune.memory import GB, Machine, Tune, estimate_needs
from mmxclip.finetune.recipe import choose_recipe
from mmxclip.finetune.start import find_start


@pytest.fixture
def b16(root) -> Config:
    (path,) = (root / 'configs/xclip/few_shot').glob(
        '*res224_clip-pre*hmdb51-2shot*.py'
    )
    return Config.fromfile(path)


def gpu(gb):
    return Machine(True, gb * GB, 'bfloat16')


def test_the_recipes_of_the_paper_come_out(b16):
    few = choose_recipe(b16, gpu(1000), videos=816, classes=51)
    assert (few.batch, few.epochs, few.rate) == (64, 50, 2e-6)
    many = choose_recipe(b16, gpu(1000), videos=240_000, classes=400)
    assert (many.batch, many.epochs, many.rate) == (256, 30, 8e-6)
    assert (few.tune, many.tune) == ('all', 'all')


def test_few_videos_are_seen_often_in_small_batches(b16):
    recipe = choose_recipe(b16, gpu(1000), videos=20, classes=4)
    assert recipe.batch == 4
    assert recipe.epochs * 20 >= 5100
    assert recipe.rate == pytest.approx(2e-6 * 4 / 64)
    assert choose_recipe(b16, gpu(9), videos=1, classes=1).batch == 1


def test_less_memory_takes_fewer_videos_at_once(b16):
    def at_once(gb, **options):
        recipe = choose_recipe(b16, gpu(gb), videos=816, classes=51, **options)
        return recipe.at_once, recipe.recompute

    assert at_once(1000) == (64, False)
    plenty, tight, none = at_once(100), at_once(8), at_once(1)
    assert 64 > plenty[0] > tight[0] > none[0] == 1
    assert (plenty[1], tight[1]) == (False, True)
    assert at_once(8, tune='prompt')[0] > tight[0]


def test_adapters_spare_the_gradients_of_the_tower_but_not_its_activations(b16):
    prompt, adapters, everything = (
        estimate_needs(b16, tune=tune, half=True) for tune in get_args(Tune)
    )
    assert prompt.fixed == adapters.fixed < everything.fixed
    assert prompt.video < adapters.video == everything.video


def test_without_a_gpu_the_towers_of_large_models_rest(b16, demo):
    cpu = Machine(False, 64 * GB)
    options = dict(videos=816, classes=51)
    assert choose_recipe(b16, cpu, **options).tune == 'prompt'
    assert choose_recipe(b16, cpu, **options, tune='all').tune == 'all'
    assert choose_recipe(Config.fromfile(demo), cpu, **options).tune == 'all'


def test_a_model_that_is_only_tested_is_trained_by_the_config_of_its_size():
    cfg, weights = find_start('xclip-b16-zero-shot', None)
    assert cfg.train_dataloader
    assert cfg.model.backbone.init_cfg.checkpoint == 'ViT-B/16'
    assert (cfg.model.backbone.arch, cfg.model.neck.num_frames) == ('b/16', 32)
    assert 'zero-shot' in weights
