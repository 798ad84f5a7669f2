// SPDX-License-Identifier: Apache-2.0
#include "millrace/report/charts.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "millrace/report/numbers.h"

namespace millrace::report {
namespace {

std::string coordinate(double value) {
  return fmt::format("{:.2f}", value);
}

Node line(double x1, double y1, double x2, double y2, const std::string& style) {
  return element("line", {{"x1", coordinate(x1)},
                          {"y1", coordinate(y1)},
                          {"x2", coordinate(x2)},
                          {"y2", coordinate(y2)},
                          {"class", style}});
}

Node rectangle(double x, double y, double width, double height, const std::string& style,
               const std::string& tip) {
  Node node = element("rect", {{"x", coordinate(x)},
                               {"y", coordinate(y)},
                               {"width", coordinate(std::max(width, 1.5))},
                               {"height", coordinate(height)},
                               {"rx", "2.5"},
                               {"class", style}});
  if (!tip.empty())
    node.attributes.emplace_back("data-tip", tip);
  return node;
}

Node label(double x, double y, const std::string& style, std::string content) {
  return element("text", {{"x", coordinate(x)}, {"y", coordinate(y)}, {"class", style}},
                 std::move(content));
}

Node picture(double width, double height, const std::string& description) {
  return element("svg", {{"viewBox", fmt::format("0 0 {:g} {:g}", width, height)},
                         {"role", "img"},
                         {"aria-label", description}});
}

// A round step that cuts [0, limit] into at most `steps` pieces: 1, 2 or 5 times a power of ten.
double round_step(double limit, int steps) {
  const double least = std::max(limit, 1e-12) / steps;
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least * 0.999999)
      return factor * power;
  }
  return 10 * power;
}

}  // namespace

Node roc_chart(const EmulationRecord& emulation) {
  constexpr double Left = 46, Top = 10, Size = 400;
  Node svg = picture(Left + Size + 12, Top + Size + 42,
                     fmt::format("ROC curve, area {:.4f}", emulation.auc));
  const auto x = [](double share) { return Left + share * Size; };
  const auto y = [](double share) { return Top + (1 - share) * Size; };
  for (int tick = 0; tick <= 5; ++tick) {
    const double share = tick / 5.0;
    svg.add(line(x(share), y(0), x(share), y(1), "grid"));
    svg.add(line(x(0), y(share), x(1), y(share), "grid"));
    svg.add(label(x(share), y(0) + 17, "muted middle", fmt::format("{:.1f}", share)));
    svg.add(label(x(0) - 7, y(share) + 4, "muted end", fmt::format("{:.1f}", share)));
  }
  svg.add(line(x(0), y(0), x(1), y(1), "chance"));
  svg.add(label(x(0.5), y(0) + 36, "muted middle", "background let through"));
  Node axis = label(0, 0, "muted middle", "signal kept");
  axis.attributes.emplace_back("transform",
                               fmt::format("translate(12 {}) rotate(-90)", coordinate(y(0.5))));
  svg.add(std::move(axis));

  // Where neighbours fall on the same pixel, one of them is enough.
  std::string path, points;
  double last_x = -1, last_y = -1;
  for (size_t i = 0; i < emulation.roc.size(); ++i) {
    const RocRecord& point = emulation.roc[i];
    const double px = x(point.false_positive), py = y(point.true_positive);
    const bool is_last = i + 1 == emulation.roc.size();
    if (!is_last && std::abs(px - last_x) < 0.8 && std::abs(py - last_y) < 0.8)
      continue;
    path += fmt::format("{}{:.2f} {:.2f}", path.empty() ? "M" : "L", px, py);
    points += fmt::format("{}[{:.4f},{:.4f}]", points.empty() ? "" : ",", point.false_positive,
                          point.true_positive);
    last_x = px;
    last_y = py;
  }
  if (!path.empty()) {
    const std::string closed =
        fmt::format("{}L{:.2f} {:.2f}L{:.2f} {:.2f}Z", path, x(1), y(0), x(0), y(0));
    svg.add(element("path", {{"d", closed}, {"class", "soft"}, {"opacity", "0.55"}}));
    svg.add(element("path", {{"d", path}, {"class", "line"}}));
  }
  svg.add(element("circle", {{"class", "accent reading"}, {"r", "5"}, {"visibility", "hidden"}}));
  svg.add(label(x(0.97), y(0.06), "strong end", fmt::format("AUC {:.4f}", emulation.auc)));
  svg.attributes.emplace_back("data-roc", '[' + points + ']');
  svg.attributes.emplace_back("data-plot", fmt::format("[{},{},{}]", Left, Top, Size));
  return svg;
}

