/- Run-length encoding of a list. -/
namespace Codec

/-- `n` times `a`. -/
def repeated {α : Type} (n : Nat) (a : α) : List α :=
  match n with
  | 0 => []
  | n + 1 => a :: repeated n a

/-- One more `a` in front of the runs: joins the first run when that is of the same element. -/
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

end Codec
