/-
Natural numbers from scratch: addition and multiplication are commutative, by induction and by
nothing else.
-/
inductive N where
  | zero : N
  | succ : N → N

namespace N

def add (a b : N) : N :=
  match b with
  | zero => a
  | succ b => succ (add a b)

def mul (a b : N) : N :=
  match b with
  | zero => zero
  | succ b => add (mul a b) a

theorem zero_add (a : N) : add zero a = a := by
  induction a with
  | zero => rfl
  | succ a ih => exact congrArg succ ih

theorem succ_add (a b : N) : add (succ a) b = succ (add a b) := by
  induction b with
  | zero => rfl
  | succ b ih => exact congrArg succ ih

theorem add_comm (a b : N) : add a b = add b a := by
  induction b with
  | zero => exact (zero_add a).symm
  | succ b ih => exact (congrArg succ ih).trans (succ_add b a).symm

theorem add_assoc (a b c : N) : add (add a b) c = add a (add b c) := by
  induction c with
  | zero => rfl
  | succ c ih => exact congrArg succ ih

theorem zero_mul (a : N) : mul zero a = zero := by
  induction a with
  | zero => rfl
  | succ a ih => exact ih

theorem succ_mul (a b : N) : mul (succ a) b = add (mul a b) b := by
  induction b with
  | zero => rfl
  | succ b ih =>
    show succ (add (mul (succ a) b) a) = succ (add (add (mul a b) a) b)
    rw [ih, add_assoc, add_comm b a, ← add_assoc]

theorem mul_comm (a b : N) : mul a b = mul b a := by
  induction b with
  | zero => exact (zero_mul a).symm
  | succ b ih =>
    show add (mul a b) a = mul (succ b) a
    rw [ih, succ_mul]

end N
