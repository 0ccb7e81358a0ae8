#!/bin/sh
# Builds everything and runs all tests, then the kernel tests again without the instructions of this chip.
# test.sh [FILTER]: only tests whose full name contains FILTER. The last line reads "N passed, N failed, N skipped".
set -u

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
filter=${1-}
results=$root/artifacts/test-results
passed=0
failed=0
skipped=0
broken=0

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1

mkdir -p "$results"
rm -f "$results"/*.xml
echo "building ..."
if ! dotnet build "$root/Polymath.slnx" -c Release -v quiet -nologo -p:UseSharedCompilation=false </dev/null >"$results/build.log" 2>&1; then
    cat "$results/build.log" >&2
    echo "the build failed" >&2
    exit 1
fi

# run LABEL PROJECT [runner arguments]: one test program, its counts added to the totals.
run() {
    label=$1
    project=$2
    shift 2
    echo
    echo "== $project, $label"
    report="$results/$project.$(echo "$label" | tr -c 'A-Za-z0-9\n' '-').xml"
    dotnet "$root/artifacts/bin/$project/release/$project.dll" -noLogo -noColor -result-xml "$report" "$@" </dev/null
    code=$?
    head=$(grep -o '<assembly [^>]*>' "$report" 2>/dev/null | head -n 1)
    if [ -z "$head" ]; then
        echo "$project ended with code $code and no results" >&2
        broken=$((broken + 1))
        return
    fi
    bad=$(($(count failed) + $(count errors)))
    [ "$code" -ne 0 ] && [ "$bad" -eq 0 ] && bad=1
    passed=$((passed + $(count passed)))
    failed=$((failed + bad))
    skipped=$((skipped + $(count skipped)))
}

# count NAME: that attribute of the assembly in the results, 0 if absent.
count() {
    number=$(printf '%s' "$head" | sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p")
    echo "${number:-0}"
}

for folder in "$root"/tests/*/; do
    project=$(basename "$folder")
    [ -f "$folder/$project.csproj" ] || continue
    if [ -n "$filter" ]; then
        run "tests named *$filter*" "$project" -method "*$filter*"
    else
        run "all tests" "$project"
    fi
done

if [ -z "$filter" ]; then
    switches="EnableAVX2 EnableHWIntrinsic"
    grep -q avx512f /proc/cpuinfo 2>/dev/null && switches="EnableAVX512 $switches"
    for switch in $switches; do
        eval "export DOTNET_$switch=0"
        run "kernels with DOTNET_$switch=0" Polymath.Tests -namespace "Polymath.Tests.Tensors*"
        unset "DOTNET_$switch"
    done
fi

echo
[ "$broken" -gt 0 ] && echo "$broken test program(s) gave no results"
[ "$((passed + failed))" -eq 0 ] && echo "no test ran"
echo "$passed passed, $((failed + broken)) failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$broken" -eq 0 ] && [ "$passed" -gt 0 ]
