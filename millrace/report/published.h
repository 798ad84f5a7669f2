// SPDX-License-Identifier: Apache-2.0
// What others published about a network: data/published/NETWORK.json.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/report/records.h"
#include "millrace/support/diagnostics.h"

namespace millrace::report {

/// A circuit as published. 0 stands for what was not.
struct PublishedDesign {
  std::string name = {}, description = {};
  int64_t latency_cycles = 0, interval_cycles = 0;
  int64_t lut = 0, ff = 0, dsp = 0, bram18 = 0;
  double accuracy = 0, auc = 0;

  template <class Visitor>
  void visit(Visitor& visitor) {
    visitor("name", name);
    visitor("description", description);
    visitor("latency_cycles", latency_cycles);
    visitor("interval_cycles", interval_cycles);
    visitor("lut", lut);
    visitor("ff", ff);
    visitor("dsp", dsp);
    visitor("bram18", bram18);
    visitor("accuracy", accuracy);
    visitor("auc", auc);
  }
};

/// How well a network of some precision classifies, as published.
struct PublishedAuc {
  std::string precision = {};
  double auc = 0;

  template <class Visitor>
  void visit(Visitor& visitor) {
    visitor("precision", precision);
    visitor("auc", auc);
  }
};

struct Published {
  static constexpr std::string_view Name = "published figures";
  std::string network = {}, source = {}, part = {};
  double clock_ns = 0;
  int64_t parameters = 0, multiplications = 0;  ///< which the network is known by
  std::vector<PublishedDesign> designs = {};
  std::vector<PublishedAuc> auc = {};
  std::string auc_source = {};

  template <class Visitor>
  void visit(Visitor& visitor) {
    visitor("network", network);
    visitor("source", source);
    visitor("part", part);
    visitor("clock_ns", clock_ns);
    visitor("parameters", parameters);
    visitor("multiplications", multiplications);
    visitor("designs", designs);
    visitor("auc", auc);
    visitor("auc_source", auc_source);
  }
};

/// The figures published about a network with the same numbers of parameters and
/// multiplications, if there are any.
/// Errors   a data file that is not of the form above.
Result<std::optional<Published>> find_published(const NetworkRecord& network);

}  // namespace millrace::report
