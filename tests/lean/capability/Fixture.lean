/-
Exports that behave, and exports that do not. Requests are plain texts or numbers, so that what is
measured is the way here and back.
-/
import LWBuild

namespace Fixture

@[export fixture_echo]
def echo (request : String) : IO String := return request

/-- A new string of some length. -/
@[export fixture_build]
def build (request : String) : IO String := do
  let mut text := "["
  for i in [0:8] do
    text := text ++ toString i ++ "," ++ request ++ ","
  return text ++ "0]"

/-- The file `request`, with its quotes. -/
@[export fixture_read]
def read (request : String) : IO String := IO.FS.readFile (request.drop 1 |>.dropRight 1)

@[export fixture_refuse]
def refuse (request : String) : IO String := throw <| IO.userError s!"no {request} — not today"

@[export fixture_nul]
def nul (_ : String) : IO String := return "\"a" ++ String.singleton (Char.ofNat 0) ++ "b\""

@[export fixture_print]
def print (request : String) : IO String := do
  IO.println s!"printed {request}"
  (← IO.getStdout).flush
  return request

@[export fixture_panic]
def panics (request : String) : IO String :=
  return if request.length > 0 then panic! s!"no answer to {request}" else request

@[noinline] def partOf (xs : Array Nat) (i : Nat) : Nat := xs.get! i

@[export fixture_index]
def index (request : String) : IO String := return toString (partOf #[1] request.length)

@[export fixture_exit]
def exit (_ : String) : IO String := IO.Process.exit 0

/-- Not a tail call, and too deep for any stack. -/
partial def deep (n : Nat) : Nat := if n % 7 == 8 then 0 else 1 + deep (n + 1)

@[export fixture_overflow]
def overflow (request : String) : IO String := return toString (deep request.length)

def number (request : String) : IO Nat :=
  match request.toNat? with
  | some n => pure n
  | none => throw <| IO.userError s!"{request} is no number"

/-- As many rows as the request says, of the length that declarations have. -/
@[export fixture_rows]
def rows (request : String) (callback context : USize) : IO UInt8 :=
  LWBuild.stream callback context fun out => do
    let n ← number request
    for i in [0:n] do
      out.row "rows" ("{\"name\":\"Fixture.declaration" ++ LWBuild.decimal i ++ "\",\"kind\":\"theorem\",\"universes\":"
        ++ LWBuild.decimal (i % 3) ++ "}")

/-- As many rows, of names that were there before: what a stream of declarations does. -/
@[export fixture_names]
def names (request : String) (callback context : USize) : IO UInt8 :=
  LWBuild.stream callback context fun out => do
    let n ← number request
    let mut known := #[]
    for i in [0:1000] do
      known := known.push s!"Fixture.declaration{i}"
    for i in [0:n] do
      out.row "rows" ("{\"name\":\"" ++ known.get! (i % 1000) ++ "\",\"kind\":\"theorem\"}")

/-- What is made for rows in C, and what Lean makes of the same. -/
@[export fixture_texts]
def texts (request : String) : IO String := do
  let odd := "a\"b\\c\n\t" ++ String.singleton (Char.ofNat 1) ++ String.singleton (Char.ofNat 127) ++ "é🌱" ++ request
  let numbers := [0, 7, 10, 4294967295, 4294967296, 18446744073709551616]
  let same := numbers.all fun n => LWBuild.decimal n == toString n
  return "[" ++ LWBuild.jsonText odd ++ "," ++ LWBuild.jsonText "" ++ "," ++ (if same then "true" else "false") ++ "]"

/-- Some of everything, and an error at last. -/
@[export fixture_breaks]
def breaks (request : String) (callback context : USize) : IO UInt8 :=
  LWBuild.stream callback context fun out => do
    out.progress "start" 1 (some 2)
    out.diagnostic LWBuild.Severity.warning "fixture.breaks" "soon"
    out.row "one" "1"
    out.row "two" "2"
    throw <| IO.userError s!"broken {request}"

/-- A task is not the thread of the session. -/
@[export fixture_task]
def task (_ : String) (callback context : USize) : IO UInt8 := do
  let answer ← IO.asTask (prio := Task.Priority.dedicated) (LWBuild.emitRaw callback context "row\nn\n1")
  match answer.get with
  | Except.ok status => return status
  | Except.error e => throw e

end Fixture
