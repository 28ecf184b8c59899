"""Name the action in videos, among classes given as free text."""

import functools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmaction.apis.inferencers import ActionRecogInferencer
from mmaction.registry import INFERENCERS
from mmaction.structures import ActionDataSample
from mmaction.utils import ConfigType
from mmengine.dataset import Compose
from mmengine.infer import BaseInferencer
from torch import nn

from mmxclip.checkpoints.adapter_file import open_whole
from mmxclip.checkpoints.calibration import Calibration
from mmxclip.checkpoints.load import load
from mmxclip.checkpoints.zoo import find
from mmxclip.export.engine import DType, Engine, check_engine, run_by_onnx
from mmxclip.inference.fitting_config import config_for
from mmxclip.inference.inputs import InputFormat, check_input, frames_of, name_of
from mmxclip.inference.named_models import find_model, is_name
from mmxclip.inference.picture_files import picture_paths, save_picture
from mmxclip.inference.ranking import ranked
from mmxclip.inference.serving import serving_config, serving_pipeline
from mmxclip.models import ClassTexts, XCLIPHead
from mmxclip.text import Classes, ClassSource
from mmxclip.utils.checks import check_choice, check_config_file

_DUMPS = ('.json', '.yaml', '.yml', '.pkl', '.pickle')


@INFERENCERS.register_module()
class XCLIPInferencer(ActionRecogInferencer):
    """Recognise actions in videos with an X-CLIP model and any class names.

    Preprocessing is the config's test pipeline, unchanged, all its views included,
    so scores equal those of ``tools/test.py``. (MMAction2's own inferencer works
    too, with one crop and the classes of the config.) Several threads may share one.

    Args:
        model: Name of a released model (:func:`find_model`), config, or the path of
            its file. ``None`` takes the one that training stored in ``weights`` (read
            as data), else the published one for a model of their sizes.
        weights: Checkpoint file. Default: those of the name; of a config, random ones.
        classes: Class names: a list, a file or the name of a packaged list; or
            classes with descriptions, see :meth:`mmxclip.text.Classes.of`. Default:
            those of the config.
        device: E.g. ``'cpu'`` or ``'cuda:0'``. Default: a GPU if there is one.
        engine: ``'onnx'``: have the towers run by :func:`run_by_onnx`, on the CPU.
        dtype: ``'int8'``: they multiply with 8 bits.
        input_format: What inputs are: ``'video'`` (files), ``'array'`` (frames,
            uint8 RGB (T, H, W, 3)) or ``'rawframes'`` (folders of images).
        pack_cfg: More arguments of ``InferencerPackInput``, e.g.
            ``dict(filename_tmpl='img_{:05}.jpg')`` for ``'rawframes'``.

    Raises:
        FileNotFoundError: Config, weights or a video do not exist.
        DownloadError: The weights of the name can be had neither here nor there.
        ValueError: The weights do not fit the model, or no config is known for them;
            its head is no :class:`XCLIPHead`; there are no class names.
        RuntimeError: A video cannot be decoded.

    Examples:
        >>> inferencer = XCLIPInferencer('xclip-b16-zero-shot')  # doctest: +SKIP
        >>> inferencer('clip.mp4', classes=['a dog runs', 'a cat sleeps'])[
        ...     'predictions'
        ... ][0]['scores']  # doctest: +SKIP
        {'a dog runs': 0.93, 'a cat sleeps': 0.07}
    """

    # Sets are the host's convention.
    forward_kwargs = {'texts', 'keep_frames'}  # noqa: RUF012
    visualize_kwargs = {'return_vis', 'vid_out_dir'}  # noqa: RUF012

    def __init__(
        self,
        model: ConfigType | str | os.PathLike | None,
        weights: str | os.PathLike | None = None,
        *,
        classes: ClassSource | None = None,
        device: str | None = None,
        engine: Engine = 'torch',
        dtype: DType = 'fp32',
        input_format: InputFormat = 'video',
        pack_cfg: ConfigType | None = None,
    ) -> None:
        if isinstance(model, str) and is_name(model):
            model, named_weights = find_model(model)
            weights = weights or named_weights
        elif isinstance(model, (str, os.PathLike)):
            model = str(check_config_file(model))
        device = check_engine(engine, dtype, device)
        check_choice('input_format', input_format, InputFormat)
        self._opened = None if weights is None else open_whole(find(weights))
        self._weights = str(weights)
        self._calibration = self._opened and Calibration.of(self._opened.extras)
        if model is None and self._opened is not None:
            known = classes is not None
            model = config_for(self._weights, self._opened, classes_given=known)
        self._given = None if classes is None else Classes.of(classes)
        pack_cfg = pack_cfg or {}
        super().__init__(
            model, device=device, input_format=input_format, pack_cfg=pack_cfg
        )
        head = getattr(self.model, 'cls_head', None)
        if not isinstance(head, XCLIPHead):
            raise ValueError(
                f'the head of the model is {type(head).__name__}, which knows no class '
                'names; XCLIPInferencer needs an XCLIPHead. For other models there is '
                'ActionRecogInferencer of MMAction2.'
            )
        if engine == 'onnx':
            run_by_onnx(self.model, dtype)
        # The last class lists keep their features.
        self._make_texts = functools.lru_cache(maxsize=16)(head.make_texts)

    @property
    def classes(self) -> Classes:
        """The classes in use, in the order of the scores."""
        return self.model.cls_head.classes

    @property
    def threshold(self) -> float | None:
        """Probability below which a video is none of the classes, if known for them."""
        known = self._calibration
        return known.threshold if known and known.classes == self.classes else None

    def set_classes(self, classes: ClassSource) -> None:
        """Use other classes in calls that bring none; given as in the constructor."""
        self.model.cls_head.set_classes(classes)

    def __call__(
        self,
        inputs: str | np.ndarray | Sequence[str | np.ndarray],
        classes: ClassSource | None = None,
        *,
        batch_size: int = 1,
        return_vis: bool = False,
        vid_out_dir: str | os.PathLike = '',
        return_datasamples: bool = False,
        print_result: bool = False,
        pred_out_file: str = '',
    ) -> dict[str, Any]:
        """Recognise the action in each input.

        Args:
            inputs: One input or several, see ``input_format``.
            classes: Class names of this call; no other call sees them. Default:
                :attr:`classes`.
            batch_size: Inputs that go through the model at once.
            return_vis: Whether to return the pictures.
            vid_out_dir: Folder for the pictures, see :func:`picture_paths`.
                Default: none are saved.
            return_datasamples: Whether predictions are the host's data samples.
            print_result: Whether to print the predictions.
            pred_out_file: ``.json`` or ``.pkl`` file for the predictions.

        Returns:
            dict: ``predictions``, for each input a dict with ``pred_class``,
            ``scores`` (class -> probability, best first), ``pred_labels`` and
            ``pred_scores`` (in the order of the classes); and
            ``visualization``, RGB pictures (height, width, 3) or None.
        """
        if batch_size < 1:
            raise ValueError(f'batch_size must be at least 1, got {batch_size}')
        if pred_out_file and Path(pred_out_file).suffix not in _DUMPS:
            raise ValueError(
                f'pred_out_file must end in {" or ".join(_DUMPS)}, got {pred_out_file}'
            )
        # Not the direct parent, whose further options are for drawing into videos.
        return BaseInferencer.__call__(
            self,
            inputs,
            return_datasamples,
            batch_size,
            texts=self.texts(classes),
            keep_frames=bool(return_vis or vid_out_dir),
            return_vis=return_vis,
            vid_out_dir=os.fspath(vid_out_dir),
            print_result=print_result,
            pred_out_file=pred_out_file,
        )

    def texts(self, classes: ClassSource | None = None) -> ClassTexts:
        """Return classes with their features, which are kept for later calls.

        Args:
            classes: See :meth:`__call__`.
        """
        if classes is None:
            return self.model.cls_head.texts
        return self._make_texts(Classes.of(classes))

    def _inputs_to_list(self, inputs: Any) -> list:
        """List the inputs, each of which must be one of ``input_format``."""
        listed = super()._inputs_to_list(inputs)
        return [check_input(one, self.input_format) for one in listed]

    @torch.no_grad()
    def forward(
        self, inputs: dict, texts: ClassTexts, keep_frames: bool = False
    ) -> list[ActionDataSample]:
        """Predict a batch, as the model's ``test_step`` does for its own classes.

        Args:
            inputs: What the pipeline gives, collated.
            texts: The classes.
            keep_frames: Whether predictions keep the first view, ``frames``, for
                :meth:`visualize`.
        """
        data = self.model.data_preprocessor(inputs, False)
        feats, options = self.model.extract_feat(data['inputs'], test_mode=True)
        preds = self.model.cls_head.predict(
            feats, data['data_samples'], texts=texts, **options
        )
        for pred, views in zip(preds, inputs['inputs'], strict=True):
            pred.set_metainfo(dict(classes=list(texts.classes)))
            if keep_frames:
                pred.frames = frames_of(views)  # without other views
        return preds

    def visualize(
        self,
        inputs: list[str | np.ndarray],
        preds: list[ActionDataSample],
        return_vis: bool = False,
        vid_out_dir: str = '',
    ) -> list[np.ndarray] | None:
        """Draw the frames that the model saw, with the scores as bars.

        Args:
            inputs: As in the call.
            preds: Their predictions, with ``frames``, which are taken away.
            return_vis: Whether to return the pictures.
            vid_out_dir: Folder to save them in.

        Returns:
            RGB pictures, uint8 (height, width, 3), or None if none are wanted.
        """
        if not (return_vis or vid_out_dir):
            return None
        # It takes a second to load.
        from mmxclip.inference.picture import draw_prediction  # noqa: PLC0415

        pictures = []
        for single_input, pred in zip(inputs, preds, strict=True):
            named = isinstance(single_input, str)
            scores = ranked(pred)
            title = f'{name_of(single_input)}: ' if named else ''
            title += next(iter(scores))
            pictures.append(draw_prediction(pred.pop('frames'), scores, title))
        if vid_out_dir:
            paths = picture_paths(inputs, vid_out_dir)
            for picture, path in zip(pictures, paths, strict=True):
                save_picture(picture, path)
        return pictures

    def pred2dict(self, data_sample: ActionDataSample) -> dict[str, Any]:
        """Turn a prediction into plain numbers and strings."""
        scores = ranked(data_sample)
        result = dict(pred_class=next(iter(scores)), scores=scores)
        return result | super().pred2dict(data_sample)

    def _init_model(self, cfg: ConfigType, *args: Any, **kwargs: Any) -> nn.Module:
        """Build the model of a config that is not only a part of one."""
        cfg = serving_config(cfg, self._given)
        return super()._init_model(cfg, *args, **kwargs)

    def _init_pipeline(self, cfg: ConfigType) -> Compose:
        """Build the test pipeline for the input format; the frames are the same."""
        steps = serving_pipeline(cfg, self.input_format, self.pack_cfg)
        return Compose(steps)

    def _init_visualizer(self, cfg: ConfigType) -> None:
        """Leave the config's visualizer out: pictures are drawn here."""

    def _load_weights_to_model(
        self, model: nn.Module, checkpoint: None, cfg: ConfigType | None
    ) -> None:
        """Load weights, all of them: half a model predicts nonsense silently."""
        if self._opened is None:
            super()._load_weights_to_model(model, checkpoint, cfg)
            return
        try:
            load(model, self._opened)
        except ValueError as error:
            raise ValueError(
                f'{self._weights} does not fit the model of the config; give the '
                f'config that it was trained with. {error}'
            ) from error
        self._opened = None
