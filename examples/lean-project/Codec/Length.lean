import Codec.Runs

namespace Codec

theorem length_repeated {α : Type} (n : Nat) (a : α) : (repeated n a).length = n := by
  induction n with
  | zero => rfl
  | succ n ih => exact congrArg Nat.succ ih

/-- A list is no longer as runs than as it was. -/
theorem length_cons {α : Type} [DecidableEq α] (a : α) (runs : List (Nat × α)) :
    (cons a runs).length ≤ runs.length + 1 := by
  cases runs with
  | nil => exact Nat.le_refl 1
  | cons run rest =>
    cases run with
    | mk n b =>
      show (if a = b then (n + 1, b) :: rest else (1, a) :: (n, b) :: rest).length ≤ _
      cases (inferInstance : Decidable (a = b)) with
      | isTrue h => rw [if_pos h]; exact Nat.le_succ _
      | isFalse h => rw [if_neg h]; exact Nat.le_refl _

theorem length_encode {α : Type} [DecidableEq α] (xs : List α) :
    (encode xs).length ≤ xs.length := by
  induction xs with
  | nil => exact Nat.le_refl 0
  | cons x rest ih =>
    exact Nat.le_trans (length_cons x (encode rest)) (Nat.succ_le_succ ih)

end Codec
