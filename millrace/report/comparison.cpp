// SPDX-License-Identifier: Apache-2.0
#include "millrace/report/comparison.h"

#include <fmt/format.h>
#include <functional>

#include "millrace/report/numbers.h"

namespace millrace::report {
namespace {

const std::string None = "\u2013";

std::string count(int64_t value) {
  return value > 0 ? with_thousands(value) : None;
}
std::string four_digits(double value) {
  return value > 0 ? fmt::format("{:.4f}", value) : None;
}

// "32.9 x less", or "2.1 x more".
std::string gain(double theirs, double ours) {
  if (theirs <= 0)
    return "";
  if (ours <= 0)
    return "none used";
  return theirs >= ours ? fmt::format("{:.3g} \u00d7 less", theirs / ours)
                        : fmt::format("{:.3g} \u00d7 more", ours / theirs);
}

class Comparison {
public:
  Comparison(const Build& build, const std::optional<Published>& published) : build_(build) {
    table_.columns.push_back({"", false});
    if (published) {
      designs_ = published->designs;
      clock_ns_ = published->clock_ns;
    }
    for (const PublishedDesign& design : designs_)
      table_.columns.push_back({design.name, true});
    table_.columns.push_back({"Millrace", true});
    if (!designs_.empty())
      table_.columns.push_back({"against " + designs_.back().name, true});
  }

  Table table() && {
    const PlanRecord& plan = build_.plan;
    cycles("latency, cycles", &PublishedDesign::latency_cycles, plan.latency_cycles);
    row(
        "latency, time",
        [&](const PublishedDesign& design) {
          return design.latency_cycles > 0
                     ? duration(static_cast<double>(design.latency_cycles) * clock_ns_)
                     : None;
        },
        duration(plan.latency_ns()),
        [&](const PublishedDesign& design) {
          return gain(static_cast<double>(design.latency_cycles) * clock_ns_, plan.latency_ns());
        });
    cycles("interval, cycles", &PublishedDesign::interval_cycles, plan.interval_cycles);
    if (build_.synthesis) {
      const SynthesisRecord& area = *build_.synthesis;
      resource("LUT \u00b2", &PublishedDesign::lut, area.lut, area.utilisation.lut);
      resource("FF \u00b2", &PublishedDesign::ff, area.ff, area.utilisation.ff);
      resource("DSP \u00b2", &PublishedDesign::dsp, area.dsp, area.utilisation.dsp);
      resource("BRAM18 \u00b2", &PublishedDesign::bram18, area.bram18, area.utilisation.bram18);
    }
    if (build_.emulation) {
      if (build_.emulation->classes == 2)
        rate("AUC \u00b9", &PublishedDesign::auc, build_.emulation->auc);
      rate("accuracy \u00b9", &PublishedDesign::accuracy, build_.emulation->accuracy);
    }
    if (build_.simulation) {
      row(
          "RTL outputs that differ", [](const PublishedDesign&) { return None; },
          fmt::format("{} of {}", build_.simulation->mismatches,
                      with_thousands(build_.simulation->frames)),
          [](const PublishedDesign&) { return ""; });
    }
    return std::move(table_);
  }

private:
  using Cell = std::function<std::string(const PublishedDesign&)>;

  void row(const std::string& name, const Cell& published, const std::string& ours,
           const Cell& against) {
    std::vector<std::string> cells = {name};
    for (const PublishedDesign& design : designs_)
      cells.push_back(published(design));
    cells.push_back(ours);
    if (!designs_.empty())
      cells.push_back(against(designs_.back()));
    table_.rows.push_back(std::move(cells));
  }

  void cycles(const std::string& name, int64_t PublishedDesign::* field, int64_t ours) {
    row(
        name, [&](const PublishedDesign& design) { return count(design.*field); },
        with_thousands(ours),
        [&](const PublishedDesign& design) {
          return gain(static_cast<double>(design.*field), static_cast<double>(ours));
        });
  }

  void resource(const std::string& name, int64_t PublishedDesign::* field, int64_t ours,
                double share) {
    row(
        name, [&](const PublishedDesign& design) { return count(design.*field); },
        ours > 0 ? fmt::format("{} ({})", with_thousands(ours), percent(share)) : "0",
        [&](const PublishedDesign& design) {
          return gain(static_cast<double>(design.*field), static_cast<double>(ours));
        });
  }

  void rate(const std::string& name, double PublishedDesign::* field, double ours) {
    row(
        name, [&](const PublishedDesign& design) { return four_digits(design.*field); },
        fmt::format("{:.4f}", ours), [](const PublishedDesign&) { return ""; });
  }

  const Build& build_;
  std::vector<PublishedDesign> designs_;
  double clock_ns_ = 0;
  Table table_;
};

}  // namespace

Table compare(const Build& build, const std::optional<Published>& published) {
  return Comparison(build, published).table();
}

std::string comparison_note(const Build& build, const std::optional<Published>& published) {
  if (!published || !build.emulation)
    return "";
  const DataRecord& source = build.emulation->source;
  return fmt::format(
      "\u00b9 Published: {}. Here: {} test images of {}, {} against {}.\n"
      "\u00b2 Published: the estimate of high-level synthesis. Here: mapped with "
      "Yosys.",
      published->auc_source, with_thousands(build.emulation->images), source.data, source.signal,
      source.background);
}

}  // namespace millrace::report
