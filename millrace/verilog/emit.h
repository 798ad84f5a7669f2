// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "millrace/dataflow/circuit.h"
#include "millrace/dataflow/schedule.h"

namespace millrace::verilog {

/// A generated file.
struct SourceFile {
  std::string name;  ///< without a folder: "letters_conv1.sv"
  std::string text;
};

/// The SystemVerilog of a circuit: one file for each datapath and accumulator, the top module
/// (module NAME: fixed latency, valid only), and NAME_axis, the AXI4-Stream wrapper. Modules of
/// the hardware library are used, not included: see library_files().
std::vector<SourceFile> emit(const dataflow::Circuit& circuit, const dataflow::Schedule& schedule);

/// What the names of a stream's ports begin with: "in" and "out" where there is only one, else
/// "in_NAME" and "out_NAME".
std::string input_prefix(const dataflow::Circuit& circuit, const dataflow::Port& port);
std::string output_prefix(const dataflow::Circuit& circuit, const dataflow::Port& port);

/// The files of rtl/ that emitted circuits use, in compilation order, by name.
const std::vector<std::string>& library_files();

}  // namespace millrace::verilog
