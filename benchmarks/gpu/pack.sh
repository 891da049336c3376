#!/usr/bin/env bash
# Gathers the packages that a GPU machine without a network lacks, to be copied there with the checkout.
#
#   benchmarks/gpu/pack.sh DIR [--python 3.12] [PACKAGE ...]
#
# By default what the runtime and the exporter need besides PyTorch and CUDA, which such a machine has. There,
# `benchmarks/gpu.sh --python python3 --wheels DIR` takes them. onnxruntime-gpu alone has some 270 MB; leave it out by
# naming the packages, and TensorRT's own is asked for the same way: pack.sh DIR tensorrt-cu13 onnxruntime-gpu
set -euo pipefail
[ $# -gt 0 ] && [ "${1#-}" = "$1" ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
to=$1 version=3.12
shift
if [ "${1:-}" = --python ]; then version=$2; shift 2; fi
[ $# -gt 0 ] || set -- msgspec onnx onnxslim onnxconverter-common onnxruntime-gpu cuda-python cuda-bindings \
  dicebear-core dicebear-styles dicebear-schema resvg-py
mkdir -p "$to"
"${PYTHON:-python3}" -m pip download -q --no-deps --only-binary=:all: --python-version "$version" --implementation cp \
  --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 -d "$to" "$@"
du -sh "$to"
