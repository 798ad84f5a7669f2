// SPDX-License-Identifier: Apache-2.0
// No register at all: 0 cycles. Its port is of the middle size, 33 to 64 bits.
`default_nettype none

module wire_through (
    input  wire         clk_i,
    input  wire         rst_i,
    input  wire         in_valid_i,
    input  wire  [39:0] in_data_i,
    output logic        out_valid_o,
    output logic [39:0] out_data_o
);
  // verilator lint_off UNUSEDSIGNAL
  logic unused;
  // verilator lint_on UNUSEDSIGNAL
  assign unused = clk_i ^ rst_i;

  assign out_valid_o = in_valid_i;
  assign out_data_o  = in_data_i;
endmodule

`default_nettype wire
