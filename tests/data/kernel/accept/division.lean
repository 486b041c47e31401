/- Division and what rests on it, by recursion over accessibility: for tests/integration/kernel/test_division.c. -/
prelude
set_option autoBoundImplicitLocal false
universe u v w

inductive False : Prop
set_option bootstrap.inductiveCheckResultingUniverse false in
inductive PUnit : Sort u
  | unit : PUnit
inductive Nat
  | zero : Nat
  | succ (n : Nat) : Nat
inductive Bool : Type
  | false : Bool
  | true : Bool
inductive Eq {α : Sort u} (a : α) : α → Prop
  | refl {} : Eq a a
structure And (a b : Prop) : Prop where
  intro :: (left : a) (right : b)
structure PProd (α : Sort u) (β : Sort v) where
  fst : α
  snd : β
inductive Acc {α : Sort u} (r : α → α → Prop) : α → Prop
  | intro (x : α) (h : (y : α) → r y x → Acc r y) : Acc r x
inductive Decidable (p : Prop) : Type
  | isFalse (h : p → False) : Decidable p
  | isTrue (h : p) : Decidable p
namespace Nat
inductive le (n : Nat) : Nat → Prop
  | refl : le n n
  | step {m : Nat} (h : le n m) : le n (Nat.succ m)
end Nat

noncomputable def Nat.add (m n : Nat) : Nat := Nat.rec (motive := fun _ => Nat) m (fun _ ih => Nat.succ ih) n
noncomputable def Nat.mul (m n : Nat) : Nat := Nat.rec (motive := fun _ => Nat) Nat.zero (fun _ ih => Nat.add ih m) n
noncomputable def Nat.pred (n : Nat) : Nat := Nat.rec (motive := fun _ => Nat) Nat.zero (fun k _ => k) n
noncomputable def Nat.sub (m n : Nat) : Nat := Nat.rec (motive := fun _ => Nat) m (fun _ ih => Nat.pred ih) n

/- The order, and that it is decided and well-founded. -/
namespace Nat
theorem leTrans {a b c : Nat} (h : le a b) (k : le b c) : le a c :=
  le.rec (motive := fun c _ => le a c) h (fun _ ih => le.step ih) k
theorem predLe' (n : Nat) : le (pred n) n :=
  Nat.rec (motive := fun n => le (pred n) n) le.refl (fun n _ => le.step le.refl) n
