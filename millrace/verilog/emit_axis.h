// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "millrace/dataflow/schedule.h"
#include "millrace/verilog/syntax.h"

namespace millrace::verilog {

/// A circuit as its AXI4-Stream wrapper sees it: a module that moves data by valid alone.
struct AxisCore {
  struct Stream {
    std::string name;  ///< empty where there is only one
    dataflow::StreamType type;
  };

  std::string module;
  std::vector<Stream> inputs;   ///< in_valid_i and in_data_i, or in_NAME_valid_i and ..._data_i
  std::vector<Stream> outputs;  ///< out_valid_o and out_data_o alike
  int64_t latency_cycles = 0;
  int64_t interval_cycles = 1;  ///< >= 1
};

/// What the wrapper sees of a planned circuit.
AxisCore axis_core(const dataflow::Circuit& circuit, const dataflow::Schedule& schedule);

/// The AXI4-Stream wrapper, MODULE_axis: rtl/mr_axis_in.sv at each input (s_axis, or s_axis_NAME),
/// rtl/mr_axis_out.sv at each output (m_axis, or m_axis_NAME), and rtl/mr_axis_gate.sv, which lets
/// a frame begin when all outputs have room for its results.
Module emit_axis(const AxisCore& core);

}  // namespace millrace::verilog
