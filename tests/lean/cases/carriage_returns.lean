theorem t : True :=
  trivial

theorem u : 1 = 2 :=
  rfl
