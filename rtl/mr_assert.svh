// SPDX-License-Identifier: Apache-2.0
// Assertion macros. One definition per tool, chosen here and nowhere else.
//
//   `MR_ASSERT_STATIC  parameter contract; fails elaboration in Verilator and Yosys.
//   `MR_ASSERT         clocked property over clk_i/rst_i; active in Verilator.
//
// Yosys 0.23 and Icarus 11 cannot parse clocked properties, Icarus no elaboration tasks either.
`ifndef MR_ASSERT_SVH
`define MR_ASSERT_SVH

`ifdef __ICARUS__
  `define MR_ASSERT_STATIC(__name, __cond)
  `define MR_ASSERT(__name, __prop)
`else
  `define MR_ASSERT_STATIC(__name, __cond) \
    if (!(__cond)) begin : gen_fail_``__name \
      $error(`"__name: __cond`"); \
    end
  `ifdef YOSYS
    `define MR_ASSERT(__name, __prop)
  `else
    `define MR_ASSERT(__name, __prop) \
      __name : assert property (@(posedge clk_i) disable iff (rst_i) (__prop)) \
      else $error("%m: %s", `"__prop`");
  `endif
`endif

`endif  // MR_ASSERT_SVH
