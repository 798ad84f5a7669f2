// SPDX-License-Identifier: Apache-2.0
#include "bench/adders_lines.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>

#include "millrace/report/table.h"

namespace millrace::bench {
namespace {

using Json = nlohmann::ordered_json;
using Figure = std::optional<double>;

constexpr std::string_view OurName = "effort";

bool is_ours(const Line& line) {
  return line.by.starts_with(OurName);
}

std::string with_digits(const Figure& figure, int digits) {
  return figure ? fmt::format("{:.{}f}", *figure, digits) : "";
}

/// "<= 1505 adders, <= 0.1 s".
std::string describe(const Target& target) {
  std::string text;
  const auto add = [&](const Figure& limit, const char* unit) {
    if (limit)
      text += fmt::format("{}<= {:g} {}", text.empty() ? "" : ", ", *limit, unit);
  };
  add(target.adders, "adders");
  add(target.bits, "bits");
  add(target.seconds, "s");
  add(target.megabytes, "MB");
  return text;
}

std::string describe_met(const Case& task, const Line& line) {
  std::string text;
  for (const Target& target : task.targets)
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", describe(target),
                        meets(line, target) ? "met" : "no");
  return text;
}

Json to_json(const Figure& figure) {
  return figure ? Json(*figure) : Json(nullptr);
}

Json to_json(const Line& line) {
  return {{"case", line.name},
          {"by", line.by},
          {"checksum", line.checksum},
          {"adders", line.adders},
          {"bits", to_json(line.bits)},
          {"da4ml_bits", to_json(line.da4ml_bits)},
          {"depth", to_json(line.depth)},
          {"seconds", to_json(line.seconds)},
          {"proof_seconds", to_json(line.proof_seconds)},
          {"megabytes", to_json(line.megabytes)}};
}

Line from_json(const Json& json) {
  const auto figure = [&](const char* key) {
    return json.contains(key) && !json[key].is_null() ? Figure(json[key].get<double>()) : Figure();
  };
  return {.name = json.at("case"),
          .by = json.at("by"),
          .checksum = json.at("checksum"),
          .adders = json.at("adders"),
          .bits = figure("bits"),
          .da4ml_bits = figure("da4ml_bits"),
          .depth = figure("depth"),
          .seconds = figure("seconds"),
          .proof_seconds = figure("proof_seconds"),
          .megabytes = figure("megabytes")};
}

/// The line of da4ml as it comes, measured on the same matrices.
const Line* find_da4ml(const std::vector<Line>& lines, const Line& line) {
  if (line.checksum == 0)
    return nullptr;
  for (const Line& other : lines)
    if (other.name == line.name && other.checksum == line.checksum &&
        other.by.starts_with("da4ml") && std::count(other.by.begin(), other.by.end(), ' ') == 1)
      return &other;
  return nullptr;
}

std::vector<std::string> cells(const Case& task, const Line& line, const Line* da4ml,
                               bool is_first) {
  return {is_first ? task.name : "",
          is_first ? fmt::format("{}, {} draw{}", task.set.entries, task.set.draws,
                                 task.set.draws == 1 ? "" : "s")
                   : "",
          line.by,
          with_digits(line.adders, 1),
          da4ml ? fmt::format("{:+.1f}", (line.adders / da4ml->adders - 1) * 100) : "",
          with_digits(line.bits, 0),
          with_digits(line.da4ml_bits, 0),
          with_digits(line.depth, 1),
          with_digits(line.seconds, 3),
          line.proof_seconds ? fmt::format("{:.2f}", *line.proof_seconds * 1e3) : "",
          with_digits(line.megabytes, 0),
          is_ours(line) ? describe_met(task, line) : ""};
}

}  // namespace

std::vector<Line> published_lines(const Case& task) {
  std::vector<Line> lines;
  for (const Published& published : task.published)
    lines.push_back({.name = task.name,
                     .by = published.by + " (published)",
                     .adders = published.adders,
                     .da4ml_bits = published.bits,
                     .seconds = published.seconds});
  return lines;
}

std::vector<Line> read_lines(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file)
    throw std::runtime_error(path.string() + " cannot be read");
  const Json content = Json::parse(file);
  std::vector<Line> lines;
  for (const Json& json : content.at("lines"))
    lines.push_back(from_json(json));
  if (lines.empty())
    throw std::runtime_error(path.string() + " has no lines");
  return lines;
}

bool meets(const Line& line, const Target& target) {
  const auto holds = [](const Figure& limit, const Figure& figure) {
    return !limit || (figure && *figure <= *limit);
  };
  return holds(target.adders, line.adders) && holds(target.bits, line.da4ml_bits) &&
         holds(target.seconds, line.seconds) && holds(target.megabytes, line.megabytes);
}

std::string to_text(const std::vector<Case>& cases, const std::vector<Line>& lines) {
  report::Table table{.columns = {{"case"},
                                  {"entries"},
                                  {"by"},
                                  {"adders", true},
                                  {"% to da4ml", true},
                                  {"bits", true},
                                  {"da4ml bits", true},
                                  {"depth", true},
                                  {"CPU s", true},
                                  {"proof ms", true},
                                  {"MB", true},
                                  {"to reach"}},
                      .rows = {}};
  for (const Case& task : cases) {
    bool is_first = true;
    for (const Line& line : lines) {
      if (line.name != task.name)
        continue;
      table.rows.push_back(cells(task, line, find_da4ml(lines, line), is_first));
      is_first = false;
    }
  }
  return table.to_text();
}

std::string to_json(const std::vector<Case>& cases, const std::vector<Line>& lines) {
  Json json = {{"lines", Json::array()}};
  for (const Case& task : cases)
    for (const Line& line : lines) {
      if (line.name != task.name)
        continue;
      Json entry = to_json(line);
      for (const Target& target : task.targets)
        if (is_ours(line))
          entry["targets"].push_back({{"reach", describe(target)}, {"met", meets(line, target)}});
      json["lines"].push_back(entry);
    }
  return json.dump(2) + '\n';
}

}  // namespace millrace::bench