Node schedule_chart(const PlanRecord& plan) {
  constexpr double Left = 210, Right = 62, Width = 1030, Top = 30, Row = 25;
  constexpr double Palest = 0.25;  // a stage that hardly works is still to be seen
  const double rows = static_cast<double>(plan.stages.size() + 1);
  const double bottom = Top + rows * Row;
  const double end = static_cast<double>(plan.latency_cycles + plan.interval_cycles);
  Node svg = picture(Width, bottom + 46,
                     fmt::format("Schedule: result after {} cycles, a frame every {} cycles",
                                 plan.latency_cycles, plan.interval_cycles));
  const auto x = [&](double cycle) { return Left + cycle / end * (Width - Left - Right); };

  const double step = std::max(1.0, round_step(end, 10));
  for (double cycle = 0; cycle <= end; cycle += step) {
    svg.add(line(x(cycle), Top, x(cycle), bottom, "grid"));
    svg.add(label(x(cycle), bottom + 17, "muted middle", with_thousands(std::llround(cycle))));
    if (cycle > 0)
      svg.add(label(x(cycle), bottom + 34, "muted middle", duration(cycle * plan.clock_ns)));
  }
  svg.add(label(Left - 12, bottom + 17, "muted end", "cycle"));
  svg.add(label(Left - 12, bottom + 34, "muted end", "time"));

  double top = Top;
  const auto draw_row = [&](const std::string& name, const std::string& kind, int64_t first_in,
                            int64_t first_out, int64_t last_out, double utilisation,
                            const std::string& tip) {
    svg.add(label(Left - 12, top + 16, "end", name))
        .add(element("tspan", {{"class", "muted"}}, kind.empty() ? "" : "  " + kind));
    for (int64_t frame : {int64_t{1}, int64_t{0}}) {
      const double offset = static_cast<double>(frame * plan.interval_cycles);
      const double from = static_cast<double>(first_in) + offset;
      const double out = static_cast<double>(first_out) + offset;
      const double to = static_cast<double>(last_out) + 1 + offset;
      const std::string frame_tip =
          frame == 0 ? tip : fmt::format("the next frame, {} cycles later", plan.interval_cycles);
      if (frame == 0 && out > from)
        svg.add(rectangle(x(from), top + 5, x(out) - x(from), Row - 10, "soft", frame_tip));
      Node bar = rectangle(x(out), top + 5, x(std::min(to, end)) - x(out), Row - 10,
                           frame == 0 ? "accent" : "next", frame_tip);
      if (frame == 0)
        bar.attributes.emplace_back(
            "opacity", coordinate(Palest + (1 - Palest) * std::clamp(utilisation, 0.0, 1.0)));
      svg.add(std::move(bar));
    }
    top += Row;
  };
  draw_row("input", "", 0, 0, plan.interval_cycles - 1, 1,
           fmt::format("input: {} pixels a cycle", plan.lanes * plan.rows));
  for (const StageRecord& stage : plan.stages) {
    svg.add(label(Width - 4, top + 16, "muted end", percent(stage.utilisation)));
    draw_row(stage.name, stage.kind, stage.first_in, stage.first_out, stage.last_out,
             stage.utilisation,
             fmt::format("{} ({})\nfirst beat in: cycle {}\nfirst beat out: cycle {}\n"
                         "last beat out: cycle {}\nbeats out a frame: {}\n"
                         "works in {} of the cycles",
                         stage.name, stage.kind, stage.first_in, stage.first_out, stage.last_out,
                         stage.beats_out, percent(stage.utilisation)));
  }
  const double result = x(static_cast<double>(plan.latency_cycles));
  svg.add(line(result, Top - 6, result, bottom, "mark"));
  svg.add(label(result, Top - 11, "strong middle",
                fmt::format("result after {} cycles", with_thousands(plan.latency_cycles))));
  return svg;
}

