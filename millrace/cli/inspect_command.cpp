// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "millrace/cli/commands.h"
#include "millrace/cli/model.h"
#include "millrace/passes/lower.h"
#include "millrace/report/network.h"
#include "millrace/report/numbers.h"
#include "millrace/report/table.h"

namespace millrace::cli {
namespace {

using report::with_thousands;

std::string to_text(const report::NetworkRecord& network) {
  report::Table table{.columns = {{"layer"},
                                  {"kind"},
                                  {"shape"},
                                  {"type"},
                                  {"parameters", true},
                                  {"multiplications", true}}};
  for (const report::LayerRecord& layer : network.layers) {
    table.rows.push_back({layer.name, layer.kind, layer.shape, layer.type,
                          layer.parameters ? with_thousands(layer.parameters) : "",
                          layer.multiplications ? with_thousands(layer.multiplications) : ""});
  }
  return fmt::format("{}: {} parameters, {} multiplications a frame\n\n{}", network.network,
                     with_thousands(network.parameters), with_thousands(network.multiplications),
                     table.to_text());
}

}  // namespace

Result<Answer> run(const InspectOptions& options, Console&) {
  MR_TRY(const graph::Graph imported, import_model(options.model, options.weights));
  // A model that is not exact is still worth a look: its values are then "real".
  const Result<graph::Graph> exact = passes::lower(imported);
  report::NetworkRecord network = report::describe(exact ? *exact : imported);
  network.is_exact = exact.has_value();
  Answer answer{to_text(network), to_json(network)};
  if (!exact)
    answer.text += "\nIt cannot be compiled as it is: " + exact.error().to_string() + '\n';
  return answer;
}

}  // namespace millrace::cli
