#!/usr/bin/env bash
# Checks and times everything that needs an NVIDIA GPU, into one folder with a README that says what was run.
#
#   make venv && benchmarks/gpu.sh [FOLDER]     default: benchmarks/results/gpu
#
# BENCH_SECONDS=10   counted calls for each row of a benchmark
# MODELS="..."       models of benchmarks/supervised.py; default: all. MODELS=none leaves training and benchmarks out
# WORK=runs/gpu      runs and exports; what lies there is used again
#
# The venv's ONNX Runtime is replaced by the one for GPUs, which cannot lie beside it; `make clean venv` brings it back.
# A step that fails is noted and the next one runs; the script then ends with 1, as it does where a GPU backend was not
# measured. It ends with 2 where it cannot start.
set -euo pipefail
cd "$(dirname "$0")/.."

out=${1:-benchmarks/results/gpu}
work=${WORK:-runs/gpu}
bench_seconds=${BENCH_SECONDS:-10}
models=${MODELS:-stargan-128 cyclegan-256 pix2pix-256 fastgan-256}
bin=.venv/bin

refuse() {
  printf 'gpu.sh: %s\n' "$@" >&2
  exit 2
}

gpus=$(nvidia-smi --query-gpu=name,driver_version,compute_cap --format=csv,noheader 2>/dev/null) ||
  refuse "no NVIDIA GPU is here: nvidia-smi does not answer" "run it on a machine with a GPU and NVIDIA's driver"
[ -n "$gpus" ] || refuse "nvidia-smi lists no GPU" "if it should, restart or reinstall the driver"
[ -x "$bin/edgegan" ] || refuse "there is no $bin/edgegan" "run: make venv"

# Whether all that is to be measured can run. Names of packages do not tell: the two builds of ONNX Runtime overwrite
# each other's files, and another extra brings cuda-python too.
ready() {
  "$bin/python" - <<'PYTHON'
import sys

try:
    import tensorrt
    from edgegan.runtime.backends.nvidia.cuda import Cuda
    from edgegan.runtime.backends.onnxruntime.backend import import_onnxruntime
    from edgegan.runtime.backends.onnxruntime.gpu import CUDA, TENSORRT, check_provider

    for provider in (CUDA, TENSORRT):
        check_provider(import_onnxruntime(), provider)
    Cuda(0).close()
except Exception as error:
    sys.exit(str(error))
PYTHON
}

if ! ready 2>/dev/null; then
  echo "== replacing onnxruntime by onnxruntime-gpu, with TensorRT, CUDA and cuDNN"
  "$bin/python" -m pip uninstall --quiet --yes onnxruntime onnxruntime-gpu
  "$bin/python" -m pip install --quiet --editable '.[gpu]'
  ready || refuse "the packages of edgegan[gpu] are installed, and the GPU cannot be used"
fi

mkdir -p "$out" "$work"
rm -f "$out"/tests.xml "$out"/bench-*.json # of a run before, which would count as measured now
readme=$out/README.md
{
  echo "# On a GPU"
  echo
  echo "Made by \`benchmarks/gpu.sh\` on $(date -u '+%Y-%m-%d %H:%M') UTC, revision $(git rev-parse --short HEAD 2>/dev/null || echo unknown)."
  echo
  while read -r gpu; do echo "- $gpu"; done <<<"$gpus"
  echo
  echo "| step | result | seconds | files |"
  echo "|---|---|---:|---|"
} >"$readme"

failed=0

# step NAME FILES COMMAND...: runs a command with its output in $out/NAME.log, and adds a line to the README.
step() {
  local name=$1 files=$2 began=$SECONDS status=0
  shift 2
  echo "== $name"
  "$@" >"$out/$name.log" 2>&1 || status=$?
  if [ "$status" -eq 0 ]; then
    echo "| $name | ran | $((SECONDS - began)) | $files |" >>"$readme"
  else
    echo "   ended with $status: $out/$name.log"
    echo "| $name | **ended with $status** | $((SECONDS - began)) | $files, \`$name.log\` |" >>"$readme"
    failed=1
  fi
}

step gpu "\`gpu.log\`" nvidia-smi
step doctor "\`doctor.log\`" "$bin/edgegan" doctor
step packages "\`packages.log\`" "$bin/python" -m pip list --format=freeze

# Else TensorRT and cuDNN round float32 products to 10 bits, and "fp32" means something else on every backend.
step tests "\`tests.xml\`" env NVIDIA_TF32_OVERRIDE=0 \
  "$bin/python" -m pytest -m gpu -p no:cacheprovider --junitxml="$out/tests.xml"

if [ "$models" != none ]; then
  for model in $models; do
    # Full width, in every precision and format, engines included; the weights come from a few hundred steps of L1.
    step "export-$model" "" "$bin/python" benchmarks/precisions.py --only "$model" --work "$work" --no-bench
  done
  # The shipped model's weights, exported again: an engine fits the GPU that it was built on.
  mkdir -p "$work/avatars-128"
  cp -r models/avatars-128/. "$work/avatars-128"
  if [ ! -d "$work/avatars-128/export" ]; then
    step export-avatars-128 "" "$bin/edgegan" export "$work/avatars-128" --trt \
      --precision fp32,fp16,int8 --format onnx,engine --data avatars:200
  fi
  # TF32 is left as PyTorch has it, so that eager is not slowed; a file that this puts off its tolerance is refused.
  find "$work" -path '*/export/*' -name model.onnx | sort | while read -r file; do
    folder=${file%/model.onnx}
    name=$(printf '%s' "${folder#"$work"/}" | sed 's|/export||; s|/|-|g')
    echo "$name $folder"
  done >"$out/.folders"
  while read -r name folder; do
    step "bench-$name" "\`bench-$name.json\`, \`bench-$name.md\`" "$bin/edgegan" bench "$folder" --device cuda \
      --seconds "$bench_seconds" --json "$out/bench-$name.json" --markdown "$out/bench-$name.md"
    step "cuda-options-$name" "\`cuda-options-$name.log\`" \
      "$bin/python" benchmarks/cuda_options.py "$folder/model.onnx" "$folder/model.fp16.onnx"
  done <"$out/.folders"
  rm "$out/.folders"
fi

# A backend that could not run leaves no row, and its tests are skipped: then nothing was checked.
step absent "\`absent.log\`" "$bin/python" benchmarks/gpu_absent.py "$out"
if [ -s "$out/absent.log" ]; then
  printf '\n**Not measured:**\n\n' >>"$readme"
  sed 's/^/- /' "$out/absent.log" >>"$readme"
fi

echo "== $readme"
cat "$readme"
exit "$failed"
