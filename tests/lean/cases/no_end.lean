namespace A
section
example : 1 = 2 := rfl