// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace millrace::dataflow {

/// Whether blocks of the device, DSP or memory, do what LUTs could do.
enum class BlockUse {
  Never,
  Auto,    ///< where a block saves as many LUTs as the part has for each
  Prefer,  ///< wherever it can
};

}  // namespace millrace::dataflow
