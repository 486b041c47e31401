def x := 1
import Lean
example : x = 2 := rfl