theorem predLe {a b : Nat} (h : le a b) : le (pred a) (pred b) :=
  le.rec (motive := fun b _ => le (pred a) (pred b)) le.refl
    (fun {m} _ ih => leTrans ih (predLe' m)) h
theorem zeroLe (n : Nat) : le zero n :=
  Nat.rec (motive := fun n => le zero n) le.refl (fun _ ih => le.step ih) n
theorem succLe {a b : Nat} (h : le a b) : le (succ a) (succ b) :=
  le.rec (motive := fun b _ => le (succ a) (succ b)) le.refl
    (fun {m} _ ih => @le.step (succ a) (succ m) ih) h
noncomputable def isZero (n : Nat) : Prop :=
  Nat.rec (motive := fun _ => Prop) (Eq zero zero) (fun _ _ => False) n
theorem zeroIsZero : isZero zero := Eq.refl zero
theorem succNotZero {n : Nat} (h : Eq zero (succ n)) : False :=
  @Eq.rec Nat zero (fun m _ => isZero m) zeroIsZero (succ n) h
theorem leZero {m n : Nat} (h : le m n) (k : Eq zero n) : isZero m :=
  le.rec (motive := fun n _ => Eq zero n → isZero m)
    (fun k => @Eq.rec Nat zero (fun m _ => isZero m) zeroIsZero m k)
    (fun {n} _ _ k => False.rec (fun _ => isZero m) (@succNotZero n k)) h k
theorem notSuccLeZero {n : Nat} (h : le (succ n) zero) : False := leZero h (Eq.refl zero)
noncomputable def lt (a b : Nat) : Prop := le (succ a) b
theorem accInv {x y : Nat} (a : Acc lt x) (h : lt y x) : Acc lt y :=
  Acc.rec (motive := fun x _ => lt y x → Acc lt y) (fun x k _ h => k y h) a h
theorem accLe {x y : Nat} (h : le y x) : Acc lt x → Acc lt y :=
  le.rec (motive := fun x _ => Acc lt x → Acc lt y) (fun a => a)
    (fun {m} _ ih a => ih (@accInv (succ m) m a le.refl)) h
theorem acc (n : Nat) : Acc lt n :=
  Nat.rec (motive := fun n => Acc lt n)
    (Acc.intro zero (fun y h => False.rec (fun _ => Acc lt y) (notSuccLeZero h)))
    (fun n ih => Acc.intro (succ n) (fun y h => @accLe n y (@predLe (succ y) (succ n) h) ih)) n
theorem subLe (x y : Nat) : le (sub x y) x :=
  Nat.rec (motive := fun y => le (sub x y) x) le.refl (fun y ih => leTrans (predLe' (sub x y)) ih) y
theorem subLt {x y : Nat} : le (succ zero) y → le y x → lt (sub x y) x :=
  Nat.rec (motive := fun y => le (succ zero) y → le y x → lt (sub x y) x)
    (fun h _ => False.rec (fun _ => lt (sub x zero) x) (notSuccLeZero h))
    (fun y _ _ => Nat.rec (motive := fun x => le (succ y) x → lt (sub x (succ y)) x)
      (fun h => False.rec (fun _ => lt (sub zero (succ y)) zero) (notSuccLeZero h))
      (fun x _ _ => @succLe (pred (sub (succ x) y)) x (@predLe (sub (succ x) y) (succ x) (subLe (succ x) y))) x) y
theorem ltOfNotLe (a : Nat) : (b : Nat) → (le a b → False) → lt b a :=
  Nat.rec (motive := fun a => (b : Nat) → (le a b → False) → lt b a)
    (fun b h => False.rec (fun _ => lt b zero) (h (zeroLe b)))
    (fun a ih b => Nat.rec (motive := fun b => (le (succ a) b → False) → lt b (succ a))
      (fun _ => @succLe zero a (zeroLe a))
      (fun b _ h => @succLe (succ b) a (ih b (fun k => h (@succLe a b k)))) b) a
noncomputable def decLe (a : Nat) : (b : Nat) → Decidable (le a b) :=
  Nat.rec (motive := fun a => (b : Nat) → Decidable (le a b))
    (fun b => Decidable.isTrue (zeroLe b))
    (fun a ih b => Nat.rec (motive := fun b => Decidable (le (succ a) b))
      (Decidable.isFalse (fun h => notSuccLeZero h))
      (fun b _ => Decidable.rec (motive := fun _ => Decidable (le (succ a) (succ b)))
        (fun h => Decidable.isFalse (fun k => h (predLe k)))
        (fun h => Decidable.isTrue (succLe h)) (ih b)) b) a
theorem congr (f : Nat → Nat) {a b : Nat} (h : Eq a b) : Eq (f a) (f b) :=
  Eq.rec (motive := fun b _ => Eq (f a) (f b)) (Eq.refl (f a)) h
theorem symm {a b : Nat} (h : Eq a b) : Eq b a :=
  Eq.rec (motive := fun b _ => Eq b a) (Eq.refl a) h
noncomputable def decEq (a : Nat) : (b : Nat) → Decidable (Eq a b) :=
  Nat.rec (motive := fun a => (b : Nat) → Decidable (Eq a b))
    (fun b => Nat.rec (motive := fun b => Decidable (Eq zero b)) (Decidable.isTrue (Eq.refl zero))
      (fun b _ => Decidable.isFalse (fun h => succNotZero h)) b)
    (fun a ih b => Nat.rec (motive := fun b => Decidable (Eq (succ a) b))
      (Decidable.isFalse (fun h => succNotZero (symm h)))
      (fun b _ => Decidable.rec (motive := fun _ => Decidable (Eq (succ a) (succ b)))
        (fun h => Decidable.isFalse (fun k => h (congr pred k)))
        (fun h => Decidable.isTrue (congr succ h)) (ih b)) b) a
end Nat
noncomputable def decAnd (a b : Prop) (d : Decidable a) (e : Decidable b) : Decidable (And a b) :=
  Decidable.rec (motive := fun _ => Decidable (And a b))
    (fun h => Decidable.isFalse (fun k => h k.left))
    (fun h => Decidable.rec (motive := fun _ => Decidable (And a b))
      (fun h => Decidable.isFalse (fun k => h k.right))
      (fun k => Decidable.isTrue (And.intro h k)) e) d
noncomputable def dite (c : Prop) (d : Decidable c) (t : c → Nat) (e : (c → False) → Nat) : Nat :=
  Decidable.rec (motive := fun _ => Nat) e t d
theorem diteAll (P : Nat → Prop) (c : Prop) (d : Decidable c) (t : c → Nat) (e : (c → False) → Nat)
    (ht : (h : c) → P (t h)) (he : (h : c → False) → P (e h)) : P (dite c d t e) :=
  Decidable.rec (motive := fun d => P (dite c d t e)) he ht d
noncomputable def decide (c : Prop) (d : Decidable c) : Bool :=
  Decidable.rec (motive := fun _ => Bool) (fun _ => Bool.false) (fun _ => Bool.true) d
noncomputable def cond (b : Bool) (t e : Nat) : Nat := Bool.rec (motive := fun _ => Nat) e t b

namespace Nat
/- Division as compilers of well-founded recursion make it. -/
noncomputable def fits (y x : Nat) : Prop := And (lt zero y) (le y x)
noncomputable def decFits (y x : Nat) : Decidable (fits y x) := decAnd _ _ (decLe (succ zero) y) (decLe y x)
noncomputable def divAcc (y x : Nat) (a : Acc lt x) : Nat :=
  Acc.rec (motive := fun _ _ => Nat)
    (fun x _ ih => dite (fits y x) (decFits y x)
      (fun h => succ (ih (sub x y) (subLt h.left h.right))) (fun _ => zero)) a
noncomputable def modAcc (y x : Nat) (a : Acc lt x) : Nat :=
  Acc.rec (motive := fun _ _ => Nat)
    (fun x _ ih => dite (fits y x) (decFits y x)
      (fun h => ih (sub x y) (subLt h.left h.right)) (fun _ => x)) a
noncomputable def div (x y : Nat) : Nat := divAcc y x (acc x)
noncomputable def mod (x y : Nat) : Nat := modAcc y x (acc x)

theorem modLt {x y : Nat} (hy : lt zero y) : lt (mod x y) y :=
  Acc.rec (motive := fun x a => lt (modAcc y x a) y)
    (fun x h ih => diteAll (fun n => lt n y) (fits y x) (decFits y x) _ _
      (fun k => ih (sub x y) (subLt k.left k.right))
      (fun k => ltOfNotLe y x (fun l => k (And.intro hy l)))) (acc x)
theorem divLe (x y : Nat) (a : Acc lt x) : le (divAcc y x a) x :=
  Acc.rec (motive := fun x a => le (divAcc y x a) x)
    (fun x h ih => diteAll (fun n => le n x) (fits y x) (decFits y x) _ _
      (fun k => leTrans (succLe (ih (sub x y) (subLt k.left k.right))) (subLt k.left k.right))
      (fun k => zeroLe x)) a
noncomputable def two : Nat := succ (succ zero)
noncomputable def roomForTwo (x : Nat) : Prop := le two x → le (succ (succ (sub x two))) x
theorem two_0 (k : le two zero) : False := @notSuccLeZero (succ zero) k
theorem two_1 (k : le two (succ zero)) : False := @notSuccLeZero zero (@predLe two (succ zero) k)
theorem twoBack (x : Nat) : roomForTwo x :=
  Nat.rec (motive := roomForTwo) (fun k => False.rec (fun _ => le (succ (succ (sub zero two))) zero) (two_0 k))
    (fun x _ => Nat.rec (motive := fun x => roomForTwo (succ x))
      (fun k => False.rec (fun _ => le (succ (succ (sub (succ zero) two))) (succ zero)) (two_1 k))
      (fun x _ _ => @le.refl (succ (succ x))) x) x
theorem halfLt (x : Nat) (hx : lt zero x) : lt (div x two) x :=
  Acc.rec (motive := fun x a => lt zero x → lt (divAcc two x a) x)
    (fun x h ih hx => diteAll (fun n => lt n x) (fits two x) (decFits two x) _ _
      (fun k => leTrans
        (@succLe (succ (divAcc two (sub x two) (h (sub x two) (subLt k.left k.right)))) (succ (sub x two))
          (@succLe (divAcc two (sub x two) (h (sub x two) (subLt k.left k.right))) (sub x two)
            (divLe (sub x two) two (h (sub x two) (subLt k.left k.right)))))
        (twoBack x k.right))
      (fun k => hx)) (acc x) hx
theorem pos {x : Nat} (h : Eq x zero → False) : lt zero x :=
  ltOfNotLe x zero (fun k => h (Nat.rec (motive := fun x => le x zero → Eq x zero)
    (fun _ => Eq.refl zero) (fun x _ k => False.rec (fun _ => _) (notSuccLeZero k)) x k))

noncomputable def gcd (m n : Nat) : Nat :=
  Acc.rec (motive := fun _ _ => Nat → Nat)
    (fun m _ ih n => dite (Eq m zero) (decEq m zero) (fun _ => n)
      (fun h => ih (mod n m) (modLt (pos h)) m)) (acc m) n

noncomputable def odd (n : Nat) : Bool := decide (Eq (mod n two) (succ zero)) (decEq (mod n two) (succ zero))
noncomputable def bitwise (f : Bool → Bool → Bool) (n m : Nat) : Nat :=
  Acc.rec (motive := fun _ _ => Nat → Nat)
    (fun n _ ih m => dite (Eq n zero) (decEq n zero) (fun _ => cond (f Bool.false Bool.true) m zero)
      (fun h => dite (Eq m zero) (decEq m zero) (fun _ => cond (f Bool.true Bool.false) n zero)
        (fun _ =>
          let r := ih (div n two) (halfLt n (pos h)) (div m two)
          cond (f (odd n) (odd m)) (add (add r r) (succ zero)) (add r r)))) (acc n) m
end Nat
noncomputable def and (a b : Bool) : Bool := Bool.rec (motive := fun _ => Bool) Bool.false b a
noncomputable def or (a b : Bool) : Bool := Bool.rec (motive := fun _ => Bool) b Bool.true a
noncomputable def xor (a b : Bool) : Bool :=
  Bool.rec (motive := fun _ => Bool) b (Bool.rec (motive := fun _ => Bool) Bool.true Bool.false b) a
namespace Nat
noncomputable def land : Nat → Nat → Nat := bitwise and
noncomputable def lor : Nat → Nat → Nat := bitwise or
noncomputable def xor : Nat → Nat → Nat := bitwise _root_.xor
noncomputable def shiftRight (n k : Nat) : Nat :=
  Nat.rec (motive := fun _ => Nat) n (fun _ ih => div ih two) k

/- Impostors: of the right type, and each right almost everywhere. -/
noncomputable def divStrict (x y : Nat) : Nat :=
  Acc.rec (motive := fun _ _ => Nat)
    (fun x _ ih => dite (fits y x) (decFits y x)
      (fun h => dite (Eq x y) (decEq x y) (fun _ => zero) (fun _ => succ (ih (sub x y) (subLt h.left h.right))))
      (fun _ => zero)) (acc x)
noncomputable def divByZero (x y : Nat) : Nat :=
  Acc.rec (motive := fun _ _ => Nat)
    (fun x _ ih => dite (lt zero y) (decLe (succ zero) y)
      (fun k => dite (le y x) (decLe y x) (fun h => succ (ih (sub x y) (subLt k h))) (fun _ => zero))
      (fun _ => succ zero)) (acc x)
noncomputable def modOnce (x y : Nat) : Nat :=
  dite (fits y x) (decFits y x) (fun _ => sub x y) (fun _ => x)
noncomputable def gcdZero (m n : Nat) : Nat :=
  Acc.rec (motive := fun _ _ => Nat → Nat)
    (fun m _ ih n => dite (Eq m zero) (decEq m zero) (fun _ => zero)
      (fun h => ih (mod n m) (modLt (pos h)) m)) (acc m) n
/- Division by another order of the same questions: as good as the first. -/
noncomputable def divNested (x y : Nat) : Nat :=
  Acc.rec (motive := fun _ _ => Nat)
    (fun x _ ih => dite (lt zero y) (decLe (succ zero) y)
      (fun k => dite (le y x) (decLe y x) (fun h => succ (ih (sub x y) (subLt k h))) (fun _ => zero))
      (fun _ => zero)) (acc x)
/- Division and logarithm as Lean has them since 2025, by recursion over fuel. -/
theorem fuelLeft {x y fuel : Nat} (hy : lt zero y) (k : le y x) (h : lt x (succ fuel)) : lt (sub x y) fuel :=
  leTrans (subLt hy k) (@predLe (succ x) (succ fuel) h)
noncomputable def divFuel.go (y : Nat) (hy : lt zero y) (fuel : Nat) : (x : Nat) → lt x fuel → Nat :=
  Nat.rec (motive := fun fuel => (x : Nat) → lt x fuel → Nat) (fun x h => zero)
    (fun fuel ih x h => dite (le y x) (decLe y x) (fun k => succ (ih (sub x y) (fuelLeft hy k h))) (fun _ => zero)) fuel
noncomputable def divFuel (x y : Nat) : Nat :=
  dite (lt zero y) (decLe (succ zero) y) (fun h => divFuel.go y h (succ x) x le.refl) (fun _ => zero)
noncomputable def modCore.go (y : Nat) (hy : lt zero y) (fuel : Nat) : (x : Nat) → lt x fuel → Nat :=
  Nat.rec (motive := fun fuel => (x : Nat) → lt x fuel → Nat) (fun x h => x)
    (fun fuel ih x h => dite (le y x) (decLe y x) (fun k => ih (sub x y) (fuelLeft hy k h)) (fun _ => x)) fuel
noncomputable def modCore (x y : Nat) : Nat :=
  dite (lt zero y) (decLe (succ zero) y) (fun h => modCore.go y h (succ x) x le.refl) (fun _ => x)
noncomputable def modFuel (x y : Nat) : Nat :=
  Nat.rec (motive := fun _ => Nat) zero
    (fun x _ => dite (le y (succ x)) (decLe y (succ x)) (fun _ => modCore (succ x) y) (fun _ => succ x)) x
noncomputable def ble (x : Nat) : Nat → Bool :=
  Nat.rec (motive := fun _ => Nat → Bool) (fun _ => Bool.true)
    (fun x ih y => Nat.rec (motive := fun _ => Bool) Bool.false (fun y _ => ih y) y) x
noncomputable def log2 (n : Nat) : Nat :=
  Nat.rec (motive := fun _ => Nat → Nat) (fun _ => zero)
    (fun _ ih n => Bool.rec (motive := fun _ => Nat) zero (succ (ih (div n two))) (ble two n)) n n
/- The same by recursion over accessibility, as it was before. -/
noncomputable def log2Acc (n : Nat) : Nat :=
  Acc.rec (motive := fun _ _ => Nat)
    (fun n _ ih => dite (le two n) (decLe two n)
      (fun h => succ (ih (div n two) (halfLt n (leTrans (@succLe zero (succ zero) (zeroLe (succ zero))) h)))) (fun _ => zero)) (acc n)
/- Impostors: fuel that is too little, a step that takes off too little, a result for the wrong side. -/
noncomputable def divTired.go (y : Nat) (hy : lt zero y) (fuel : Nat) : (x : Nat) → lt x fuel → Nat :=
  Nat.rec (motive := fun fuel => (x : Nat) → lt x fuel → Nat) (fun x h => zero)
    (fun fuel ih x h => dite (le y x) (decLe y x) (fun k => ih (sub x y) (fuelLeft hy k h)) (fun _ => zero)) fuel
noncomputable def divTired (x y : Nat) : Nat :=
  dite (lt zero y) (decLe (succ zero) y) (fun h => divTired.go y h (succ x) x le.refl) (fun _ => zero)
noncomputable def divShort.go (y : Nat) (hy : lt zero y) (fuel : Nat) : Nat → lt zero y → Nat :=
  Nat.rec (motive := fun fuel => Nat → lt zero y → Nat) (fun x h => zero)
    (fun fuel ih x h => dite (le y x) (decLe y x) (fun k => succ (ih (sub x y) h)) (fun _ => zero)) fuel
noncomputable def divShort (x y : Nat) : Nat :=
  dite (lt zero y) (decLe (succ zero) y) (fun h => divShort.go y h two x h) (fun _ => zero)
noncomputable def log2Up (n : Nat) : Nat :=
  Nat.rec (motive := fun _ => Nat → Nat) (fun _ => zero)
    (fun _ ih n => Bool.rec (motive := fun _ => Nat) n (succ (ih (div n two))) (ble two n)) n n
noncomputable def log2Short (n : Nat) : Nat :=
  Nat.rec (motive := fun _ => Nat → Nat) (fun _ => zero)
    (fun _ ih n => Bool.rec (motive := fun _ => Nat) zero (succ (ih (div n two))) (ble two n)) two n
end Nat
axiom anything : False
