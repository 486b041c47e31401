#!/bin/sh
# Shows lwbuild at work; called by ./bootstrap demo. usage: demo.sh <lwbuild's build folder>
# <scratch folder> Everything it writes is in the scratch folder, the cache of the demonstration
# included.
set -eu
build=$(cd "$1" && pwd)
examples=$(cd "$(dirname "$0")" && pwd)
rm -rf "$2"
mkdir -p "$2"
cd "$2"
scratch=$(pwd)
prefix=$scratch/installed
export LWBUILD_CACHE_DIR="$scratch/cache"

say() { printf '\n== %s\n' "$*"; }
run() { printf '$ %s\n' "$*"; "$@"; }
run_failing() {
    if run "$@"; then
        echo "demo: this should have failed" >&2
        exit 1
    fi
}

start() {
    cp -r "$examples/$1" "$scratch/$1"
    cd "$scratch/$1"
    run cmake -S . -B build -G Ninja -D CMAKE_PREFIX_PATH="$prefix" >configure.log
    cat configure.log
}

demonstrate_proofs() {
    say "proofs: three export files, checked without Lean"
    start proofs
    run cmake --build build

    say "a second build has nothing to do"
    run cmake --build build

    say "the proof of a + b = b + a, passed off as one of a * b = b * a, is found out"
    sed -i '/"thm":.*"name":106,/s/"value":[0-9]*/"value":609/' Arith.ndjson
    run_failing cmake --build build

    say "with the right proof back in place the cache knows the answer"
    cp "$examples/proofs/Arith.ndjson" .
    run cmake --build build

    say "a new build tree asks the cache too"
    run cmake -S . -B build2 -G Ninja -D CMAKE_PREFIX_PATH="$prefix"
    run cmake --build build2
}

demonstrate_lean_project() {
    say "lean-project: a C program with its proofs in Lean"
    start lean-project
    if grep -q 'is skipped: no Lean' configure.log; then
        say "no Lean was found here, so that is all; with one from elan, this goes on"
        return
    fi
    run cmake --build build

    say "an edit of one module: which ones does it concern?"
    echo 'theorem Codec.one : Codec.encode [1] = [(1, 1)] := rfl' >>Codec/Length.lean
    run "$prefix/bin/lwbuild" check --explain @build/CMakeFiles/codec-proofs.lwb/arguments
    run cmake --build build

    say "a wrong proof fails the build with Lean's own message"
    printf '\ntheorem Codec.wrong : Codec.encode [1, 1] = [(3, 1)] := rfl\n' >>Codec/RoundTrip.lean
    run_failing cmake --build build
}

demonstrate_lean_capability() {
    say "lean-capability: functions of a Lean library as commands"
    start lean-capability
    if grep -q 'is skipped: no Lean' configure.log; then
        say "no Lean was found here, so that is all"
        return
    fi
    run cmake --build build
    run "$prefix/bin/lwbuild" run build/survey.json statistics \
        --json '{"declarations":["Nat.add","Nat.mul","Nat.add"]}'

    say "a C program counts the rows of a stream"
    run build/report build/survey.json Init.Prelude

    say "what Lean throws is what the caller hears"
    run_failing "$prefix/bin/lwbuild" run build/survey.json declarations --rows \
        --json '{"module":"No.Such.Module"}'
}

say "installing lwbuild in $prefix"
cmake --install "$build" --prefix "$prefix" >install.log
demonstrate_proofs
demonstrate_lean_project
demonstrate_lean_capability
say "what the cache did"
run "$prefix/bin/lwbuild" --stats
