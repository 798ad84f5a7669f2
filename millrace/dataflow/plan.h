// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>

#include "millrace/dataflow/block_use.h"
#include "millrace/dataflow/circuit.h"
#include "millrace/graph/graph.h"
#include "millrace/support/progress.h"

namespace millrace::dataflow {

/// What the user wishes for one layer; what is left out is as for all layers.
struct LayerOptions {
  std::optional<int> effort = {};               ///< of the search for its adder graph
  std::optional<bool> three_input_adders = {};  ///< in its stage: the first layer's say counts
  std::optional<int> phases = {};               ///< cycles a product works on a beat
  std::optional<int64_t> lanes = {};  ///< windows that a convolution computes in a clock cycle
  std::optional<BlockUse> dsp = {};   ///< for a product whose multipliers are shared over time
};

/// What a circuit may take, by estimate_area().
struct AreaLimit {
  int64_t lut = std::numeric_limits<int64_t>::max();
  int64_t ff = std::numeric_limits<int64_t>::max();
  int64_t dsp = std::numeric_limits<int64_t>::max();
  int64_t bram18 = std::numeric_limits<int64_t>::max();
  std::string holder = {};  ///< whose limit it is: the name of a part
};

/// What the user wishes for.
struct PlanOptions {
  int64_t lanes = 1;                 ///< pixels of a row that arrive in a clock cycle
  int64_t rows = 1;                  ///< rows that arrive in a clock cycle; above 1 only whole ones
  double clock_ns = 5;               ///< clock period
  std::string delay_family = "xcu";  ///< names the delay model
  bool three_input_adders = false;   ///< in place of pairs of adders: see fuse_adders()
  bool fold = true;                  ///< products may take several cycles: smaller, and later
  BlockUse dsp = BlockUse::Never;    ///< for products whose multipliers are shared over time
  int64_t luts_per_dsp = 120;        ///< of the part: with BlockUse::Auto, what a block must save
  BlockUse bram = BlockUse::Auto;    ///< for line buffers
  int64_t luts_per_bram = 150;       ///< of the part, for 18 Kbit: as luts_per_dsp
  int effort = 1;                    ///< of the search for adder graphs: adders::SearchOptions
  std::map<std::string, LayerOptions> layers = {};  ///< by the names of operations
  AreaLimit limit = {};                             ///< planning ends when stages take more
  ProgressFunction progress = {};
};

/// Turns an exact graph into a circuit that takes a beat every clock cycle.
///
/// Errors   lanes that are 0 or wider than the row; an operation that no stage computes; a clock
///          that a single operation cannot meet; three-input adders or DSP blocks in a family that
///          has none; an option of a layer that does not apply to it, or is out of its range;
///          stages above the limit; those of adders::multiply_matrix(); a search that was stopped.
Result<Circuit> plan(const graph::Graph& graph, const PlanOptions& options);

/// Refuses a circuit that takes more than the limit, and names its largest stage.
Status check_fits(const Circuit& circuit, const AreaLimit& limit, const std::string& where);

}  // namespace millrace::dataflow
