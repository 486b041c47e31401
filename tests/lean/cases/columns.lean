-- ∀ takes one UTF-16 unit, 𝔸 takes two
theorem 𝔸𝔸 (p : Prop) (h : p) : p ∧ ¬ ¬ p := ⟨h, (1 : Nat)⟩
