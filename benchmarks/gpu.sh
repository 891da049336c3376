#!/usr/bin/env bash
# Checks and times what needs an NVIDIA GPU, in order of value, within a few borrowed minutes.
#
#   benchmarks/gpu.sh [--minutes 9] [--out benchmarks/results/gpu] [--python .venv/bin/python] [--work runs/gpu]
#                     [--wheels DIR]   packages of benchmarks/gpu/pack.sh, for a machine without a network
#
# Every step has its own limit, log and line in OUT/steps.jsonl, written as soon as it ends; probes write a JSON line
# for every figure. A step that fails or hangs is noted and the next one runs. What no time is left for is noted too.
# Nothing is installed or uninstalled: `pip install 'edgegan[gpu]'` before, in an environment without onnxruntime;
# what --wheels brings is unpacked into WORK/site and used from there.
# Without a GPU every step that needs one says so, and the others run. Ends with 1 unless every step ran.
set -uo pipefail
cd "$(dirname "$0")/.."

minutes=9 out=benchmarks/results/gpu work=runs/gpu python=.venv/bin/python wheels=
while [ $# -gt 0 ]; do
  case $1 in
    --minutes) minutes=$2 ;;
    --out) out=$2 ;;
    --work) work=$2 ;;
    --python) python=$2 ;;
    --wheels) wheels=$2 ;;
    *) sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
  shift 2
done
[ -x "$(command -v "$python")" ] || python=$(command -v python3) || { echo "gpu.sh: there is no Python" >&2; exit 2; }
mkdir -p "$out" "$work"
rm -f "$out"/*.jsonl "$out"/*.log "$out"/tests.xml "$out"/bench-*.json # of a run before, which would count as this one's
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
if [ -n "$wheels" ]; then
  rm -rf "$work/site"
  "$python" -m pip install -q --no-index --no-deps --no-compile --target "$work/site" "$wheels"/*.whl || exit 2
  # ONNX Runtime looks for NVIDIA's libraries beside itself; PyTorch has brought them elsewhere.
  nvidia=$("$python" -c 'import nvidia; print(list(nvidia.__path__)[0])' 2>/dev/null) && [ -n "$nvidia" ] &&
    [ ! -e "$work/site/nvidia" ] && ln -s "$nvidia" "$work/site/nvidia"
  export PYTHONPATH="$(cd "$work/site" && pwd):$PYTHONPATH"
fi

end=$(awk -v s="$SECONDS" -v m="$minutes" 'BEGIN { printf "%d", s + 60 * m }')
gpu=$(timeout 20 nvidia-smi --query-gpu=name,driver_version,compute_cap --format=csv,noheader 2>/dev/null) || gpu=""
echo "${gpu:-no GPU}"
failed=0

# note NAME STATUS SECONDS: one line of steps.jsonl.
note() {
  printf '{"step": "%s", "status": "%s", "seconds": %d, "log": "%s.log"}\n' "$1" "$2" "$3" "$1" | tee -a "$out/steps.jsonl"
  [ "$2" = ran ] || failed=1
}

# step any|gpu NAME LIMIT COMMAND...: runs a command for at most LIMIT seconds and what is left of all.
step() {
  local needs=$1 name=$2 limit=$3 began=$SECONDS status=0 left=$((end - SECONDS))
  shift 3
  if [ "$needs" = gpu ] && [ -z "$gpu" ]; then note "$name" "no GPU" 0; return; fi
  if [ "$left" -lt 2 ]; then note "$name" "no time left" 0; return; fi
  [ "$left" -lt "$limit" ] && limit=$left
  timeout -k 5 "$limit" "$@" >"$out/$name.log" 2>&1 </dev/null || status=$?
  case $status in
    0) note "$name" ran $((SECONDS - began)) ;;
    124 | 137) note "$name" "stopped after $limit s" $((SECONDS - began)) ;;
    *) note "$name" "ended with $status" $((SECONDS - began)) ;;
  esac
}

shipped=runtime/data/avatars/model.onnx
probe() { step gpu "$1" "$2" "$python" benchmarks/gpu/probe.py "$1" "$out/$1.jsonl"; }

step any packages 20 "$python" -m pip list --format=freeze
step any doctor 40 "$python" -m edgegan doctor
step gpu smi 10 nvidia-smi
probe host 40
probe engine 40
# Else TensorRT and cuDNN round float32 products to 10 bits, and "fp32" means something else on every backend.
step gpu tests 150 env NVIDIA_TF32_OVERRIDE=0 "$python" -m pytest -m gpu -p no:cacheprovider --junitxml="$out/tests.xml"
step gpu bench-shipped 90 "$python" -m edgegan bench "$shipped" --device cuda --seconds 3 --json "$out/bench-shipped.json"
probe pool 40
probe frames 60
step gpu cuda-options 60 "$python" benchmarks/gpu/cuda_options.py "$shipped"
probe torch 130
probe train 90
for family in stargan cyclegan fastgan; do
  step gpu "throughput-$family" 60 "$python" benchmarks/throughput.py --family "$family" --device cuda --turns 4 \
    --out "$out/throughput-$family"
done
for model in stargan-128 cyclegan-256 pix2pix-256 fastgan-256; do
  # Full width, in every precision and format, engines included; the weights come from a few hundred steps of L1.
  step gpu "export-$model" 120 "$python" benchmarks/precisions.py --only "$model" --work "$work" --no-bench
  find "$work/$model" -path '*/export/*' -name model.onnx 2>/dev/null | sort | while read -r file; do
    name=$model$(printf '%s' "${file#"$work/$model/export"}" | sed 's|/model.onnx$||; s|/|-|g')
    step gpu "bench-$name" 60 "$python" -m edgegan bench "$(dirname "$file")" --device cuda --seconds 3 \
      --json "$out/bench-$name.json"
    step gpu "layers-$name" 30 "$python" -m edgegan bench "$(dirname "$file")" --device cuda --backend tensorrt \
      --profile "$out/layers-$name.png" --json "$out/layers-$name.json"
    step gpu "overlap-$name" 30 "$python" benchmarks/gpu/probe.py overlap "$out/overlap-$name.jsonl" \
      --model "$(dirname "$file")/model.fp16.engine"
  done
done
step gpu throttling 10 nvidia-smi --query-gpu=clocks_throttle_reasons.active,clocks.sm,temperature.gpu --format=csv
# A backend that could not run leaves no row, and its tests are skipped: then nothing was checked.
step gpu absent 20 "$python" benchmarks/gpu/absent.py "$out"

[ "$(grep -vc '"status": "ran"' "$out/steps.jsonl")" -eq 0 ] || failed=1
echo "== $out/steps.jsonl"
exit "$failed"
