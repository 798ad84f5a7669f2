// SPDX-License-Identifier: Apache-2.0
// What a circuit takes on the device, before anything is emitted or synthesised: counted from its
// structure, in the units of millrace/synth. docs/reference/area-prediction.md compares it with
// Yosys' counts.
#pragma once

#include <cstdint>

#include "millrace/dataflow/circuit.h"

namespace millrace::dataflow {

/// The area of a circuit or of a part of one.
struct AreaEstimate {
  int64_t lut = 0;  ///< LUTs used as memory and shift registers included
  int64_t ff = 0;
  int64_t dsp = 0;
  int64_t bram18 = 0;

  AreaEstimate& operator+=(const AreaEstimate& other);
  friend bool operator==(const AreaEstimate&, const AreaEstimate&) = default;
};

/// Estimates the area of one stage of the circuit; the buffers of its join are included.
///
/// Complexity  in proportion to the bits of the stage's operations and registers.
AreaEstimate estimate_area(const Circuit& circuit, const Stage& stage);

/// The line buffers of a window alone, in LUTs as memory or in block RAM.
AreaEstimate line_buffer_area(const WindowGeometry& geometry, bool block_ram);

/// Estimates the area of all stages. The AXI4-Stream wrapper is not included.
AreaEstimate estimate_area(const Circuit& circuit);

}  // namespace millrace::dataflow
