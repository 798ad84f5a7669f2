// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "millrace/cli/commands.h"
#include "millrace/cli/messages.h"
#include "millrace/cli/model.h"
#include "millrace/cli/samples.h"
#include "millrace/data/npy.h"
#include "millrace/emulator/emulator.h"
#include "millrace/passes/lower.h"
#include "millrace/reference/evaluate_real.h"
#include "millrace/support/files.h"

namespace millrace::cli {
namespace {

using graph::Graph;
using graph::ValueId;

/// The numbers of every output for all samples, one after another.
struct Outputs {
  std::vector<std::vector<double>> real;
  std::vector<std::vector<int64_t>> raw;  ///< of an exact graph
};

Result<std::vector<Samples>> read_inputs(const RunOptions& options,
                                         const frontends::ImportedModel& model) {
  const Graph& graph = model.graph;
  const auto inputs = graph.inputs();
  if (options.inputs.size() != inputs.size())
    return error(messages::FilesForInputs, "--input", inputs.size(), options.inputs.size());
  if (!options.outputs.empty() && options.outputs.size() != graph.outputs().size())
    return error(messages::FilesForOutputs, "--output", graph.outputs().size(),
                 options.outputs.size());
  std::vector<Samples> samples;
  for (size_t i = 0; i < inputs.size(); ++i) {
    MR_TRY(samples.emplace_back(),
           read_samples(options.inputs[i], model, i, parse_layout(options.layout)));
    if (samples.back().count != samples.front().count)
      return error(messages::SampleCounts, options.inputs[i].string(), samples.back().count,
                   samples.front().count);
  }
  return samples;
}

/// The quantiser of the model's own behind a real input; null where it has none.
const graph::Requantize* input_quantizer(const Graph& imported, size_t index) {
  const ValueId input = imported.inputs()[index];
  if (imported.type(input).is_fixed())
    return nullptr;
  const auto users = imported.users();
  for (const ValueId user : users[static_cast<size_t>(input)])
    if (const auto* const quantizer = imported.op(user).as<graph::Requantize>())
      return quantizer;
  return nullptr;
}

/// An input's numbers as codes of its type. With a quantiser each is rounded as that does it with
/// its element; the input's type holds the numbers of all elements' types.
std::vector<int64_t> codes(const graph::Op& input, const graph::Requantize* quantizer,
                           const std::vector<double>& numbers) {
  const FixedType& type = input.type.fixed();
  const double step = input.as<graph::Input>()->unit();
  const auto size = static_cast<size_t>(num_elements(input.type.shape));
  std::vector<int64_t> result;
  result.reserve(numbers.size());
  for (size_t i = 0; i < numbers.size(); ++i) {
    const Quantizer to = quantizer ? quantizer->at(i % size) : Quantizer{.type = type};
    const Int128 raw = requantize_steps(numbers[i], step, to);
    result.push_back(static_cast<int64_t>(
        to.type == type ? raw : requantize(to.type.to_double(raw), {.type = type})));
  }
  return result;
}

Result<Outputs> run_exactly(const Graph& imported, const std::vector<Samples>& inputs,
                            Console& console) {
  MR_TRY(const Graph exact, passes::lower(imported));
  std::vector<std::vector<int64_t>> raw(inputs.size());
  std::vector<std::span<const int64_t>> spans;
  for (size_t i = 0; i < inputs.size(); ++i) {
    raw[i] = codes(exact.op(exact.inputs()[i]), input_quantizer(imported, i), inputs[i].values);
    spans.emplace_back(raw[i]);
  }
  Outputs outputs;
  outputs.raw = emulator::Emulator(exact).run_all(spans, console.progress());
  if (was_interrupted())
    return error(messages::Interrupted, "run");
  for (size_t i = 0; i < outputs.raw.size(); ++i) {
    auto& real = outputs.real.emplace_back();
    for (const int64_t code : outputs.raw[i])
      real.push_back(exact.type(exact.outputs()[i]).fixed().to_double(code));
  }
  return outputs;
}

Result<Outputs> run_in_double(const Graph& imported, const std::vector<Samples>& inputs,
                              Console& console) {
  Outputs outputs;
  outputs.real.resize(imported.outputs().size());
  const ProgressFunction progress = console.progress();
  const int64_t count = inputs.front().count;
  for (int64_t sample = 0; sample < count; ++sample) {
    const double done = static_cast<double>(sample) / static_cast<double>(count);
    if (!report_progress(progress, "run", done))
      return error(messages::Interrupted, "run");
    std::vector<std::vector<double>> x;
    for (size_t i = 0; i < inputs.size(); ++i) {
      auto& numbers = x.emplace_back(inputs[i].sample(sample));
      const graph::Op& input = imported.op(imported.inputs()[i]);
      if (!input.type.is_fixed())
        continue;
      const auto raw = codes(input, nullptr, numbers);
      std::ranges::transform(raw, numbers.begin(),
                             [&](int64_t code) { return input.type.fixed().to_double(code); });
    }
    const auto y = reference::evaluate_real(imported, x);
    for (size_t i = 0; i < y.size(); ++i)
      outputs.real[i].insert(outputs.real[i].end(), y[i].begin(), y[i].end());
  }
  return outputs;
}

/// The first numbers of an output, a line a sample.
template <class Number>
std::string listed(const std::string& name, const std::vector<Number>& values, int64_t count) {
  constexpr int64_t MostSamples = 10;
  constexpr size_t MostNumbers = 16;
  const size_t size = values.size() / static_cast<size_t>(count);
  std::string text;
  for (int64_t sample = 0; sample < std::min(count, MostSamples); ++sample) {
    text += fmt::format("{}[{}]", name, sample);
    for (size_t i = 0; i < std::min(size, MostNumbers); ++i)
      text += fmt::format(" {:>10}", values[static_cast<size_t>(sample) * size + i]);
    text += size > MostNumbers ? " ...\n" : "\n";
  }
  if (count > MostSamples)
    text += fmt::format("... {} samples in all; --output writes them to a file\n", count);
  return text;
}

}  // namespace

Result<Answer> run(const RunOptions& options, Console& console) {
  MR_TRY(const frontends::ImportedModel model, import_typed_model(options.model, options.types));
  const Graph& imported = model.graph;
  MR_TRY(const std::vector<Samples> inputs, read_inputs(options, model));
  MR_TRY(const Outputs outputs, options.as_float ? run_in_double(imported, inputs, console)
                                                 : run_exactly(imported, inputs, console));
  const Samples& like = inputs.front();
  Answer answer;
  nlohmann::ordered_json json = {{"samples", like.count}, {"outputs", nlohmann::json::array()}};
  for (size_t i = 0; i < outputs.real.size(); ++i) {
    const graph::Op& op = imported.op(imported.outputs()[i]);
    nlohmann::ordered_json entry = {{"name", op.name}, {"shape", op.type.shape}};
    if (options.outputs.empty()) {
      answer.text += options.raw ? listed(op.name, outputs.raw[i], like.count)
                                 : listed(op.name, outputs.real[i], like.count);
      if (options.raw)
        entry["values"] = outputs.raw[i];
      else
        entry["values"] = outputs.real[i];
    } else {
      const auto& file = options.outputs[i];
      const frontends::PortLayout port =
          like.layout ? port_of(op.type.shape, *like.layout) : model.outputs.at(i);
      const auto bytes = [&](const auto& values) {
        return data::npy_bytes(arrange_outputs(values, port, like));
      };
      MR_TRY_STATUS(write_file(file, options.raw ? bytes(outputs.raw[i]) : bytes(outputs.real[i])));
      entry["file"] = file.string();
      answer.text += fmt::format("{}: {} x {}, {}\n", file.string(), like.count,
                                 to_string(op.type.shape), options.raw ? "int64" : "float64");
    }
    json["outputs"].push_back(std::move(entry));
  }
  answer.json = json.dump(2) + '\n';
  return answer;
}

}  // namespace millrace::cli
