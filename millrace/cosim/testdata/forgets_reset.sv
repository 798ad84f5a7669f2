// SPDX-License-Identifier: Apache-2.0
// Wrong on purpose: adds to a register that nothing sets at the start.
`default_nettype none

module forgets_reset (
    input  wire         clk_i,
    input  wire         rst_i,
    input  wire         in_valid_i,
    input  wire  [7:0] in_data_i,
    output logic        out_valid_o,
    output logic [7:0] out_data_o
);
  logic [7:0] sum_q;

  always_ff @(posedge clk_i) begin
    out_valid_o <= in_valid_i && !rst_i;
    if (in_valid_i) sum_q <= sum_q + in_data_i;
  end

  assign out_data_o = sum_q;
endmodule

`default_nettype wire
