/-
A leading comment, as licences have it.
-/
namespace Cases

/-- Documentation. -/
theorem two : 1 + 1 = 2 := rfl

theorem swap {p q : Prop} (h : p ∧ q) : q ∧ p := by
  cases h with
  | intro hp hq => exact And.intro hq hp

end Cases
