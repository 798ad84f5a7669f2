// SPDX-License-Identifier: Apache-2.0
// Adds the 12 signed 6-bit elements of a frame; one beat a frame, 1 cycle after the last.
`default_nettype none

module frame_sum (
    input  wire         clk_i,
    input  wire         rst_i,
    input  wire         in_valid_i,
    input  wire  [5:0] in_data_i,
    output logic        out_valid_o,
    output logic [9:0] out_data_o
);
  logic [3:0] count_q;
  logic [9:0] sum_q, sum_d;
  logic is_last;

  assign is_last = in_valid_i && count_q == 4'd11;
  assign sum_d = {{4{in_data_i[5]}}, in_data_i} + (count_q == 4'd0 ? 10'd0 : sum_q);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      count_q     <= 4'd0;
      out_valid_o <= 1'b0;
    end else begin
      if (in_valid_i) count_q <= is_last ? 4'd0 : count_q + 4'd1;
      out_valid_o <= is_last;
    end
    if (in_valid_i) sum_q <= sum_d;
  end

  assign out_data_o = sum_q;
endmodule

`default_nettype wire
