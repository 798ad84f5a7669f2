// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/plan.h"

#include <algorithm>

#include "millrace/adders/messages.h"
#include "millrace/dataflow/fuse_adders.h"
#include "millrace/dataflow/planner.h"

namespace millrace::dataflow {

std::string_view kind_name(const StageKind& kind) {
  return std::visit(graph::Overloaded{[](const WindowStage&) { return "window"; },
                                      [](const RowWindowStage&) { return "window"; },
                                      [](const MapStage&) { return "map"; },
                                      [](const AccumulateStage&) { return "accumulate"; },
                                      [](const RelayoutStage&) { return "relayout"; }},
                    kind);
}

Result<Circuit> plan(const graph::Graph& graph, const PlanOptions& options) {
  MR_TRY_STATUS(check_clock(options.clock_ns, "--clock"));
  if (options.effort < 0 || options.effort > adders::SearchOptions::MaxEffort)
    return error(adders::messages::EffortOutOfRange, "--effort", options.effort,
                 adders::SearchOptions::MaxEffort);
  for (const auto& [name, layer] : options.layers)
    if (layer.effort && (*layer.effort < 0 || *layer.effort > adders::SearchOptions::MaxEffort))
      return error(adders::messages::EffortOutOfRange, "layer '" + name + "'", *layer.effort,
                   adders::SearchOptions::MaxEffort);
  MR_TRY(DelayModel delays, load_delay_model(options.delay_family));
  const bool any_fuses =
      std::any_of(options.layers.begin(), options.layers.end(),
                  [](const auto& entry) { return entry.second.three_input_adders == true; });
  if (options.three_input_adders || any_fuses)
    MR_TRY_STATUS(check_three_input_adders(options.delay_family, "--adders"));
  const bool any_prefers =
      std::any_of(options.layers.begin(), options.layers.end(),
                  [](const auto& entry) { return entry.second.dsp == BlockUse::Prefer; });
  if (options.dsp == BlockUse::Prefer || any_prefers)
    MR_TRY_STATUS(check_dsp_blocks(options.delay_family, "--dsp"));
  return Planner(graph, options, std::move(delays)).run();
}

}  // namespace millrace::dataflow
