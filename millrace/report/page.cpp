// SPDX-License-Identifier: Apache-2.0
// The report page: sections from the records of a build.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "millrace/report/charts.h"
#include "millrace/report/comparison.h"
#include "millrace/report/html.h"
#include "millrace/report/numbers.h"
#include "millrace/report/report.h"
#include "millrace/support/files.h"

namespace millrace::report {
namespace {

Node section(const std::string& heading, const std::string& introduction) {
  Node node = element("section");
  node.add(element("h2", {}, heading));
  if (!introduction.empty())
    node.add(element("p", {}, introduction));
  return node;
}

Node html_table(const Table& table, size_t marked_column) {
  Node head = element("tr");
  for (const Table::Column& column : table.columns)
    head.add(element("th", {{"class", column.is_number ? "number" : ""}}, column.heading));
  Node body = element("tbody");
  for (const std::vector<std::string>& row : table.rows) {
    Node& line = body.add(element("tr"));
    for (size_t i = 0; i < row.size(); ++i) {
      std::string style = table.columns[i].is_number ? "number" : "";
      if (i == marked_column)
        style += " ours";
      line.add(element("td", {{"class", style}}, row[i]));
    }
  }
  std::vector<Node> parts = {element("thead", {}, std::vector<Node>{std::move(head)}),
                             std::move(body)};
  return element("div", {{"class", "scroll"}},
                 std::vector<Node>{element("table", {}, std::move(parts))});
}

Node tile(const std::string& name, const std::string& value, const std::string& unit,
          const std::string& detail, const std::string& style = "") {
  Node node = element("div", {{"class", "tile " + style}});
  node.add(element("div", {{"class", "name"}}, name));
  Node& number = node.add(element("div", {{"class", "value"}}, value));
  if (!unit.empty())
    number.add(element("small", {}, " " + unit));
  node.add(element("div", {{"class", "detail"}}, detail));
  return node;
}

Node tiles(const Build& build) {
  Node node = element("div", {{"class", "tiles"}});
  const PlanRecord& plan = build.plan;
  node.add(tile(
      "Latency", duration(plan.latency_ns()), "",
      fmt::format("{} cycles of {:g} ns", with_thousands(plan.latency_cycles), plan.clock_ns)));
  const double frames_per_second =
      1e9 / (static_cast<double>(plan.interval_cycles) * plan.clock_ns);
  node.add(tile("Throughput", fmt::format("{:.3g}", frames_per_second / 1e6), "M frames/s",
                fmt::format("a frame every {} cycles", with_thousands(plan.interval_cycles))));
  if (build.simulation) {
    const bool is_exact = build.simulation->mismatches == 0;
    node.add(tile("RTL against the model",
                  is_exact ? "bit-exact"
                           : fmt::format("{} differ", with_thousands(build.simulation->mismatches)),
                  "",
                  fmt::format("{} frames co-simulated", with_thousands(build.simulation->frames)),
                  is_exact ? "good" : "bad"));
  }
  if (build.emulation) {
    const EmulationRecord& emulation = *build.emulation;
    const std::string images = with_thousands(emulation.images);
    node.add(emulation.classes == 2
                 ? tile("AUC", fmt::format("{:.4f}", emulation.auc), "",
                        fmt::format("accuracy {} on {} test images", percent(emulation.accuracy),
                                    images))
                 : tile("Accuracy", percent(emulation.accuracy), "",
                        fmt::format("{} classes, {} test images", emulation.classes, images)));
  }
  if (build.synthesis) {
    const SynthesisRecord& area = *build.synthesis;
    node.add(
        tile("Area", with_thousands(area.lut), "LUT",
             fmt::format("{} of the part; {} FF, {} DSP, {} BRAM18", percent(area.utilisation.lut),
                         with_thousands(area.ff), area.dsp, area.bram18)));
  }
  return node;
}

Node comparison_section(const Build& build, const std::optional<Published>& published) {
  Node node = section(published ? "Against the published figures" : "Figures",
                      published ? published->source : "");
  if (published) {
    std::vector<Bar> bars;
    for (const PublishedDesign& design : published->designs) {
      const double ns = static_cast<double>(design.latency_cycles) * published->clock_ns;
      bars.push_back(
          {design.name, ns,
           fmt::format("{} ({} cycles)", duration(ns), with_thousands(design.latency_cycles)),
           design.description, false});
    }
    bars.push_back({"Millrace", build.plan.latency_ns(),
                    fmt::format("{} ({} cycles)", duration(build.plan.latency_ns()),
                                with_thousands(build.plan.latency_cycles)),
                    fmt::format("{} pixels a clock", build.plan.lanes * build.plan.rows), true});
    node.add(element("figure", {{"class", "scroll"}}, std::vector<Node>{latency_chart(bars)}));
  }
  const size_t ours = published ? published->designs.size() + 1 : 1;
  node.add(html_table(compare(build, published), ours));
  if (const std::string note = comparison_note(build, published); !note.empty())
    node.add(element("p", {{"class", "note"}}, note));
  return node;
}

// Layers that only adjust what the layer before gives stand in its box.
bool is_adjustment(const LayerRecord& layer) {
  return layer.kind == "relu" || layer.kind == "requantize" || layer.kind == "flatten";
}

Node network_section(const NetworkRecord& network) {
  Node node =
      section("Network", fmt::format("{} parameters, {} multiplications a frame. Every value has a "
                                     "fixed-point type; sums are exact, and only requantise steps "
                                     "and tables lose precision.",
                                     with_thousands(network.parameters),
                                     with_thousands(network.multiplications)));
  Node flow = element("div", {{"class", "flow"}});
  for (size_t i = 0; i < network.layers.size();) {
    size_t last = i;
    std::string kinds = network.layers[i].kind;
    while (last + 1 < network.layers.size() && is_adjustment(network.layers[last + 1])) {
      ++last;
      if (network.layers[last].kind != "requantize")
        kinds += " + " + network.layers[last].kind;
    }
    const LayerRecord& first = network.layers[i];
    Node& box = flow.add(
        element("div", {{"class", first.parameters > 0 ? "layer weighted" : "layer"},
                        {"data-tip", fmt::format("{} parameters\n{} multiplications a frame",
                                                 with_thousands(first.parameters),
                                                 with_thousands(first.multiplications))}}));
    box.add(element("div", {{"class", "kind"}}, kinds));
    box.add(element("div", {{"class", "name"}}, first.name));
    box.add(element("div", {{"class", "shape mono"}}, network.layers[last].shape));
    box.add(element("div", {{"class", "type mono"}}, network.layers[last].type));
    i = last + 1;
  }
  node.add(std::move(flow));

  Table table{.columns = {{"operation"},
                          {"name"},
                          {"result"},
                          {"type"},
                          {"parameters", true},
                          {"multiplications", true}}};
  for (const LayerRecord& layer : network.layers) {
    table.rows.push_back({layer.kind, layer.name, layer.shape, layer.type,
                          layer.parameters ? with_thousands(layer.parameters) : "",
                          layer.multiplications ? with_thousands(layer.multiplications) : ""});
  }
  Node details = element("details");
  details.add(element("summary", {}, fmt::format("All {} operations", network.layers.size())));
  details.add(html_table(table, table.columns.size()));
  node.add(std::move(details));
  return node;
}

Node legend(const std::vector<std::pair<std::string, std::string>>& entries) {
  Node node = element("div", {{"class", "legend"}});
  for (const auto& [style, meaning] : entries) {
    Node& entry = node.add(element("span"));
    entry.add(element("i", {{"class", style}}));
    entry.add(text(meaning));
  }
  return node;
}

/// How well each stage is used, and what it takes by estimate.
Table stage_table(const PlanRecord& plan) {
  Table table{.columns = {{"stage"},
                          {"kind"},
                          {"cycles of a frame", true},
                          {"in use", true},
                          {"LUT, about", true},
                          {"FF, about", true},
                          {"DSP", true},
                          {"BRAM18", true}}};
  for (const StageRecord& stage : plan.stages)
    table.rows.push_back({stage.name, stage.kind,
                          fmt::format("{} to {}", stage.first_in, stage.last_out),
                          percent(stage.utilisation), with_thousands(stage.estimated.lut),
                          with_thousands(stage.estimated.ff), with_thousands(stage.estimated.dsp),
                          with_thousands(stage.estimated.bram18)});
  table.rows.push_back({"all", "", fmt::format("0 to {}", plan.latency_cycles), "",
                        with_thousands(plan.estimated.lut), with_thousands(plan.estimated.ff),
                        with_thousands(plan.estimated.dsp), with_thousands(plan.estimated.bram18)});
  return table;
}

/// What keeps stages that multiply from working more: a line each.
std::string limits(const PlanRecord& plan) {
  std::string text;
  for (const StageRecord& stage : plan.stages)
    if (!stage.limit.empty())
      text += fmt::format("{}{} ({}): {}.", text.empty() ? "" : "\n", stage.name, stage.kind,
                          stage.limit);
  return text;
}

Node schedule_section(const PlanRecord& plan) {
  Node node = section(
      "Schedule",
      fmt::format("Computed before any simulation: {} pixels arrive each clock cycle, the result "
                  "is valid {} cycles after a frame's first beat, and a frame can "
                  "follow every {} cycles.",
                  plan.lanes * plan.rows, with_thousands(plan.latency_cycles),
                  with_thousands(plan.interval_cycles)));
  node.add(legend({{"soft", "filling: beats arrive, none leaves yet"},
                   {"accent",
                    "beats leave; the darker, the larger the share of the cycles in which "
                    "the stage works"},
                   {"next", "the next frame"}}));
  Node figure = element("figure", {{"class", "scroll"}});
  figure.add(schedule_chart(plan));
  node.add(std::move(figure));
  const Table table = stage_table(plan);
  node.add(html_table(table, table.columns.size()));
  if (const std::string notes = limits(plan); !notes.empty())
    node.add(element("p", {{"class", "note"}}, notes));
  return node;
}

Node area_section(const SynthesisRecord& area, const std::optional<Published>& published) {
  struct Resource {
    const char* name;
    int64_t used;
    int64_t estimated;
    double share;
    int64_t available;
    int64_t PublishedDesign::* published;
  };
  const UtilisationRecord& shares = area.utilisation;
  const ResourcesRecord& holds = area.available;
  const ResourcesRecord& predicted = area.estimated;
  const std::array<Resource, 4> resources = {
      Resource{"LUT", area.lut, predicted.lut, shares.lut, holds.lut, &PublishedDesign::lut},
      Resource{"FF", area.ff, predicted.ff, shares.ff, holds.ff, &PublishedDesign::ff},
      Resource{"DSP", area.dsp, predicted.dsp, shares.dsp, holds.dsp, &PublishedDesign::dsp},
      Resource{"BRAM18", area.bram18, predicted.bram18, shares.bram18, holds.bram18,
               &PublishedDesign::bram18}};
  std::vector<BarGroup> groups;
  Table table{.columns = {{"resource"},
                          {"used", true},
                          {"predicted", true},
                          {"the part has", true},
                          {"share", true}}};
  for (const Resource& resource : resources) {
    table.rows.push_back({resource.name, with_thousands(resource.used),
                          with_thousands(resource.estimated), with_thousands(resource.available),
                          percent(resource.share)});
    BarGroup& group = groups.emplace_back(BarGroup{resource.name, {}});
    group.bars.push_back(
        {"Millrace", 100 * resource.share,
         fmt::format("{} ({})", with_thousands(resource.used), percent(resource.share)),
         fmt::format("{} {}", with_thousands(resource.used), resource.name), true});
    if (!published || resource.available <= 0)
      continue;
    const double one = 1 / static_cast<double>(resource.available);
    for (const PublishedDesign& design : published->designs) {
      const int64_t used = design.*resource.published;
      group.bars.push_back({design.name, 100 * one * static_cast<double>(used),
                            with_thousands(used), design.description, false});
    }
  }
  Node node = section("Area", fmt::format("Mapped with Yosys for {}, in percent of the part. "
                                          "{} carry primitives.",
                                          area.part, with_thousands(area.carry)));
  node.add(element("figure", {}, std::vector<Node>{share_chart(groups, " %", "Area")}));
  node.add(html_table(table, 1));
  return node;
}

Node roc_section(const EmulationRecord& emulation) {
  const DataRecord& source = emulation.source;
  Node node = section(
      "Classification",
      fmt::format("The exact fixed-point network on {} test images of {}: {} (signal) against {}.",
                  with_thousands(emulation.images), source.data, source.signal, source.background));
  node.add(element("figure", {}, std::vector<Node>{roc_chart(emulation)}));
  return node;
}

Node check_section(const SimulationRecord& simulation) {
  const auto match = [](int64_t scheduled, int64_t measured) {
    return scheduled == measured ? fmt::format("{} = scheduled", with_thousands(measured))
                                 : fmt::format("{}, scheduled {}", with_thousands(measured),
                                               with_thousands(scheduled));
  };
  Table table{.columns = {{"frames arrive"},
                          {"frames", true},
                          {"outputs that differ", true},
                          {"latency, cycles", true},
                          {"interval, cycles", true}}};
  for (const SimulationRunRecord& run : simulation.runs) {
    table.rows.push_back(
        {run.arrival, with_thousands(run.frames), with_thousands(run.mismatches),
         run.latency_cycles ? match(simulation.scheduled_latency_cycles, run.latency_cycles)
                            : "follows the gaps",
         run.interval_cycles ? match(simulation.scheduled_interval_cycles, run.interval_cycles)
                             : "follows the gaps"});
  }
  Node node = section(
      "Co-simulation",
      fmt::format("Every output bit of the SystemVerilog, run in {}, against the reference.",
                  simulation.simulator));
  node.add(html_table(table, table.columns.size()));
  return node;
}

Node training_section(const TrainingRecord& training) {
  Table table{.columns = {{""}, {"float", true}, {training.quantizer, true}}};
  const auto row = [&](const char* name, double before, double after) {
    table.rows.push_back({name, fmt::format("{:.4f}", before), fmt::format("{:.4f}", after)});
  };
  row("AUC", training.float_auc, training.auc);
  row("accuracy", training.float_accuracy, training.accuracy);
  Node node = section(
      "Training",
      fmt::format("Quantisation-aware, on {} images of {} ({} against {}), seed {}, in {:.0f} s; "
                  "figures on {} test images that training never saw.",
                  with_thousands(training.train_images), training.images.data,
                  training.images.signal, training.images.background, training.seed,
                  training.seconds, with_thousands(training.test_images)));
  node.add(html_table(table, 2));
  return node;
}

}  // namespace

Result<std::string> render_page(const Build& build, const std::optional<Published>& published) {
  MR_TRY(const std::filesystem::path assets, find_data_dir("report"));
  MR_TRY(std::string styles, read_file(assets / "page.css"));
  MR_TRY(std::string script, read_file(assets / "page.js"));
  const PlanRecord& plan = build.plan;

  Node head = element("head");
  head.add(element("meta", {{"charset", "utf-8"}}));
  head.add(
      element("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}}));
  head.add(element("title", {}, build.network.network + " \u2013 Millrace"));
  head.add(verbatim("style", {}, std::move(styles)));

  Node main = element("main");
  Node& header = main.add(element("header"));
  header.add(element("div", {{"class", "brand"}}, "Millrace"));
  header.add(element("h1", {}, build.network.network));
  header.add(element("p", {},
                     fmt::format("A streaming circuit for {}: {} pixels a clock at "
                                 "{:g} MHz, exact to the bit and to the cycle.",
                                 plan.part, plan.lanes * plan.rows, 1000 / plan.clock_ns)));
  main.add(tiles(build));
  main.add(comparison_section(build, published));
  main.add(schedule_section(plan));
  if (build.simulation)
    main.add(check_section(*build.simulation));
  Node columns = element("div", {{"class", "columns"}});
  if (build.emulation && build.emulation->classes == 2)
    columns.add(roc_section(*build.emulation));
  if (build.synthesis)
    columns.add(area_section(*build.synthesis, published));
  if (!columns.children.empty())
    main.add(std::move(columns));
  main.add(network_section(build.network));
  if (build.training)
    main.add(training_section(*build.training));
  main.add(element("footer", {},
                   "The same figures as JSON: report.json beside this page. The exact network: "
                   "model.mr. The circuit: rtl/."));

  Node body = element("body");
  body.add(std::move(main));
  body.add(verbatim("script", {}, std::move(script)));
  Node html = element("html", {{"lang", "en"}});
  html.add(std::move(head));
  html.add(std::move(body));
  return "<!DOCTYPE html>\n" + to_html(html) + "\n";
}

}  // namespace millrace::report
