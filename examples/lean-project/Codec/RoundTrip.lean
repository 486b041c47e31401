import Codec.Runs

namespace Codec

theorem decode_cons {α : Type} [DecidableEq α] (a : α) (runs : List (Nat × α)) :
    decode (cons a runs) = a :: decode runs := by
  cases runs with
  | nil => rfl
  | cons run rest =>
    cases run with
    | mk n b =>
      show decode (if a = b then (n + 1, b) :: rest else (1, a) :: (n, b) :: rest) = _
      cases (inferInstance : Decidable (a = b)) with
      | isTrue h => subst h; rw [if_pos rfl]; rfl
      | isFalse h => rw [if_neg h]; rfl

/-- Nothing is lost. -/
theorem decode_encode {α : Type} [DecidableEq α] (xs : List α) : decode (encode xs) = xs := by
  induction xs with
  | nil => rfl
  | cons x rest ih =>
    show decode (cons x (encode rest)) = x :: rest
    rw [decode_cons, ih]

end Codec
