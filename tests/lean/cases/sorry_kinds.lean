def f : Nat := sorry
instance : Inhabited Nat := sorry
example : 1 = 2 := by
  admit
theorem t : 1 = 2 := sorryAx _
structure S where
  a : Nat := sorry
