#!/bin/sh
# Measures every case of `bench all` on this machine, with the LibTorch of an installed PyTorch. `cargo xtask bench pack` packs
# this script. It needs no Rust and no network, and writes bench.json and bench.md to the current folder.
#
#   ./bench.sh [--python PROGRAM] [--reference FILE] [more options of `bench all`, such as --size quick]
#
# LIBTORCH names a folder with lib/libtorch.so. The default is the torch of --python (python3).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=$here/xtask-libtorch

stop() {
    echo "bench.sh: $1" >&2
    exit 1
}

# Options that this script needs. All options are passed to the program.
python=python3
device=
previous=
for argument; do
    case $previous in
    --python) python=$argument ;;
    --device) device=$argument ;;
    esac
    case $argument in
    --python=*) python=${argument#*=} ;;
    --device=*) device=${argument#*=} ;;
    esac
    previous=$argument
done

# The file `versions` sets the version of LibTorch that the program was compiled with, and that of the code.
code=unknown libtorch=unknown
. "$here/versions"

[ "$(uname -sm)" = "Linux x86_64" ] || stop "this program is for Linux on x86_64, and this is $(uname -sm)"
if [ -n "${LIBTORCH:-}" ]; then
    [ -e "$LIBTORCH/lib/libtorch.so" ] || stop "LIBTORCH names $LIBTORCH, which has no lib/libtorch.so"
    version=$(cat "$LIBTORCH/build-version" 2>/dev/null || sed -n "s/^__version__ = '\(.*\)'/\1/p" "$LIBTORCH/version.py" 2>/dev/null) || version=
    [ -n "$version" ] || version=$(sed -n 's/^#define TORCH_VERSION_M[AI][JN]OR //p' "$LIBTORCH/include/torch/headeronly/version.h" 2>/dev/null | paste -sd .) || version=
    whose="the one in $LIBTORCH"
else
    command -v "$python" >/dev/null || stop "there is no $python here; name a Python that has torch with --python, or a LibTorch in the variable LIBTORCH"
    said=$("$python" -c "
import importlib.metadata as m, importlib.util as u
print(m.version('torch'), u.find_spec('torch').submodule_search_locations[0])" 2>/dev/null) ||
        stop "$python has no torch; name one that has with --python, or a LibTorch in the variable LIBTORCH"
    version=${said%% *}
    LIBTORCH=${said#* }
    whose="the torch of $python"
fi
case $version in
2.9 | 2.9.* | 2.10 | 2.10.* | 2.11 | 2.11.*) ;;
*) stop "$whose is version ${version:-unknown}; versions 2.9 to 2.11 will do" ;;
esac

export LIBTORCH
export LD_LIBRARY_PATH="$LIBTORCH/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
# By default OpenMP's threads spin between operations and occupy the cores.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}"
export BRAINMAE_CODE_VERSION="$code"
# The folder of the PyTorch reference may be read-only.
export PYTHONDONTWRITEBYTECODE=1

# All symbols are resolved at once, so that a missing one is found now and not after an hour.
if ! problem=$(LD_BIND_NOW=1 "$program" --version 2>&1 >/dev/null); then
    case $problem in
    *GLIBC*"not found"*)
        needs=$(echo "$problem" | sed -n "s/.*version \`\(GLIBC[A-Z_0-9.]*\)' not found.*/\1/p" | sort -Vr | head -n 1)
        stop "this system's C or C++ library is too old for the program: it has no $needs; pack it on an older system, or run it in a newer container"
        ;;
    *) stop "the program, compiled with LibTorch $libtorch, does not start with $whose, $version: $(echo "$problem" | head -n 1)" ;;
    esac
fi

if [ -z "$device" ]; then
    device=libtorch:cpu
    if nvidia-smi -L 2>/dev/null | grep -q '^GPU 0'; then
        device=$device,libtorch:cuda:0
    else
        echo "bench.sh: nvidia-smi sees no GPU; measuring the CPU alone" >&2
    fi
    set -- "$@" --device "$device"
fi
echo "bench.sh: code $code, $whose, $version, on $device" >&2
exec "$program" bench all "$@"
