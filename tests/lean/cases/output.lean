#check Nat.succ
#eval 2 + 2
#eval "one line\nand another"
#print axioms Nat.add_comm
