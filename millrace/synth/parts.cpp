// SPDX-License-Identifier: Apache-2.0
#include "millrace/synth/parts.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "millrace/support/files.h"
#include "millrace/support/names.h"
#include "millrace/synth/messages.h"

namespace millrace::synth {
namespace {

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return text;
}

/// The three known names that are nearest to `name`, as text.
std::string nearest_names(const std::string& name, const std::vector<Part>& parts) {
  constexpr size_t NumShown = 3;
  std::vector<std::pair<size_t, std::string>> sorted;
  sorted.reserve(parts.size());
  for (const Part& part : parts)
    sorted.emplace_back(std::min(edit_distance(name, part.name), edit_distance(name, part.device)),
                        part.name);
  std::sort(sorted.begin(), sorted.end());
  std::string text;
  for (size_t i = 0; i < std::min(NumShown, sorted.size()); ++i)
    text += (i == 0 ? "" : ", ") + sorted[i].second;
  return text;
}

double share(int64_t used, int64_t held) {
  if (held == 0)
    return used == 0 ? 0.0 : 1e9;  // a resource that the part has not got
  return static_cast<double>(used) / static_cast<double>(held);
}

}  // namespace

Result<std::vector<Part>> parse_parts(std::string_view json, const std::string& where) {
  std::vector<Part> parts;
  try {
    const auto table = nlohmann::json::parse(json);
    for (const auto& row : table.at("parts")) {
      Part part;
      part.name = row.at("name").get<std::string>();
      part.device = part.name.substr(0, part.name.find('-'));
      part.family = row.at("family").get<std::string>();
      part.holds.lut = row.at("lut").get<int64_t>();
      part.holds.ff = row.at("ff").get<int64_t>();
      part.holds.dsp = row.at("dsp").get<int64_t>();
      part.holds.bram18 = row.at("bram18").get<int64_t>();
      parts.push_back(std::move(part));
    }
  } catch (const nlohmann::json::exception& fault) {
    return error(messages::DamagedParts, where, fault.what());
  }
  return parts;
}

Result<std::vector<Part>> load_parts() {
  MR_TRY(const auto directory, find_data_dir("parts"));
  MR_TRY(const std::string text, read_file(directory / "parts.json"));
  return parse_parts(text, (directory / "parts.json").string());
}

Result<Part> find_part(const std::string& name) {
  MR_TRY(const std::vector<Part> parts, load_parts());
  const std::string wanted = lower_case(name);
  for (const Part& part : parts)
    if (part.name == wanted || part.device == wanted)
      return part;
  return error(messages::UnknownPart, "", name, nearest_names(wanted, parts));
}

double Utilisation::highest() const {
  return std::max({lut, ff, dsp, bram18});
}

Utilisation utilisation(const Area& used, const Part& part) {
  return {.lut = share(used.lut, part.holds.lut),
          .ff = share(used.ff, part.holds.ff),
          .dsp = share(used.dsp, part.holds.dsp),
          .bram18 = share(used.bram18, part.holds.bram18)};
}

}  // namespace millrace::synth
