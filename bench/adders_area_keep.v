// SPDX-License-Identifier: Apache-2.0
// Techmap rules for Yosys: each adder to a carry chain of its own. Without them, alumacc merges
// adders that have one reader into sums of several operands, which take more LUTs.
(* techmap_celltype = "$add $sub" *)
module keep_adder #(
  parameter _TECHMAP_CELLTYPE_ = "",
  parameter A_SIGNED = 0,
  parameter B_SIGNED = 0,
  parameter A_WIDTH = 1,
  parameter B_WIDTH = 1,
  parameter Y_WIDTH = 1
) (
  input  [A_WIDTH-1:0] A,
  input  [B_WIDTH-1:0] B,
  output [Y_WIDTH-1:0] Y
);

  localparam Subtract = _TECHMAP_CELLTYPE_ == "$sub";
  wire [Y_WIDTH-1:0] propagate, carry;

  \$alu #(
    .A_SIGNED(A_SIGNED),
    .B_SIGNED(B_SIGNED),
    .A_WIDTH (A_WIDTH),
    .B_WIDTH (B_WIDTH),
    .Y_WIDTH (Y_WIDTH)
  ) _TECHMAP_REPLACE_ (
    .A (A),
    .B (B),
    .CI(Subtract),
    .BI(Subtract),
    .X (propagate),
    .Y (Y),
    .CO(carry)
  );

endmodule
