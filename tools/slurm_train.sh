#!/usr/bin/env bash
# Train under slurm:
#     tools/slurm_train.sh PARTITION JOB_NAME CONFIG [options of train.py]
# Set, if the defaults do not fit:
#     GPUS           number of GPUs in all          (default 8)
#     GPUS_PER_NODE  number of GPUs on a machine    (default 8)
#     CPUS_PER_TASK  processor cores for each GPU   (default 5)
#     SRUN_ARGS      further options of srun
#     MASTER_PORT    a free port on the first machine
set -euo pipefail
if [ $# -lt 3 ]; then sed -n '2,9s/^# //p' "$0" >&2; exit 2; fi

export MASTER_PORT="${MASTER_PORT:-$((12000 + RANDOM % 20000))}"
# shellcheck disable=SC2086 -- SRUN_ARGS holds several words
srun -p "$1" --job-name="$2" --kill-on-bad-exit=1 \
    --gres="gpu:${GPUS_PER_NODE:-8}" --ntasks="${GPUS:-8}" \
    --ntasks-per-node="${GPUS_PER_NODE:-8}" --cpus-per-task="${CPUS_PER_TASK:-5}" \
    ${SRUN_ARGS:-} \
    python -u "$(dirname "$0")/train.py" "$3" --launcher slurm "${@:4}"
