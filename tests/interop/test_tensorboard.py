#!/usr/bin/env python3
"""test_tensorboard.py: what train --tensorboard writes, read by TensorBoard's own loader. SPDX-License-Identifier: MIT

usage: test_tensorboard.py SKIPPER      Exit status 77 where tensorboard is missing."""
import json, os, sys, tempfile, time
from program import skipper
try:
    import numpy as np
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import plugin_data_pb2
except ImportError as e:
    print('skipped: no Python with tensorboard:', e)
    sys.exit(77)

TINY = """return {input = {channels = 1, size = 28}, recipe = {data = "digits", batch = 256, epochs = 2, lr = 0.1},
  network = function(x) return nn.linear(nn.flatten(x), 10, {name = "fc"}) end}"""
SQUARE = """return {input = {channels = 1, size = 28}, recipe = {data = "digits", batch = 64, epochs = 1, optimizer = "sgd"},
  network = function(x)
    x = nn.linear(nn.flatten(x), 16, {name = "fc1"})
    return nn.linear(nn.mul(x, x), 10, {name = "fc"})
  end}"""
with tempfile.TemporaryDirectory(prefix='skipper-board-') as folder:
    os.chdir(folder)
    open('tiny.lua', 'w').write(TINY)
    done = skipper('train', 'tiny.lua', '--out', 'run', '--tensorboard', '--json', '--backend', 'reference')
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(line['version'] == 2 for line in lines)
    steps, epochs = [line for line in lines if 'step' in line], [line for line in lines if 'epoch' in line]
    assert lines[0]['model'] == 'tiny' and lines[-1]['saved_in'] == 'run' and len(epochs) == 2

    board = EventAccumulator('run/tensorboard', size_guidance={'scalars': 0, 'images': 0, 'histograms': 0})
    board.Reload()
    losses = board.Scalars('train/loss')
    assert [e.step for e in losses] == [line['step'] for line in steps]
    assert np.allclose([e.value for e in losses], [line['loss'] for line in steps], rtol=1e-6)
    assert np.allclose([e.value for e in board.Scalars('test/accuracy')], [line['test_accuracy'] for line in epochs], rtol=1e-6)
    for tag in ('weights/fc.weight', 'weights/fc.bias', 'gradients/fc.weight', 'gradients/fc.bias'):
        spread = board.Histograms(tag)
        assert len(spread) == 2 and sum(spread[0].histogram_value.bucket) == (7840 if tag.endswith('weight') else 10), tag
        assert spread[0].histogram_value.min < spread[0].histogram_value.max, tag
    images = [tag for tag in board.Tags()['images']]
    assert len(images) == 8, images
    picture = board.Images(images[0])[0]
    assert (picture.width, picture.height) == (28, 28) and picture.encoded_image_string.startswith(b'\x89PNG')
    content = board.summary_metadata['_hparams_/session_start_info'].plugin_data.content
    told = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info.hparams
    assert abs(told['lr'].number_value - 0.1) < 1e-12 and told['optimizer'].string_value == 'sgd' and told['batch'].number_value == 256
    # Where a run goes back, and where it is resumed, the steps that are made again are shown once.
    open('square.lua', 'w').write(SQUARE)
    def train(*words):
        return skipper('train', *words, '--tensorboard', 'board', '--backend', 'reference').stderr
    def shown():
        board = EventAccumulator('board', size_guidance={'scalars': 0})
        board.Reload()
        return [e.step for e in board.Scalars('train/loss')]
    back = ['square.lua', '--on-nan', 'rollback', '--lr', '0.8']
    assert 'The run went back' in train(*back, '--max-steps', '60', '--out', 'whole')
    assert shown() == list(range(1, 61)), shown()
    skipper('train', *back, '--max-steps', '40', '--out', 'half', '--backend', 'reference')
    time.sleep(1) # files are read in the order of their seconds
    train('--resume', 'half', '--max-steps', '50')
    assert shown() == list(range(1, 51)), shown()
    print(len(losses), 'steps,', len(board.Tags()['histograms']), 'histograms,', len(images), 'images,', len(told), 'hyperparameters')
