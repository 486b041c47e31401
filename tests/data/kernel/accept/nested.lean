/- Blocks with more to them: containers that ignore or pass on their parameters, indices, arrows,
   and quotients. For tests/integration/kernel/test_forged_blocks.c and test_transforms.c. -/
prelude
set_option autoBoundImplicitLocal false
universe u v

inductive False : Prop
inductive Nat
  | zero : Nat
  | succ (n : Nat) : Nat
inductive Bool : Type
  | false : Bool
  | true : Bool
inductive Eq {α : Sort u} (a : α) : α → Prop
  | refl {} : Eq a a
init_quot

/- `Phantom` uses no parameter, so that nothing of it is left in its constructors. -/
inductive Phantom (α : Type) : Type
  | mk : Phantom α
axiom Pick : Type → Nat → Type
inductive Hidden
  | mk (x : Phantom (Pick Hidden Nat.zero)) : Hidden

inductive Vec (α : Type u) : Nat → Type u
  | nil : Vec α Nat.zero
  | cons (n : Nat) (head : α) (tail : Vec α n) : Vec α (Nat.succ n)
inductive Rose (α : Type u)
  | node (n : Nat) (value : α) (children : Vec (Rose α) n) : Rose α
inductive Wide
  | leaf : Wide
  | sup (children : Nat → Phantom (Phantom Wide)) (more : Nat → Wide) : Wide
mutual
inductive Even : Nat → Type
  | zero : Even Nat.zero
  | succ (n : Nat) (h : Odd n) : Even (Nat.succ n)
inductive Odd : Nat → Type
  | succ (n : Nat) (h : Even n) : Odd (Nat.succ n)
end

noncomputable def Even.half {n : Nat} (e : Even n) : Nat :=
  Even.rec (motive_1 := fun _ _ => Nat) (motive_2 := fun _ _ => Nat)
    Nat.zero (fun _ _ ih => ih) (fun _ _ ih => Nat.succ ih) e
theorem half_of_two : Eq (Even.half (Even.succ (Nat.succ Nat.zero) (Odd.succ Nat.zero Even.zero)))
    (Nat.succ Nat.zero) := Eq.refl (Nat.succ Nat.zero)
noncomputable def Rose.size {α : Type u} (r : Rose α) : Nat :=
  Rose.rec (motive_1 := fun _ => Nat) (motive_2 := fun _ _ => Nat)
    (fun _ _ _ ih => Nat.succ ih) Nat.zero (fun _ _ _ a b => Nat.rec (motive := fun _ => Nat) a (fun _ ih => Nat.succ ih) b) r
theorem size_of_one : Eq (Rose.size (Rose.node Nat.zero Nat.zero Vec.nil)) (Nat.succ Nat.zero) :=
  Eq.refl (Nat.succ Nat.zero)

theorem lift_mk {α : Sort u} {β : Sort v} (r : α → α → Prop) (f : α → β)
    (h : (a b : α) → r a b → Eq (f a) (f b)) (a : α) : Eq (Quot.lift f h (Quot.mk r a)) (f a) :=
  Eq.refl (f a)
theorem quot_ind {α : Sort u} (r : α → α → Prop) (p : Quot r → Prop)
    (h : (a : α) → p (Quot.mk r a)) (q : Quot r) : p q := Quot.ind h q
