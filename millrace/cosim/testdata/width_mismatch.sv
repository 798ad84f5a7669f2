// SPDX-License-Identifier: Apache-2.0
// Legal, but Verilator warns: the widths of an assignment differ.
`default_nettype none

module width_mismatch (
    input  wire         clk_i,
    input  wire         rst_i,
    input  wire         in_valid_i,
    input  wire  [7:0] in_data_i,
    output logic        out_valid_o,
    output logic [7:0] out_data_o
);
  logic [3:0] narrow_q;

  always_ff @(posedge clk_i) begin
    out_valid_o <= in_valid_i && !rst_i;
    narrow_q    <= in_data_i;
  end

  assign out_data_o = {4'd0, narrow_q};
endmodule

`default_nettype wire
