// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/plan.h"

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
  MR_TRY(DelayModel delays, load_delay_model(options.delay_family));
  if (options.three_input_adders)
    MR_TRY_STATUS(check_three_input_adders(options.delay_family, "--three-input-adders"));
  return Planner(graph, options, std::move(delays)).run();
}

}  // namespace millrace::dataflow
