#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian 12 packages that Millrace needs and that are missing.
#
# Usage: tools/install.sh [--train] [--test]
#   --train   also LibTorch, for the trainer
#   --test    also what only the tests and checks need
#
# Does nothing, and asks apt nothing, when all is there. Uses sudo when not root.
set -euo pipefail

core=(
  # building
  ca-certificates ccache cmake g++ make mold ninja-build
  # libraries
  libboost-dev libcli11-dev libexpected-dev libfmt-dev libonnx-dev libprotobuf-dev libtbb-dev
  libhdf5-dev libyaml-cpp-dev libzip-dev
  nlohmann-json3-dev protobuf-compiler zlib1g-dev
  # tools that millrace calls
  verilator yosys
)
train=(libtorch-dev)
test=(
  libbenchmark-dev libgmock-dev libgtest-dev libonnx-testdata
  clang-19 clang-format-19 clang-tidy-19 libclang-rt-19-dev git iverilog python3 xz-utils
)

wanted=("${core[@]}")
for option in "$@"; do
  case $option in
    --train) wanted+=("${train[@]}") ;;
    --test) wanted+=("${test[@]}") ;;
    *)
      sed -n '3,9s/^# \{0,1\}//p' "$0" >&2
      exit 2
      ;;
  esac
done

installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' 2>/dev/null |
  sed -n 's/ installed$//p' | sort -u)
missing=()
for package in "${wanted[@]}"; do
  grep -qxF "$package" <<<"$installed" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "Packages: all ${#wanted[@]} are installed."
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "These packages are missing, and there is no sudo to install them with. As root:" >&2
    echo "  apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "Packages: installing ${#missing[@]}: ${missing[*]}"
apt_get() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 "$@"
}
apt_get update
apt_get install -y --no-install-recommends "${missing[@]}"
