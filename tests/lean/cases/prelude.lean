prelude
inductive T : Type
  | a : T

theorem nothing : T := T.b
