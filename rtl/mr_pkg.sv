// SPDX-License-Identifier: Apache-2.0
// Names of the rounding and overflow modes: AMD's ap_fixed (UG1399), in the order of
// millrace::Rounding and millrace::Overflow.

package mr_pkg;

  localparam int TRN         = 0;
  localparam int TRN_ZERO    = 1;
  localparam int RND         = 2;
  localparam int RND_ZERO    = 3;
  localparam int RND_MIN_INF = 4;
  localparam int RND_INF     = 5;
  localparam int RND_CONV    = 6;

  localparam int WRAP        = 0;
  localparam int SAT         = 1;
  localparam int SAT_ZERO    = 2;
  localparam int SAT_SYM     = 3;
  localparam int WRAP_SM     = 4;

endpackage : mr_pkg
