// SPDX-License-Identifier: Apache-2.0
// What run_trainer() and millrace-train say to each other: one JSON object as the only argument,
// answered by one JSON object a line on standard output.
//
//     {"event": "progress", "phase": "float", "epoch": 3, "epochs": 40, "validation_auc": 0.91}
//     {"event": "result", ...}          the members of TrainResult
//     {"event": "error", "code": ..., "message": ..., "where": ..., "help": ...}
//     {"event": "internal_error", "what": ...}
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "millrace/train/trainer.h"

namespace millrace::train {

/// An epoch is over.
struct ProgressEvent {
  std::string phase;  ///< "float" or "quantised"
  int epoch = 0;      ///< from 1
  int epochs = 0;
  double validation_auc = 0;

  friend bool operator==(const ProgressEvent&, const ProgressEvent&) = default;
};

/// The trainer's own fault.
struct InternalErrorEvent {
  std::string what;
};

using Event = std::variant<ProgressEvent, TrainResult, Diagnostic, InternalErrorEvent>;

/// The argument of millrace-train.
std::string format_request(const TrainRequest& request);
/// Reads what format_request() wrote; members that are absent keep their defaults.
/// Errors   train.bad_request: not a JSON object, an unknown member, a value of another type.
Result<TrainRequest> parse_request(std::string_view json);

/// One line, without the end of line.
std::string format_event(const Event& event);
/// The event in a line of output; none when it is something else, such as a library's warning.
std::optional<Event> parse_event(std::string_view line);

}  // namespace millrace::train
