// SPDX-License-Identifier: Apache-2.0
// Asserts that no beat is 7.
`default_nettype none

module refuses_seven (
    input  wire         clk_i,
    input  wire         rst_i,
    input  wire         in_valid_i,
    input  wire  [7:0] in_data_i,
    output logic        out_valid_o,
    output logic [7:0] out_data_o
);
  always_ff @(posedge clk_i) begin
    out_valid_o <= in_valid_i && !rst_i;
    out_data_o  <= in_data_i;
  end

  NotSeven_A: assert property (@(posedge clk_i) disable iff (rst_i) in_valid_i |-> in_data_i != 8'd7)
    else $error("a beat is seven");
endmodule

`default_nettype wire
