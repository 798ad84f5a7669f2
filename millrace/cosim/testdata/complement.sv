// SPDX-License-Identifier: Apache-2.0
// Inverts all bits of a beat wider than 64 bits; 1 cycle.
`default_nettype none

module complement (
    input  wire         clk_i,
    input  wire         rst_i,
    input  wire         in_valid_i,
    input  wire  [65:0] in_data_i,
    output logic        out_valid_o,
    output logic [65:0] out_data_o
);
  always_ff @(posedge clk_i) begin
    out_valid_o <= in_valid_i && !rst_i;
    out_data_o  <= ~in_data_i;
  end
endmodule

`default_nettype wire
