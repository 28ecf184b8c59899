"""The recipe of a fine-tuning: chosen by the data and the machine, with reasons."""

from dataclasses import dataclass
from math import ceil, log2
from typing import Any

from mmengine.config import Config

from mmxclip.finetune.memory import GB, Machine, Tune, estimate_needs
from mmxclip.layers.clip_sizes import VISION_ARCHS
from mmxclip.models.arch_zoo import resolve_arch

_FEW = 16  # videos a class: the most of the paper's few-shot experiments
_BATCH = dict(few=64, many=256)  # the paper's
_EPOCHS = dict(few=50, many=30)  # the paper's
_FEWEST_SEEN = 5100  # the paper's least: HMDB-51, 2 videos a class, 50 epochs
_SMALL = 10_000_000  # weights of a backbone that learns on a CPU, too
_WRAPPERS = dict(
    float32='OptimWrapper', float16='AmpOptimWrapper', bfloat16='AutocastOptimWrapper'
)


@dataclass(frozen=True)
class Recipe:
    """How to fine-tune.

    Attributes:
        tune: 'prompt': what follows the towers learns, MIT and prompt; 'adapters': and
            LoRAs in the backbone; 'all': and the backbone.
        epochs: Of the training.
        batch: Videos of a step of the optimizer.
        at_once: Videos of them that are in memory together.
        rate: Learning rate of what CLIP brings.
        precision: Type of the matrix products.
        recompute: Whether activations are computed again in the backward pass.
        reasons: Why, in sentences.
    """

    tune: Tune
    epochs: int
    batch: int
    at_once: int
    rate: float
    precision: str
    recompute: bool
    reasons: tuple[str, ...]

    def settings(self) -> dict[str, Any]:
        """Return the settings of a config."""
        every = max(self.epochs // 10, 1)
        wrapper = dict(
            type=_WRAPPERS[self.precision],
            accumulative_counts=self.batch // self.at_once,
            optimizer=dict(lr=self.rate),
        )
        if self.precision == 'float16':
            wrapper['loss_scale'] = 'dynamic'
        backbone: dict[str, Any] = dict(frozen=self.tune != 'all')
        if self.tune == 'adapters':
            backbone['adapters'] = [dict(type='LoRA')]
        if self.recompute:
            backbone['with_cp'] = True
        return dict(
            model=dict(backbone=backbone),
            train_dataloader=dict(batch_size=self.at_once),
            train_cfg=dict(max_epochs=self.epochs, val_interval=every),
            optim_wrapper=wrapper,
            param_scheduler=dict(
                _delete_=True,
                type='WarmupCosineLR',
                warmup=min(5, self.epochs / 10),
                convert_to_iter_based=True,
            ),
            auto_scale_lr=dict(enable=False, base_batch_size=self.at_once),
            # The last weights count: the best epoch on the videos to test on would
            # flatter.
            default_hooks=dict(
                checkpoint=dict(interval=every, max_keep_ckpts=1, save_best=None)
            ),
        )


def choose_recipe(
    cfg: Config,
    machine: Machine,
    *,
    videos: int,
    classes: int,
    tune: Tune | None = None,
    epochs: int | None = None,
) -> Recipe:
    """Choose a recipe.

    Args:
        cfg: Config to start from: its rate, for its batch, is kept in proportion.
        machine: What there is to train on.
        videos: Videos to train on.
        classes: Of so many classes.
        tune: What learns; default: all on a GPU, or where the backbone is small.
        epochs: Default: as in the paper, and more where few videos would be seen.
    """
    kind = 'few' if videos <= _FEW * classes else 'many'
    reasons = [
        f'{videos / classes:.0f} videos a class: '
        + (
            f'few-shot, as in the paper up to {_FEW}'
            if kind == 'few'
            else f'fully supervised, as more than {_FEW}'
        )
    ]
    tune = tune or _choose_tune(cfg, machine, reasons)
    epochs = epochs or _choose_epochs(kind, videos, reasons)
    batch = _power_of_two(min(_BATCH[kind], videos / 4))
    if batch < _BATCH[kind]:
        reasons.append(
            f"batch {batch} in place of the paper's {_BATCH[kind]}: an epoch has four "
            'steps at least'
        )
    needs = estimate_needs(cfg, tune=tune, half=machine.precision != 'float32')
    room = max(0.8 * machine.memory - needs.fixed, 0)
    at_once = _power_of_two(min(room / needs.video, batch))
    recompute = at_once < min(batch, 8) and needs.recomputed < needs.video
    if recompute:
        at_once = _power_of_two(min(room / needs.recomputed, batch))
    per_video = needs.recomputed if recompute else needs.video
    total = (needs.fixed + at_once * per_video) / GB
    reasons.append(
        f'{at_once} of {batch} videos at once, {machine.precision}'
        f'{", activations recomputed" if recompute else ""}: about {total:.1f} GB, '
        f'estimated, on {machine}'
    )
    if needs.fixed + per_video > machine.memory:
        reasons.append('this may not fit: take a smaller model, or --tune prompt')
    rate = _scale_rate(cfg, batch)
    reasons.append(f'rate {rate:.3g}: that of {_stem(cfg)}, in proportion to the batch')
    return Recipe(
        tune, epochs, batch, at_once, rate, machine.precision, recompute, tuple(reasons)
    )


def _choose_tune(cfg: Config, machine: Machine, reasons: list[str]) -> Tune:
    sizes = resolve_arch(cfg.model.backbone.get('arch', 'b/16'), VISION_ARCHS)
    small = 17 * sizes['embed_dims'] ** 2 * sizes['depth'] < _SMALL
    if machine.has_gpu or small:
        why = 'a GPU is here' if machine.has_gpu else 'the backbone is small'
        reasons.append(f'all but the text tower learns: {why}')
        return 'all'
    reasons.append('MIT and prompt learn, both towers rest: there is no GPU')
    return 'prompt'


def _choose_epochs(kind: str, videos: int, reasons: list[str]) -> int:
    epochs = max(_EPOCHS[kind], ceil(_FEWEST_SEEN / videos))
    why = (
        'as in the paper'
        if epochs == _EPOCHS[kind]
        else f"so that {_FEWEST_SEEN} videos are seen, as in the paper's least"
    )
    reasons.append(f'{epochs} epochs, {why}')
    return epochs


def _scale_rate(cfg: Config, batch: int) -> float:
    wrapper = cfg.optim_wrapper
    base = (cfg.get('auto_scale_lr') or {}).get('base_batch_size')
    if base is None:
        return wrapper.optimizer.lr
    counts = wrapper.get('accumulative_counts', 1)
    return float(f'{wrapper.optimizer.lr * batch / (base * counts):.4g}')


def _power_of_two(limit: float) -> int:
    return 2 ** int(log2(limit)) if limit >= 2 else 1


def _stem(cfg: Config) -> str:
    return cfg.filename.rsplit('/', 1)[-1] if cfg.filename else 'the config'
