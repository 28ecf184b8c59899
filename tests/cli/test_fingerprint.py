"""A result is known again by what it depends on."""

from mmengine.config import Config

from mmxclip.cli.fingerprint import fingerprint
from mmxclip.text import Classes


def config(**loader):
    return Config(
        dict(
            model=dict(type='Recognizer3D'),
            train_dataloader=dict(dict(batch_size=2, num_workers=4), **loader),
            test_evaluator=[dict(type='ClassReport', out_dir='/a/b')],
            work_dir='/a/b',
        )
    )


def test_what_changes_no_result_leaves_a_part_the_same(tmp_path):
    list_file = tmp_path / 'train.txt'
    list_file.write_text('a.mp4 0')
    first = fingerprint(config(), None, list_file)
    other = config(num_workers=0, persistent_workers=False)
    other.test_evaluator[0].out_dir = other.work_dir = 'b'
    other.default_hooks = dict(logger=dict(type='LoggerHook', interval=9))
    assert fingerprint(other, None, list_file) == first


def test_what_changes_results_does_not(tmp_path):
    list_file, checkpoint = tmp_path / 'train.txt', tmp_path / 'clip.pth'
    list_file.write_text('a.mp4 0')
    checkpoint.write_bytes(b'weights')
    seen = [fingerprint(config(), None, list_file)]
    seen.append(fingerprint(config(batch_size=4), None, list_file))
    seen.append(fingerprint(config(), str(checkpoint), list_file))
    average = config()
    average.default_hooks = dict(ema=dict(type='EMAHook'))
    seen.append(fingerprint(average, None, list_file))
    texts = dict(run='run', jump='jump'), dict(run='run', jump='leap')
    for classes in (*map(Classes.of, texts), Classes.of(['run', 'leap'])):
        seen.append(fingerprint(config(), None, list_file, classes=classes))
    folder = tmp_path / 'huggingface'
    folder.mkdir()
    for content in (b'some', b'other'):
        (folder / 'model.safetensors').write_bytes(content)
        seen.append(fingerprint(config(), str(folder), list_file))
    list_file.write_text('a.mp4 1')
    seen.append(fingerprint(config(), None, list_file))
    assert all(seen.count(each) == 1 for each in seen)
