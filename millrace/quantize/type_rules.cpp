// SPDX-License-Identifier: Apache-2.0
#include "millrace/quantize/type_rules.h"

#include <algorithm>
#include <array>
#include <vector>

#include "millrace/quantize/messages.h"
#include "millrace/support/names.h"

namespace millrace::quantize {
namespace {

using graph::Graph;
using graph::Op;
using graph::Overloaded;
using Names = std::span<const std::string_view>;

constexpr std::array<std::string_view, 1> InputNames = {"InputLayer"};
constexpr std::array<std::string_view, 1> QuantizerNames = {"Activation"};
constexpr std::array<std::string_view, 9> ConvNames = {
    "Conv1D",          "Conv2D",          "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D",
    "SeparableConv2D", "PointwiseConv1D", "PointwiseConv2D", "Conv2DBatchnorm"};
constexpr std::array<std::string_view, 1> ConvTransposeNames = {"Conv2DTranspose"};
constexpr std::array<std::string_view, 1> DenseNames = {"Dense"};
constexpr std::array<std::string_view, 3> AffineNames = {"BatchNormalization", "ApplyAlpha",
                                                         "BatchNormalizationQuantizedTanh"};
constexpr std::array<std::string_view, 6> PoolNames = {"Pooling1D",       "Pooling2D",
                                                       "GlobalPooling1D", "GlobalPooling2D",
                                                       "MaxPooling2D",    "AveragePooling2D"};
constexpr std::array<std::string_view, 2> ConcatNames = {"Concatenate", "Merge"};
constexpr std::array<std::string_view, 7> MergeNames = {"Add",     "Subtract", "Multiply", "Merge",
                                                        "Maximum", "Minimum",  "Average"};
constexpr std::array<std::string_view, 5> ActivationNames = {"Activation", "ParametrizedActivation",
                                                             "HardActivation", "ReLU", "UnaryLUT"};
constexpr std::array<std::string_view, 1> PreluNames = {"PReLU"};
constexpr std::array<std::string_view, 2> SoftmaxNames = {"Softmax", "Activation"};
constexpr std::array<std::string_view, 9> MoveNames = {
    "Reshape",       "Flatten",       "Transpose",    "Permute",   "Resize",
    "ZeroPadding1D", "ZeroPadding2D", "UpSampling2D", "Cropping2D"};
/// Classes whose layers become nothing, or that hls4ml adds for itself.
constexpr std::array<std::string_view, 4> OtherNames = {"Dropout", "Clone", "Repack", "Embedding"};

// QKeras' classes are those of Keras with a Q before.
std::string_view without_q(std::string_view name) {
  if (name.size() > 1 && name[0] == 'Q' && name[1] >= 'A' && name[1] <= 'Z')
    name.remove_prefix(1);
  return name;
}

bool contains(Names names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// True where exact operands give exact results.
bool is_exact_of_exact(const Op& op) {
  return !op.as<graph::Input>() && !op.as<graph::Unary>() && !op.as<graph::Softmax>() &&
         !op.as<graph::AvgPool>();
}

const Precision::Entry* entry_of(const Precision& precision, Role role) {
  const auto found = precision.by_role.find(role);
  if (found != precision.by_role.end())
    return &found->second;
  return precision.by_default ? &*precision.by_default : nullptr;
}

}  // namespace

Status check_layer_names(const Graph& graph, const TypeRules& rules) {
  std::vector<std::string> known;
  for (const Op& op : graph.ops())
    if (!op.as<graph::Constant>())
      known.push_back(op.name);
  for (const auto& [name, precision] : rules.layer_name) {
    const bool is_known = std::any_of(graph.ops().begin(), graph.ops().end(), [&](const Op& op) {
      return !op.as<graph::Constant>() && names_layer(name, op);
    });
    if (!is_known) {
      const std::string nearest = nearest_name(name, known);
      return error(messages::UnknownLayer, precision.place, name,
                   nearest.empty() ? "" : "; did you mean '" + nearest + "'?");
    }
  }
  return {};
}

Result<FoundRule> find_rule(const TypeRules& rules, const Op& layer, Role role) {
  FoundRule found;
  const auto consider = [&](const Precision& precision) {
    if (found.entry)
      return;
    found.entry = entry_of(precision, role);
    if (found.entry)
      found.precision = &precision;
  };
  for (const auto& [name, precision] : rules.layer_name)
    if (names_layer(name, layer))
      consider(precision);
  found.is_named = found.entry != nullptr;
  for (const auto& [name, precision] : rules.layer_type)
    if (is_class_of(name, layer))
      consider(precision);
  consider(rules.model);
  if (!found.entry)
    return error(messages::NoRule, layer.where, to_string(role), layer.name);
  return found;
}

void set_inputs(TypeRules& rules, const Graph& graph, const Quantizer& quantizer,
                const std::string& place) {
  for (const graph::ValueId input : graph.inputs())
    rules.layer_name[graph.op(input).name] = {{}, Precision::Entry(quantizer), place};
}

TypeRules uniform_rules(const Quantizer& quantizer, const std::string& place) {
  TypeRules rules;
  rules.model.by_default = Precision::Entry(quantizer);
  rules.model.place = place;
  return rules;
}

std::span<const std::string_view> class_names(const Op& op) {
  return std::visit(
      Overloaded{
          [](const graph::Input&) { return Names(InputNames); },
          [](const graph::Requantize&) { return Names(QuantizerNames); },
          [](const graph::Conv2D&) { return Names(ConvNames); },
          [](const graph::ConvTranspose2D&) { return Names(ConvTransposeNames); },
          [](const graph::Dense&) { return Names(DenseNames); },
          [](const graph::Affine&) { return Names(AffineNames); },
          [](const graph::MaxPool&) { return Names(PoolNames); },
          [](const graph::AvgPool&) { return Names(PoolNames); },
          [](const graph::Concat&) { return Names(ConcatNames); },
          []<graph::BinaryFunction F>(const graph::Binary<F>&) { return Names(MergeNames); },
          [](const graph::Prelu&) { return Names(PreluNames); },
          [](const graph::Softmax&) { return Names(SoftmaxNames); },
          [](const graph::Relu&) { return Names(ActivationNames); },
          [](const graph::Unary&) { return Names(ActivationNames); },
          []<graph::ExactFunction F>(const graph::Exact<F>&) { return Names(ActivationNames); },
          [](const graph::Table&) { return Names(ActivationNames); },
          [](const auto&) { return Names(MoveNames); },
      },
      op.kind);
}

bool is_class_of(std::string_view name, const Op& op) {
  return contains(class_names(op), without_q(name));
}

bool is_class_name(std::string_view name) {
  name = without_q(name);
  const std::array all = {Names(InputNames),         Names(QuantizerNames), Names(ConvNames),
                          Names(DenseNames),         Names(AffineNames),    Names(PoolNames),
                          Names(ConcatNames),        Names(MergeNames),     Names(ActivationNames),
                          Names(PreluNames),         Names(SoftmaxNames),   Names(MoveNames),
                          Names(ConvTransposeNames), Names(OtherNames)};
  return std::any_of(all.begin(), all.end(), [&](Names names) { return contains(names, name); });
}

bool names_layer(std::string_view rule, const Op& op) {
  constexpr std::string_view Linear = "_linear";
  if (rule == op.name ||
      (rule.ends_with(Linear) && rule.substr(0, rule.size() - Linear.size()) == op.name))
    return true;
  std::string flat = op.name;
  std::replace(flat.begin(), flat.end(), '.', '_');
  return rule == flat;
}

Result<Graph> quantize_by_rules(const Graph& graph, const TypeRules& rules) {
  MR_TRY_STATUS(check_layer_names(graph, rules));
  MR_TRY(const Graph folded, fold_real_affine(graph));
  const auto choose = [&](const Site& site) -> Result<std::optional<ChosenType>> {
    const Op& layer = folded.op(site.layer);
    const auto rule = find_rule(rules, layer, site.role);
    if (!site.needs_type && !(rule && rule->is_named))
      return std::nullopt;
    if (!rule)
      return tl::unexpected(rule.error());
    if (*rule->entry)
      return ChosenType{**rule->entry, rule->precision->place};
    // "auto": sums and products of types are exact, and lowering makes constants exact or says why
    // not; other real numbers have no type of their own.
    if (site.needs_type && site.role == Role::Result && !is_exact_of_exact(layer))
      return error(messages::AutoImpossible, rule->precision->place, to_string(site.role),
                   layer.name, layer.mnemonic());
    return std::nullopt;
  };
  return assign_types(folded, choose);
}

}  // namespace millrace::quantize
