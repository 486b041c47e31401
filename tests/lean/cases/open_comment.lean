example : 1 = 2 := rfl
/- nobody closes this
example : 1 = 2 := rfl
