// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>

#include "millrace/dataflow/bit_network.h"
#include "millrace/dataflow/datapath.h"

namespace millrace::dataflow {

/// Counts the LUTs and registers of a pipelined datapath: carry chains, functions of bits and the
/// lines of registers between them, as verilog/emit_datapath.cpp prints and Yosys maps them. Inputs
/// from `first_registered` on stand in a register in front of it, which counts.
BitNetworkArea datapath_area(const Datapath& path,
                             int first_registered = std::numeric_limits<int>::max());

}  // namespace millrace::dataflow
