#!/usr/bin/env bash
# Train, test and use a small X-CLIP on videos made here, with the commands that serve
# at full size. `make demo` runs it after the installation. Environment variables:
#   DATA    folder of the videos, made when it is not there  (data/shape_actions)
#   WORK    folder for the log, the checkpoint, the picture  (work_dirs/<config>)
#   EPOCHS  passes over the training videos                  (the config's)
set -euo pipefail
cd "$(dirname "$0")/.."

name=xclip_tiny-p8-res32_1xb16-u8-6e_shape-actions-rgb
config=configs/xclip/demo/$name.py
data=${DATA:-data/shape_actions}
work=${WORK:-work_dirs/$name}
video=$data/val/00003.mp4
labels="moving left, moving right, moving up, moving down, growing, shrinking, \
turning clockwise, turning counter-clockwise"
# One process computes, one decodes: more threads than that only wait for each other.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}

step() { printf '\n=== %s (after %d s)\n' "$1" "$SECONDS"; }

step "1/4 make videos: $data"
if [ -e "$data" ]; then
    echo "already there; delete the folder to make it anew"
else
    python tools/data/make_shape_actions.py --out "$data"
fi
options=(--work-dir "$work" --cfg-options)
for split in train val test; do
    options+=("${split}_dataloader.dataset.data_root=$data")
done

step "2/4 mim train mmxclip $config"
mim train mmxclip "$config" "${options[@]}" \
    ${EPOCHS:+"train_cfg.max_epochs=$EPOCHS"}
checkpoint=$(cat "$work/last_checkpoint")
log=$(ls -t "$work"/*/*.log | head -n 1)

step "3/4 mim test mmxclip $config --checkpoint $checkpoint"
mim test mmxclip "$config" --checkpoint "$checkpoint" "${options[@]}"
accuracy=$(grep -oh 'acc/top1: [0-9.]*' "$work"/*/*.log | tail -n 1)

step "4/4 python tools/predict.py $video"
python tools/predict.py "$video" --labels "$labels" --config "$config" \
    --checkpoint "$checkpoint" --out "$work"

cat <<END

=== Done in $SECONDS s
accuracy    $accuracy on $data/val.txt (chance 0.125)
checkpoint  $checkpoint
log         $log
picture     $work/$(basename "$video" .mp4).png
END

# With all its epochs the model has learned the motions, or something is broken.
if [ -z "${EPOCHS:-}" ] && awk "BEGIN {exit !(${accuracy##* } < 0.9)}"; then
    echo "error: the accuracy should be at least 0.90" >&2
    exit 1
fi
