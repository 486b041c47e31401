/-
Run-length encoding of a list, and the proof that decoding gives back what was encoded.
-/
namespace Rle

/-- `n` times `a`. -/
def repeated {α : Type} (n : Nat) (a : α) : List α :=
  match n with
  | 0 => []
  | n + 1 => a :: repeated n a

/-- One more `a` in front of the runs: joins the first run when it is of the same element. -/
def cons {α : Type} [DecidableEq α] (a : α) (runs : List (Nat × α)) : List (Nat × α) :=
  match runs with
  | [] => [(1, a)]
  | (n, b) :: rest => if a = b then (n + 1, b) :: rest else (1, a) :: (n, b) :: rest

def encode {α : Type} [DecidableEq α] (xs : List α) : List (Nat × α) :=
  match xs with
  | [] => []
  | x :: rest => cons x (encode rest)

def decode {α : Type} (runs : List (Nat × α)) : List α :=
  match runs with
  | [] => []
  | (n, a) :: rest => repeated n a ++ decode rest

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

end Rle
