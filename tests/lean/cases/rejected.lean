theorem three : 1 + 1 = 3 := rfl

theorem fine : 1 + 1 = 2 := rfl

def f (n : Nat) : String := n
