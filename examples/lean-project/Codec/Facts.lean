import Codec.RoundTrip

namespace Codec

theorem repeated_zero {α : Type} (a : α) : repeated 0 a = [] := rfl

theorem repeated_succ {α : Type} (n : Nat) (a : α) :
    repeated (n + 1) a = a :: repeated n a := rfl

theorem repeated_add {α : Type} (m n : Nat) (a : α) :
    repeated (m + n) a = repeated m a ++ repeated n a := by
  induction m with
  | zero =>
    show repeated (0 + n) a = repeated n a
    rw [Nat.zero_add]
  | succ m ih =>
    have h : m + 1 + n = m + n + 1 := Nat.succ_add m n
    show repeated (m + 1 + n) a = a :: (repeated m a ++ repeated n a)
    rw [h]
    show a :: repeated (m + n) a = a :: (repeated m a ++ repeated n a)
    rw [ih]

theorem encode_nil {α : Type} [DecidableEq α] : encode ([] : List α) = [] := rfl

theorem decode_nil {α : Type} : decode ([] : List (Nat × α)) = [] := rfl

theorem decode_one {α : Type} (n : Nat) (a : α) : decode [(n, a)] = repeated n a :=
  List.append_nil (repeated n a)

/-- Runs can be decoded piece by piece. -/
theorem decode_append {α : Type} (xs ys : List (Nat × α)) :
    decode (xs ++ ys) = decode xs ++ decode ys := by
  induction xs with
  | nil => rfl
  | cons run rest ih =>
    cases run with
    | mk n a =>
      show repeated n a ++ decode (rest ++ ys) = (repeated n a ++ decode rest) ++ decode ys
      rw [ih, List.append_assoc]

/-- Different lists have different runs. -/
theorem encode_injective {α : Type} [DecidableEq α] {xs ys : List α}
    (h : encode xs = encode ys) : xs = ys := by
  have same : decode (encode xs) = decode (encode ys) := congrArg decode h
  rw [decode_encode, decode_encode] at same
  exact same

end Codec
