#!/bin/sh
# This engine and llama.cpp side by side, in alternating blocks of one run. See bench/side-by-side/README.md.
#
#   bench/side-by-side.sh [OPTIONS] [MODEL...]      MODEL: a GGUF file, or SHAPE:TYPE to make one with random weights
#
# Needs the .NET 10 SDK, npm, git and a C compiler, and Linux on x64.
set -eu

version=3.22.1   # of node-llama-cpp, whose prebuilt llama.cpp and its headers are used
defaults="smollm2-135m:Q4_0 smollm2-135m:Q8_0 smollm2-135m:Q4_K_M smollm2-135m:F16 llama-3.2-1b:Q4_0 llama-3.2-1b:Q8_0 llama-3.2-1b:Q4_K_M"

die() {
    echo "side-by-side: $*" >&2
    exit 1
}

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
work=$root/artifacts/side-by-side
models=${POLYMATH_BENCH_MODELS:-$work/models}
[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || die "only Linux on x64 is supported"
for tool in dotnet npm git "${CC:-cc}"; do
    command -v "$tool" >/dev/null 2>&1 || die "$tool is needed"
done
mkdir -p "$work" "$models"

fetch() {
    [ "$(cat "$work/version" 2>/dev/null)" = "$version" ] && return
    echo "side-by-side: fetching llama.cpp (node-llama-cpp $version) ..." >&2
    rm -rf "$work/headers" "$work/node_modules" "$work/llama_cpp"
    echo '{ "private": true }' >"$work/package.json"
    (cd "$work" && npm install --ignore-scripts --omit=optional --no-audit --no-fund --silent \
        "node-llama-cpp@$version" "@node-llama-cpp/linux-x64@$version") >&2
    git -c advice.detachedHead=false clone -q --no-checkout "$work/node_modules/node-llama-cpp/llama/gitRelease.bundle" "$work/headers"
    git -C "$work/headers" checkout -q HEAD -- include ggml/include
    echo "$version" >"$work/version"
}

compile() {
    source=$root/bench/side-by-side/llama_cpp.c
    [ "$work/llama_cpp" -nt "$source" ] && return
    "${CC:-cc}" -std=c11 -O2 -Wall -Wextra -I"$work/headers/include" -I"$work/headers/ggml/include" "$source" -o "$work/llama_cpp" \
        "$libraries"/libllama.v*.so "$libraries"/libggml.v*.so "$libraries/libggml-base.so" "-Wl,-rpath,$libraries"
}

# The file of a model that was asked for as SHAPE:TYPE, made if it is not there.
make_model() {
    file=$models/${1%%:*}.${1#*:}.gguf
    [ -f "$file" ] || dotnet "$benchmarks" make-model "${1%%:*}" "${1#*:}" "$file" >&2
}

libraries=$work/node_modules/@node-llama-cpp/linux-x64/bins/linux-x64
benchmarks=$root/artifacts/bin/Polymath.Benchmarks/release/Polymath.Benchmarks.dll
fetch
compile
dotnet build "$root/bench/Polymath.Benchmarks" -c Release -v quiet -nologo -p:UseSharedCompilation=false \
    </dev/null >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; die "the build failed"; }

# An option takes the word after it; without a model the defaults are measured.
given=0
count=$#
while [ "$count" -gt 0 ]; do
    word=$1
    shift
    count=$((count - 1))
    case $word in
        -h | --help)
            sed -n 's/^# \{0,1\}//; 2,6p' "$root/bench/side-by-side.sh"
            exec dotnet "$benchmarks" side-by-side --help
            ;;
        -*)
            set -- "$@" "$word" ${1+"$1"}
            shift
            count=$((count - 1))
            continue
            ;;
    esac
    given=1
    if [ ! -e "$word" ]; then
        case $word in
            *:*)
                make_model "$word"
                word=$file
                ;;
        esac
    fi
    set -- "$@" "$word"
done
if [ "$given" = 0 ]; then
    for word in $defaults; do
        make_model "$word"
        set -- "$@" "$file"
    done
fi

exec dotnet "$benchmarks" side-by-side --peer "$work/llama_cpp" --libraries "$libraries" "$@"
