// SPDX-License-Identifier: Apache-2.0
// Types by rules for the whole model, a kind of layer, or one layer: the way of hls4ml's
// configuration files.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "millrace/quantize/assign_types.h"

namespace millrace::quantize {

/// The tables of hls4ml's functions, where a configuration says something of them: what stands
/// beside a layer's Precision. Only quantize_as_hls4ml() (quantize/hls4ml.h) looks at it.
struct TableRules {
  std::optional<Quantizer> table, exp_table, inv_table, inv_inp, inp_norm;
  std::optional<int64_t> size;
  std::string implementation = {};  ///< of softmax: "stable", "latency", "argmax"; empty: stable
};

/// The precision of a layer's values. No quantiser in a present entry: "auto", as exact sums give
/// it.
struct Precision {
  using Entry = std::optional<Quantizer>;
  std::map<Role, Entry> by_role;
  std::optional<Entry> by_default;  ///< of the roles without an entry
  std::string place;                ///< file and line, or the option
  TableRules tables = {};
};

/// The narrowest rule that says something of a value counts: that of its layer's name, of its
/// layer's class, of the model; in each the role's entry before the default.
struct TypeRules {
  Precision model;
  std::map<std::string, Precision> layer_type;  ///< by class_names(), "Dense", "Conv2D", ...
  std::map<std::string, Precision> layer_name;
};

/// Rules that give every value that needs one the same type.
TypeRules uniform_rules(const Quantizer& quantizer, const std::string& place);

/// What rules say of a value.
struct FoundRule {
  const Precision* precision = nullptr;  ///< the rule
  const Precision::Entry* entry = nullptr;
  bool is_named = false;  ///< it is one for the layer by its name
};

/// The narrowest rule that says something of a value of a layer.
/// Errors   quantize.no_rule: there is none.
Result<FoundRule> find_rule(const TypeRules& rules, const graph::Op& layer, Role role);

/// Errors   quantize.unknown_layer: a rule's name is none of the model's.
Status check_layer_names(const graph::Graph& graph, const TypeRules& rules);

/// Adds rules for the inputs, whatever others say of them.
void set_inputs(TypeRules& rules, const graph::Graph& graph, const Quantizer& quantizer,
                const std::string& place);

/// The names that Keras and hls4ml give the classes of layers that become this operation.
std::span<const std::string_view> class_names(const graph::Op& op);
/// True for those names, with or without QKeras' Q before them.
bool is_class_of(std::string_view name, const graph::Op& op);
/// True for every name that class_names() may give, and for classes that become no operation.
bool is_class_name(std::string_view name);

/// Whether `rule`, the name of a layer in a configuration file, means `op`: its own name, that name
/// with '_' for '.', or, with "_linear" behind it, the linear activation that hls4ml puts there.
bool names_layer(std::string_view rule, const graph::Op& op);

/// Folds batch normalisation into unquantised weights, and types what needs a type. Rules for one
/// layer by its name also replace the model's own quantisers, others do not.
///
/// Errors   quantize.unknown_layer: a rule's name is none of the model's;
///          quantize.auto_impossible: "auto" for a real number that has no exact type;
///          quantize.no_rule: a value needs a type and no rule gives one.
Result<graph::Graph> quantize_by_rules(const graph::Graph& graph, const TypeRules& rules);

}  // namespace millrace::quantize
