#!/bin/sh
# Makes this export again: reproduce.sh [CHECKPOINT [FOLDER]]
# Made by edgegan 0.1.0, Python 3.11.7, Linux x86_64, with
#   torch==2.14.1 onnx==1.23.2 onnxscript==0.7.2 onnxslim==0.1.98 onnxruntime==1.32.0 openvino==2026.4.1 numpy==2.4.6 opencv-python==5.0.0.93
set -eu
cd "$(dirname "$0")"
checkpoint=${1:?name the checkpoint}
echo "1292e5368bd14051917124ac691eb535af9e35891b3c8674d7cadbdd55f51507  $checkpoint" | sha256sum -c -
edgegan export "$checkpoint" --out "${2:-again}" --data faces:data/examples --pictures 64 --precision fp32
