#!/usr/bin/env bash
# All that is measured on a GPU: B/16 and L/14, bfloat16 and float16, against Hugging
# Face, eager and compiled, time and memory. Tables go to the screen, numbers to the
# folder OUT (work_dirs/benchmark_gpu), one file a run.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${OUT:-work_dirs/benchmark_gpu}
configs=configs/xclip/fully_supervised

python -m pytest -q -m gpu tests
for config in base-p16-res224_clip-pre_8xb32-u8 large-p14-res224_clip-pre_8xb8-u8; do
    for dtype in bfloat16 float16 autocast; do
        for how in '' --compile --memory; do
            cases=model
            [ "$dtype" = autocast ] && cases=train-step
            name=${config%%_*}-$dtype-${how:-eager}
            echo "=== $name"
            # shellcheck disable=SC2086 (no argument where it is empty)
            python tools/benchmark.py "$configs/xclip_${config}-30e_kinetics400-rgb.py" \
                --device cuda --compare huggingface --dtype "$dtype" --cases $cases \
                --batch-size 8 --agree-on 64 $how --json "$out/$name.json"
        done
    done
done
