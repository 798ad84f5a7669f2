// SPDX-License-Identifier: Apache-2.0
// The report's plots as SVG; colours and fonts come from data/report/page.css.
#pragma once

#include <string>
#include <vector>

#include "millrace/report/html.h"
#include "millrace/report/records.h"

namespace millrace::report {

/// The ROC curve, with the diagonal of chance.
Node roc_chart(const EmulationRecord& emulation);

/// When each stage works on a frame, one row a stage, and where the next frame follows.
Node schedule_chart(const PlanRecord& plan);

/// One horizontal bar.
struct Bar {
  std::string name = {};
  double value = 0;        ///< 0: not drawn, `label` alone
  std::string label = {};  ///< what stands behind the bar
  std::string tip = {};    ///< what the pointer shows
  bool is_ours = false;
};

/// Bars that belong together under one heading.
struct BarGroup {
  std::string name = {};
  std::vector<Bar> bars = {};
};

/// Bars on an axis that begins at 0.
Node share_chart(const std::vector<BarGroup>& groups, const std::string& unit,
                 const std::string& description);

/// Bars on a logarithmic axis in nanoseconds, with a dashed line at 1 microsecond.
Node latency_chart(const std::vector<Bar>& bars);

}  // namespace millrace::report
