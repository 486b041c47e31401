prelude
set_option autoBoundImplicitLocal false
universe u v w

inductive False : Prop
inductive True : Prop
  | intro : True
set_option bootstrap.inductiveCheckResultingUniverse false in
inductive PUnit : Sort u
  | unit : PUnit
structure PProd (α : Sort u) (β : Sort v) where
  fst : α
  snd : β
inductive Nat
  | zero : Nat
  | succ (n : Nat) : Nat
inductive Bool : Type
  | false : Bool
  | true : Bool
inductive Eq {α : Sort u} (a : α) : α → Prop
  | refl {} : Eq a a
inductive List (α : Type u)
  | nil : List α
  | cons (head : α) (tail : List α) : List α
structure Prod (α : Type u) (β : Type v) where
  fst : α
  snd : β
structure And (a b : Prop) : Prop where
  intro :: (left : a) (right : b)
inductive Tree (α : Type u)
  | node (value : α) (children : List (Tree α)) : Tree α
inductive Acc {α : Sort u} (r : α → α → Prop) : α → Prop
  | intro (x : α) (h : (y : α) → r y x → Acc r y) : Acc r x
mutual
inductive Ev : Nat → Prop
  | zero : Ev Nat.zero
  | succ (n : Nat) (h : Od n) : Ev (Nat.succ n)
inductive Od : Nat → Prop
  | succ (n : Nat) (h : Ev n) : Od (Nat.succ n)
end
structure Unit : Type where

noncomputable def Nat.add (m n : Nat) : Nat := Nat.rec (motive := fun _ => Nat) m (fun _ ih => Nat.succ ih) n
noncomputable def Nat.mul (m n : Nat) : Nat := Nat.rec (motive := fun _ => Nat) Nat.zero (fun _ ih => Nat.add ih m) n
noncomputable def Nat.pow (m n : Nat) : Nat := Nat.rec (motive := fun _ => Nat) (Nat.succ Nat.zero) (fun _ ih => Nat.mul ih m) n
noncomputable def Nat.pred (n : Nat) : Nat := Nat.rec (motive := fun _ => Nat) Nat.zero (fun k _ => k) n
noncomputable def Nat.sub (m n : Nat) : Nat := Nat.rec (motive := fun _ => Nat) m (fun _ ih => Nat.pred ih) n
noncomputable def Nat.beq (m n : Nat) : Bool :=
  Nat.rec (motive := fun _ => Nat → Bool)
    (fun n => Nat.rec (motive := fun _ => Bool) Bool.true (fun _ _ => Bool.false) n)
    (fun _ ih n => Nat.rec (motive := fun _ => Bool) Bool.false (fun k _ => ih k) n) m n
noncomputable def Nat.ble (m n : Nat) : Bool :=
  Nat.rec (motive := fun _ => Nat → Bool)
    (fun _ => Bool.true)
    (fun _ ih n => Nat.rec (motive := fun _ => Bool) Bool.false (fun k _ => ih k) n) m n

theorem two_two : Eq (Nat.add (Nat.succ (Nat.succ Nat.zero)) (Nat.succ (Nat.succ Nat.zero))) (Nat.succ (Nat.succ (Nat.succ (Nat.succ Nat.zero)))) := Eq.refl (Nat.succ (Nat.succ (Nat.succ (Nat.succ Nat.zero))))

theorem zero_add (n : Nat) : Eq (Nat.add Nat.zero n) n :=
  Nat.rec (motive := fun n => Eq (Nat.add Nat.zero n) n) (Eq.refl Nat.zero)
    (fun n ih => Eq.rec (motive := fun m _ => Eq (Nat.succ (Nat.add Nat.zero n)) (Nat.succ m)) (Eq.refl _) ih) n
theorem prod_eta (p : Prod Nat Bool) : Eq (Prod.mk p.fst p.snd) p := Eq.refl p
theorem irrelevant (p : Prop) (a b : p) : Eq a b := Eq.refl a
theorem fun_eta (f : Nat → Nat) : Eq (fun x => f x) f := Eq.refl f
theorem units (a b : Unit) : Eq a b := Eq.refl a
theorem use_let : Eq (let x := Nat.succ (Nat.succ (Nat.succ Nat.zero)); Nat.succ x) (Nat.succ (Nat.succ (Nat.succ (Nat.succ Nat.zero)))) := Eq.refl (Nat.succ (Nat.succ (Nat.succ (Nat.succ Nat.zero))))
theorem and_right (a b : Prop) (h : And a b) : b := h.right
theorem k_rule (a : Nat) (h : Eq a a) (x : Nat) : Eq (Eq.rec (motive := fun _ _ => Nat) x h) x := Eq.refl x
theorem ev2 : Ev (Nat.succ (Nat.succ Nat.zero)) := Ev.succ (Nat.succ Nat.zero) (Od.succ Nat.zero Ev.zero)
noncomputable def Tree.size (t : Tree Nat) : Nat :=
  Tree.rec (motive_1 := fun _ => Nat) (motive_2 := fun _ => Nat)
    (fun _ _ ih => Nat.succ ih) Nat.zero (fun _ _ a b => Nat.add a b) t
theorem tree_size : Eq (Tree.size (Tree.node Nat.zero (List.cons (Tree.node Nat.zero List.nil) List.nil))) (Nat.succ (Nat.succ Nat.zero)) := Eq.refl (Nat.succ (Nat.succ Nat.zero))
inductive HasNat : Prop
  | mk (n : Nat) : HasNat
structure Bits where
  first : Bool
  second : Bool
theorem bits_eta (b : Bits) : Eq (Bits.mk b.first b.second) b := Eq.refl b
axiom anything : False
theorem from_anything : False := anything
theorem poly (α : Sort u) (a : α) : Eq a a := Eq.refl a
/- The export continues with lit_add .. lit_ble, theorems about literals such as
   3 ^ 200 = 2656...0001, which this language level has no notation for. -/
