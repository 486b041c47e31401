example : 1 = 2 := rfl
#exit
example : 2 = 3 := rfl