Node share_chart(const std::vector<BarGroup>& groups, const std::string& unit,
                 const std::string& description) {
  constexpr double Left = 150, Right = 96, Width = 480, Row = 21, Gap = 16;
  double limit = 0, rows = 0;
  for (const BarGroup& group : groups) {
    rows += static_cast<double>(group.bars.size());
    for (const Bar& bar : group.bars)
      limit = std::max(limit, bar.value);
  }
  const double bottom = rows * Row + static_cast<double>(groups.size()) * Gap;
  Node svg = picture(Width, bottom + 26, description);
  const double step = round_step(limit, 4);
  const double end = std::max(1.0, std::ceil(limit / step - 1e-9)) * step;
  const auto x = [&](double value) { return Left + value / end * (Width - Left - Right); };
  for (double value = 0; value <= end * 1.000001; value += step) {
    svg.add(line(x(value), 0, x(value), bottom, "grid"));
    svg.add(label(x(value), bottom + 18, "muted middle", fmt::format("{:g}{}", value, unit)));
  }
  double top = Gap / 2;
  for (const BarGroup& group : groups) {
    svg.add(label(0, top + 14.5, "strong", group.name));
    for (const Bar& bar : group.bars) {
      svg.add(label(Left - 8, top + 14.5, "muted end", bar.name));
      if (bar.value > 0)
        svg.add(rectangle(x(0), top + 3, x(bar.value) - x(0), Row - 6,
                          bar.is_ours ? "accent" : "other", bar.tip));
      svg.add(label(x(bar.value) + 6, top + 14.5, bar.is_ours ? "strong" : "muted", bar.label));
      top += Row;
    }
    top += Gap;
  }
  return svg;
}

Node latency_chart(const std::vector<Bar>& bars) {
  constexpr double Left = 150, Right = 190, Width = 1030, Row = 30, FirstNs = 10;
  double largest = 1000;
  for (const Bar& bar : bars)
    largest = std::max(largest, bar.value);
  const double decades = std::max(2.0, std::log10(largest / FirstNs));
  const double bottom = static_cast<double>(bars.size()) * Row + 22;
  Node svg = picture(Width, bottom + 24, "Latency of this circuit and of published ones");
  const auto x = [&](double ns) {
    const double decade = std::log10(std::max(ns, FirstNs) / FirstNs);
    return Left + decade / decades * (Width - Left - Right);
  };
  svg.add(line(x(1000), 14, x(1000), bottom, "mark"));
  svg.add(label(x(1000), 10, "muted middle", "1 \u00b5s"));
  for (double decade = 0; decade <= decades; ++decade) {
    const double ns = FirstNs * std::pow(10, decade);
    svg.add(line(x(ns), 20, x(ns), bottom, "grid"));
    svg.add(label(x(ns), bottom + 18, "muted middle", duration(ns)));
  }
  double top = 20;
  for (const Bar& bar : bars) {
    svg.add(label(Left - 8, top + 19, bar.is_ours ? "strong end" : "end", bar.name));
    svg.add(rectangle(Left, top + 6, x(bar.value) - Left, Row - 12,
                      bar.is_ours ? "accent" : "other", bar.tip));
    svg.add(label(x(bar.value) + 8, top + 19, bar.is_ours ? "strong" : "muted", bar.label));
    top += Row;
  }
  return svg;
}

}  // namespace millrace::report
