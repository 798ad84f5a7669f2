// SPDX-License-Identifier: Apache-2.0
// Wrong on purpose: its data belong to the cycle after its valid.
`default_nettype none

module late_reader (
    input  wire         clk_i,
    input  wire         rst_i,
    input  wire         in_valid_i,
    input  wire  [7:0] in_data_i,
    output logic        out_valid_o,
    output logic [7:0] out_data_o
);
  always_ff @(posedge clk_i) out_valid_o <= in_valid_i && !rst_i;
  assign out_data_o = in_data_i;
endmodule

`default_nettype wire
