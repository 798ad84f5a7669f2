// SPDX-License-Identifier: Apache-2.0
// Ports that many emitted modules share.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "millrace/verilog/syntax.h"

namespace millrace::verilog {

/// Connections of clk_i and rst_i by name.
inline std::vector<std::pair<std::string, Expr>> clock_and_reset() {
  return {{"clk_i", nullptr}, {"rst_i", nullptr}};
}

/// The ports of a circuit that moves data by valid alone.
inline std::vector<Port> valid_ports(int64_t in_bits, int64_t out_bits) {
  return {{Direction::Input, "clk_i", 0},        {Direction::Input, "rst_i", 0},
          {Direction::Input, "in_valid_i", 0},   {Direction::Input, "in_data_i", in_bits},
          {Direction::Output, "out_valid_o", 0}, {Direction::Output, "out_data_o", out_bits}};
}

}  // namespace millrace::verilog
