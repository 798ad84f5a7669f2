// SPDX-License-Identifier: Apache-2.0
// Gives every beat back after 3 cycles.
`default_nettype none

module delay_three (
    input  wire         clk_i,
    input  wire         rst_i,
    input  wire         in_valid_i,
    input  wire  [7:0] in_data_i,
    output logic        out_valid_o,
    output logic [7:0] out_data_o
);
  logic [2:0] valid_q;
  logic [7:0] first_q, second_q, third_q;

  always_ff @(posedge clk_i) begin
    valid_q  <= rst_i ? 3'b000 : {valid_q[1:0], in_valid_i};
    first_q  <= in_data_i;
    second_q <= first_q;
    third_q  <= second_q;
  end

  assign out_valid_o = valid_q[2];
  assign out_data_o  = third_q;
endmodule

`default_nettype wire
