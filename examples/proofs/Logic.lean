/-
Propositional logic: what holds without a choice between true and false, and what needs one.
-/
namespace Logic

theorem and_swap {p q : Prop} (h : p ∧ q) : q ∧ p :=
  ⟨h.2, h.1⟩

theorem or_swap {p q : Prop} (h : p ∨ q) : q ∨ p :=
  match h with
  | Or.inl hp => Or.inr hp
  | Or.inr hq => Or.inl hq

theorem and_or_distrib {p q r : Prop} : p ∧ (q ∨ r) ↔ (p ∧ q) ∨ (p ∧ r) :=
  ⟨fun ⟨hp, hqr⟩ =>
      match hqr with
      | Or.inl hq => Or.inl ⟨hp, hq⟩
      | Or.inr hr => Or.inr ⟨hp, hr⟩,
    fun h =>
      match h with
      | Or.inl ⟨hp, hq⟩ => ⟨hp, Or.inl hq⟩
      | Or.inr ⟨hp, hr⟩ => ⟨hp, Or.inr hr⟩⟩

theorem contrapose {p q : Prop} (h : p → q) : ¬q → ¬p :=
  fun hnq hp => hnq (h hp)

theorem not_or {p q : Prop} : ¬(p ∨ q) ↔ ¬p ∧ ¬q :=
  ⟨fun h => ⟨fun hp => h (Or.inl hp), fun hq => h (Or.inr hq)⟩,
    fun ⟨hnp, hnq⟩ h =>
      match h with
      | Or.inl hp => hnp hp
      | Or.inr hq => hnq hq⟩

/-- Every proposition is true or false, up to a double negation: no axiom is needed. -/
theorem not_not_em (p : Prop) : ¬¬(p ∨ ¬p) :=
  fun h => h (Or.inr (fun hp => h (Or.inl hp)))

/-- With the axiom of choice the double negation goes away. -/
theorem peirce {p q : Prop} (h : (p → q) → p) : p :=
  match Classical.em p with
  | Or.inl hp => hp
  | Or.inr hnp => h (fun hp => absurd hp hnp)

end Logic
