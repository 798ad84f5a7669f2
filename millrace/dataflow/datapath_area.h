// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "millrace/dataflow/bit_network.h"
#include "millrace/dataflow/datapath.h"

namespace millrace::dataflow {

/// Counts the LUTs and registers of a pipelined datapath: carry chains, functions of bits and the
/// lines of registers between them, as verilog/emit_datapath.cpp prints and Yosys maps them.
BitNetworkArea datapath_area(const Datapath& path);

}  // namespace millrace::dataflow
