#!/usr/bin/env bash
# All that the image is made of: the environment, and that it works. The tests run it.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v make > /dev/null; then
    apt-get update
    apt-get install -y --no-install-recommends make
    rm -rf /var/lib/apt/lists/*
fi
make install
"${VENV:-.venv}/bin/python" tools/predict.py --list-models
