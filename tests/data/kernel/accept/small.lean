prelude
universe u v

inductive False : Prop
structure And (a b : Prop) : Prop where
  intro :: (left : a) (right : b)
set_option bootstrap.inductiveCheckResultingUniverse false in
inductive PUnit : Sort u
  | unit : PUnit
inductive Nat
  | zero : Nat
  | succ (n : Nat) : Nat
inductive List (α : Type u)
  | nil : List α
  | cons (head : α) (tail : List α) : List α
inductive Tree (α : Type u)
  | node (value : α) (children : List (Tree α)) : Tree α
inductive Eq {α : Sort u} (a : α) : α → Prop
  | refl {} : Eq a a
inductive Acc {α : Sort u} (r : α → α → Prop) : α → Prop
  | intro (x : α) (h : (y : α) → r y x → Acc r y) : Acc r x
structure Prod (α : Type u) (β : Type v) where
  fst : α
  snd : β

theorem and_swap (a b : Prop) (h : And a b) : And b a := And.intro h.right h.left
theorem prod_eta (p : Prod Nat Nat) : Eq (Prod.mk p.fst p.snd) p := Eq.refl p
noncomputable def Tree.size (t : Tree Nat) : Nat :=
  Tree.rec (motive_1 := fun _ => Nat) (motive_2 := fun _ => Nat)
    (fun _ _ ih => Nat.succ ih) Nat.zero (fun _ _ a b => Nat.succ b) t
theorem tree_size : Eq (Tree.size (Tree.node Nat.zero (List.cons (Tree.node Nat.zero List.nil) List.nil)))
    (Nat.succ (Nat.succ Nat.zero)) := Eq.refl (Nat.succ (Nat.succ Nat.zero))
axiom anything : False
theorem from_anything : False := anything
