#!/usr/bin/env bash
# Train on several GPUs (or, without GPUs, in several processes):
#     tools/dist_train.sh CONFIG GPUS [options of train.py]
# Several machines: run it on each, with GPUS of each, and set
#     NNODES       number of machines              (default 1)
#     NODE_RANK    0 on the first, 1 on the next   (default 0)
#     MASTER_ADDR  address of the first machine    (default 127.0.0.1)
#     PORT         a free port on it               (default 29500)
set -euo pipefail
if [ $# -lt 2 ]; then sed -n '2,8s/^# //p' "$0" >&2; exit 2; fi

torchrun --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
    --nproc_per_node="$2" \
    "$(dirname "$0")/train.py" "$1" --launcher pytorch "${@:3}"
