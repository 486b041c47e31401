/- The header is not on the first line. -/
import Lean

open Lean

def name : Name := `a.b

theorem wrong : name = `a.c := rfl
