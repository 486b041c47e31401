/- Three values for which conversion is not transitive: for tests/integration/kernel/test_gates.c. -/
prelude
set_option autoBoundImplicitLocal false
universe u

inductive Nat
  | zero : Nat
  | succ (n : Nat) : Nat
inductive Bool : Type
  | false : Bool
  | true : Bool
inductive Eq {α : Sort u} (a : α) : α → Prop
  | refl {} : Eq a a
inductive Acc {α : Sort u} (r : α → α → Prop) : α → Prop
  | intro (x : α) (h : (y : α) → r y x → Acc r y) : Acc r x
namespace Nat
inductive next : Nat → Nat → Prop
  | mk (n : Nat) : next n (succ n)
end Nat
theorem Acc.inv {x y : Nat} (a : Acc Nat.next x) (h : Nat.next y x) : Acc Nat.next y :=
  Acc.rec (motive := fun x _ => Nat.next y x → Acc Nat.next y) (fun x k _ h => k y h) a h
noncomputable def step (x : Bool) (n : Nat) (ih : (m : Nat) → Nat.next m n → Bool) : Bool :=
  Nat.rec (motive := fun n => ((m : Nat) → Nat.next m n → Bool) → Bool)
    (fun _ => x) (fun k _ ih => ih k (Nat.next.mk k)) n ih
noncomputable def run (x : Bool) (n : Nat) (h : Acc Nat.next n) : Bool :=
  Acc.rec (motive := fun _ _ => Bool) (fun m _ => step x m) h
noncomputable def one : Nat := Nat.succ Nat.zero
axiom seed : Acc Nat.next one
noncomputable def a : Bool := run Bool.false one seed
noncomputable def b : Bool := run Bool.false one (Acc.intro one (fun y h => Acc.inv seed h))
noncomputable def c : Bool := run Bool.false Nat.zero (Acc.inv seed (Nat.next.mk Nat.zero))
noncomputable def P : Prop := Eq a b
noncomputable def Q : Prop := Eq a c
axiom witness : Q
noncomputable def gateOf (X : Type) (h : P) : Type := Eq.rec (motive := fun _ _ => Type) X h
noncomputable def gate (h : P) : Type 1 := Eq.rec (motive := fun _ _ => Type 1) Type h
noncomputable def propGate (h : P) : Type := Eq.rec (motive := fun _ _ => Type) Prop h
