/-
What a stream says to lwbuild. Copy this file into a project; it needs nothing but Lean's prelude.

    @[export squares] def squares (request : String) (callback context : USize) : IO UInt8 :=
      LWBuild.stream callback context fun out => do
        for i in [0:10] do
          out.row "squares" ("{\"square\":" ++ LWBuild.decimal (i * i) ++ "}")

An event is one string, its parts on lines of their own: what it is, of what, and the rest. Rows are
handed over as they are, since there are many.
-/
namespace LWBuild

/-- Whom a stream talks to. -/
structure Out where
  callback : USize
  context : USize

inductive Severity where
  | information | warning | error

/-- 0: go on. The adaptor that `add_lean_capability` compiles has the real one. -/
@[extern "lwb_lean_emit"]
def emitRaw (callback context : USize) (envelope : @& String) : IO UInt8 :=
  throw <| IO.userError s!"outside of a capability ({callback}, {context}): {envelope}"

/-- 0: go on. A row without an envelope. -/
@[extern "lwb_lean_row"]
def rowRaw (callback context : USize) (name json : @& String) : IO UInt8 :=
  throw <| IO.userError s!"outside of a capability ({callback}, {context}): {name} {json}"

@[extern "lwb_lean_decimal"]
private def decimalOfUSize (n : USize) : String := toString n.toNat

/-- `toString n`, for rows: Lean makes digits one by one, as a list. -/
def decimal (n : Nat) : String :=
  if n ≤ 4294967295 then decimalOfUSize (USize.ofNat n) else toString n

/-- A text as JSON, with its quotes. -/
@[extern "lwb_lean_json_text"]
def jsonText (text : @& String) : String :=
  let hex (n : Nat) : String := String.singleton (Nat.digitChar n)
  let escape (json : String) (c : Char) : String :=
    if c == '"' then json ++ "\\\""
    else if c == '\\' then json ++ "\\\\"
    else if c.toNat < 32 then json ++ "\\u00" ++ hex (c.toNat / 16) ++ hex (c.toNat % 16)
    else json.push c
  text.foldl escape "\"" ++ "\""

private def stopped : String := "lwbuild: nobody wants the rest"

/-- Ends the stream, by an exception, when nobody wants the rest. -/
private def goOn (status : UInt8) : IO Unit := do
  if status != 0 then
    throw <| IO.userError stopped

/-- Any event, by its envelope. -/
def Out.emit (out : Out) (envelope : String) : IO Unit := do
  goOn (← emitRaw out.callback out.context envelope)

/-- One row of the stream `name`: a JSON text. -/
def Out.row (out : Out) (name json : String) : IO Unit := do
  goOn (← rowRaw out.callback out.context name json)

/-- How far it is; `total` if that is known. -/
def Out.progress (out : Out) (phase : String) (current : Nat) (total : Option Nat := none) : IO Unit :=
  let whole := match total with
    | some n => "/" ++ toString n
    | none => ""
  out.emit ("progress\n" ++ phase ++ "\n" ++ toString current ++ whole)

/-- Something for people, with a short word for programs. -/
def Out.diagnostic (out : Out) (severity : Severity) (code text : String) : IO Unit :=
  let word := match severity with
    | Severity.information => "information"
    | Severity.warning => "warning"
    | Severity.error => "error"
  out.emit ("diagnostic\n" ++ word ++ "\n" ++ code ++ "\n" ++ text)

/-- The body of an exported stream. -/
def stream (callback context : USize) (body : Out → IO Unit) : IO UInt8 := do
  try
    body ⟨callback, context⟩
    return (0 : UInt8)
  catch e =>
    if toString e == stopped then return (1 : UInt8) else throw e

end LWBuild
